"""OpenAI-compatible chat completions: answers in the JSON schema that was asked for, or in a sentence.

The values are made up from the schema and the question, so a workflow that asks for `{"fit": integer}` gets an integer.
Perplexity's `sonar` has the same shape with `citations` and `search_results` added. Tokens are billed.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import orjson

from enrichment_assets.sandbox.companies import invented_employer
from enrichment_assets.sandbox.dice import Dice, hex_id
from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, found_reply, json_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path

CHARACTERS_PER_TOKEN = 4
DEEPEST = 6


class OpenAICompatible(SimulatedProvider):
    """Everything below `/openai/v1/...`."""

    name = "openai"
    price = Decimal("0.000002")
    paths: ClassVar[tuple[str, ...]] = ("/v1/chat/completions", "/chat/completions")
    searches = False

    def question(self, call: Call) -> Question:
        """One completion."""
        if call.path.rstrip("/") not in self.paths or call.method != "POST":
            raise no_such_path(call)
        asked = call.json()
        messages = asked.get("messages")
        if not isinstance(messages, list) or not messages:
            raise Refusal(_error(400, "invalid_request_error", "messages is a required property"))
        identity = hex_id(orjson.dumps([asked.get("model"), messages, asked.get("response_format")]).decode())

        def work() -> Reply:
            dice = call.world.dice("chat", identity)
            content = _content(asked, dice)
            sent, made = _tokens(orjson.dumps(messages)), _tokens(content.encode())
            body: dict[str, Any] = {
                "id": f"chatcmpl-{identity}",
                "object": "chat.completion",
                "created": 1_780_000_000,
                "model": str(asked.get("model") or "sandbox"),
                "choices": [
                    {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
                ],
                "usage": {"prompt_tokens": sent, "completion_tokens": made, "total_tokens": sent + made},
            }
            if self.searches:
                body.update(_searched(call, dice))
            return found_reply(body, identity, Decimal(sent + made))

        return Question("chat/completions", identity, work)

    def unauthorised(self, call: Call) -> Reply:
        """401 in OpenAI's error shape."""
        return _error(401, "invalid_api_key", "Incorrect API key provided")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429: come back later."""
        reply = _error(429, "rate_limit_exceeded", "Rate limit reached for requests")
        reply.headers["retry-after"] = str(max(1, round(retry_after)))
        return reply

    def exhausted(self, call: Call) -> Reply:
        """429 too, but for good: the quota is spent."""
        return _error(429, "insufficient_quota", "You exceeded your current quota, please check your plan")


class Perplexity(OpenAICompatible):
    """Everything below `/perplexity/...`."""

    name = "perplexity"
    paths = ("/v1/sonar", "/chat/completions", "/v1/chat/completions")
    searches = True


def value_for(schema: Mapping[str, Any], dice: Dice, depth: int = 0) -> Any:
    """A value that a JSON schema allows (the usual subset: type, enum, properties, items, minimum, maximum)."""
    if schema.get("enum"):
        return dice.pick(list(schema["enum"]))
    kind = schema.get("type", "string")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if kind == "object" and depth < DEEPEST:
        members = schema.get("properties") or {}
        return {name: value_for(member, dice, depth + 1) for name, member in members.items()}
    if kind == "array" and depth < DEEPEST:
        return [value_for(schema.get("items") or {}, dice, depth + 1) for _ in range(dice.between(1, 3))]
    if kind in {"integer", "number"}:
        return dice.between(int(schema.get("minimum", 0)), int(schema.get("maximum", 100)))
    if kind == "boolean":
        return dice.chance(0.5)
    return None if kind == "null" else f"{invented_employer(dice)} is a believable answer."


def _content(asked: Mapping[str, Any], dice: Dice) -> str:
    wanted = asked.get("response_format")
    if isinstance(wanted, dict) and isinstance(wanted.get("json_schema"), dict):
        schema = wanted["json_schema"].get("schema")
        return orjson.dumps(value_for(schema if isinstance(schema, dict) else {}, dice)).decode()
    if isinstance(wanted, dict) and wanted.get("type") == "json_object":
        return orjson.dumps({"answer": invented_employer(dice), "confidence": dice.between(10, 99)}).decode()
    return f"{invented_employer(dice)} is a company worth writing to: it hires, and it grew last year."


def _searched(call: Call, dice: Dice) -> dict[str, Any]:
    companies = [call.world.company(invented_employer(dice)) for _ in range(2)]
    results = [
        {"title": c.name, "url": f"https://www.{c.domain}/news", "date": "2026-03-01", "snippet": c.description}
        for c in companies
    ]
    return {"citations": [result["url"] for result in results], "search_results": results}


def _tokens(text: bytes) -> int:
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def _error(status: int, code: str, message: str) -> Reply:
    error = {"message": message, "type": code, "param": None, "code": code}
    return json_reply(status, {"error": error}, outcome="refused")
