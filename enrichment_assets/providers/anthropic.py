"""Anthropic: Messages, with the answer's schema in `output_config.format`.

Quirks (platform.claude.com, the vendor's Python client 2.14): the version of 2026-10-21 takes no `temperature`, not
even its default; the key travels as Bearer (`x-api-key` is served still: parameter `key_header`); an own spend limit
is HTTP 400, and some 429s are final (`details.error_code` `..._spend_limit_reached`); 529 is an overload; every way to
stop is HTTP 200 and stands in `stop_reason`; `input_tokens` leaves the cache out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.prompts.anthropic_orders import AnthropicBatches
from enrichment_assets.domain.prompts.completions import (
    CONTENT_FILTER,
    LENGTH,
    body_of,
    distinct,
    object_in,
    objects,
    source_of,
)
from enrichment_assets.domain.prompts.definition import Prompt
from enrichment_assets.domain.prompts.model_provider import ModelProvider, PromptFault
from enrichment_assets.domain.prompts.neutral import Completion, NeutralPrompt, Source
from enrichment_assets.domain.prompts.schemas import Carrier, as_carried, schema_faults
from enrichment_assets.domain.prompts.usage import anthropic_usage, reported_cost
from enrichment_assets.domain.prompts.vendor_errors import failure_inside, refusal_of, reported
from enrichment_assets.domain.provider import Answer, HeaderParts, RenderedRequest, Secret, SecretPlace, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers

VERSION = "2026-10-21"
LAST_WITH_TEMPERATURE = "2023-06-01"

_KEY = SecretPlace("api_key")
_KEY_HEADERS: Mapping[str, HeaderParts] = {"authorization": ("Bearer ", _KEY), "x-api-key": (_KEY,)}
_OURS = frozenset({"model", "messages", "system", "max_tokens", "output_config", "tools", "temperature", "stream"})
_CUTS = {
    "max_tokens": LENGTH,
    "model_context_window_exceeded": "model_context_window_exceeded",
    "pause_turn": "pause_turn",
    "content_filter": CONTENT_FILTER,
}


class Anthropic(ModelProvider):
    """Calls to Anthropic's Messages API."""

    name = "anthropic"
    title = "Anthropic"
    company = "Anthropic"
    home = "https://api.anthropic.com"
    secrets = (Secret("api_key", "ANTHROPIC_API_KEY"),)
    key_word = "ANTHROPIC"
    billing = "tokens by kind (input, written to and read from the cache, output) and web searches"
    documentation = "https://platform.claude.com/docs/en/api/messages"
    parameters: ClassVar[Mapping[str, tuple[str, ...] | None]] = {
        "version": (VERSION, LAST_WITH_TEMPERATURE),
        "key_header": tuple(_KEY_HEADERS),
        "body": None,
    }

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as Bearer and the version, unless the request has them already."""
        names = {name.lower() for name in request.headers}
        added = {"accept": "application/json"}
        if not names & set(_KEY_HEADERS):
            added["authorization"] = f"Bearer {secrets['api_key']}"
        if "anthropic-version" not in names:
            added["anthropic-version"] = VERSION
        return with_headers(request, join_url(base_url, request.url), added)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; see the module's quirks."""
        if not 200 <= answer.status < 300:
            return refusal_of(answer)
        error = reported(answer) if b'"error"' in answer.body[:4096] else None
        return Verdict() if error is None else failure_inside(error, answer.status)

    def ask(self, prompt: NeutralPrompt) -> RenderedRequest:
        """One message. What the model may not be told in this version is left out."""
        said = prompt.parameters
        version = str(said.get("version") or VERSION)
        body: dict[str, Any] = {
            "model": prompt.model,
            "max_tokens": prompt.max_output_tokens,
            "system": prompt.instructions,
            "messages": [{"role": "user", "content": prompt.question}],
            "output_config": {
                **object_in(object_in(said.get("body")).get("output_config")),
                "format": {"type": "json_schema", "schema": as_carried(prompt.schema, Carrier.ANTHROPIC)},
            },
        }
        if prompt.search is not None:
            domains = {"allowed_domains": prompt.search.domains} if prompt.search.domains else {}
            search = {"type": "web_search_20250305", "name": "web_search", "max_uses": prompt.search.at_most}
            body["tools"] = [{**search, **domains}]
        if prompt.temperature is not None and version == LAST_WITH_TEMPERATURE:
            body["temperature"] = prompt.temperature
        header = str(said.get("key_header") or "authorization")
        return RenderedRequest(
            "POST",
            "/v1/messages",
            {"content-type": "application/json", "anthropic-version": version},
            content=json_bytes({**object_in(said.get("body")), **body}),
            secret_headers={header: _KEY_HEADERS[header]},
        )

    def complete(self, answer: Answer) -> Completion:
        """Read a message: its text, why it stopped, and what it used."""
        body = body_of(answer)
        if not isinstance(body.get("content"), list):
            raise ContractError("the body is no message", code="answer.no_message")
        reason = body.get("stop_reason")
        texts = [part["text"] for part in objects(body["content"]) if isinstance(part.get("text"), str)]
        return Completion(
            text="".join(texts) or None,
            refused=reason == "refusal",
            cut=_CUTS.get(reason) if isinstance(reason, str) else None,
            usage=anthropic_usage(body.get("usage")),
            cost=reported_cost(body.get("usage"), answer.headers),
            sources=distinct(_sources(body["content"])),
            model=str(body["model"])[:200] if body.get("model") else None,
        )

    def batch_api(self, parameters: Mapping[str, Any]) -> AnthropicBatches:
        """Message batches, with the same version and key."""
        header = str(parameters.get("key_header") or "authorization")
        version = str(parameters.get("version") or VERSION)
        return AnthropicBatches({"anthropic-version": version}, {header: _KEY_HEADERS[header]})

    def left_out(self, prompt: Prompt, parameters: Mapping[str, Any]) -> Iterator[PromptFault]:
        """The temperature, which the current version refuses."""
        if prompt.temperature is not None and parameters.get("version") != LAST_WITH_TEMPERATURE:
            remedy = f"write `parameters: {{version: {LAST_WITH_TEMPERATURE}}}` for a model that takes one"
            yield ("prompt", "temperature"), f"is not sent: Anthropic's version {VERSION} takes none; {remedy}"

    def prompt_faults(self, prompt: Prompt, parameters: Mapping[str, Any]) -> Iterator[PromptFault]:
        """Schemas by Anthropic's bounds; what would be set twice."""
        for place, message in schema_faults(prompt.answer, Carrier.ANTHROPIC):
            yield ("prompt", "answer", *place), message
        if prompt.background:
            yield ("prompt", "background"), "Anthropic's messages are answered at once; `batch: true` is what waits"
        for name in sorted((_OURS - {"output_config"}) & set(object_in(parameters.get("body")))):
            yield ("parameters", "body", name), f"{name!r} is decided by the prompt: it cannot be set here"


def _sources(content: Any) -> Iterator[Source | None]:
    for part in objects(content):
        yield from map(source_of, objects(part.get("citations")))
        if part.get("type") == "web_search_tool_result":
            yield from map(source_of, objects(part.get("content")))
