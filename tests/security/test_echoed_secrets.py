"""A provider that repeats our key in its answer does not get it stored: not in the ledger, results or Parquet."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import quote

import pytest

from enrichment_assets.domain.provider import Answer
from enrichment_assets.engine.run.event_log import logger
from enrichment_assets.wire.echo import EchoGuard
from tests.harness.batches import BatchHarness, people, step

CANARY = 'canary-"key"/+1234'


@contextmanager
def echoing_server() -> Iterator[str]:
    """Answers each request with everything that it was sent, in body and headers."""

    class Echo(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.headers.get("authorization", "")
            self.rfile.read(int(self.headers.get("content-length", 0)))
            body = json.dumps({"id": 1, "found": True, "your_header": sent, "again": quote(sent, safe="")}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("x-echo", sent)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Lines(logging.Handler):
    """The actions that the engine logs meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.actions: list[str] = []

    def __enter__(self) -> None:
        logger.addHandler(self)
        logger.setLevel(logging.INFO)

    def __exit__(self, *_: object) -> None:
        logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.actions.append(record.getMessage())


def test_what_the_provider_repeats_is_replaced_before_it_is_committed(
    harness: BatchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHO_API_KEY", CANARY)
    lines = Lines()
    with lines, echoing_server() as address:
        asks = step(
            "asks",
            base_url=address,
            secrets={"token": "ECHO_API_KEY"},
            provides={"told": "your_header"},
            request={"url": "/x", "headers": {"authorization": "Bearer {{secrets.token}}"}, "body": {"n": 1}},
        )
        batch = harness.launch(people(2), asks)
        batch.run()
    assert lines.actions.count("secret_repeated") == 2
    assert batch.statuses() == {"COMPLETED": 2}
    for call in batch.calls():
        body = bytes(call["response_body"]).decode()
        assert json.loads(body)["your_header"] == "Bearer [secret token]"
        assert "canary" not in body + json.dumps(call["response_headers"])
    stored = json.dumps([batch.results(), batch.log(), batch.states()], default=str)
    assert "[secret token]" in stored
    assert "canary" not in stored


@pytest.mark.parametrize(
    "spelled",
    [
        CANARY,
        quote(CANARY, safe=""),
        quote(CANARY),
        json.dumps(CANARY)[1:-1],
        json.dumps(CANARY).replace("/", "\\/")[1:-1],
        base64.b64encode(CANARY.encode()).decode(),
    ],
)
def test_every_usual_spelling_is_found(spelled: str) -> None:
    guard = EchoGuard({"token": CANARY})
    assert guard.without_secrets(f"<p>{spelled}</p>".encode()).startswith(b"<p>[secret token]")


def test_basic_authentication_is_found_as_it_is_sent() -> None:
    guard = EchoGuard({"user": "agency", "password": "pw"})
    sent = base64.b64encode(b"agency:pw").decode()
    answer, repeated = guard.clean(Answer(200, {"x-echo": f"Basic {sent}"}, f"Basic {sent}".encode()))
    assert repeated
    assert sent.rstrip("=") not in answer.body.decode() + answer.headers["x-echo"]


def test_an_answer_without_our_secrets_is_the_same_object() -> None:
    answer = Answer(200, {"content-type": "application/json"}, b'{"a": 1}')
    assert EchoGuard({"token": CANARY, "short": "a"}).clean(answer) == (answer, False)
    assert EchoGuard({"token": CANARY}).clean(answer)[0] is answer
