"""Nobody may be too big, too slow or too many."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
from call_fixture import inbox, insert_calls

from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.settings import Settings

Hq = psycopg.Connection[dict[str, Any]]


@contextmanager
def _limited(settings: Settings, **limits: object) -> Iterator[ReceiverProcess]:
    environment = {f"ENRICH_RECEIVER_{name.upper()}": str(value) for name, value in limits.items()}
    with ReceiverProcess(settings, environment=environment) as receiver:
        yield receiver


def _connect(receiver: ReceiverProcess) -> socket.socket:
    parts = urlsplit(receiver.url)
    assert parts.hostname and parts.port
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def _head(token: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST /callbacks/{token} HTTP/1.1", "host: x", *lines, "", ""]).encode()


def _read_all(connection: socket.socket) -> bytes:
    said = b""
    while chunk := connection.recv(65536):
        said += chunk
    return said


def test_a_chunked_body_without_end_is_answered_413_and_not_read_on(settings: Settings, hq: Hq) -> None:
    inserted = insert_calls(hq)
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with _limited(settings, max_body_bytes=1_000_000) as receiver, _connect(receiver) as connection:
        connection.sendall(_head(inserted.tokens[0], "transfer-encoding: chunked"))
        sent = 0
        try:
            while sent < 1000 * 65536:  # 65 MB: far more than limit, lingering and socket buffers hold together
                connection.sendall(chunk)
                sent += 65536
        except OSError:
            pass
        assert sent < 1000 * 65536
    assert inbox(hq) == []


def test_the_413_reaches_a_sender_that_stops_to_read_it(settings: Settings, hq: Hq) -> None:
    inserted = insert_calls(hq)
    with _limited(settings, max_body_bytes=100_000) as receiver:

        def chunks() -> Iterator[bytes]:
            for _ in range(4):
                yield b"x" * 50_000

        answer = httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[0]}", content=chunks())
        assert answer.request.headers.get("content-length") is None
        assert (answer.status_code, answer.headers["connection"]) == (413, "close")
        exact = httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[0]}", content=b"x" * 100_000)
        assert exact.status_code == 202
        assert httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[0]}", content=b"x" * 100_001).status_code == 413
    assert [len(row["body"]) for row in inbox(hq)] == [100_000]


def test_a_declared_length_over_the_limit_is_refused_before_any_byte(receiver: ReceiverProcess, hq: Hq) -> None:
    inserted = insert_calls(hq)
    with _connect(receiver) as connection:
        connection.sendall(_head(inserted.tokens[0], f"content-length: {16 * 1024 * 1024 + 1}", "expect: 100-continue"))
        said = _read_all(connection)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in said


def test_a_body_of_exactly_the_default_limit_is_stored(http: httpx.Client, hq: Hq) -> None:
    inserted = insert_calls(hq)
    body = bytes(range(256)) * (16 * 1024 * 4)
    assert len(body) == 16 * 1024 * 1024
    assert http.post(f"/callbacks/{inserted.tokens[0]}", content=body).status_code == 202
    assert inbox(hq)[0]["body"] == body


def test_a_body_that_drips_is_cut_off_with_408(settings: Settings, hq: Hq) -> None:
    inserted = insert_calls(hq)
    with _limited(settings, body_seconds=0.5) as receiver, _connect(receiver) as connection:
        started = time.monotonic()
        connection.sendall(_head(inserted.tokens[0], "content-length: 100"))
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(0.1):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        said = connection.recv(65536)
        took = time.monotonic() - started
        stop.set()
        dripping.join()
    assert said.startswith(b"HTTP/1.1 408 ")
    assert 0.4 < took < 5
    assert inbox(hq) == []


def test_a_head_that_drips_and_a_connection_that_says_nothing_are_closed(settings: Settings, hq: Hq) -> None:
    inserted = insert_calls(hq)
    with _limited(settings, head_seconds=0.5) as receiver, _connect(receiver) as silent, _connect(receiver) as slow:
        slow.sendall(b"POST /callbacks/")
        started = time.monotonic()
        assert silent.recv(100) == b""
        assert slow.recv(100) == b""
        assert time.monotonic() - started < 5
        assert httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[0]}", content=b"x").status_code == 202


def test_a_slow_second_head_on_a_connection_is_closed_too(settings: Settings, hq: Hq) -> None:
    inserted = insert_calls(hq)
    with _limited(settings, head_seconds=0.5) as receiver, _connect(receiver) as connection:
        connection.sendall(_head(inserted.tokens[0], "content-length: 1") + b"x")
        answer = b""
        while not answer.endswith(b"}"):  # head and body may come apart
            answer += connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 202 ")
        connection.sendall(b"POST /call")
        started = time.monotonic()
        assert connection.recv(100) == b""
        assert time.monotonic() - started < 5


def test_a_head_without_end_is_answered_431(receiver: ReceiverProcess) -> None:
    with _connect(receiver) as connection:
        connection.sendall(b"POST /callbacks/x HTTP/1.1\r\nhost: x\r\n")
        try:
            for number in range(100):
                connection.sendall(b"x-%d: %s\r\n" % (number, b"v" * 1000))
            said = _read_all(connection)
        except OSError:  # the close can overtake what we still send
            return
    assert said == b"" or said.startswith(b"HTTP/1.1 431 ")


def test_bodies_over_the_memory_budget_get_503_and_the_budget_comes_back(settings: Settings, hq: Hq) -> None:
    inserted = insert_calls(hq, calls=2)
    with _limited(settings, max_buffered_bytes=300_000) as receiver, _connect(receiver) as hog:
        hog.sendall(_head(inserted.tokens[0], "content-length: 250001") + b"x" * 250_000)
        time.sleep(0.3)
        refused = httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[1]}", content=b"y" * 100_000)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        hog.sendall(b"x")
        assert hog.recv(65536).startswith(b"HTTP/1.1 202 ")
        again = httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[1]}", content=b"y" * 100_000)
        assert again.status_code == 202


def test_a_full_queue_answers_503_and_stores_nothing_of_what_it_refused(settings: Settings, hq: Hq) -> None:
    inserted = insert_calls(hq, calls=12)
    with _limited(settings, max_waiting=2, max_group=1, writers=1, statement_seconds=20) as receiver:
        with psycopg.connect(settings.hq_database_url or "") as blocker, ThreadPoolExecutor(12) as pool:
            blocker.execute("lock table callback_inbox in share mode")

            def post(token: str) -> int:
                return httpx.post(f"{receiver.url}/callbacks/{token}", content=b"x", timeout=30).status_code

            answers = [pool.submit(post, token) for token in inserted.tokens]
            _until(lambda: sum(a.done() for a in answers) == 9)  # 1 in the statement, 2 queued, the rest refused
            assert {a.result() for a in answers if a.done()} == {503}
            blocker.rollback()
        assert sorted(a.result() for a in answers) == [202] * 3 + [503] * 9
    assert len(inbox(hq)) == 3


def test_a_body_cut_off_by_its_sender_is_not_stored(receiver: ReceiverProcess, hq: Hq) -> None:
    inserted = insert_calls(hq)
    with _connect(receiver) as connection:
        connection.sendall(_head(inserted.tokens[0], "content-length: 10") + b"12345")
        time.sleep(0.2)
    assert httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[0]}", content=b"12345").status_code == 202
    assert [row["body"] for row in inbox(hq)] == [b"12345"]


def _until(condition: Any, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def test_a_head_that_comes_at_once_and_is_too_large_is_not_handed_over(receiver: ReceiverProcess) -> None:
    with _connect(receiver) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\nx-filler: " + b"a" * 100_000 + b"\r\n\r\n")
        said = _read_all(connection)
    assert said == b"" or said.startswith(b"HTTP/1.1 431 ")
