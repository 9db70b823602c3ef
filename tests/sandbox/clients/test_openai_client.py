"""OpenAI's own client against the sandbox: what it parses, streams, calls and raises."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import openai
import pytest
from pydantic import BaseModel, Field

from enrichment_assets.sandbox import SandboxProcess

from .conftest import units

ASK: list[Any] = [{"role": "user", "content": "Is Acme a fit?"}]


class Fit(StrEnum):
    GOOD = "good"
    BAD = "bad"


class Place(BaseModel):
    city: str
    country: str | None


class Flat(BaseModel):
    name: str
    score: int
    share: float
    qualified: bool


class Nested(BaseModel):
    headquarters: Place
    offices: list[Place]


class Nullable(BaseModel):
    founder: str | None
    employees: int | None


class Enums(BaseModel):
    fit: Fit
    tier: Literal["a", "b", "c"]


class Constants(BaseModel):
    kind: Literal["company"]
    version: Literal[2]


class Bounds(BaseModel):
    score: Annotated[int, Field(ge=0, le=10)]
    share: Annotated[float, Field(gt=0, lt=1)]
    step: Annotated[int, Field(multiple_of=5, ge=10, le=90)]
    below: Annotated[int, Field(lt=-3)]


class Lists(BaseModel):
    reasons: Annotated[list[str], Field(min_length=2, max_length=4)]
    pair: Annotated[list[int], Field(min_length=2, max_length=2)]


class Person(BaseModel):
    kind: Literal["person"]
    name: str


class Company(BaseModel):
    kind: Literal["company"]
    domain: str


class Unions(BaseModel):
    subject: Person | Company
    size: int | str


class Tagged(BaseModel):
    subjects: list[Annotated[Person | Company, Field()]]


class Node(BaseModel):
    name: str
    parent: Node | None
    children: list[Node]


class Formats(BaseModel):
    day: date
    at: datetime
    number: UUID
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{4}$")]
    domain: Annotated[str, Field(pattern=r"^[a-z0-9-]+\.(com|org)$")]


class Texts(BaseModel):
    short: Annotated[str, Field(max_length=12)]
    long: Annotated[str, Field(min_length=200)]


class Deep(BaseModel):
    groups: list[Nested]
    by_fit: list[Enums]
    best: Nested | None


MODELS: tuple[type[BaseModel], ...] = (
    *(Flat, Nested, Nullable, Enums, Constants, Bounds, Lists),
    *(Unions, Tagged, Node, Formats, Texts, Deep),
)


@pytest.fixture
def client(sandbox: SandboxProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="key-one", base_url=f"{sandbox.url}/openai/v1", max_retries=0) as client:
        yield client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_parse_gets_an_object_of_the_model_that_it_asked_for(client: openai.OpenAI, model: type[BaseModel]) -> None:
    for number in range(8):
        asked: list[Any] = [{"role": "user", "content": f"Question {number}"}]
        chat = client.chat.completions.parse(model="gpt-test", messages=asked, response_format=model)
        assert isinstance(chat.choices[0].message.parsed, model)
        response = client.responses.parse(model="gpt-test", input=asked, text_format=model)
        assert isinstance(response.output_parsed, model)


def test_the_same_question_has_the_same_answer_and_costs_its_tokens(
    client: openai.OpenAI, sandbox: SandboxProcess
) -> None:
    first, second = (client.chat.completions.create(model="gpt-test", messages=ASK) for _ in range(2))
    assert first.choices[0].message.content == second.choices[0].message.content
    assert first.usage is not None
    assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens
    assert units(sandbox) == str(2 * first.usage.total_tokens)


def test_n_answers_differ_and_are_all_paid_for(client: openai.OpenAI) -> None:
    one = client.chat.completions.create(model="gpt-test", messages=ASK)
    three = client.chat.completions.create(model="gpt-test", messages=ASK, n=3)
    assert [choice.index for choice in three.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in three.choices}) > 1
    assert one.choices[0].message.content == three.choices[0].message.content
    assert one.usage is not None
    assert three.usage is not None
    assert three.usage.completion_tokens > one.usage.completion_tokens


def test_an_answer_that_is_too_long_is_cut_and_the_client_says_so(client: openai.OpenAI) -> None:
    for limit in ("max_tokens", "max_completion_tokens"):
        cut = client.chat.completions.create(model="gpt-test", messages=ASK, extra_body={limit: 3})
        assert cut.choices[0].finish_reason == "length"
        assert cut.usage is not None
        assert cut.usage.completion_tokens == 3
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(model="gpt-test", messages=ASK, response_format=Texts, max_completion_tokens=4)
    response = client.responses.create(model="gpt-test", input="Is Acme a fit?", max_output_tokens=4)
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


def test_a_refusal_is_no_answer(client: openai.OpenAI, sandbox: SandboxProcess) -> None:
    sandbox.configure(refusals=1)
    chat = client.chat.completions.parse(model="gpt-test", messages=ASK, response_format=Flat)
    message = chat.choices[0].message
    assert (message.parsed, message.content) == (None, None)
    assert message.refusal is not None
    response = client.responses.parse(model="gpt-test", input="Is Acme a fit?", text_format=Flat)
    assert response.output_parsed is None
    assert [part.type for item in response.output if item.type == "message" for part in item.content] == ["refusal"]


def test_a_stream_says_the_same_as_the_whole_answer(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="gpt-test", messages=ASK, n=2)
    chunks = list(
        client.chat.completions.create(
            model="gpt-test", messages=ASK, n=2, stream=True, stream_options={"include_usage": True}
        )
    )
    texts = ["", ""]
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == [choice.message.content for choice in whole.choices]
    assert chunks[-1].usage == whole.usage
    assert len(chunks) > 4
    with client.chat.completions.stream(model="gpt-test", messages=ASK, response_format=Deep) as stream:
        parsed = stream.get_final_completion().choices[0].message.parsed
    assert isinstance(parsed, Deep)


def test_a_tool_is_called_with_arguments_of_its_schema_until_it_has_answered(client: openai.OpenAI) -> None:
    tool = openai.pydantic_function_tool(Lists, name="save")
    called = client.chat.completions.parse(model="gpt-test", messages=ASK, tools=[tool])
    message = called.choices[0].message
    assert (called.choices[0].finish_reason, message.content) == ("tool_calls", None)
    assert message.tool_calls is not None
    assert isinstance(message.tool_calls[0].function.parsed_arguments, Lists)
    answer = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "saved"}
    after = client.chat.completions.create(model="gpt-test", messages=[*ASK, message, answer], tools=[tool])
    assert after.choices[0].finish_reason == "stop"
    never = client.chat.completions.create(model="gpt-test", messages=ASK, tools=[tool], tool_choice="none")
    assert never.choices[0].message.tool_calls is None


class Open(BaseModel):
    scores: dict[str, int]


class Defaulted(BaseModel):
    score: int = 5


@pytest.mark.parametrize(("model", "word"), [(Open, "additionalProperties"), (Defaulted, "default")])
def test_a_schema_that_is_not_strict_is_refused_as_openai_refuses_it(
    client: openai.OpenAI, sandbox: SandboxProcess, model: type[BaseModel], word: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=word) as caught:
        client.chat.completions.parse(model="gpt-test", messages=ASK, response_format=model)
    assert caught.value.param == "response_format"
    assert units(sandbox) == "0"


def test_errors_are_the_clients_own(client: openai.OpenAI, sandbox: SandboxProcess) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="unknown-model", messages=ASK)
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", None)
    with pytest.raises(openai.BadRequestError) as unknown_too:
        client.responses.create(model="unknown-model", input="hello")
    assert (unknown_too.value.code, unknown_too.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="invalid").chat.completions.create(model="gpt-test", messages=ASK)
    sandbox.configure(quota=0)
    with pytest.raises(openai.RateLimitError) as spent:
        client.chat.completions.create(model="gpt-test", messages=ASK)
    assert spent.value.code == "insufficient_quota"


def test_a_gateway_sits_on_a_rate_limit_and_moves_the_header(sandbox: SandboxProcess) -> None:
    sandbox.configure(gateway_retries=1, rate_limited=1, fault_attempts=1)
    url = f"{sandbox.url}/gateway/v1"
    hasty = openai.OpenAI(api_key="key-one", base_url=url, max_retries=0, timeout=0.5)
    with hasty, pytest.raises(openai.APITimeoutError):
        hasty.chat.completions.create(model="gpt-test", messages=ASK)
    other: list[Any] = [{"role": "user", "content": "Is Birch a fit?"}]
    with openai.OpenAI(api_key="key-one", base_url=url, max_retries=0) as patient:
        with pytest.raises(openai.RateLimitError) as limited:
            patient.chat.completions.create(model="gpt-test", messages=other)
        assert "retry-after" not in limited.value.response.headers
        assert limited.value.response.headers["llm_provider-retry-after"] == "1"
        assert limited.value.code == "429"
        assert patient.chat.completions.create(model="gpt-test", messages=other).choices
        with pytest.raises(openai.BadRequestError, match="Invalid model name"):
            patient.chat.completions.create(model="unknown-model", messages=ASK)
        with pytest.raises(openai.NotFoundError):
            patient.models.list()
