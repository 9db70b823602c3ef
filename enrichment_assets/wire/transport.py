"""Sending one request and saying exactly what became of it: an answer, nothing sent, or a fate unknown.

That difference is the heart of "never pay twice". It is not told from the type of an exception (a connection that is
closed before and after the request went out raises the same one, and httpx-aiohttp calls both a connect time-out), but
from the wire: `send` writes a request by one call (`wire.exchange`). Not called means that nothing left.

The moment before is the last one at which a request can be held back. `send` asks its caller there: whether it is the
request's turn, and whether it may still leave. What lies between that question and the system call that writes is a
few microseconds of Python; no lease can close it.

One aiohttp session, which provider code can also use through httpx's API: httpx's own pool collapses under concurrency,
and request and response objects, httpx's and aiohttp's, cost a good part of a call (ADR 0005), so that
`send` uses the session's connections and makes none.
Cookies are not kept (they would go from one client of the agency to the next), redirects are not followed, and proxies
and `.netrc` of the environment are not used: a credential goes to the address that was configured and nowhere else.
`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured. Where a connection may go is looked at when it is made (`guarded`).
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver
from aiohttp.http import RawResponseMessage
from httpx_aiohttp import AiohttpTransport
from yarl import URL

from enrichment_assets.domain.bodies import MAX_PLAIN_BYTES
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.wire.exchange import Line, NothingLeft, Pool, target_of, written
from enrichment_assets.wire.failures import kind_of, trusted_authorities
from enrichment_assets.wire.guarded import CONFIGURED, guarding, is_refused
from enrichment_assets.wire.simulator import is_below

MAX_ANSWER = MAX_PLAIN_BYTES
"""Bytes of a decoded body; a larger answer is refused while it streams."""

CONNECT_TIMEOUT = 10.0
KEEPALIVE = 15.0
"""Seconds an idle connection is kept; shorter than what servers usually keep, so that few are found closed."""

_NEVER_KEPT = frozenset({"set-cookie", "set-cookie2"})

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # at INFO it logs whole URLs, keys included


class NotSent(Exception):
    """Not one byte of the request left: it may be sent again, whatever it costs."""


class FateUnknown(Exception):
    """The request left, wholly or in part, and no answer came: the provider may have billed it.

    `timed_out`: it is we who gave up waiting.
    """

    def __init__(self, message: str, *, timed_out: bool) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class AnswerTooLarge(ContractError):
    """The provider answered with more than we keep."""

    default_code = "answer.too_large"


class NotTheSimulator(ContractError):
    """A batch for the simulator would have called somebody else; nothing left."""

    default_code = "simulator.only"


class AddressNotAllowed(ContractError):
    """No provider is at such an address (`guarded.CONFIGURED`); nothing left."""

    default_code = "request.address_not_allowed"


class ProviderClient(httpx.AsyncClient):
    """An httpx client whose requests go through one aiohttp session without cookies; `async with` closes it."""

    def __init__(self, wire: AiohttpTransport, connect_timeout: float, only_below: str | None) -> None:
        super().__init__(transport=wire, trust_env=False, follow_redirects=False)
        self._wire = wire
        self._connect_timeout = connect_timeout
        self._pool: Pool | None = None
        self.only_below = only_below

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session under the API; made at its first use, inside the running loop."""
        if not isinstance(self._wire.client, aiohttp.ClientSession):
            self._wire.client = self._wire.get_client()
        return self._wire.client

    @property
    def pool(self) -> Pool:
        """The session's connections; as `session`."""
        if self._pool is None:
            self._pool = Pool(self.session, self._connect_timeout)
        return self._pool


def build_client(
    concurrency: int = 100,
    connect_timeout: float = CONNECT_TIMEOUT,
    *,
    only_below: str | None = None,
    resolver: AbstractResolver | None = None,
) -> ProviderClient:
    """A client for up to `concurrency` requests at once; one per run, shared by all its steps.

    With `only_below` no request leaves for any other address, by whatever way it was made. `resolver`: who resolves
    names; default: the system.
    """
    trusted = trusted_authorities()

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=concurrency,
            keepalive_timeout=KEEPALIVE,
            ssl=trusted,
            **guarding(CONFIGURED, resolver),
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[_kept_below(only_below)] if only_below is not None else None,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout),
            auto_decompress=False,
        )

    return ProviderClient(AiohttpTransport(verify=trusted, client=session), connect_timeout, only_below)


