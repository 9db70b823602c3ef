"""Pages of other sites that may use the API from a browser: those that a setting names, with a key and no cookie.

Without it a browser lets no page of another site read an answer. What passes here has no cookie any more, and is judged
by its key alone (Fetch standard, "CORS protocol"). It stands before the API's paths only: never before the console's
pages or Dagster's.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from enrichment_assets.web.api.errors import NO_STORE
from enrichment_assets.web.api.route_types import ALIASES
from enrichment_assets.web.origin_guard import normal_origin

_LEFT_OUT = frozenset({b"cookie", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest"})
_ASKED_WITH = "authorization, content-type, idempotency-key, if-match, if-none-match"
_READABLE = "retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset, idempotency-replayed, etag"
_PREFLIGHT_SECONDS = "600"


class CrossOrigin:
    """ASGI middleware before the guard. `origins`: whose pages may use the API with a key."""

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        self._app = app
        self._origins = frozenset(normal_origin(origin) for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, answered for its origin where that may."""
        origin = Headers(scope=scope).get("origin", "").lower() if scope["type"] == "http" else ""
        if not (origin in self._origins and scope["path"].startswith(f"{ALIASES}/")):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] == "OPTIONS":
            await Response(status_code=HTTPStatus.NO_CONTENT, headers=_preflight(origin))(scope, receive, send)
        elif "authorization" not in headers:
            body = {
                "code": "access.unauthenticated",
                "message": "a page of another site comes in with a key only",
                "hint": "send an API key as `Authorization: Bearer ...`",
                "fields": {},
            }
            await JSONResponse(body, HTTPStatus.UNAUTHORIZED, headers={**NO_STORE, **_allowed(origin)})(
                scope, receive, send
            )
        else:
            kept = [(name, value) for name, value in scope["headers"] if name not in _LEFT_OUT]
            await self._app({**scope, "headers": kept}, receive, _answering(send, origin))


def _allowed(origin: str) -> dict[str, str]:
    return {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": _READABLE,
        "cross-origin-resource-policy": "cross-origin",
        "vary": "Origin",
    }


def _preflight(origin: str) -> dict[str, str]:
    return {
        **_allowed(origin),
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": _ASKED_WITH,
        "access-control-max-age": _PREFLIGHT_SECONDS,
    }


def _answering(send: Send, origin: str) -> Send:
    async def answering(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(raw=message["headers"]).update(_allowed(origin))
        await send(message)

    return answering
