"""A local HTTP server that answers each workflow with what the payload files say, and keeps the callback URLs."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.payloads.payload import Payload, SentAnswer

_SHORTEST = 4
"""A value of fewer characters says nothing about whose request it is."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    """The standard library has five: fewer than a batch has connections, of which the rest would wait."""


class PayloadServer:
    """Serves `<url>/<workflow slug>/...` inside a `with` block.

    `callbacks` are (token, answer) pairs of asynchronous requests; `problems` are requests that nothing answers.
    """

    def __init__(self, payloads: Sequence[Payload]) -> None:
        self._payloads = payloads
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self.callbacks: list[tuple[str, SentAnswer]] = []
        self.problems: list[str] = []
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, body: bytes) -> SentAnswer:
        """The answer to one request: of the workflow in its path, of the file in which its values stand."""
        slug = path.split("/")[1]
        request = list(_values(path, body))
        with self._lock:
            payload = self._payload_of(slug, request)
            if isinstance(payload, str):
                self.problems.append(f"{slug}: {payload}; the request was {request}")
                return SentAnswer(500, {}, b"nobody's")
            answers = payload.answers[slug]
            number = self._asked[slug, payload.name]
            self._asked[slug, payload.name] += 1
            if number > 0 and answers.polls:
                return answers.polls[min(number, len(answers.polls)) - 1]
            if answers.callback is not None:
                url = next(value for value in request if "/callbacks/" in value)
                self.callbacks.append((url.rpartition("/")[2], answers.callback))
            return answers.first

    def _payload_of(self, slug: str, request: Sequence[str]) -> Payload | str:
        """The one file that has an answer for the workflow and most of the request's values; else what is wrong."""
        answering = [payload for payload in self._payloads if slug in payload.answers]
        if len(answering) == 1:
            return answering[0]
        scores = Counter({payload.name: sum(value in payload.text for value in request) for payload in answering})
        best = scores.most_common(2)
        if not best or best[0][1] == 0:
            return "no file has an answer for it"
        if len(best) == 2 and best[0][1] == best[1][1]:
            return f"{best[0][0]} and {best[1][0]} match equally well"
        return next(p for p in self._payloads if p.name == best[0][0])

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                answer = served.answer(self.path, body)
                self.send_response(answer.status)
                for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler


def _values(path: str, body: bytes) -> Iterator[str]:
    """What a request says: parts of its path, values of its query, leaves of its JSON body or of its form."""
    address = urlsplit(path)
    try:
        document: Any = json.loads(body) if body else None
    except ValueError:
        document = dict(parse_qsl(body.decode()))
    texts = [*address.path.split("/")[2:], *(value for _, value in parse_qsl(address.query)), *_leaves(document)]
    yield from (text for text in texts if len(text) >= _SHORTEST)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for member in value.values():
            yield from _leaves(member)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)
