"""OpenAI, and whoever speaks like it: OpenRouter, LiteLLM, vLLM, Ollama, Gemini's and Azure's endpoints by `base_url`.

Where they differ, a workflow says so by a parameter: `api` (chat or responses), `key_header` (Azure's is `api-key`),
`token_limit` (Ollama and older servers know `max_tokens`), `schemas` (whose rules the schema travels by), and `body`,
members that a server wants besides (`{provider: {require_parameters: true}}`, without which OpenRouter may drop the
schema). Errors are read in every one of their shapes (`domain.prompts.vendor_errors`), and so is money.

Quirks (platform.openai.com/docs, the vendor's Python client 3.57): responses are kept by OpenAI unless `store` is
false, which it is here, and a background answer cannot be had without; a response that failed is HTTP 200; OpenRouter
fails in the middle of an answer with HTTP 200 too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import orjson

from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.prompts.completions import object_in, objects, openai_completion
from enrichment_assets.domain.prompts.definition import Prompt
from enrichment_assets.domain.prompts.model_provider import ModelProvider, PromptFault
from enrichment_assets.domain.prompts.neutral import Completion, NeutralPrompt
from enrichment_assets.domain.prompts.openai_orders import OpenAIBatches
from enrichment_assets.domain.prompts.schemas import Carrier, as_carried, schema_faults
from enrichment_assets.domain.prompts.vendor_errors import Reported, classify_reply, failure_of_response, reported_in
from enrichment_assets.domain.provider import (
    Ability,
    Answer,
    HeaderParts,
    RenderedRequest,
    Secret,
    SecretPlace,
    Verdict,
)
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.request_template import RequestTemplate

_KEY = SecretPlace("api_key")
_BEARER = "authorization"
_KEY_HEADERS: Mapping[str, HeaderParts] = {_BEARER: ("Bearer ", _KEY), "api-key": (_KEY,)}
_CARRIERS = (Carrier.OPENAI, Carrier.GEMINI, Carrier.WHOLE, Carrier.TEXT)
_OURS = frozenset({
    "model", "messages", "input", "instructions", "response_format", "text", "max_tokens", "max_completion_tokens",
    "max_output_tokens", "stream", "n", "store", "background", "tools", "temperature",
})  # fmt: skip
"""Members of a request that the prompt decides."""


class OpenAI(ModelProvider):
    """Calls to chat completions and responses."""

    name = "openai"
    title = "OpenAI and whoever speaks like it"
    company = "OpenAI"
    home = "https://api.openai.com/v1"
    secrets = (Secret("api_key", "OPENAI_API_KEY"),)
    key_word = "OPENAI"
    abilities = frozenset({Ability.POLL})
    billing = "tokens by kind (input, cached input, output) and web searches; OpenRouter and LiteLLM say the money"
    documentation = "https://platform.openai.com/docs/api-reference"
    parameters: ClassVar[Mapping[str, tuple[str, ...] | None]] = {
        "api": ("chat", "responses"),
        "key_header": tuple(_KEY_HEADERS),
        "token_limit": ("max_completion_tokens", "max_tokens"),
        "schemas": tuple(_CARRIERS),
        "body": None,
    }

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as Bearer, unless the request has it in a header already."""
        has_key = any(name.lower() in _KEY_HEADERS for name in request.headers)
        added = {} if has_key else {"authorization": f"Bearer {secrets['api_key']}"}
        return with_headers(request, join_url(base_url, request.url), {**added, "accept": "application/json"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; failures inside HTTP 200 are failures."""
        return classify_reply(answer, _failure_in)

    def ask(self, prompt: NeutralPrompt) -> RenderedRequest:
        """Chat completions or a response, as the parameter `api` says."""
        said = prompt.parameters
        is_response = said.get("api") == "responses"
        body = _response_request(prompt) if is_response else _chat_request(prompt)
        own = {**object_in(said.get("body")), **body}
        header = str(said.get("key_header") or _BEARER)
        return RenderedRequest(
            "POST",
            "/responses" if is_response else "/chat/completions",
            {"content-type": "application/json"},
            content=json_bytes(own),
            secret_headers={header: _KEY_HEADERS[header]},
        )

    def complete(self, answer: Answer) -> Completion:
        """Read a chat completion or a response."""
        return openai_completion(answer)

    def prompt_faults(self, prompt: Prompt, parameters: Mapping[str, Any]) -> Iterator[PromptFault]:
        """Schemas by the rules of whoever is asked, and what only one of the two APIs can do."""
        for place, message in schema_faults(prompt.answer, _carrier(parameters)):
            yield ("prompt", "answer", *place), message
        if parameters.get("api") != "responses":
            if prompt.search is not None:
                yield ("prompt", "search"), "chat completions do not search: write `parameters: {api: responses}`"
            if prompt.background:
                yield ("prompt", "background"), "chat completions answer at once: write `parameters: {api: responses}`"
        for name in sorted(_OURS & set(object_in(parameters.get("body")))):
            yield ("parameters", "body", name), f"{name!r} is decided by the prompt: it cannot be set here"

    def batch_api(self, parameters: Mapping[str, Any]) -> OpenAIBatches:
        """Files and batches, below the same address and with the same key."""
        header = str(parameters.get("key_header") or _BEARER)
        return OpenAIBatches(secret_headers={header: _KEY_HEADERS[header]})

    def poll_request(self, parameters: Mapping[str, Any]) -> RequestTemplate | None:
        """A background response, by its id."""
        if parameters.get("api") != "responses":
            return None
        header = str(parameters.get("key_header") or _BEARER)
        headers = {header: "".join(map(str, _KEY_HEADERS[header]))}
        return RequestTemplate(method="GET", url="/responses/{{ external_id }}", headers=headers)


def _carrier(parameters: Mapping[str, Any]) -> Carrier:
    return Carrier(parameters.get("schemas") or Carrier.OPENAI)


def _chat_request(prompt: NeutralPrompt) -> dict[str, Any]:
    limit = str(prompt.parameters.get("token_limit") or "max_completion_tokens")
    carrier = _carrier(prompt.parameters)
    body: dict[str, Any] = {
        "model": prompt.model,
        "messages": [
            {"role": "system", "content": _instructions(prompt, carrier)},
            {"role": "user", "content": prompt.question},
        ],
        limit: prompt.max_output_tokens,
    }
    if carrier is not Carrier.TEXT:
        body["response_format"] = {"type": "json_schema", "json_schema": _named_schema(prompt, carrier)}
    return _sampled(body, prompt)


def _response_request(prompt: NeutralPrompt) -> dict[str, Any]:
    carrier = _carrier(prompt.parameters)
    body: dict[str, Any] = {
        "model": prompt.model,
        "instructions": _instructions(prompt, carrier),
        "input": prompt.question,
        "max_output_tokens": prompt.max_output_tokens,
        "store": prompt.background,  # a background answer is fetched from what is kept
    }
    if carrier is not Carrier.TEXT:
        body["text"] = {"format": {"type": "json_schema", **_named_schema(prompt, carrier)}}
    if prompt.background:
        body["background"] = True
    if prompt.search is not None:
        domains = {"filters": {"allowed_domains": prompt.search.domains}} if prompt.search.domains else {}
        body["tools"] = [{"type": "web_search", **domains}]
        body["max_tool_calls"] = prompt.search.at_most
    return _sampled(body, prompt)


def _named_schema(prompt: NeutralPrompt, carrier: Carrier) -> dict[str, Any]:
    named = {"name": prompt.schema_name, "schema": as_carried(prompt.schema, carrier)}
    return {**named, "strict": True} if carrier is Carrier.OPENAI else named


def _instructions(prompt: NeutralPrompt, carrier: Carrier) -> str:
    if carrier is not Carrier.TEXT:
        return prompt.instructions
    schema = orjson.dumps(prompt.schema).decode()
    return f"{prompt.instructions}\n\nAnswer with one JSON object and nothing else. It fits this schema: {schema}"


def _sampled(body: dict[str, Any], prompt: NeutralPrompt) -> dict[str, Any]:
    return body if prompt.temperature is None else {**body, "temperature": prompt.temperature}


def _failure_in(body: Any) -> Reported | None:
    """The failure that an answer with HTTP 200 reports; None: it reports none."""
    if (error := failure_of_response(body)) is not None:
        return error
    choice = next(objects(object_in(body).get("choices")), None)
    if choice is None:
        return None
    if (error := reported_in(choice)) is not None:
        return error
    return Reported(code="error") if choice.get("finish_reason") == "error" else None
