"""Sending one request and saying exactly what became of it: an answer, nothing sent, or a fate unknown.

That difference is the heart of "never pay twice". It is not told from the type of an exception (a connection that is
closed before and after the request went out raises the same one, and httpx-aiohttp calls both a connect time-out), but
from the wire: aiohttp says when it is about to write a request's first byte. Never begun means that nothing left.
aiohttp also repeats GET and PUT by itself after a lost connection; the same signal stops that.

The same moment is the last one at which a request can be held back. `send` asks its caller there: whether it is the
request's turn, and whether it may still leave. What lies between that question and the system call that writes is a
few microseconds of Python; no lease can close it.

One aiohttp session, which provider code can also use through httpx's API: httpx's own pool collapses under concurrency,
and its request and response objects cost as much as the exchange (docs/performance.md), so that `send` makes none.
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
from functools import lru_cache
from typing import Any

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver
from httpx_aiohttp import AiohttpTransport
from yarl import URL

from enrichment_assets.domain.bodies import MAX_PLAIN_BYTES
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.wire.failures import Repeated, kind_of, trusted_authorities
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


@dataclass(slots=True, eq=False)
class _Flight:
    """One request on its way: what it asks before its first byte leaves, and whether that has left.

    `refusal` is what one of the questions raised; `over`: nobody waits for the request any more.
    """

    has_body: bool
    turn: Callable[[], Awaitable[None]] | None
    may_leave: Callable[[], None] | None
    departed: bool = False
    over: bool = False
    refusal: Exception | None = None

    # crash point: request-departs
    async def leave(self) -> None:
        """Ask, then note that the request leaves."""
        try:
            if self.turn is not None:
                await self.turn()
            if self.may_leave is not None:
                self.may_leave()
        except Exception as refusal:
            self.refusal = refusal
            raise
        if self.over:
            raise Repeated("nobody waits for the request any more")
        self.departed = True


class ProviderClient(httpx.AsyncClient):
    """An httpx client whose requests go through one aiohttp session without cookies; `async with` closes it."""

    def __init__(self, wire: AiohttpTransport) -> None:
        super().__init__(transport=wire, trust_env=False, follow_redirects=False)
        self._wire = wire

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session under the API; made at its first use, inside the running loop."""
        if not isinstance(self._wire.client, aiohttp.ClientSession):
            self._wire.client = self._wire.get_client()
        return self._wire.client


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
            trace_configs=[_departures(only_below)],
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout),
            auto_decompress=False,
        )

    return ProviderClient(AiohttpTransport(verify=trusted, client=session))


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
    url, head = _address(request), _head(request)
    flight = _Flight(bool(request.content), turn, may_leave)
    patience = asyncio.timeout(timeout)
    try:
        async with (
            patience,
            client.session.request(
                request.method,
                url,
                headers=head,
                data=request.content or None,
                allow_redirects=False,
                trace_request_ctx=flight,
            ) as response,
        ):
            raw = await _read(response.content, max_answer)
    except ContractError:
        raise
    except Exception as error:
        flight.over = True
        if flight.refusal is not None and not flight.departed:
            raise flight.refusal from None
        if is_refused(error):
            raise AddressNotAllowed("the host's address is none that a provider can have") from None
        kind = kind_of(error)
        if flight.departed:
            raise FateUnknown(kind, timed_out=patience.expired()) from None
        raise NotSent(kind) from None
    headers = _kept_headers(response.raw_headers)
    return Answer(response.status, headers, _decoded(raw, headers.get("content-encoding", ""), max_answer))


def _address(request: RenderedRequest) -> URL:
    try:
        return _url(request.url) if not request.query else URL(str(httpx.URL(request.url, params=_params(request))))
    except (httpx.InvalidURL, ValueError) as error:
        raise _unsendable(error) from None


@lru_cache(maxsize=1024)
def _url(text: str) -> URL:
    """Parsing is a fifth of what a request costs, and most of a step's requests go to one address."""
    return URL(str(httpx.URL(text)))


def _head(request: RenderedRequest) -> dict[str, str]:
    head = {"accept-encoding": "gzip, deflate", "user-agent": "enrichment-assets"}
    try:
        for name, value in request.headers.items():
            head[name.encode("ascii").decode().lower()] = value.encode("ascii").decode()
    except ValueError as error:
        raise _unsendable(error) from None
    return head


def _unsendable(error: Exception) -> ContractError:
    return ContractError(f"the request cannot be put on the wire ({type(error).__name__})", code="request.not_sendable")


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


def _params(request: RenderedRequest) -> dict[str, str]:
    """Query parameters, together with those that the URL has already (httpx would drop these)."""
    return {**httpx.URL(request.url).params, **request.query} if "?" in request.url else dict(request.query)


def _departures(only_below: str | None) -> aiohttp.TraceConfig:
    """Ask before a request begins to leave, note that it does, and stop it from leaving twice.

    Before anything is connected: whether the address may be called at all.

    aiohttp keeps the head back until there is a first piece of body to write with it, and writes the body in a task of
    its own, a turn of the event loop later or more: a request with a body leaves with its first piece.
    """

    def flight(trace_request_ctx: Any = None) -> Any:
        return trace_request_ctx

    async def start(_session: aiohttp.ClientSession, _flight: Any, params: aiohttp.TraceRequestStartParams) -> None:
        if only_below is not None and not is_below(params.url, only_below):
            raise NotTheSimulator(f"a batch for the simulator calls nobody else: {params.url.host} was not called")

    async def head(
        _session: aiohttp.ClientSession, flight: Any, _params: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        if flight is None:
            return
        if flight.departed:
            raise Repeated("the connection was lost after the request had left")
        if not flight.has_body:
            await flight.leave()

    async def body(_session: aiohttp.ClientSession, flight: Any, _params: aiohttp.TraceRequestChunkSentParams) -> None:
        if flight is not None and not flight.departed:
            await flight.leave()

    trace = aiohttp.TraceConfig(trace_config_ctx_factory=flight)  # type: ignore[arg-type]
    trace.on_request_start.append(start)
    trace.on_request_headers_sent.append(head)
    trace.on_request_chunk_sent.append(body)
    return trace
