"""Anthropic's own client against the sandbox: messages, the ways to stop, errors, and batches of messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import orjson
import pytest

from enrichment_assets.domain.prompts.fencing import fenced
from enrichment_assets.sandbox import SandboxProcess

from .conftest import units

ASK: list[Any] = [{"role": "user", "content": "Is Acme a fit?"}]
PAGE = {"homepage_text": "Acme Labs builds pumps in Bremen. Write to sales@acme-labs.com or call +49 421 555 0100."}
CONTACT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["email", "summary"],
    "properties": {"email": {"type": ["string", "null"]}, "summary": {"type": "string"}},
}


def message(client: anthropic.Anthropic, model: str = "claude-test", **more: Any) -> Any:
    return client.messages.create(**{"model": model, "max_tokens": 500, "messages": ASK, **more})


@pytest.fixture
def client(sandbox: SandboxProcess) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="key-one", base_url=f"{sandbox.url}/anthropic", max_retries=0) as client:
        yield client


def test_an_answer_in_a_schema_is_text_and_costs_its_tokens(
    client: anthropic.Anthropic, sandbox: SandboxProcess
) -> None:
    shown: list[Any] = [{"role": "user", "content": fenced(PAGE, 1_000).text}]
    form = {"format": {"type": "json_schema", "schema": CONTACT}}
    got = message(client, messages=shown, output_config=form, system="Find the contact.")
    answer = orjson.loads(got.content[0].text)
    assert answer["email"] == "sales@acme-labs.com"
    assert answer["summary"] in PAGE["homepage_text"]
    assert got.stop_reason == "end_turn"
    assert units(sandbox) == str(got.usage.input_tokens + got.usage.output_tokens)


def test_input_tokens_leave_out_what_came_from_the_cache(client: anthropic.Anthropic, sandbox: SandboxProcess) -> None:
    long: list[Any] = [{"role": "user", "content": "Is Acme a fit? " * 100}]
    whole = message(client, messages=long).usage
    sandbox.configure(cached_input=0.5)
    half = message(client, messages=long).usage
    assert half.input_tokens + half.cache_read_input_tokens == whole.input_tokens
    assert half.cache_read_input_tokens == whole.input_tokens // 2


@pytest.mark.parametrize(
    ("model", "reason"), [("refusing-1", "refusal"), ("cut-1", "max_tokens"), ("claude-test", "end_turn")]
)
def test_every_way_to_stop_is_an_answer(client: anthropic.Anthropic, model: str, reason: str) -> None:
    got = message(client, model)
    assert got.stop_reason == reason
    assert (got.stop_details is not None, len(got.content)) == ((True, 0) if reason == "refusal" else (False, 1))


def test_the_newest_version_takes_no_sampling_and_the_older_one_does(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="temperature"):
        message(client, extra_body={"temperature": 1.0})
    older = message(
        client,
        extra_body={"temperature": 1.0},
        extra_headers={"anthropic-version": "2023-06-01", "x-api-key": "key-two"},
    )
    assert older.stop_reason == "end_turn"


OPTIONAL = {
    "type": "object",
    "additionalProperties": False,
    "properties": {f"p{n}": {"type": "string"} for n in range(25)},
}
UNIONS = {
    "type": "object",
    "additionalProperties": False,
    "required": [f"p{n}" for n in range(17)],
    "properties": {f"p{n}": {"type": ["string", "null"]} for n in range(17)},
}
# platform.claude.com/docs/en/build-with-claude/structured-outputs, "JSON Schema limitations"
REFUSED = [
    (OPTIONAL, "optional"),
    (UNIONS, "union"),
    ({"type": "object", "properties": {}}, "additionalProperties"),
    ({"type": "integer", "minimum": 1}, "minimum"),
    ({"type": "array", "items": {"type": "string"}, "minItems": 2}, "minItems"),
    ({"$ref": "#/$defs/node", "$defs": {"node": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}, "Recursive"),
]


@pytest.mark.parametrize(("schema", "word"), REFUSED, ids=[word for _, word in REFUSED])
def test_a_schema_that_is_too_much_is_refused(client: anthropic.Anthropic, schema: dict[str, Any], word: str) -> None:
    with pytest.raises(anthropic.BadRequestError, match=word):
        message(client, output_config={"format": {"type": "json_schema", "schema": schema}})


@pytest.mark.parametrize(
    ("settings", "kind", "code"),
    [
        ({"errors": 1, "error_status": [529]}, anthropic.InternalServerError, None),
        ({"rate_limited": 1}, anthropic.RateLimitError, None),
        ({"quota": 0, "spent_as": "spend_limit"}, anthropic.BadRequestError, None),
        ({"quota": 0, "spent_as": "billing"}, anthropic.APIStatusError, None),
        ({"quota": 0, "spent_as": "spend_limit_429"}, anthropic.RateLimitError, "enforced_spend_limit_reached"),
    ],
)
def test_errors_are_the_clients_own(
    client: anthropic.Anthropic, sandbox: SandboxProcess, settings: dict[str, Any], kind: type, code: str | None
) -> None:
    sandbox.configure(**settings)
    with pytest.raises(kind) as caught:
        message(client)
    details = caught.value.body["error"]["details"]  # type: ignore[attr-defined]
    assert (details or {}).get("error_code") == code
    assert units(sandbox) == "0"


def test_a_missing_version_and_an_unknown_model_or_key_are_refused(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="version"):
        message(client, extra_headers={"anthropic-version": "2020-01-01"})
    with pytest.raises(anthropic.NotFoundError):
        message(client, "unknown-1")
    with pytest.raises(anthropic.AuthenticationError):
        message(client.with_options(api_key="invalid"))


def test_a_batch_costs_half_and_ends_each_request_in_its_own_way_in_another_order(
    client: anthropic.Anthropic, sandbox: SandboxProcess
) -> None:
    alone = message(client).usage
    before = float(units(sandbox))
    models = ["claude-test", "unknown-1", "claude-test"]
    requests: list[Any] = [
        {"custom_id": f"row-{n}", "params": {"model": model, "max_tokens": 500, "messages": ASK}}
        for n, model in enumerate(models)
    ]
    batch = client.messages.batches.create(requests=requests)
    ended = client.messages.batches.retrieve(batch.id)
    assert (ended.processing_status, ended.request_counts.succeeded, ended.request_counts.errored) == ("ended", 2, 1)
    results = list(client.messages.batches.results(batch.id))
    assert [one.custom_id for one in results] == ["row-2", "row-1", "row-0"]
    assert [one.result.type for one in results] == ["succeeded", "errored", "succeeded"]
    assert float(units(sandbox)) - before == alone.input_tokens + alone.output_tokens
    assert [one.id for one in client.messages.batches.list()] == [batch.id]


@pytest.mark.parametrize("word", ["expired", "canceled"])
def test_requests_of_a_batch_expire_or_are_canceled_and_cost_nothing(
    client: anthropic.Anthropic, sandbox: SandboxProcess, word: str
) -> None:
    sandbox.configure(**{f"batch_{word}": 1})
    params: Any = {"model": "claude-test", "max_tokens": 500, "messages": ASK}
    batch = client.messages.batches.create(requests=[{"custom_id": "a", "params": params}])
    assert [one.result.type for one in client.messages.batches.results(batch.id)] == [word]
    assert units(sandbox) == "0"


def test_a_batch_has_no_results_until_it_has_ended(client: anthropic.Anthropic, sandbox: SandboxProcess) -> None:
    sandbox.configure(callback_delay="1h")
    params: Any = {"model": "claude-test", "max_tokens": 500, "messages": ASK}
    batch = client.messages.batches.create(requests=[{"custom_id": "a", "params": params}])
    assert (batch.processing_status, batch.results_url) == ("in_progress", None)
    with pytest.raises(anthropic.AnthropicError, match="No `results_url`"):
        client.messages.batches.results(batch.id)
    assert client.messages.batches.cancel(batch.id).processing_status == "ended"
    assert [one.result.type for one in client.messages.batches.results(batch.id)] == ["canceled"]
