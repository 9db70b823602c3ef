"""OpenAI and whoever speaks like it: chat completions and responses, in the JSON schema that was asked for.

Facts from platform.openai.com/docs/api-reference (chat, responses, errors) and the official client, which runs against
this in tests/sandbox. The values are made up from the schema and the question, so a workflow that asks for
`{"fit": integer}` gets an integer. Tokens are billed: four characters are one. A model whose name begins with
`unknown` does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import orjson

from enrichment_assets.sandbox.companies import invented_employer
from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, found_reply, json_reply
from enrichment_assets.sandbox.limits import Room
from enrichment_assets.sandbox.providers import completions, responses
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path, whole_seconds
from enrichment_assets.sandbox.seeded_random import SeededRandom, hex_id
from enrichment_assets.sandbox.strict_schemas import complaint

MOST_CHOICES = 128
EVENTS = "text/event-stream; charset=utf-8"


class OpenAICompatible(SimulatedProvider):
    """Everything below `/openai/v1/...`."""

    name = "openai"
    price = Decimal("0.000002")
    chat_paths: ClassVar[tuple[str, ...]] = ("/v1/chat/completions", "/chat/completions")
    response_paths: ClassVar[tuple[str, ...]] = ("/v1/responses", "/responses")

    def question(self, call: Call) -> Question:
        """One completion or one response."""
        path = call.path.rstrip("/")
        if call.method == "POST" and path in self.chat_paths:
            return self._completion(call)
        if call.method == "POST" and path in self.response_paths:
            return self._response(call)
        raise no_such_path(call)

    def unauthorised(self, call: Call) -> Reply:
        """401 in OpenAI's error shape."""
        return error(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429: come back later."""
        reply = error(429, "requests", "rate_limit_exceeded", "Rate limit reached for requests. Please try again.")
        reply.headers["retry-after"] = whole_seconds(retry_after)
        return reply

    def exhausted(self, call: Call) -> Reply:
        """429 too, but for good: the quota is spent."""
        message = "You exceeded your current quota, please check your plan and billing details."
        return error(429, "insufficient_quota", "insufficient_quota", message)

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in OpenAI's error shape."""
        return error(status, "server_error", None, "The server had an error while processing your request.")

    def limit_headers(self, room: Room, call: Call, under_way: int) -> dict[str, str]:
        """The request's id and what is left of the minute; the reset is a duration."""
        left = room.remaining.get(60.0, 10_000)
        return {
            "x-request-id": f"req_{hex_id(call.path, call.body)}",
            "x-ratelimit-limit-requests": "10000",
            "x-ratelimit-remaining-requests": str(left),
            "x-ratelimit-reset-requests": "6ms" if left else "1m0s",
        }

    def _completion(self, call: Call) -> Question:
        asked = call.json()
        messages = asked.get("messages")
        if not isinstance(messages, list) or not messages:
            raise missing("messages")
        form = asked.get("response_format") or {}
        wanted = form.get("json_schema") if isinstance(form, dict) else None
        if not isinstance(form, dict) or (form.get("type") == "json_schema" and not isinstance(wanted, dict)):
            raise missing("response_format.json_schema")
        self._check(asked, wanted, param_of_model=None)
        choices = asked.get("n", 1)
        choices = 1 if choices is None else choices
        if not isinstance(choices, int) or not 1 <= choices <= MOST_CHOICES:
            message = f"Invalid 'n': expected an integer between 1 and {MOST_CHOICES}."
            raise refused("integer_out_of_range", message, "n")
        identity = hex_id(orjson.dumps([asked.get("model"), messages, asked.get("response_format")]).decode())

        def work() -> Reply:
            declines = call.population.rng("refusal", identity).chance(call.behaviour.refusals)
            rng = [call.population.rng("chat", identity, *([number] if number else [])) for number in range(choices)]
            body = completions.completion(asked, identity, rng, declines=declines)
            body.update(self.sources(call, rng[0]))
            used = body["usage"]["total_tokens"]
            if not asked.get("stream"):
                return found_reply(body, identity, Decimal(used))
            with_usage = bool((asked.get("stream_options") or {}).get("include_usage"))
            reply = found_reply(None, identity, Decimal(used))
            reply.body, reply.content_type = completions.streamed(body, with_usage=with_usage), EVENTS
            return reply

        return Question("chat/completions", identity, work)

    def _response(self, call: Call) -> Question:
        asked = call.json()
        if not asked.get("input"):
            raise missing("input")
        if asked.get("stream"):
            raise refused("unsupported_value", "The sandbox does not stream responses; chat completions it does.", None)
        self._check(asked, (asked.get("text") or {}).get("format"), param_of_model="model")
        identity = hex_id(orjson.dumps([asked.get("model"), asked["input"], asked.get("text")]).decode())

        def work() -> Reply:
            declines = call.population.rng("refusal", identity).chance(call.behaviour.refusals)
            body = responses.response(asked, identity, call.population.rng("chat", identity), declines=declines)
            return found_reply(body, identity, Decimal(body["usage"]["total_tokens"]))

        return Question("responses", identity, work)

    def sources(self, call: Call, rng: SeededRandom) -> dict[str, Any]:
        """Where a service that searches has it from; members of the completion."""
        return {}

    def _check(self, asked: Mapping[str, Any], wanted: Any, *, param_of_model: str | None) -> None:
        """Refuse a model that does not exist (404 for chat, 400 for responses) and a schema that is not strict."""
        model = str(asked.get("model") or "")
        if not model:
            raise missing("model")
        if model.startswith("unknown"):
            message = f"The model `{model}` does not exist or you do not have access to it."
            status = 404 if param_of_model is None else 400
            raise Refusal(error(status, "invalid_request_error", "model_not_found", message, param_of_model))
        if isinstance(wanted, dict) and wanted.get("type", "json_schema") == "json_schema":
            reason = complaint(str(wanted.get("name") or ""), wanted.get("schema"), strict=bool(wanted.get("strict")))
            if reason:
                raise refused(None, reason, "response_format" if param_of_model is None else "text.format.schema")


class Perplexity(OpenAICompatible):
    """Chat that searches, below `/perplexity/...` (the service's `sonar` model)."""

    name = "perplexity"
    chat_paths: ClassVar[tuple[str, ...]] = ("/v1/sonar", "/chat/completions", "/v1/chat/completions")
    response_paths: ClassVar[tuple[str, ...]] = ()

    def sources(self, call: Call, rng: SeededRandom) -> dict[str, Any]:
        """The sources, as addresses and as search results."""
        companies = [call.population.company(invented_employer(rng)) for _ in range(2)]
        results = [
            {"title": c.name, "url": f"https://www.{c.domain}/news", "date": "2026-03-01", "snippet": c.description}
            for c in companies
        ]
        return {"citations": [result["url"] for result in results], "search_results": results}


def error(status: int, kind: str, code: str | None, message: str, param: str | None = None) -> Reply:
    """An error in OpenAI's shape."""
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return json_reply(status, body, outcome="refused")


def refused(code: str | None, message: str, param: str | None) -> Refusal:
    """A 400 for a request that the service would not take."""
    return Refusal(error(400, "invalid_request_error", code, message, param))


def missing(name: str) -> Refusal:
    """A 400 for a parameter that is not there."""
    return refused("missing_required_parameter", f"Missing required parameter: '{name}'.", name)
