"""A provider that fails in every way, and repeats what it was sent while it does."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

MET: Counter[str] = Counter()
"""How often each fault was met."""


class Server(ThreadingHTTPServer):
    """Takes as many connections at once as come."""

    daemon_threads = True
    request_queue_size = 256


class Faulty(BaseHTTPRequestHandler):
    """What goes wrong is the last part of the path."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode("utf-8", "replace")
        fault = self.path.partition("?")[0].rpartition("/")[2]
        sent = {"line": self.requestline, "headers": dict(self.headers), "body": body}
        MET[fault] += 1
        getattr(self, f"_{fault.replace('-', '_')}")(sent)

    do_GET = do_POST  # noqa: N815 - the base class calls it

    def _echo(self, status: int, sent: Any, **headers: str) -> None:
        text = json.dumps({"error": {"message": f"we were sent {json.dumps(sent)}"}, "sent": sent}).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("x-echo", json.dumps(sent))
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _found(self, sent: Any) -> None:
        self._echo(200, {**sent, "found": True, "id": "x"})

    def _unauthorised(self, sent: Any) -> None:
        self._echo(401, sent, www_authenticate=f"Bearer realm={json.dumps(sent['headers'])}")

    def _forbidden(self, sent: Any) -> None:
        self._echo(403, sent)

    def _broken(self, sent: Any) -> None:
        self._echo(500, sent)

    def _unreadable(self, sent: Any) -> None:
        self._echo(400, sent)

    def _elsewhere(self, sent: Any) -> None:
        self._echo(302, sent, location=f"http://127.0.0.1:1/{self.path}")

    def _silent(self, _: Any) -> None:
        time.sleep(3.0)
        self.close_connection = True

    def _cut(self, sent: Any) -> None:
        text = json.dumps(sent)
        self.send_response(200)
        self.send_header("content-length", str(len(text) + 100))
        self.end_headers()
        self.wfile.write(text.encode())
        self.close_connection = True

    def _no_http(self, sent: Any) -> None:
        self.wfile.write(f"HTTP/9.9 nonsense {json.dumps(sent)}\r\n\r\n".encode())
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


FAULTS = (
    "found", "unauthorised", "forbidden", "broken", "unreadable", "elsewhere", "silent", "cut", "no-http"
)  # fmt: skip


@contextmanager
def faulty_server() -> Iterator[str]:
    """The server's address."""
    server = Server(("127.0.0.1", 0), Faulty)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
