"""A language model's server that a test plays: real HTTP, and what it says to whom is a function of the test's."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from enrichment_assets.domain.workflow import WorkflowDefinition

Row = dict[str, Any]
Play = Callable[[str, Row], "tuple[int, Any] | tuple[int, Any, dict[str, str]]"]
"""(`METHOD /path`, request's JSON) to (status, JSON or bytes, headers)."""

SCHEMA: Row = {
    "type": "object",
    "properties": {
        "score": {"type": "integer", "minimum": 0, "maximum": 100},
        "reason": {"type": "string"},
        "email": {"type": ["string", "null"]},
    },
    "required": ["score", "reason", "email"],
    "additionalProperties": False,
}


def chat(content: str | None, *, finish: str = "stop", **message: Any) -> Row:
    """A chat completion; 900 tokens in, of which 100 from the cache, and 50 out."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-5.2-2026-08-01",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
        ],
        "usage": {
            "prompt_tokens": 900,
            "completion_tokens": 50,
            "total_tokens": 950,
            "prompt_tokens_details": {"cached_tokens": 100},
        },
    }


def said(score: Any = 80, reason: str = "they hire", email: str | None = None) -> str:
    """An answer as it is asked for."""
    return json.dumps({"score": score, "reason": reason, "email": email})


def response(status: str, text: str | None = None, **more: Any) -> Row:
    """A response, as of a background answer."""
    parts = [] if text is None else [{"type": "output_text", "text": text, "annotations": []}]
    output = [{"type": "message", "content": parts}] if parts else []
    return {"id": "resp_1", "object": "response", "status": status, "output": output, "error": None, **more}


@dataclass
class Model:
    """The server: `play` may be changed while it serves; `asked` is everything it was asked, in order."""

    url: str
    play: Play
    asked: list[tuple[str, Row]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def questions(self, words: str) -> list[str]:
        """The user's turns that have these words in them."""
        return [text for _, body in self.asked if words in (text := question_in(body))]


def question_in(body: Row) -> str:
    """What the user's turn of a chat or a response says."""
    return str(body["messages"][-1]["content"]) if "messages" in body else str(body.get("input") or "")


@contextmanager
def playing(play: Play) -> Iterator[Model]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            body = json.loads(sent) if sent else {}
            model.asked.append((f"{self.command} {self.path}", body))
            model.headers.append({name.lower(): value for name, value in self.headers.items()})
            status, answer, *more = model.play(f"{self.command} {self.path}", body)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"content-type": "application/json", **(more[0] if more else {})}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    model = Model(f"http://127.0.0.1:{server.server_address[1]}", play)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def prompt_step(
    slug: str, model: Model | None = None, *, prompt: Row | None = None, **fields: Any
) -> WorkflowDefinition:
    """A prompt that scores a row by what its column `page` says, asked of a model that a test plays, or of OpenAI."""
    asked = {
        "model": "gpt-5.2",
        "instructions": "Score the company from 0 to 100.",
        "inputs": {"page": "{{ original.page }}", "name": "{{ company_name }}"},
        "answer": SCHEMA,
        "max_output_tokens": 200,
        "grounded": {"email": ["page"]},
    }
    values: Row = {
        "slug": slug,
        "title": slug,
        "step": 1,
        "provider": "openai",
        "operation": "chat",
        "mode": "sync",
        "prompt": {**asked, **(prompt or {})},
        "provides": {"score": "score", "score_reason": "reason", "email": "email"},
        "types": {"score": "number"},
        "price": {"tokens": {"input": "1", "cached_input": "0.5", "output": "4", "as_of": "2026-11-28"}},
        "retry": {"base": 0.01, "max": 0.02},
    }
    if model is not None:
        values["base_url"] = model.url
    return WorkflowDefinition.model_validate({**values, **fields})
