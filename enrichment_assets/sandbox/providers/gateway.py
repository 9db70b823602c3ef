"""A LiteLLM proxy in front of OpenAI: the same requests, other headers, other errors, and another notion of patience.

docs.litellm.ai (proxy: response headers, retries, budgets) and what users saw: a 429 of the provider is tried again
after its `retry-after`, `gateway_retries` times, before the caller hears of it; the caller's answer has the provider's
headers under `llm_provider-...` and no `retry-after`; `error.code` is a text; a model that is not configured is 400,
a spent budget is 400 `budget_exceeded` for a key's, and 429 `internal_server_error` for a model's (asked for with a
model that begins with `budgeted`); the cost is in `x-litellm-response-cost`, but for models without a price
(`unpriced`); an unknown path is FastAPI's 404.
"""

from __future__ import annotations

from dataclasses import replace

from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.language.writing import manner
from enrichment_assets.sandbox.limits import Room
from enrichment_assets.sandbox.providers.base import whole_seconds
from enrichment_assets.sandbox.providers.chat import OpenAICompatible
from enrichment_assets.sandbox.seeded_random import hex_id

_PASSED_ON = "/responses/"


class Gateway(OpenAICompatible):
    """Everything below `/gateway/...`."""

    name = "gateway"

    def question(self, call: Call) -> Question:
        """As OpenAI; a refusal of OpenAI's comes out in the gateway's words."""
        path = self.operation(call)
        if path not in {"/chat/completions", "/responses"} and not path.startswith(_PASSED_ON):
            raise Refusal(json_reply(404, {"detail": "Not Found"}))
        if call.method == "GET":
            return super().question(call)
        model = str(call.json().get("model") or "")
        if model.startswith("unknown"):
            message = (
                f"{call.path}: Invalid model name passed in model={model}. Call `/v1/models` to view available models."
            )
            raise Refusal(_error(400, "invalid_request_error", message))
        try:
            asked = super().question(call)
        except Refusal as refusal:
            message = "litellm.BadRequestError: OpenAIException - the provider refused the request"
            raise Refusal(_error(refusal.reply.status, "invalid_request_error", message)) from refusal
        if model.startswith("unpriced"):
            return asked
        return replace(asked, work=lambda: self._with_cost(asked.work()))

    def _with_cost(self, reply: Reply) -> Reply:
        """The answer with what it cost in a header, as for every model that the proxy has a price for."""
        if reply.units:
            reply.headers["x-litellm-response-cost"] = str(reply.units * self.price)
        return reply

    def unauthorised(self, call: Call) -> Reply:
        """401: the key is one of the proxy's own."""
        return _error(401, "auth_error", "Authentication Error, Invalid proxy server token passed.")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 after as many waits as the gateway has retries; the wait that was asked for is in another header."""
        seconds = whole_seconds(retry_after)
        reply = _error(
            429, "throttling_error", "litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit reached"
        )
        reply.headers["llm_provider-retry-after"] = seconds
        reply.after = int(seconds) * call.behaviour.gateway_retries
        return reply

    def exhausted(self, call: Call) -> Reply:
        """400: the key's budget at the proxy is spent, or 429 for a model's. Waiting does not help."""
        if manner(str(call.json().get("model") or "")) == "budgeted":
            message = "litellm.RateLimitError: Max budget limit reached for model: ExceededBudget"
            return _error(429, "internal_server_error", message)
        return _error(400, "budget_exceeded", "Budget has been exceeded! Current cost: 5.0, Max budget: 5.0")

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx: the provider's, reworded."""
        return _error(
            status, "None", "litellm.InternalServerError: InternalServerError: OpenAIException - Connection error."
        )

    def limit_headers(self, room: Room, call: Call, under_way: int) -> dict[str, str]:
        """The provider's headers under the gateway's names, and the gateway's own."""
        provider = super().limit_headers(room, call, under_way)
        return {
            **{f"llm_provider-{name}": value for name, value in provider.items()},
            "x-litellm-call-id": hex_id("gateway", call.path, call.body, call.attempt),
            "x-litellm-version": "1.79.0",
        }


def _error(status: int, kind: str, message: str) -> Reply:
    body = {"error": {"message": message, "type": kind, "param": "None", "code": str(status)}}
    return json_reply(status, body, outcome="refused")
