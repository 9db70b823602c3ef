"""A neutral prompt in each dialect, and each dialect's answer back: what is sent and taken, byte by byte."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.prompts.completions import openai_completion
from enrichment_assets.domain.prompts.definition import Search
from enrichment_assets.domain.prompts.model_provider import ModelProvider
from enrichment_assets.domain.prompts.neutral import NeutralPrompt
from enrichment_assets.domain.prompts.usage import TokenUsage
from enrichment_assets.domain.provider import Answer
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.wire.secrets import fill_secrets

Row = dict[str, Any]
SCHEMA = {
    "type": "object",
    "properties": {"score": {"type": "integer", "minimum": 0, "maximum": 100}},
    "required": ["score"],
    "additionalProperties": False,
}
SENT = {**SCHEMA, "properties": {"score": {"type": "integer", "description": "(minimum: 0, maximum: 100)"}}}


def provider(name: str) -> ModelProvider:
    found = PROVIDERS[name]
    assert isinstance(found, ModelProvider)
    return found


def prompt(**fields: Any) -> NeutralPrompt:
    values: Row = {
        "model": "m-1",
        "instructions": "Score.",
        "inputs": "<<<DATA page>>>",
        "schema": SCHEMA,
        "schema_name": "qualify",
        "max_output_tokens": 300,
    }
    return NeutralPrompt(**{**values, **fields})


def asked(name: str, **fields: Any) -> tuple[str, Row, dict[str, str]]:
    """(URL, body, headers) as they leave, with the key `sk`."""
    one = provider(name)
    secrets = {"api_key": "sk"}
    request = one.authorise(fill_secrets(one.ask(prompt(**fields)), secrets), secrets, one.home)
    return request.url, orjson.loads(request.content or b""), {k.lower(): v for k, v in request.headers.items()}


def complete(name: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    return provider(name).complete(Answer(200, headers or {}, orjson.dumps(body)))


def test_openai_is_asked_by_a_chat_with_a_strict_schema() -> None:
    url, body, headers = asked("openai", temperature=0.2)
    assert url == "https://api.openai.com/v1/chat/completions"
    assert body == {
        "model": "m-1",
        "messages": [{"role": "system", "content": "Score."}, {"role": "user", "content": "<<<DATA page>>>"}],
        "max_completion_tokens": 300,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "qualify", "schema": SENT, "strict": True},
        },
        "temperature": 0.2,
    }
    assert headers["authorization"] == "Bearer sk"


def test_openai_is_asked_by_a_response_that_it_does_not_keep() -> None:
    search = Search(at_most=3, domains=["pumps.example"])
    url, body, _ = asked("openai", parameters={"api": "responses"}, search=search)
    assert url == "https://api.openai.com/v1/responses"
    assert body == {
        "model": "m-1",
        "instructions": "Score.",
        "input": "<<<DATA page>>>",
        "max_output_tokens": 300,
        "store": False,
        "text": {"format": {"type": "json_schema", "name": "qualify", "schema": SENT, "strict": True}},
        "tools": [{"type": "web_search", "filters": {"allowed_domains": ["pumps.example"]}}],
        "max_tool_calls": 3,
    }
    kept = asked("openai", parameters={"api": "responses"}, background=True)[1]
    assert kept["background"] is True and kept["store"] is True, "a background answer is fetched from what is kept"


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (
            {"body": {"provider": {"require_parameters": True}}},
            {"provider": {"require_parameters": True}},
        ),  # OpenRouter
        ({"token_limit": "max_tokens"}, {"max_tokens": 300}),  # Ollama
        ({"body": {"model": "other"}}, {"model": "m-1"}),
    ],
)
def test_compatible_servers_differ_by_parameters(parameters: Row, expected: Row) -> None:
    body = asked("openai", parameters=parameters)[1]
    assert expected.items() <= body.items()


def test_schemas_travel_by_the_rules_of_who_is_asked() -> None:
    def form(schemas: str) -> Any:
        return asked("openai", parameters={"schemas": schemas})[1].get("response_format")

    assert form("whole")["json_schema"] == {"name": "qualify", "schema": SCHEMA}  # vLLM
    assert "additionalProperties" not in form("gemini")["json_schema"]["schema"]
    assert form("text") is None
    instructions = asked("openai", parameters={"schemas": "text"})[1]["messages"][0]["content"]
    assert orjson.dumps(SCHEMA).decode() in instructions, "Ollama Cloud drops the schema silently"


def test_azures_key_has_a_header_of_its_own_also_when_it_is_polled() -> None:
    headers = asked("openai", parameters={"key_header": "api-key"})[2]
    assert headers["api-key"] == "sk" and "authorization" not in headers
    poll = provider("openai").poll_request({"api": "responses", "key_header": "api-key"})
    assert poll is not None and poll.headers == {"api-key": "{{secrets.api_key}}"}


def test_anthropic_is_asked_by_a_message_without_a_temperature() -> None:
    url, body, headers = asked("anthropic", temperature=0.0, search=Search())
    assert url == "https://api.anthropic.com/v1/messages"
    assert body == {
        "model": "m-1",
        "max_tokens": 300,
        "system": "Score.",
        "messages": [{"role": "user", "content": "<<<DATA page>>>"}],
        "output_config": {"format": {"type": "json_schema", "schema": SENT}},
        "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 5}],
    }
    assert headers["anthropic-version"] == "2026-10-21" and headers["authorization"] == "Bearer sk"
    old = {"version": "2023-06-01", "key_header": "x-api-key"}
    _, body, headers = asked("anthropic", temperature=0.0, parameters=old)
    assert body["temperature"] == 0.0 and headers["anthropic-version"] == "2023-06-01"
    assert headers["x-api-key"] == "sk" and "authorization" not in headers


def test_perplexity_is_asked_by_its_agent_api_or_by_sonars_chat() -> None:
    url, body, _ = asked("perplexity", search=Search(domains=["pumps.example"]))
    assert url == "https://api.perplexity.ai/v1/responses"
    assert body == {
        "model": "m-1",
        "instructions": "Score.",
        "input": "<<<DATA page>>>",
        "max_output_tokens": 300,
        "store": False,
        "tools": [{"type": "web_search", "filters": {"search_domain_filter": ["pumps.example"]}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "qualify", "schema": SENT}},
    }
    assert asked("perplexity", parameters={"api": "agent"})[0] == "https://api.perplexity.ai/v1/agent"
    url, body, _ = asked("perplexity", parameters={"api": "sonar"})
    assert url == "https://api.perplexity.ai/chat/completions" and body["max_tokens"] == 300


def test_a_second_ask_repeats_the_question_and_says_what_was_wrong() -> None:
    first = asked("openai")[1]["messages"][1]["content"]
    again = asked("openai", again="the answer is not as asked: $.score: too high")[1]["messages"][1]["content"]
    assert again.startswith(first) and "$.score: too high" in again


def test_a_chat_is_read_whoever_answered_it() -> None:
    usage = {"prompt_tokens": 90, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 10}}
    message = {"content": '{"score": 1}', "annotations": [{"url_citation": {"url": "https://a.example", "title": "A"}}]}
    body = {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}], "usage": {**usage, "cost": 0.25}}
    done = complete("openai", body)
    assert (done.text, done.refused, done.cut, done.model) == ('{"score": 1}', False, None, "m")
    assert done.usage == TokenUsage(90, 10, 9) and str(done.cost) == "0.25 USD"
    assert [(source.url, source.title) for source in done.sources] == [("https://a.example", "A")]
    litellm = complete("openai", {**body, "usage": usage}, {"x-litellm-response-cost": "0.5"})
    assert str(litellm.cost) == "0.50 USD"
    parts = {"choices": [{"message": {"content": [{"type": "text", "text": "{}"}]}, "finish_reason": None}]}
    assert complete("openai", parts).text == "{}"


@pytest.mark.parametrize(
    ("name", "body", "refused", "cut"),
    [
        ("openai", {"choices": [{"message": {"content": None, "refusal": "no"}, "finish_reason": "stop"}]}, True, None),
        ("openai", {"choices": [{"message": {"content": "{"}, "finish_reason": "length"}]}, False, "length"),
        ("openai", {"choices": [{"message": {}, "finish_reason": "content_filter"}]}, False, "content_filter"),
        ("openai", {"output": [{"type": "message", "content": [{"type": "refusal"}]}]}, True, None),
        (
            "openai",
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": []},
            False,
            "length",
        ),
        ("openai", {"status": "incomplete", "incomplete_details": None, "output": []}, False, "incomplete"),
        ("anthropic", {"content": [], "stop_reason": "refusal", "stop_details": {}}, True, None),
        ("anthropic", {"content": [{"type": "text", "text": "{"}], "stop_reason": "max_tokens"}, False, "length"),
        (
            "anthropic",
            {"content": [], "stop_reason": "model_context_window_exceeded"},
            False,
            "model_context_window_exceeded",
        ),
        ("anthropic", {"content": [], "stop_reason": "pause_turn"}, False, "pause_turn"),
        ("perplexity", {"status": "incomplete", "output": []}, False, "incomplete"),
    ],
)
def test_refusals_and_cuts_are_told_apart(name: str, body: Row, refused: bool, cut: str | None) -> None:
    done = complete(name, body)
    assert (done.refused, done.cut) == (refused, cut)


def test_anthropics_cache_is_counted_and_its_pages_are_sources() -> None:
    content = [
        {"type": "web_search_tool_result", "content": [{"url": "https://a.example", "title": "A", "page_age": "May"}]},
        {"type": "text", "text": '{"score"', "citations": [{"url": "https://a.example", "title": "A"}]},
        {"type": "text", "text": ": 1}"},
    ]
    usage = {
        "input_tokens": 100,
        "cache_creation_input_tokens": 20,
        "cache_read_input_tokens": 30,
        "output_tokens": 7,
        "server_tool_use": {"web_search_requests": 2},
    }
    done = complete("anthropic", {"model": "c", "content": content, "stop_reason": "end_turn", "usage": usage})
    assert done.text == '{"score": 1}' and done.usage == TokenUsage(150, 30, 7, 2, 20)
    assert [(source.url, source.date) for source in done.sources] == [("https://a.example", "May")]


def test_perplexitys_searches_are_sources_and_its_money_is_said() -> None:
    body = {
        "model": "perplexity/sonar",
        "status": "completed",
        "output": [
            {"type": "search_results", "results": [{"url": "https://a.example", "title": "A", "date": "2026-03-01"}]},
            {
                "type": "message",
                "content": [{"type": "output_text", "text": "{}", "annotations": [{"url": "https://b.example"}]}],
            },
        ],
        "usage": {"input_tokens": 5, "output_tokens": 2, "cost": {"total_cost": 0.006, "currency": "USD"}},
    }
    done = complete("perplexity", body)
    assert [source.url for source in done.sources] == ["https://a.example", "https://b.example"]
    assert str(done.cost) == "0.006 USD"
    sonar = {"choices": [{"message": {"content": "{}"}}], "search_results": [{"url": "https://c.example"}]}
    assert [source.url for source in complete("perplexity", sonar).sources] == ["https://c.example"]


@pytest.mark.parametrize("body", [[], {}, "text", {"choices": []}, {"choices": "x"}, {"output": "x"}, {"content": "x"}])
@pytest.mark.parametrize("name", ["openai", "anthropic", "perplexity"])
def test_what_is_no_answer_of_the_dialect_breaks_the_contract(name: str, body: Any) -> None:
    with pytest.raises(ContractError):
        complete(name, body)


def test_members_of_strange_types_are_not_believed() -> None:
    strange = {"choices": [{"message": {"content": 5, "refusal": None}, "finish_reason": 7}], "usage": [], "model": 3}
    done = openai_completion(Answer(200, {}, orjson.dumps(strange)))
    assert (done.text, done.cut, done.usage, done.model) == (None, None, None, None)
