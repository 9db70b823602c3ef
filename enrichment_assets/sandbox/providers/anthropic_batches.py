"""Anthropic's Message Batches: up to 100,000 messages in one request, their results in another order.

platform.claude.com/docs (message-batches) and the official client: a batch is polled until `processing_status` is
`ended`; then `results_url` has a line for each request, `succeeded`, `errored`, `canceled` or `expired`. There is no
metadata. Time to the end is `callback_delay`.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.batch_lines import Line, LineFate, answered, halved
from enrichment_assets.sandbox.seeded_random import hex_id

MOST_REQUESTS = 100_000
KEPT_BATCHES = 1_000
_PATH = "/v1/messages/batches"
_COUNTED = {"succeeded": LineFate.DONE, "errored": LineFate.FAILED, "canceled": LineFate.CANCELED}


@dataclass(slots=True)
class _Batch:
    number: str
    key: str
    due: float
    lines: list[Line]
    size: int
    canceled: bool = False


class MessageBatches:
    """Every batch of one simulated Anthropic."""

    def __init__(self) -> None:
        self._batches: OrderedDict[str, _Batch] = OrderedDict()

    def question(self, call: Call, ask: Callable[[Call], Question]) -> Question:
        """Create, list, look at, cancel a batch, or read its results."""
        number, _, what = call.path.rstrip("/").removeprefix(_PATH).strip("/").partition("/")
        if call.method == "POST" and not number:
            return self._create(call, ask)
        if call.method == "GET" and not number:
            return Question("messages/batches/list", call.key, lambda: self._list(call))
        if call.method == "GET" and not what:
            return Question("messages/batches/get", number, lambda: self._look(call, number))
        if call.method == "GET" and what == "results":
            return Question("messages/batches/results", number, lambda: self._results(call, number))
        if call.method == "POST" and what == "cancel":
            return Question("messages/batches/cancel", number, lambda: self._cancel(call, number))
        raise Refusal(_failure(404, "not_found_error", "Not found"))

    def _create(self, call: Call, ask: Callable[[Call], Question]) -> Question:
        requests = call.json().get("requests")
        if not isinstance(requests, list) or not 0 < len(requests) <= MOST_REQUESTS:
            raise Refusal(
                _failure(400, "invalid_request_error", f"requests: 1 to {MOST_REQUESTS} requests are required")
            )
        names = [str(one.get("custom_id") or "") if isinstance(one, Mapping) else "" for one in requests]
        if not all(0 < len(name) <= 64 for name in names) or len(set(names)) < len(names):
            message = "requests: custom_id has to be unique and of 1 to 64 characters"
            raise Refusal(_failure(400, "invalid_request_error", message))

        def work() -> Reply:
            pairs = zip(names, requests, strict=True)
            lines = [answered(call, name, "/v1/messages", one.get("params") or {}, ask) for name, one in pairs]
            lines = [_as_batch(line) for line in lines]
            number = f"msgbatch_{hex_id(call.key, len(self._batches), call.body)}"
            delay = call.callback_delay(number)
            batch = _Batch(number, call.key, time.monotonic() + delay, lines, len(lines))
            self._batches[number] = batch
            if len(self._batches) > KEPT_BATCHES:
                self._batches.popitem(last=False)
            return json_reply(200, self._shown(call, batch), charges=halved(lines), outcome="accepted")

        return Question("messages/batches", hex_id(call.body), work)

    def _look(self, call: Call, number: str) -> Reply:
        return json_reply(200, self._shown(call, self._of(call, number)))

    def _of(self, call: Call, number: str) -> _Batch:
        batch = self._batches.get(number)
        if batch is None or batch.key != call.key:
            raise Refusal(_failure(404, "not_found_error", f"Message batch {number} not found"))
        return batch

    def _list(self, call: Call) -> Reply:
        mine = [batch for batch in reversed(self._batches.values()) if batch.key == call.key]
        after = call.query.get("after_id")
        start = next((place + 1 for place, batch in enumerate(mine) if batch.number == after), 0)
        limit = int(call.query.get("limit") or 20)
        page = [self._shown(call, batch) for batch in mine[start : start + limit]]
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": None, "last_id": None}
        return json_reply(200, {"data": page, "has_more": len(mine) > start + limit, **ends})

    def _results(self, call: Call, number: str) -> Reply:
        batch = self._of(call, number)
        if not self._has_ended(batch):
            raise Refusal(_failure(404, "not_found_error", "The results of this batch are not available yet"))
        # Not in the order of the requests, as the documentation says; which order is our choice.
        lines = [orjson.dumps(_line(line)) for line in reversed(batch.lines) if line.fate is not LineFate.MISSING]
        body = b"".join(line + b"\n" for line in lines)
        return Reply(200, body, content_type="application/x-jsonl")

    def _cancel(self, call: Call, number: str) -> Reply:
        """What is not done yet will not be; what was billed at its creation stays billed here."""
        batch = self._of(call, number)
        if not self._has_ended(batch):
            batch.lines = [Line(line.custom_id, LineFate.CANCELED, 0, {}) for line in batch.lines]
            batch.canceled = True
        return json_reply(200, self._shown(call, batch))

    def _has_ended(self, batch: _Batch) -> bool:
        return batch.canceled or time.monotonic() >= batch.due

    def _shown(self, call: Call, batch: _Batch) -> dict[str, Any]:
        ended = self._has_ended(batch)
        counts = {
            word: sum(line.fate is fate for line in batch.lines) if ended else 0 for word, fate in _COUNTED.items()
        }
        expired = sum(line.fate in (LineFate.EXPIRED, LineFate.MISSING) for line in batch.lines) if ended else 0
        url = f"http://{call.headers.get('host', '127.0.0.1')}/{call.provider}{_PATH}/{batch.number}/results"
        return {
            "id": batch.number,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": {"processing": 0 if ended else batch.size, **counts, "expired": expired},
            "created_at": "2026-11-01T00:00:00Z",
            "expires_at": "2026-11-02T00:00:00Z",
            "ended_at": "2026-11-01T01:00:00Z" if ended else None,
            "cancel_initiated_at": "2026-11-01T00:30:00Z" if batch.canceled else None,
            "archived_at": None,
            "results_url": url if ended else None,
        }


def _as_batch(line: Line) -> Line:
    if line.fate is LineFate.DONE:
        line.body["usage"]["service_tier"] = "batch"
    return line


def _line(line: Line) -> dict[str, Any]:
    if line.fate is LineFate.DONE:
        return {"custom_id": line.custom_id, "result": {"type": "succeeded", "message": line.body}}
    if line.fate is LineFate.FAILED:
        error = line.body or orjson.loads(_failure(500, "api_error", "Internal server error").body)
        return {"custom_id": line.custom_id, "result": {"type": "errored", "error": error}}
    return {"custom_id": line.custom_id, "result": {"type": line.fate.value}}


def _failure(status: int, kind: str, message: str) -> Reply:
    error = {"type": kind, "message": message, "details": None}
    return json_reply(status, {"type": "error", "error": error, "request_id": None}, outcome="refused")
