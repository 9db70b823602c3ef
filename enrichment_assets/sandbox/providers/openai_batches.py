"""OpenAI's files and batches: a file of requests in, a file of answers and one of errors out, for half the price.

platform.openai.com/docs/api-reference/batch and the official client: lines are unordered; a `completed` batch may hold
failed lines, which are in the error file; an `expired` one has its finished lines in the output file, and the others in
the error file with the code `batch_expired`. Time to the end is `callback_delay`.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import orjson

from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.batch_lines import Line, LineFate, answered, halved
from enrichment_assets.sandbox.providers.completions import CREATED
from enrichment_assets.sandbox.providers.openai_servers import OPENAI, ServerError
from enrichment_assets.sandbox.seeded_random import hex_id

MOST_LINES = 50_000
KEPT = 1_000
_JSONL = "application/jsonl"
_ENDPOINTS = ("/v1/chat/completions", "/v1/responses")


@dataclass(slots=True)
class _File:
    number: str
    name: str
    purpose: str
    content: bytes

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.number,
            "object": "file",
            "bytes": len(self.content),
            "created_at": CREATED,
            "expires_at": None,
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
        }


@dataclass(slots=True)
class _Batch:
    number: str
    key: str
    due: float
    asked: Mapping[str, Any]
    lines: list[Line] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    canceled: bool = False


class FilesAndBatches:
    """Files and batches of one simulated OpenAI."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, _File] = OrderedDict()
        self._batches: OrderedDict[str, _Batch] = OrderedDict()

    def question(self, call: Call, path: str, ask: Callable[[Call], Question]) -> Question:
        """Whatever is asked of `/files` or `/batches`; `ask` answers a line."""
        kind, _, rest = path.strip("/").partition("/")
        number, _, what = rest.partition("/")
        if kind == "files":
            return self._about_files(call, number, what)
        if call.method == "POST" and not number:
            return self._create(call, ask)
        if call.method == "GET" and not number:
            return Question("batches/list", call.key, lambda: self._list(call))
        if call.method == "GET" and not what:
            return Question("batches/get", number, lambda: json_reply(200, self._shown(self._batch(call, number))))
        if call.method == "POST" and what == "cancel":
            return Question("batches/cancel", number, lambda: self._cancel(call, number))
        raise _refused(404, f"Invalid URL ({call.method} {call.path})")

    def _about_files(self, call: Call, number: str, what: str) -> Question:
        if call.method == "POST" and not number:
            return Question("files", hex_id(call.body), lambda: self._upload(call))
        if call.method == "GET" and what == "content":
            return Question("files/content", number, lambda: Reply(200, self._file(number).content, _JSONL))
        if call.method == "GET" and number:
            return Question("files/get", number, lambda: json_reply(200, self._file(number).shown()))
        raise _refused(404, f"Invalid URL ({call.method} {call.path})")

    def _upload(self, call: Call) -> Reply:
        parts = _parts(call)
        name, content = parts.get("file", ("", b""))
        purpose = parts.get("purpose", ("", b""))[1].decode()
        if not content or purpose != "batch":
            raise _refused(400, "The sandbox takes files of the purpose 'batch' only, and no empty ones.")
        file = _File(f"file-{hex_id('upload', len(self._files), content)}", name, purpose, content)
        self._keep(file)
        return json_reply(200, file.shown(), outcome="accepted")

    def _create(self, call: Call, ask: Callable[[Call], Question]) -> Question:
        asked = call.json()
        endpoint = asked.get("endpoint")
        if endpoint not in _ENDPOINTS:
            raise _refused(400, f"Invalid 'endpoint': {endpoint!r}.")
        if asked.get("completion_window") != "24h":
            raise _refused(400, "Invalid 'completion_window': only '24h' is supported.")
        file = self._file(str(asked.get("input_file_id") or ""))

        def work() -> Reply:
            number = f"batch_{hex_id(call.key, len(self._batches), call.body)}"
            batch = _Batch(number, call.key, time.monotonic() + call.callback_delay(number), asked)
            lines, batch.errors = _lines(file.content, endpoint)
            if not batch.errors:
                batch.lines = [answered(call, name, endpoint, body, ask) for name, body in lines]
            self._batches[number] = batch
            if len(self._batches) > KEPT:
                self._batches.popitem(last=False)
            return json_reply(200, self._shown(batch, "validating"), charges=halved(batch.lines), outcome="accepted")

        return Question("batches", hex_id(file.content, endpoint), work)

    def _list(self, call: Call) -> Reply:
        mine = [batch for batch in reversed(self._batches.values()) if batch.key == call.key]
        after = call.query.get("after")
        start = next((place + 1 for place, batch in enumerate(mine) if batch.number == after), 0)
        limit = int(call.query.get("limit") or 20)
        page = [self._shown(batch) for batch in mine[start : start + limit]]
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": None, "last_id": None}
        return json_reply(200, {"object": "list", "data": page, "has_more": len(mine) > start + limit, **ends})

    def _cancel(self, call: Call, number: str) -> Reply:
        batch = self._batch(call, number)
        if time.monotonic() < batch.due:
            batch.lines = [Line(line.custom_id, LineFate.CANCELED, 0, {}) for line in batch.lines]
            batch.canceled = True
        return json_reply(200, self._shown(batch, "cancelling"))

    def _shown(self, batch: _Batch, status: str = "") -> dict[str, Any]:
        """The batch as it is now, its files made when it has ended."""
        status = status or self._status(batch)
        has_ended = status in {"completed", "expired", "cancelled"}
        done = [line for line in batch.lines if line.fate is LineFate.DONE]
        failed = [line for line in batch.lines if line.fate not in (LineFate.DONE, LineFate.MISSING)]
        output = self._written(f"{batch.number}_output", reversed(done)) if has_ended and done else None
        errors = self._written(f"{batch.number}_error", failed) if has_ended and failed else None
        counts = {"total": len(batch.lines), "completed": len(done), "failed": len(failed)}
        return {
            "id": batch.number,
            "object": "batch",
            "endpoint": batch.asked["endpoint"],
            "errors": {"object": "list", "data": batch.errors} if batch.errors else None,
            "input_file_id": batch.asked["input_file_id"],
            "completion_window": "24h",
            "status": status,
            "output_file_id": output,
            "error_file_id": errors,
            "created_at": CREATED,
            "completed_at": CREATED + 60 if status == "completed" else None,
            "expired_at": CREATED + 86_400 if status == "expired" else None,
            "request_counts": counts if has_ended else {"total": len(batch.lines), "completed": 0, "failed": 0},
            "metadata": batch.asked.get("metadata"),
        }

    def _status(self, batch: _Batch) -> str:
        if batch.errors:
            return "failed"
        if batch.canceled:
            return "cancelled"
        if time.monotonic() < batch.due:
            return "in_progress"
        return "expired" if any(line.fate is LineFate.EXPIRED for line in batch.lines) else "completed"

    def _written(self, name: str, lines: Any) -> str:
        number = f"file-{hex_id(name)}"
        if number not in self._files:
            content = b"".join(orjson.dumps(_line(line)) + b"\n" for line in lines)
            self._keep(_File(number, f"{name}.jsonl", "batch_output", content))
        return number

    def _keep(self, file: _File) -> None:
        self._files[file.number] = file
        if len(self._files) > 3 * KEPT:
            self._files.popitem(last=False)

    def _file(self, number: str) -> _File:
        file = self._files.get(number)
        if file is None:
            raise _refused(404, f"No such File object: {number}")
        return file

    def _batch(self, call: Call, number: str) -> _Batch:
        batch = self._batches.get(number)
        if batch is None or batch.key != call.key:
            raise _refused(404, f"No batch found with id '{number}'.")
        return batch


def _parts(call: Call) -> dict[str, tuple[str, bytes]]:
    """The parts of a form: field -> file name and content."""
    head = f"content-type: {call.headers.get('content-type', '')}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + call.body)
    found = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        found[str(name)] = (part.get_filename() or "", content if isinstance(content, bytes) else b"")
    return found


def _lines(content: bytes, endpoint: str) -> tuple[list[tuple[str, Any]], list[dict[str, Any]]]:
    """Lines by id, or what is wrong with the file: then no line of it is done."""
    lines: dict[str, Any] = {}
    rows = [row for row in content.split(b"\n") if row.strip()]
    for number, row in enumerate(rows, start=1):
        try:
            line = orjson.loads(row)
            name, url, body = line["custom_id"], line["url"], line["body"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return [], [_wrong("invalid_json_line", number, "This line is not parseable as valid JSON.")]
        if name in lines:
            return [], [_wrong("duplicate_custom_id", number, f"The custom_id '{name}' is there twice.")]
        if url != endpoint:
            return [], [_wrong("mismatched_endpoint", number, "The URL of this line is not the batch's endpoint.")]
        lines[name] = body
    models = {body.get("model") for body in lines.values()}
    if len(models) > 1:
        return [], [_wrong("mismatched_model", None, "A batch has requests to one model only.")]
    if not 0 < len(rows) <= MOST_LINES:
        return [], [_wrong("invalid_request", None, f"A batch has 1 to {MOST_LINES} requests.")]
    return list(lines.items()), []


def _line(line: Line) -> dict[str, Any]:
    response = {"status_code": line.status, "request_id": hex_id(line.custom_id), "body": line.body}
    error = None
    if line.fate is LineFate.EXPIRED:
        error = {"code": "batch_expired", "message": "This request could not be executed before the completion window."}
    if line.fate is LineFate.CANCELED:
        error = {"code": "batch_cancelled", "message": "This request was cancelled."}
    if line.fate is LineFate.FAILED and not line.body:
        failed = ServerError(500, "server_error", None, "The server had an error while processing your request.")
        response["body"] = orjson.loads(OPENAI.error(failed).body)
    return {
        "id": f"batch_req_{hex_id(line.custom_id)}",
        "custom_id": line.custom_id,
        "response": None if error else response,
        "error": error,
    }


def _wrong(code: str, line: int | None, message: str) -> dict[str, Any]:
    return {"code": code, "line": line, "message": message, "param": None}


def _refused(status: int, message: str) -> Refusal:
    return Refusal(OPENAI.error(ServerError(status, "invalid_request_error", None, message)))
