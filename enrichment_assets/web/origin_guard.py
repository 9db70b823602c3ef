"""Which requests a server on loopback answers: those of its own pages and of programs on this machine.

A page of any web site that is open in the operator's browser can send requests to 127.0.0.1, and a name that
somebody else owns can point there. So a request passes only when
- its `Host` is one of ours (a foreign name that points here is not);
- its `Origin`, where there is one, is ours; programs send none;
- the browser calls it `same-origin` or `none` in `Sec-Fetch-Site`; following a link to a page is fine;
- it reads by GET or HEAD, or changes something by POST with JSON, which no form of another site can send; where pages
  of our own have forms (`forms`), also by POST of a form or a file whose `Origin` says that it comes from one of them;
  to the API also of a file without one, which no page of another site can send unasked.
The same holds for WebSockets. Facts: Fetch Metadata Request Headers (W3C), RFC 6454 (origins).
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 10 * 1024 * 1024
"""Largest body of a POST; a launch of a backfill over thousands of partitions takes a few hundred kilobytes."""

FORM, FILE = "application/x-www-form-urlencoded", "application/octet-stream"
"""What pages of ours send beside JSON. `Origin` is in every POST of a browser (Fetch standard, "append a request
`Origin` header"), and a page of another site cannot choose it."""

_READS = frozenset({"GET", "HEAD"})
LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine for itself."""

_PROGRAMS = "/api/"
"""Where programs ask, which send no `Origin`."""

_OWN_SITES = frozenset({"same-origin", "none"})
_QUERY_PATHS = frozenset({"/graphql"})
"""Where a query string is an order to be carried out: such a path takes it in a POST only."""

RESPONSE_HEADERS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""Added to every answer: no other site shows our pages in a frame or reads our files."""


class Refusal(Exception):
    """Why a request does not pass: HTTP status, `code` for programs, what happened, what helps."""

    def __init__(self, status: HTTPStatus, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.hint = status, code, message, hint


class OriginGuard:
    """ASGI middleware. `origins`: our own, `scheme://host[:port]`; their hosts are the `Host` headers that count.

    `forms`: our pages have forms, and send files, which are passed on as they come: who takes one bounds it.
    """

    def __init__(self, app: ASGIApp, origins: Iterable[str], *, forms: bool = False) -> None:
        self._app = app
        self._forms = forms
        self._origins = frozenset(normal_origin(origin) for origin in origins)
        self._hosts = frozenset(urlsplit(origin).netloc for origin in self._origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with the reason why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
            if scope["type"] == "http" and scope["method"] not in _READS and _content_type(scope) != FILE:
                receive = await _whole_body(receive)
        except Refusal as refusal:
            await _refuse(refusal, scope, receive, send)
            return
        await self._app(scope, receive, _with_headers(send))

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            raise Refusal(
                HTTPStatus.MISDIRECTED_REQUEST,
                "unknown_host",
                "this server does not answer under that name",
                f"open {min(self._origins)}, or add the origin to ENRICH_UI_ORIGINS",
            )
        if any(origin.lower() not in self._origins for origin in headers.getlist("origin")):
            raise _foreign()
        self._check_site(scope, headers)
        if scope["type"] == "http":
            _check_method(scope, headers, forms=self._forms)

    def _check_site(self, scope: Scope, headers: Headers) -> None:
        if all(site in _OWN_SITES for site in headers.getlist("sec-fetch-site")):
            return
        follows_a_link = (
            scope["type"] == "http"
            and scope["method"] in _READS
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
        )
        if not follows_a_link:
            raise _foreign()


def normal_origin(origin: str) -> str:
    """`HTTP://LocalHost:80/` -> `http://localhost`: as a browser writes an origin.

    Raises:
        ValueError: It is no origin (`scheme://host`, with a port where it is not the scheme's own).
    """
    parts = urlsplit(origin.strip().lower())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"{origin!r} is no origin: write http://name or https://name, with a port where needed")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"{origin!r} is no origin: nothing may stand behind the host and its port")
    usual = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def loopback_origins(port: int) -> list[str]:
    """The origins of a server that listens on this machine."""
    return [f"http://{host}:{port}" for host in ("127.0.0.1", "localhost", "[::1]")]


def _check_method(scope: Scope, headers: Headers, *, forms: bool) -> None:
    if scope["method"] in _READS:
        if scope["query_string"] and scope["path"].rstrip("/") in _QUERY_PATHS:
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "use_post", "queries are sent by POST", "send them as JSON")
        return
    if scope["method"] != "POST":
        if forms:
            return  # our own router knows which methods a path has, and says so
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "method", "this method is not served", "use GET or POST")
    of_our_page = forms and _content_type(scope) == FORM and "origin" in headers
    is_file = forms and _content_type(scope) == FILE and ("origin" in headers or scope["path"].startswith(_PROGRAMS))
    if _content_type(scope) != "application/json" and not of_our_page and not is_file:
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not_json", "a change is sent as JSON", "content-type: application/json"
        )


def _content_type(scope: Scope) -> str:
    return Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()


def _foreign() -> Refusal:
    return Refusal(
        HTTPStatus.FORBIDDEN, "foreign_origin", "the request comes from a page of another site", "open our own page"
    )


async def _whole_body(receive: Receive) -> Receive:
    """Read the body, as far as it may go, and give it to the application in one piece.

    Refusing later would meet an application that is half-way through an answer.
    """
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break  # the other side has gone; the application is told by the next message
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > MAX_BODY_BYTES:
            raise Refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", "the body is too large", "ask for less at once"
            )
    waiting: list[Message] = [{"type": "http.request", "body": b"".join(parts), "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _with_headers(send: Send) -> Send:
    async def with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            for name, value in RESPONSE_HEADERS.items():
                headers[name] = value
        await send(message)

    return with_headers


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()  # websocket.connect; closing before accepting is an HTTP 403
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.code})
        return
    body = {"code": refusal.code, "message": refusal.message, "hint": refusal.hint}
    answer = JSONResponse(body | {"fields": {}}, refusal.status, headers=RESPONSE_HEADERS)
    await answer(scope, receive, send)
