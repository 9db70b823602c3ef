"""A provider server that answers Apollo's people/match from recorded responses, and nothing else.

It stands for a provider that the platform has never heard of: tests wire it in by client configuration only.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

DATA = Path(__file__).resolve().parents[1] / "data" / "officials"


class RecordedApollo:
    """Serves the recorded answers at `url` inside a `with` block; `asked` counts requests."""

    def __init__(self) -> None:
        with gzip.open(DATA / "people_match_responses.jsonl.gz", "rt", encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines]
        self._answers = {self._identity(r["request"]): (r["http_status"], r["response"]) for r in records}
        self.asked: Counter[tuple[str, ...]] = Counter()
        self._server: ThreadingHTTPServer | None = None
        self.url = ""

    @staticmethod
    def _identity(request: dict[str, Any]) -> tuple[str, ...]:
        return tuple(str(request.get(name) or "") for name in ("first_name", "last_name", "organization_name"))

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        recorded = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                identity = recorded._identity(body)
                recorded.asked[identity] += 1
                status, answer = recorded._answers.get(identity, (200, {"person": None}))
                if self.path != "/api/v1/people/match" or self.headers.get("x-api-key") != "officials-key":
                    status, answer = 401, {"error": "not here, or not with this key"}
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler
