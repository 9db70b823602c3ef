"""Anthropic's Messages: another dialect of the same answers.

platform.claude.com/docs (messages, structured outputs, errors, versioning) and the official client (anthropic
2.14.0), which runs against this in tests/sandbox: the key is a bearer token or `x-api-key`; version 2026-10-21
refuses `temperature`, `top_p` and `top_k`; the answer in a schema is text in `content[]`; every way to stop is HTTP
200 with a `stop_reason`; `usage.input_tokens` leaves out what came from the cache; a key's own spend limit is a 400.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from enrichment_assets.sandbox.anthropic_schemas import complaint
from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, found_reply, json_reply
from enrichment_assets.sandbox.language.writing import Asked, Stop, Written, write
from enrichment_assets.sandbox.limits import Room
from enrichment_assets.sandbox.providers.anthropic_batches import MessageBatches
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer, no_such_path, whole_seconds
from enrichment_assets.sandbox.providers.completions import spoken, text_of
from enrichment_assets.sandbox.schemas import value_for
from enrichment_assets.sandbox.seeded_random import hex_id

VERSIONS = ("2023-06-01", "2026-10-21")
"""Those that are served; the newer one takes no sampling."""

_SAMPLING = ("temperature", "top_p", "top_k")
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_REASONS = {Stop.DONE: "end_turn", Stop.REFUSED: "refusal", Stop.LENGTH: "max_tokens", Stop.FAILED: "pause_turn"}


class Anthropic(SimulatedProvider):
    """Everything below `/anthropic/v1/...`."""

    name = "anthropic"
    price = Decimal("0.000003")

    def __init__(self) -> None:
        self._batches = MessageBatches()

    def key(self, call: Call) -> str:
        """A bearer token, as the client sends it since its second version, or `x-api-key`."""
        return call.headers.get("x-api-key", "") or bearer(call)

    def question(self, call: Call) -> Question:
        """A message, or a batch of them."""
        _check_version(call)
        path = call.path.rstrip("/")
        if call.method == "POST" and path == "/v1/messages":
            return self._message(call)
        if path.startswith("/v1/messages/batches"):
            return self._batches.question(call, self._message)
        raise no_such_path(call)

    def unauthorised(self, call: Call) -> Reply:
        """401 in Anthropic's error shape."""
        return failure(401, "invalid x-api-key")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429: come back later."""
        reply = failure(429, "This request would exceed your organization's rate limit.")
        reply.headers["retry-after"] = whole_seconds(retry_after)
        return reply

    def exhausted(self, call: Call) -> Reply:
        """The money is spent: told as a 400 (the key's own limit), a 402, or a 429 with a code that means for good."""
        kind = call.behaviour.spent_as
        if kind == "billing":
            return failure(402, "There is an issue with your organization's billing or payment information.")
        if kind == "spend_limit_429":
            details = {"error_code": "enforced_spend_limit_reached"}
            return failure(429, "Your organization has reached its enforced spend limit.", details)
        return failure(400, "You have reached your specified API usage limits. You will regain access on 2026-12-01.")

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in Anthropic's error shape; 529 is an overload."""
        return failure(status, "Overloaded" if status == 529 else "Internal server error")

    def limit_headers(self, room: Room, call: Call, under_way: int) -> dict[str, str]:
        """The request's id and what is left of the minute; the reset is a time."""
        left = room.remaining.get(60.0, 4_000)
        return {
            "request-id": f"req_{hex_id(call.path, call.body)}",
            "anthropic-ratelimit-requests-limit": "4000",
            "anthropic-ratelimit-requests-remaining": str(left),
            "anthropic-ratelimit-requests-reset": "2026-11-01T00:00:00Z",
        }

    def _message(self, call: Call) -> Question:
        body = call.json()
        asked = _asked(call, body)
        identity = hex_id(orjson.dumps([body.get(name) for name in ("model", "system", "messages", "output_config")]))

        def work() -> Reply:
            answer = _message(body, identity, asked, write(call, asked, identity), call)
            used = answer["usage"]
            billed = used["input_tokens"] + used["cache_read_input_tokens"] + used["output_tokens"]
            return found_reply(answer, identity, Decimal(billed))

        return Question("messages", identity, work, about=asked.subject)


def failure(status: int, message: str, details: Mapping[str, Any] | None = None) -> Reply:
    """An error in Anthropic's shape."""
    error = {"type": _KINDS.get(status, "api_error"), "message": message, "details": details}
    body = {"type": "error", "error": error, "request_id": f"req_{hex_id(status, message)}"}
    return json_reply(status, body, outcome="refused")


def _check_version(call: Call) -> None:
    version = call.headers.get("anthropic-version", "")
    if not version:
        raise Refusal(failure(400, "anthropic-version: header is required"))
    if version not in VERSIONS:
        raise Refusal(failure(400, f'anthropic-version: "{version}" is not a valid version'))


def _asked(call: Call, body: Mapping[str, Any]) -> Asked:
    """What a request for a message asks; raises `Refusal` for one that the service does not take."""
    messages = body.get("messages")
    for name in ("model", "max_tokens", "messages"):
        if not body.get(name):
            raise Refusal(failure(400, f"{name}: Field required"))
    if not isinstance(messages, list) or not all(isinstance(message, Mapping) for message in messages):
        raise Refusal(failure(400, "messages: Input should be a valid list"))
    if any(message.get("role") not in {"user", "assistant"} for message in messages):
        raise Refusal(failure(400, 'messages: Unexpected role. The Messages API accepts "user" and "assistant"'))
    sampling = [name for name in _SAMPLING if name in body]
    if sampling and call.headers.get("anthropic-version") == VERSIONS[-1]:
        raise Refusal(failure(400, f"{sampling[0]}: Extra inputs are not permitted"))
    model = str(body["model"])
    if model.startswith("unknown"):
        raise Refusal(failure(404, f"model: {model}"))
    form = (body.get("output_config") or {}).get("format")
    if form is not None and form.get("type") != "json_schema":
        raise Refusal(failure(400, "output_config.format.type: Input should be 'json_schema'"))
    schema = form.get("schema") if form else None
    if form and (reason := complaint(schema)):
        raise Refusal(failure(400, f"output_config.format.schema: {reason}"))
    system = "\n\n".join([text_of(body.get("system")), spoken(messages, {"assistant"})]).strip()
    return Asked(model, spoken(messages, {"user"}), system, schema, most_tokens=body["max_tokens"])


def _message(body: Mapping[str, Any], identity: str, asked: Asked, written: Written, call: Call) -> dict[str, Any]:
    known = min(int(asked.input_tokens * call.behaviour.cached_input), asked.input_tokens)
    reason = _REASONS[written.stop]
    content: list[dict[str, Any]] = [{"type": "text", "text": written.text, "citations": None}]
    tool = _tool(body)
    if tool is not None and written.stop is Stop.DONE:
        made = value_for(tool.get("input_schema") or {"type": "object"}, call.population.rng("tool", identity))
        content = [{"type": "tool_use", "id": f"toolu_{identity}", "name": tool.get("name"), "input": made}]
        reason = "tool_use"
    if written.stop is Stop.REFUSED:
        content = []
    details = {"type": "refusal", "category": "general_harms", "explanation": written.text}
    return {
        "id": f"msg_{identity}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "stop_details": details if written.stop is Stop.REFUSED else None,
        "usage": {
            "input_tokens": asked.input_tokens - known,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": known,
            "output_tokens": written.output_tokens,
            "server_tool_use": None,
            "service_tier": "standard",
        },
    }


def _tool(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The tool that has to be called: one by name, or the first of any."""
    choice, tools = body.get("tool_choice") or {}, body.get("tools") or []
    if choice.get("type") == "any":
        return tools[0] if tools else None
    return next(
        (tool for tool in tools if choice.get("type") == "tool" and tool.get("name") == choice.get("name")), None
    )
