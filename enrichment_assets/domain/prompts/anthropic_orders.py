"""Anthropic's Message Batches: the lines stand in the order itself, the results are one file of JSON lines.

Quirks (platform.claude.com/docs, message batches, and the vendor's client 2.14): results are unordered and each has a
type, `succeeded`, `errored`, `canceled` or `expired`, of which the first alone is billed; there is no metadata, so that
an order whose answer was lost cannot be told from another: it is AMBIGUOUS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from enrichment_assets.domain.prompts.batch_api import BatchApi, Line, LineEnd, LineResult, json_lines
from enrichment_assets.domain.prompts.completions import object_in
from enrichment_assets.domain.provider import Answer, RenderedRequest

_PATH = "/v1/messages/batches"
_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""A failed line has an error's type and no status."""


@dataclass(frozen=True)
class AnthropicBatches(BatchApi):
    """Orders of messages."""

    def upload(self, lines: Sequence[Line], name: str) -> None:
        """Nothing is uploaded."""

    def order(self, lines: Sequence[Line], name: str, uploaded: Answer | None) -> RenderedRequest:
        """All requests in one."""
        requests = [
            {"custom_id": line.name, "params": orjson.Fragment(line.request.content or b"{}")} for line in lines
        ]
        headers = {**self.headers, "content-type": "application/json"}
        content = orjson.dumps({"requests": requests})
        return RenderedRequest("POST", _PATH, headers, content=content, secret_headers=self.secret_headers)

    def look(self, number: str) -> RenderedRequest:
        """How far an order is."""
        return RenderedRequest("GET", f"{_PATH}/{number}", self.headers, secret_headers=self.secret_headers)

    def files(self, order: Mapping[str, Any]) -> Sequence[RenderedRequest] | None:
        """The one file, at the address that belongs to the order: what `results_url` says is not called."""
        if order.get("processing_status") != "ended":
            return None
        path = f"{_PATH}/{order.get('id')}/results"
        return [RenderedRequest("GET", path, self.headers, secret_headers=self.secret_headers)]

    def results(self, order: Mapping[str, Any], files: Sequence[bytes], names: Sequence[str]) -> list[LineResult]:
        """The lines of the file."""
        return [_result(line) for content in files for line in json_lines(content)]


def _result(line: Mapping[str, Any]) -> LineResult:
    name, result = str(line.get("custom_id") or ""), object_in(line.get("result"))
    kind = result.get("type")
    if kind == "succeeded":
        return LineResult(name, LineEnd.ANSWERED, 200, result.get("message"))
    if kind == "errored":
        error = object_in(result.get("error"))
        word = object_in(error.get("error")).get("type")
        return LineResult(name, LineEnd.ANSWERED, _STATUSES.get(str(word), 500), error)
    ends = {"expired": LineEnd.EXPIRED, "canceled": LineEnd.CANCELED}
    return LineResult(name, ends.get(str(kind), LineEnd.REFUSED), 0, why=str(kind)[:80])
