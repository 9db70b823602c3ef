"""Perplexity: an agent that searches, and the chat of before it (`sonar`) at its old paths.

docs.perplexity.ai (agent API) and the official client (perplexityai 0.46.1), which runs against this in
tests/sandbox: `/v1/agent` of the documentation is `/v1/responses` of the client; the schema is asked for as in chat
(`response_format`); `output[]` has the search results beside the message; `usage.cost` is money; `status: failed`
comes as HTTP 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from enrichment_assets.sandbox.companies import invented_employer
from enrichment_assets.sandbox.exchange import Call, Question, Reply
from enrichment_assets.sandbox.language.writing import Asked, Stop, Written
from enrichment_assets.sandbox.providers import responses
from enrichment_assets.sandbox.providers.chat import OpenAICompatible
from enrichment_assets.sandbox.providers.completions import CREATED
from enrichment_assets.sandbox.seeded_random import SeededRandom, hex_id

_SEARCH_COST = Decimal("0.005")


class Perplexity(OpenAICompatible):
    """Everything below `/perplexity/...`."""

    name = "perplexity"

    def question(self, call: Call) -> Question:
        """An agent's answer, at once or later, or a chat."""
        path = self.operation(call)
        if call.method == "POST" and path in {"/agent", "/responses"}:
            return self._agent(call)
        if call.method == "GET" and path.startswith("/agent/"):
            number = path.rpartition("/")[2]
            return Question("responses/get", number, lambda: self.kept_response(call, number))
        if call.method == "POST" and path == "/sonar":
            return self.completion(call)
        return super().question(call)

    def sources(self, call: Call, rng: SeededRandom) -> dict[str, Any]:
        """The sources, as addresses and as search results."""
        results = _found(call, rng)
        return {"citations": [result["url"] for result in results], "search_results": results}

    def _agent(self, call: Call) -> Question:
        body = call.json()
        if not body.get("input"):
            raise self.missing(call, "input")
        model = str(body.get("model") or body.get("preset") or "")
        if not model:
            raise self.missing(call, "model")
        if model.startswith("unknown"):
            raise self.refused(call, "invalid_model", f"Invalid model '{model}'.", "model")
        form = body.get("response_format") or {}
        asked = Asked(
            **{
                **_members(responses.asked_of({**body, "model": model, "text": None})),
                "schema": (form.get("json_schema") or {}).get("schema") if form.get("type") == "json_schema" else None,
            }
        )
        identity = hex_id(orjson.dumps([model, body["input"], form]).decode())

        def work() -> Reply:
            answer = self.written(call, asked, identity)[0]
            searches = any(tool.get("type") == "web_search" for tool in body.get("tools") or ())
            found = _found(call, call.population.rng("search", identity)) if searches else []
            done = _response({**body, "model": model}, identity, asked, answer, found)
            return self.stored(call, body, done, identity, Decimal(done["usage"]["total_tokens"]))

        return Question("responses", identity, work, about=asked.subject)


def _members(asked: Asked) -> Mapping[str, Any]:
    return {name: getattr(asked, name) for name in ("model", "prompt", "system", "most_tokens")}


def _found(call: Call, rng: SeededRandom) -> list[dict[str, Any]]:
    companies = [call.population.company(invented_employer(rng)) for _ in range(2)]
    return [
        {
            "id": number,
            "title": company.name,
            "url": f"https://www.{company.domain}/news",
            "date": "2026-03-01",
            "snippet": company.description,
        }
        for number, company in enumerate(companies, start=1)
    ]


def _response(
    body: Mapping[str, Any], identity: str, asked: Asked, written: Written, found: list[dict[str, Any]]
) -> dict[str, Any]:
    """The agent's `response`: an answer that is cut is `completed` all the same, as the vendor has no other word."""
    notes = [{"type": "citation", "url": result["url"], "title": result["title"]} for result in found]
    message = {
        "id": f"msg_{identity}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": written.text, "annotations": notes}],
    }
    failed = written.stop is Stop.FAILED
    searched = [{"type": "search_results", "queries": [asked.prompt[:80]], "results": found}] if found else []
    return {
        "id": f"resp_{identity}",
        "object": "response",
        "created_at": CREATED,
        "model": str(body["model"]),
        "background": bool(body.get("background")),
        "store": body.get("store", True),
        "status": "failed" if failed else "completed",
        "error": {"code": "server_error", "type": "server_error", "message": written.text} if failed else None,
        "output": [] if failed else [*searched, message],
        "usage": _usage(asked.input_tokens, written.output_tokens, len(searched)),
    }


def _usage(sent: int, made: int, searches: int) -> dict[str, Any]:
    costs = (sent * Perplexity.price, made * Perplexity.price, searches * _SEARCH_COST)
    return {
        "input_tokens": sent,
        "output_tokens": made,
        "total_tokens": sent + made,
        "input_tokens_details": {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0},
        "tool_calls_details": {"web_search": {"invocation": searches}} if searches else {},
        "cost": {
            "currency": "USD",
            "input_cost": float(costs[0]),
            "output_cost": float(costs[1]),
            "tool_calls_cost": float(costs[2]),
            "total_cost": float(sum(costs)),
        },
    }
