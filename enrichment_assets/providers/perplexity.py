"""Perplexity: models that search, by its agent API; sonar's chat by the parameter `api: sonar`.

Quirks (docs.perplexity.ai, agent API; the vendor's Python client 0.46): the same API answers at `/v1/responses` (the
client's path, ours) and `/v1/agent` (the documentation's): parameter `api`. Sonar's own chat ended on 2026-09-27 by
several notices, and is said to go on by others. The schema stands in `response_format`, as in a chat. Money is said in
`usage.cost`. A `preset` may run another vendor's model: pin a model. Failures stand in HTTP 200 too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.prompts.completions import object_in, openai_completion
from enrichment_assets.domain.prompts.definition import Prompt
from enrichment_assets.domain.prompts.model_provider import ModelProvider, PromptFault
from enrichment_assets.domain.prompts.neutral import Completion, NeutralPrompt
from enrichment_assets.domain.prompts.schemas import Carrier, as_carried, schema_faults
from enrichment_assets.domain.prompts.vendor_errors import classify_reply, failure_of_response
from enrichment_assets.domain.provider import Ability, Answer, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.request_template import RequestTemplate

SONAR = "sonar"
_PATHS = {"responses": "/v1/responses", "agent": "/v1/agent", SONAR: "/chat/completions"}
_OURS = frozenset({
    "model", "input", "messages", "instructions", "response_format", "max_output_tokens", "max_tokens", "stream",
    "background", "store", "tools", "temperature",
})  # fmt: skip


class Perplexity(ModelProvider):
    """Calls to Perplexity's agent API."""

    name = "perplexity"
    title = "Perplexity"
    company = "Perplexity"
    home = "https://api.perplexity.ai"
    secrets = (Secret("api_key", "PERPLEXITY_API_KEY"),)
    key_word = "PERPLEXITY"
    abilities = frozenset({Ability.POLL})
    billing = "tokens and tool calls; every answer says the money in usage.cost"
    documentation = "https://docs.perplexity.ai/docs/agent-api/quickstart"
    template = "research-company-via-perplexity"
    under_way = ("queued", "in_progress", "created", "pending")
    parameters: ClassVar[Mapping[str, tuple[str, ...] | None]] = {"api": tuple(_PATHS), "body": None}

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as Bearer."""
        added = {"authorization": f"Bearer {secrets['api_key']}", "accept": "application/json"}
        return with_headers(request, join_url(base_url, request.url), added)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; failures inside HTTP 200 are failures."""
        return classify_reply(answer, lambda body: failure_of_response(object_in(body)))

    def ask(self, prompt: NeutralPrompt) -> RenderedRequest:
        """A response of the agent API, or a chat of sonar's, as the parameter `api` says."""
        api = str(prompt.parameters.get("api") or "responses")
        body = _chat_request(prompt) if api == SONAR else _agent_request(prompt)
        schema = {"name": prompt.schema_name, "schema": as_carried(prompt.schema, Carrier.PERPLEXITY)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if prompt.temperature is not None:
            body["temperature"] = prompt.temperature
        own = {**object_in(prompt.parameters.get("body")), **body}
        return RenderedRequest("POST", _PATHS[api], {"content-type": "application/json"}, content=json_bytes(own))

    def complete(self, answer: Answer) -> Completion:
        """Read a response or a chat, with what was found on the web."""
        return openai_completion(answer)

    def prompt_faults(self, prompt: Prompt, parameters: Mapping[str, Any]) -> Iterator[PromptFault]:
        """A schema that contains itself; sonar's chat, which answers at once; what would be set twice."""
        for place, message in schema_faults(prompt.answer, Carrier.PERPLEXITY):
            yield ("prompt", "answer", *place), message
        if prompt.background and parameters.get("api") == SONAR:
            yield ("prompt", "background"), "sonar's chat is answered at once: leave `parameters.api` out"
        for name in sorted(_OURS & set(object_in(parameters.get("body")))):
            yield ("parameters", "body", name), f"{name!r} is decided by the prompt: it cannot be set here"

    def poll_request(self, parameters: Mapping[str, Any]) -> RequestTemplate | None:
        """A background response, by its id."""
        if parameters.get("api") == SONAR:
            return None
        return RequestTemplate(method="GET", url="/v1/responses/{{ external_id }}")


def _agent_request(prompt: NeutralPrompt) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": prompt.model,
        "instructions": prompt.instructions,
        "input": prompt.question,
        "max_output_tokens": prompt.max_output_tokens,
        "store": prompt.background,  # a background answer is fetched from what is kept
    }
    if prompt.background:
        body["background"] = True
    if prompt.search is not None:
        domains = {"filters": {"search_domain_filter": prompt.search.domains}} if prompt.search.domains else {}
        body["tools"] = [{"type": "web_search", **domains}]
    return body


def _chat_request(prompt: NeutralPrompt) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": prompt.model,
        "messages": [
            {"role": "system", "content": prompt.instructions},
            {"role": "user", "content": prompt.question},
        ],
        "max_tokens": prompt.max_output_tokens,
    }
    if prompt.search is not None and prompt.search.domains:
        body["search_domain_filter"] = prompt.search.domains
    return body
