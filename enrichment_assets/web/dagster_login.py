"""Who may see Dagster's pages, and who may start something there: the console's users, by the same session.

Dagster shows all clients' batches, so it takes a permission for all of them: to see batches in order to read, to
control them in order to launch and stop runs. Dagster itself has no users; what changes something is a mutation of its
GraphQL (`graphql.parse` says so, not a search for the word), or a POST to anything else. The cookie of the console
comes along, for cookies do not tell ports apart (RFC 6265, 8.5).
"""

from __future__ import annotations

import html
import time
from http import HTTPStatus
from typing import Any

import orjson
from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enrichment_assets.domain.access import Caller, Permission
from enrichment_assets.services.access.logging_in import caller_of_session
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.doors import SESSION

REMEMBERED_SECONDS = 5.0
"""How long it is taken as known whose a session is: Dagster's pages ask many times a second."""

_MOST_REMEMBERED = 1_000
_OPEN = frozenset({"/server_info"})
"""What says only that the server is there."""


class LoginGuard:
    """ASGI middleware before Dagster's application. `console`: where people log in."""

    def __init__(self, app: ASGIApp, hq: Hq, signing: Signing, console: str) -> None:
        self._app, self._hq, self._signing, self._console = app, hq, signing, console
        self._known: dict[str, tuple[float, Caller | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with the reason why not."""
        if scope["type"] == "lifespan" or scope["path"] in _OPEN:
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        if self._is_program(request):
            await self._app(scope, receive, send)
            return
        caller = await self._caller(request.cookies.get(SESSION, ""))
        if caller is None:
            await self._refuse(HTTPStatus.UNAUTHORIZED, "log in at the console first", scope, receive, send)
        elif not caller.may(Permission.BATCHES_READ, None):
            what = "Dagster shows the batches of all clients: this takes batches:read for all of them"
            await self._refuse(HTTPStatus.FORBIDDEN, what, scope, receive, send)
        elif caller.may(Permission.BATCHES_CONTROL, None):
            await self._app(scope, receive, send)
        else:
            await self._read_only(scope, receive, send)

    def _is_program(self, request: HTTPConnection) -> bool:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._signing.is_program(text.strip())

    async def _caller(self, session: str) -> Caller | None:
        if not session:
            return None
        now = time.monotonic()
        known = self._known.get(session)
        if known is None or known[0] < now:
            caller = await run_in_threadpool(caller_of_session, self._hq, self._signing, session)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = self._known[session] = (now + REMEMBERED_SECONDS, caller)
        return known[1]

    async def _read_only(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            body = await _body(receive)
            if scope["path"].rstrip("/") != "/graphql" or changes_something(body):
                what = "this takes batches:control for all clients"
                await self._refuse(HTTPStatus.FORBIDDEN, what, scope, receive, send)
                return
            receive = _again(body, receive)
        await self._app(scope, receive, send)

    async def _refuse(self, status: HTTPStatus, what: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()  # websocket.connect; closing before accepting is an HTTP 403
            await send({"type": "websocket.close", "code": 1008, "reason": what[:100]})
            return
        answer: Response
        if "text/html" in HTTPConnection(scope).headers.get("accept", ""):
            answer = HTMLResponse(self._page(what), status, headers=_HEADERS)
        else:
            said: dict[str, Any] = {
                "code": "access.refused",
                "message": what,
                "hint": self._console or None,
                "fields": {},
            }
            answer = JSONResponse(said, status, headers=_HEADERS)
        await answer(scope, receive, send)

    def _page(self, what: str) -> str:
        link = html.escape(self._console or "/", quote=True)
        said = html.escape(what[:1].upper() + what[1:])
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Dagster: log in</title>'
            f'<h1>Not yet</h1><p>{said}.</p><p><a href="{link}">To the console</a>, then open this page again.</p>'
        )


_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
}


def changes_something(body: bytes) -> bool:
    """Whether a GraphQL request has a mutation in it, or cannot be read as one at all."""
    try:
        sent = orjson.loads(body)
        queries = [one["query"] for one in (sent if isinstance(sent, list) else [sent])]
        documents = [parse(query) for query in queries]
    except (ValueError, KeyError, TypeError, GraphQLError, RecursionError):
        return True
    return any(
        isinstance(node, OperationDefinitionNode) and node.operation is not OperationType.QUERY
        for document in documents
        for node in document.definitions
    )


async def _body(receive: Receive) -> bytes:
    parts, more = list[bytes](), True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
