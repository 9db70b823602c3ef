"""One request and its answer on a connection of aiohttp's pool: written in one piece, read by aiohttp's parser.

aiohttp's own requests and responses are not made. They cost a sixth of the engine's CPU time (ADR 0005), write a body
in a task of its own some turns of the event loop later, and repeat a GET or PUT whose connection was lost. Here a
request leaves by one call that writes all of it: what is asked before it is asked last, and nothing is written twice.

What belongs here: bytes on a connection. What the fate of a request is told from is in `wire.transport`.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader
from yarl import URL

from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.provider import RenderedRequest

MOST_ORIGINS = 1_000
"""Servers that a pool has the addresses of ready."""

_FRAMING = frozenset({"content-length", "transfer-encoding", "expect"})
"""Headers that say where a request ends: those are ours."""

_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_METHOD = re.compile(r"[A-Z]+")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+")
_NO_VALUE = re.compile(r"[\0\r\n]")


class NothingLeft(Exception):
    """The connection was lost before the request was written."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes, and the beginning of its head that follows from that."""

    url: URL
    origin: URL
    path: str
    head: Mapping[str, str]


def target_of(request: RenderedRequest) -> Target:
    """The parsed address of a request. Raises `ContractError` for one that is none."""
    try:
        if not request.query:
            return _target(request.url)
        return _target.__wrapped__(str(httpx.URL(request.url, params=_params(request))))
    except (httpx.InvalidURL, ValueError) as error:
        raise unsendable(error) from None


@lru_cache(maxsize=1024)
def _target(text: str) -> Target:
    """Parsing is a fifth of what a request costs, and most of a step's requests go to one address."""
    url = URL(str(httpx.URL(text)))
    if not url.raw_host or url.scheme not in ("http", "https"):
        raise ValueError("no address of a server")
    head = {"host": url.host_port_subcomponent or url.raw_host}
    if url.user is not None or url.password is not None:
        given = f"{url.user or ''}:{url.password or ''}".encode()
        head["authorization"] = f"Basic {base64.b64encode(given).decode()}"
    head |= {"accept": "*/*", "accept-encoding": "gzip, deflate", "user-agent": "enrichment-assets"}
    return Target(url, url.origin(), url.raw_path_qs, head)


def _params(request: RenderedRequest) -> dict[str, str]:
    """Query parameters, together with those that the URL has already (httpx would drop these)."""
    return {**httpx.URL(request.url).params, **request.query} if "?" in request.url else dict(request.query)


def written(request: RenderedRequest, target: Target) -> bytes:
    """The bytes of a request. Raises `ContractError` for a method or header that no request can have."""
    head, content = dict(target.head), request.content or b""
    for name, value in request.headers.items():
        lower = name.lower()
        if _NAME.fullmatch(lower) is None or not value.isascii() or _NO_VALUE.search(value) is not None:
            raise unsendable(ValueError(name))
        head[lower] = value
    if not _FRAMING.isdisjoint(head):
        head = {name: value for name, value in head.items() if name not in _FRAMING}
    method = request.method.upper()
    if _METHOD.fullmatch(method) is None:
        raise unsendable(ValueError(method))
    if content or method in _WITH_BODY:
        head["content-length"] = str(len(content))
        head.setdefault("content-type", "application/octet-stream")
    lines = "\r\n".join([f"{name}: {value}" for name, value in head.items()])
    return f"{method} {target.path} HTTP/1.1\r\n{lines}\r\n\r\n".encode("ascii") + content


def unsendable(error: Exception) -> ContractError:
    """What is raised of a request that no server could be sent."""
    return ContractError(f"the request cannot be put on the wire ({type(error).__name__})", code="request.not_sendable")


class Pool:
    """The connections of one session. Inside its event loop."""

    def __init__(self, session: aiohttp.ClientSession, connect_timeout: float) -> None:
        assert session.connector is not None, "a session has a connector until it is closed"  # noqa: S101
        self._session = session
        self._connector = session.connector
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout)
        self._origins: dict[URL, aiohttp.ClientRequest] = {}

    async def line(self, target: Target) -> Line:
        """A connection to a request's server, kept or new. Raises what aiohttp does where there is none."""
        origin = self._origins.get(target.origin)
        if origin is None:
            if len(self._origins) >= MOST_ORIGINS:
                self._origins.clear()
            loop = asyncio.get_running_loop()
            origin = aiohttp.ClientRequest("GET", target.origin, loop=loop, session=self._session)
            self._origins[target.origin] = origin
        try:
            return Line(await self._connector.connect(origin, [], self._timeout))
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError from error


class Line:
    """A connection that one request has to itself; `close` it unless `done` was reached."""

    def __init__(self, held: Connection) -> None:
        self._held = held

    def expect(self, method: str) -> None:
        """Be ready for an answer. Raises `NothingLeft` where the connection is lost, or said something unasked."""
        protocol = self._protocol()
        if not protocol.is_connected() or protocol.should_close:
            raise NothingLeft
        protocol.set_response_params(skip_payload=method.upper() == "HEAD", read_until_eof=True, auto_decompress=False)

    def write(self, request: bytes) -> None:
        """Let a whole request leave."""
        transport = self._held.transport
        if transport is not None:  # lost: whoever waits for the answer is told
            transport.write(request)

    def _protocol(self) -> ResponseHandler:
        protocol = self._held.protocol
        if protocol is None:
            raise NothingLeft
        return protocol

    async def answer(self) -> tuple[RawResponseMessage, StreamReader]:
        """Status and headers of the answer, and its body still to be read."""
        protocol = self._protocol()
        while True:
            message, body = await protocol.read()
            if not 100 <= message.code < 200 or message.code == 101:
                return message, body

    def done(self) -> None:
        """The answer was read: others may have the connection, unless something of the request is still on its way."""
        transport = self._held.transport
        if transport is None or transport.get_write_buffer_size():
            self._held.close()
        else:
            self._held.release()

    def close(self) -> None:
        """End the connection; nothing happens after `done`."""
        self._held.close()
