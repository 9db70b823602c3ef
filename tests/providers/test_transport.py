"""Sending over real sockets: what the fate of a request is told from, and what never goes along with it."""

from __future__ import annotations

import asyncio
import gzip
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import certifi
import pytest

from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.wire.transport import AnswerTooLarge, FateUnknown, NotSent, build_client, send

Handler = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A raw server: it keeps every request's bytes and answers as the test says."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length")
                    ),
                    0,
                )
                self.requests.append(head + await reader.readexactly(length))
                await self.handler(self.requests[-1], reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Server]:
    server = Server(handler)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()


def answering(body: bytes, headers: bytes = b"", status: bytes = b"200 OK") -> Handler:
    async def handler(_request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 " + status + b"\r\n" + headers + b"content-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    return handler


async def closing(_request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
    raise ConnectionError


def post(url: str) -> RenderedRequest:
    return RenderedRequest("POST", url, {"x-api-key": "very-secret"}, {"a": "b c"}, b'{"x":1}')


def get(url: str) -> RenderedRequest:
    return RenderedRequest("GET", url)


async def test_an_answer_comes_back_with_lower_case_headers_and_its_bytes() -> None:
    async with serving(answering(b'{"ok":true}', b"X-Request-Cost: 5\r\n")) as server, build_client() as client:
        answer = await send(client, post(server.url + "/v1/x?z=1"), 5)
    assert (answer.status, answer.body, answer.headers["x-request-cost"]) == (200, b'{"ok":true}', "5")
    assert server.requests[0].startswith(b"POST /v1/x?z=1&a=b+c HTTP/1.1\r\n")
    assert server.requests[0].endswith(b'{"x":1}')


async def test_a_refused_connection_proves_that_nothing_was_sent() -> None:
    async with serving(closing) as server:
        pass
    async with build_client() as client:
        with pytest.raises(NotSent):
            await send(client, post(server.url), 5)


async def test_a_host_that_does_not_exist_proves_that_nothing_was_sent() -> None:
    async with build_client() as client:
        with pytest.raises(NotSent):
            await send(client, post("http://no-such-host.invalid/"), 5)


async def test_waiting_in_vain_for_a_free_connection_proves_that_nothing_was_sent() -> None:
    async def never(*_: object) -> None:
        await asyncio.sleep(30)

    async with serving(never) as server, build_client(concurrency=1) as client:
        first = asyncio.create_task(send(client, post(server.url), 2))
        await asyncio.sleep(0.2)
        with pytest.raises(NotSent):
            await send(client, post(server.url), 0.3)
        with pytest.raises(FateUnknown):
            await first
    assert len(server.requests) == 1


async def test_a_time_out_after_sending_leaves_the_fate_unknown() -> None:
    async def never(*_: object) -> None:
        await asyncio.sleep(30)

    async with serving(never) as server, build_client() as client:
        with pytest.raises(FateUnknown, match="time-out"):
            await send(client, post(server.url), 0.3)
    assert len(server.requests) == 1


async def test_a_body_that_drips_for_ever_ends_at_the_time_out() -> None:
    async def drip(_request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with serving(drip) as server, build_client() as client:
        with pytest.raises(FateUnknown):
            await asyncio.wait_for(send(client, get(server.url), 0.4), 3)


@pytest.mark.parametrize("request_of", [post, get])
async def test_a_connection_closed_without_an_answer_leaves_the_fate_unknown(
    request_of: Callable[[str], RenderedRequest],
) -> None:
    async with serving(closing) as server, build_client() as client:
        with pytest.raises(FateUnknown):
            await send(client, request_of(server.url), 5)
    assert len(server.requests) == 1


@pytest.mark.parametrize("request_of", [post, get])
async def test_a_request_on_a_kept_connection_is_not_repeated_when_the_connection_is_lost(
    request_of: Callable[[str], RenderedRequest],
) -> None:
    seen = 0

    async def once(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        await (answering(b"{}") if seen == 1 else closing)(request, reader, writer)

    async with serving(once) as server, build_client() as client:
        await send(client, request_of(server.url), 5)
        with pytest.raises(FateUnknown):
            await send(client, request_of(server.url), 5)
    assert len(server.requests) == 2


async def test_an_answer_that_breaks_off_leaves_the_fate_unknown() -> None:
    async def half(_request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()
        raise ConnectionError

    async with serving(half) as server, build_client() as client:
        with pytest.raises(FateUnknown):
            await send(client, post(server.url), 5)


async def test_what_is_no_http_leaves_the_fate_unknown() -> None:
    async def noise(_request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01 hello\r\n\r\n")
        await writer.drain()

    async with serving(noise) as server, build_client() as client:
        with pytest.raises(FateUnknown):
            await send(client, post(server.url), 5)


async def test_an_answer_above_the_bound_is_refused() -> None:
    async with serving(answering(b"x" * 2000)) as server, build_client() as client:
        with pytest.raises(AnswerTooLarge):
            await send(client, post(server.url), 5, max_answer=1000)
        assert len((await send(client, post(server.url), 5, max_answer=2000)).body) == 2000


async def test_a_compressed_answer_is_read_and_its_bound_is_the_decoded_size() -> None:
    packed = gzip.compress(b"x" * 50_000)
    async with serving(answering(packed, b"content-encoding: gzip\r\n")) as server, build_client() as client:
        assert (await send(client, get(server.url), 5)).body == b"x" * 50_000
        with pytest.raises(AnswerTooLarge):
            await send(client, get(server.url), 5, max_answer=10_000)


async def test_a_broken_compressed_answer_is_kept_as_it_came() -> None:
    packed = gzip.compress(b"x" * 50_000)[:-20]
    async with serving(answering(packed, b"content-encoding: gzip\r\n")) as server, build_client() as client:
        assert (await send(client, get(server.url), 5)).body == packed


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    handler = answering(b"", b"location: /elsewhere\r\n", b"302 Found")
    async with serving(handler) as server, build_client() as client:
        assert (await send(client, get(server.url), 5)).status == 302
    assert len(server.requests) == 1


async def test_cookies_of_one_answer_are_not_sent_with_the_next_request() -> None:
    async with serving(answering(b"{}", b"set-cookie: tenant=acme\r\n")) as server, build_client() as client:
        by_name = get(server.url.replace("127.0.0.1", "localhost"))  # cookies of bare addresses are kept by nobody
        answer = await send(client, by_name, 5)
        await send(client, by_name, 5)
    assert b"cookie" not in server.requests[1].lower()
    assert "set-cookie" not in answer.headers


async def test_two_flights_at_once_do_not_share_their_fate() -> None:
    async def never(*_: object) -> None:
        await asyncio.sleep(30)

    async with serving(never) as server, serving(closing) as gone, build_client() as client:
        await asyncio.sleep(0)
        refused = RenderedRequest("POST", "http://127.0.0.1:1/")
        results = await asyncio.gather(
            send(client, post(server.url), 0.5),
            send(client, refused, 5),
            send(client, post(gone.url), 5),
            return_exceptions=True,
        )
    assert [type(result) for result in results] == [FateUnknown, NotSent, FateUnknown]


async def test_an_address_that_is_none_is_a_contract_error() -> None:
    async with build_client() as client:
        with pytest.raises(ContractError):
            await send(client, get("http://[::bad/"), 5)


@pytest.mark.parametrize(
    "headers", [{"x-note": "a\r\nx-admin: 1"}, {"x\r\ny": "1"}, {"x y": "1"}, {"": "1"}, {"x-name": "Zoë"}]
)
async def test_a_header_that_no_request_can_have_is_a_contract_error_and_nothing_leaves(
    headers: dict[str, str],
) -> None:
    async with serving(answering(b"{}")) as server, build_client() as client:
        with pytest.raises(ContractError):
            await send(client, RenderedRequest("POST", server.url, headers, {}, b"{}"), 5)
    assert server.requests == []


async def test_where_a_request_ends_is_ours_to_say_whatever_headers_are_configured() -> None:
    wrong = {"Content-Length": "1", "Transfer-Encoding": "chunked", "Expect": "100-continue", "Host": "tenant.example"}
    async with serving(answering(b"{}")) as server, build_client() as client:
        await send(client, RenderedRequest("POST", server.url + "/a%20b?c=d#e", wrong, {}, b'{"x":1}'), 5)
        await send(client, RenderedRequest("POST", server.url), 5)
        await send(client, RenderedRequest("GET", server.url.replace("//", "//ann:a%40b@")), 5)
    first, second, third = (
        (head.split(b"\r\n"), body) for head, _, body in (r.partition(b"\r\n\r\n") for r in server.requests)
    )
    assert first[0][0] == b"POST /a%20b?c=d HTTP/1.1"
    assert [line for line in first[0] if line.lower().startswith((b"host", b"content-l", b"transfer", b"expect"))] == [
        b"host: tenant.example", b"content-length: 7",
    ]  # fmt: skip
    assert first[1] == b'{"x":1}'
    assert b"content-length: 0" in second[0] and f"host: {server.url[7:]}".encode() in second[0]
    assert b"authorization: Basic YW5uOmFAYg==" in third[0] and not any(b"content-length" in line for line in third[0])


async def test_an_answer_may_come_after_interim_ones_without_a_length_or_without_a_body() -> None:
    async def hinted(_request: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nto the end")
        await writer.drain()
        writer.close()

    async with serving(hinted) as server, build_client() as client:
        for _ in range(2):
            assert (await send(client, post(server.url), 5)).body == b"to the end"
    async with serving(answering(b"", status=b"204 No Content")) as server, build_client() as client:
        for _ in range(2):
            assert await send(client, post(server.url), 5) == Answer(204, {"content-length": "0"}, b"")


@pytest.mark.parametrize(("header", "connections"), [(b"", 1), (b"connection: close\r\n", 3)])
async def test_a_connection_is_kept_unless_the_server_ends_it(header: bytes, connections: int) -> None:
    peers = set()

    async def handler(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.add(writer.get_extra_info("peername"))
        await answering(b"{}", header)(request, reader, writer)

    async with serving(handler) as server, build_client() as client:
        for _ in range(3):
            assert (await send(client, post(server.url), 5)).status == 200
    assert len(peers) == connections


async def test_no_exception_and_no_log_line_holds_the_url_or_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving(closing) as server, build_client() as client:
        secret = RenderedRequest("GET", server.url + "/v1/", {"x-api-key": "very-secret"}, {"apikey": "very-secret"})
        with pytest.raises(FateUnknown) as caught:
            await send(client, secret, 5)
    assert "very-secret" not in f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"


def test_clients_share_what_the_machine_trusts_until_the_environment_names_other_authorities(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def authorities() -> object:
        async with build_client() as client:
            return client.session.connector._ssl

    first = asyncio.run(authorities())
    assert isinstance(first, ssl.SSLContext)
    assert first.verify_mode is ssl.CERT_REQUIRED
    assert first.check_hostname
    assert asyncio.run(authorities()) is first
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert asyncio.run(authorities()) is not first
