"""Perplexity's own client against the sandbox: the agent, in the background too, and the chat of before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import perplexity
import pytest

from enrichment_assets.sandbox import SandboxProcess

SCHEMA = {"type": "object", "properties": {"fit": {"type": "integer"}}, "required": ["fit"]}
FORM: Any = {"type": "json_schema", "json_schema": {"name": "fit", "schema": SCHEMA}}


@pytest.fixture
def client(sandbox: SandboxProcess) -> Iterator[perplexity.Perplexity]:
    with perplexity.Perplexity(api_key="key-one", base_url=f"{sandbox.url}/perplexity", max_retries=0) as client:
        yield client


def test_the_agent_says_where_it_has_it_from_and_what_it_cost(client: perplexity.Perplexity) -> None:
    got = client.responses.create(
        input="Is Acme a fit?", model="perplexity/sonar", tools=[{"type": "web_search"}], response_format=FORM
    )
    assert isinstance(orjson.loads(got.output_text)["fit"], int)
    found, message = got.output
    assert found.type == "search_results"
    assert message.type == "message"
    assert [note.url for note in message.content[0].annotations or ()] == [result.url for result in found.results]
    assert got.usage is not None
    cost = got.usage.cost
    assert cost is not None
    assert cost.tool_calls_cost == 0.005
    assert cost.total_cost == pytest.approx(cost.input_cost + cost.output_cost + 0.005)


def test_an_answer_in_the_background_is_asked_for_until_it_is_there(
    client: perplexity.Perplexity, sandbox: SandboxProcess
) -> None:
    sandbox.configure(callback_delay="1h")
    queued = client.responses.create(input="Is Acme a fit?", model="perplexity/sonar", background=True)
    assert (queued.status, queued.output) == ("queued", [])
    assert client.responses.retrieve(queued.id).status == "in_progress"
    sandbox.configure(callback_delay="0")
    other = client.responses.create(input="Is Birch a fit?", model="perplexity/sonar", background=True)
    assert client.responses.retrieve(other.id).status == "completed"


def test_a_failure_is_an_answer_with_a_status(client: perplexity.Perplexity) -> None:
    failed = client.responses.create(input="Is Acme a fit?", model="perplexity/failing-1")
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.code == "server_error"


def test_errors_are_the_clients_own(client: perplexity.Perplexity, sandbox: SandboxProcess) -> None:
    with pytest.raises(perplexity.BadRequestError):
        client.responses.create(input="Is Acme a fit?", model="unknown/model")
    with pytest.raises(perplexity.AuthenticationError):
        client.with_options(api_key="invalid").responses.create(input="hello", model="perplexity/sonar")
    sandbox.configure(rate_limited=1)
    with pytest.raises(perplexity.RateLimitError):
        client.responses.create(input="Is Acme a fit?", model="perplexity/sonar")


def test_the_chat_of_before_has_citations(client: perplexity.Perplexity) -> None:
    got = client.chat.completions.create(model="sonar", messages=[{"role": "user", "content": "Is Acme a fit?"}])
    assert got.citations
    assert [result.url for result in got.search_results or ()] == got.citations
