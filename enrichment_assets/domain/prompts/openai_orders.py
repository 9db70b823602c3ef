"""OpenAI's Batch API: lines in an uploaded file, the order refers to it, answers and errors come in two files.

Quirks (platform.openai.com/docs/guides/batch and the vendor's client 3.57): lines are unordered; a `completed` batch
may hold failed lines, in the error file; an `expired` or `cancelled` one is billed for what was finished, and has the
others in the error file with a code; a file that is wrong makes the batch `failed` with the numbers of its lines, and
nothing is billed. `metadata` keeps our name: by it an order whose answer was lost is found in the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.jsontext import json_bytes, parse_json
from enrichment_assets.domain.prompts.batch_api import BatchApi, Line, LineEnd, LineResult, OrderPage, json_lines
from enrichment_assets.domain.prompts.completions import object_in, objects
from enrichment_assets.domain.provider import Answer, RenderedRequest

_NAME = "enrich_order"
_ENDED = ("completed", "expired", "cancelled", "failed")
_ENDS = {"batch_expired": LineEnd.EXPIRED, "batch_cancelled": LineEnd.CANCELED, "batch_canceled": LineEnd.CANCELED}
_PASSING = ("token_limit_exceeded", "rate_limit_exceeded", "server_error")
_PAGE = 100


@dataclass(frozen=True)
class OpenAIBatches(BatchApi):
    """Orders of chat completions or responses. Paths are below the base URL, which ends in `/v1`."""

    def upload(self, lines: Sequence[Line], name: str) -> RenderedRequest:
        """A form with the file and its purpose; the boundary is made of our name, which no line holds."""
        content = b"\n".join(
            orjson.dumps(
                {
                    "custom_id": line.name,
                    "method": "POST",
                    "url": _endpoint(line),
                    "body": orjson.Fragment(line.request.content or b"{}"),
                }
            )
            for line in lines
        )
        edge = f"enrich-{name}"
        head = f'--{edge}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--{edge}\r\n'
        file = f'Content-Disposition: form-data; name="file"; filename="{name}.jsonl"\r\n'
        file += "Content-Type: application/jsonl\r\n\r\n"
        body = head.encode() + file.encode() + content + f"\r\n--{edge}--\r\n".encode()
        return self._request("POST", "/files", body, f"multipart/form-data; boundary={edge}")

    def order(self, lines: Sequence[Line], name: str, uploaded: Answer | None) -> RenderedRequest:
        """The order of an uploaded file."""
        file = _object(uploaded).get("id") if uploaded is not None else None
        if not isinstance(file, str) or not file:
            raise ContractError("the upload of the batch's lines was answered with no file", code="batch.no_file")
        body = {
            "input_file_id": file,
            "endpoint": _endpoint(lines[0]),
            "completion_window": "24h",
            "metadata": {_NAME: name},
        }
        return self._request("POST", "/batches", json_bytes(body))

    def look(self, number: str) -> RenderedRequest:
        """How far an order is."""
        return self._request("GET", f"/batches/{number}")

    def files(self, order: Mapping[str, Any]) -> Sequence[RenderedRequest] | None:
        """Both files, as far as there are any."""
        if order.get("status") not in _ENDED:
            return None
        numbers = [order.get(name) for name in ("output_file_id", "error_file_id")]
        return [self._request("GET", f"/files/{number}/content") for number in numbers if number]

    def results(self, order: Mapping[str, Any], files: Sequence[bytes], names: Sequence[str]) -> list[LineResult]:
        """The lines of both files, or what was wrong with the uploaded one."""
        if order.get("status") == "failed":
            return _refused(order, names)
        return [_result(line) for content in files for line in json_lines(content)]

    def find(self, after: str | None) -> RenderedRequest:
        """A page of the account's orders, the newest first."""
        query = {"limit": str(_PAGE), **({"after": after} if after else {})}
        return RenderedRequest("GET", "/batches", self.headers, query, secret_headers=self.secret_headers)

    def found(self, page: Answer, name: str) -> OrderPage:
        """The order whose metadata has our name."""
        body = _object(page)
        if not isinstance(body.get("data"), list):
            raise ContractError("the list of batches is none", code="batch.no_list")
        orders = list(objects(body["data"]))
        own = next((order for order in orders if object_in(order.get("metadata")).get(_NAME) == name), None)
        last = str(orders[-1].get("id") or "") if orders else ""
        return OrderPage(own, last if body.get("has_more") and last else None)

    def _request(
        self, method: str, path: str, content: bytes | None = None, kind: str = "application/json"
    ) -> RenderedRequest:
        headers = {**self.headers, "content-type": kind} if content is not None else dict(self.headers)
        return RenderedRequest(method, path, headers, content=content, secret_headers=self.secret_headers)


def _endpoint(line: Line) -> str:
    return f"/v1{line.request.url}"


def _object(answer: Answer) -> Mapping[str, Any]:
    try:
        return object_in(parse_json(answer.body))
    except ValueError:
        return {}


def _result(line: Mapping[str, Any]) -> LineResult:
    """One line of a file: an answer of whatever status, or why it was not asked."""
    name = str(line.get("custom_id") or "")
    response, error = line.get("response"), object_in(line.get("error"))
    if isinstance(response, Mapping):
        status = response.get("status_code")
        is_status = isinstance(status, int) and 100 <= status <= 599
        return LineResult(name, LineEnd.ANSWERED, status if is_status else 502, response.get("body"))  # type: ignore[arg-type]
    code = str(error.get("code") or "no code")[:80]
    return LineResult(name, _ENDS.get(code, LineEnd.REFUSED), 0, why=code)


def _refused(order: Mapping[str, Any], names: Sequence[str]) -> list[LineResult]:
    """A file that was not taken: lines that are named are wrong, the others were only in their company."""
    faults = list(objects(object_in(order.get("errors")).get("data")))
    codes = [str(fault.get("code") or "no code")[:80] for fault in faults]
    wrong = {
        fault["line"]: code for fault, code in zip(faults, codes, strict=True) if isinstance(fault.get("line"), int)
    }
    if not wrong:
        passes = any(code in _PASSING for code in codes)
        end, why = LineEnd.NOT_DONE if passes else LineEnd.REFUSED, ", ".join(dict.fromkeys(codes)) or "no code"
        return [LineResult(name, end, 0, why=why) for name in names]
    return [
        LineResult(name, LineEnd.REFUSED if number in wrong else LineEnd.NOT_DONE, 0, why=wrong.get(number, "refused"))
        for number, name in enumerate(names, start=1)
    ]