# crash point: request-is-sent
async def send(
    client: httpx.AsyncClient,
    request: RenderedRequest,
    timeout: float,  # noqa: ASYNC109
    *,
    turn: Callable[[], Awaitable[None]] | None = None,
    may_leave: Callable[[], None] | None = None,
    max_answer: int = MAX_ANSWER,
) -> Answer:
    """Send an authorised request once and read its answer.

    Args:
        client: From `build_client`.
        request: With an absolute URL.
        timeout: Seconds for the whole exchange, body and waiting for its turn included.
        turn: Awaited when the connection stands, right before the first byte is written; the rate is kept there.
        may_leave: Asked after it, as the last thing of all. What either of them raises is raised here; nothing left.
        max_answer: Bound of the decoded body in bytes.

    Raises:
        NotSent: Nothing left. The message names the kind of failure, never the URL.
        FateUnknown: It left, and no whole answer came.
        AnswerTooLarge: The answer came and is larger than `max_answer`.
        NotTheSimulator: The client calls the simulator only; nothing left.
        AddressNotAllowed: No provider is at the address that was to be connected to; nothing left.
    """
    if not isinstance(client, ProviderClient):
        raise TypeError("send() needs a client from build_client()")
    target = target_of(request)
    _refuse_others(target.url, client.only_below)
    departure = _Departure(request.method, written(request, target), turn, may_leave)
    patience = asyncio.timeout(timeout)
    try:
        async with patience:
            line = await client.pool.line(target)
            try:
                message, raw = await _exchanged(line, departure, max_answer)
            finally:
                line.close()
    except ContractError:
        raise
    except Exception as error:
        if error is departure.refusal:
            raise
        if is_refused(error):
            raise AddressNotAllowed("the host's address is none that a provider can have") from None
        kind = kind_of(error)
        if departure.departed:
            raise FateUnknown(kind, timed_out=patience.expired()) from None
        raise NotSent(kind) from None
    headers = _kept_headers(message.raw_headers)
    return Answer(message.code, headers, _decoded(raw, headers.get("content-encoding", ""), max_answer))


@dataclass(slots=True, eq=False)
class _Departure:
    """A request that is about to leave: what is asked before its first byte does, and whether it has left.

    `refusal` is what one of the questions raised.
    """

    method: str
    request: bytes
    turn: Callable[[], Awaitable[None]] | None
    may_leave: Callable[[], None] | None
    departed: bool = False
    refusal: Exception | None = None

    # crash point: request-departs
    async def leave(self, line: Line) -> None:
        """Ask, then let the request leave. Raises `NothingLeft`."""
        try:
            if self.turn is not None:
                await self.turn()
            line.expect(self.method)
            if self.may_leave is not None:
                self.may_leave()
        except Exception as refusal:
            self.refusal = None if isinstance(refusal, NothingLeft) else refusal
            raise
        self.departed = True
        line.write(self.request)


async def _exchanged(line: Line, departure: _Departure, max_answer: int) -> tuple[RawResponseMessage, bytes]:
    """The head of the answer, and its body as it came."""
    await departure.leave(line)
    message, body = await line.answer()
    raw = await _read(body, max_answer)
    line.done()
    return message, raw


def _refuse_others(url: URL, only_below: str | None) -> None:
    if only_below is not None and not is_below(url, only_below):
        raise NotTheSimulator(f"a batch for the simulator calls nobody else: {url.host} was not called")


def _kept_headers(raw_headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names in lower case, repeated ones joined, cookies left out; latin-1 reads every byte."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw_headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").replace("\0", "")
        if name not in _NEVER_KEPT:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _read(content: aiohttp.StreamReader, limit: int) -> bytes:
    chunks = []
    size = 0
    while chunk := await content.readany():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _decoded(raw: bytes, encoding: str, limit: int) -> bytes:
    """The body without its content encoding; one that is broken stays as it came, for the mapping to refuse."""
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate") or not raw:
        return raw
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        body = decoder.decompress(raw, limit + 1)
    except zlib.error:
        return raw
    if len(body) > limit:
        raise _too_large(limit)
    return body if decoder.eof else raw


def _too_large(limit: int) -> AnswerTooLarge:
    return AnswerTooLarge(f"the answer is larger than {limit} bytes")


def _kept_below(only_below: str) -> aiohttp.TraceConfig:
    """Before anything is connected through httpx's API: whether the address may be called at all."""

    async def start(_session: aiohttp.ClientSession, _context: Any, params: aiohttp.TraceRequestStartParams) -> None:
        _refuse_others(params.url, only_below)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(start)
    return trace
