"""OpenAI's own client against the sandbox: files, batches, responses that are kept or made in the background."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import orjson
import pytest

from enrichment_assets.sandbox import SandboxProcess

from .conftest import units

ASK: list[Any] = [{"role": "user", "content": "Is Acme a fit?"}]
CHAT: Any = "/v1/chat/completions"


@pytest.fixture
def client(sandbox: SandboxProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="key-one", base_url=f"{sandbox.url}/openai/v1", max_retries=0) as client:
        yield client


def submitted(client: openai.OpenAI, *lines: dict[str, Any], **metadata: str) -> Any:
    content = b"\n".join(orjson.dumps(line) for line in lines)
    file = client.files.create(file=("questions.jsonl", content), purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h", metadata=metadata)


def line(number: int, question: str = "Is Acme a fit?", model: str = "gpt-test") -> dict[str, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": question}]}
    return {"custom_id": f"row-{number}", "method": "POST", "url": CHAT, "body": body}


def lines_of(client: openai.OpenAI, number: str | None) -> list[Any]:
    assert number is not None
    return [orjson.loads(row) for row in client.files.content(number).content.splitlines()]


def test_a_batch_costs_half_and_its_lines_come_in_another_order(client: openai.OpenAI, sandbox: SandboxProcess) -> None:
    alone = client.chat.completions.create(model="gpt-test", messages=ASK)
    assert alone.usage is not None
    before = float(units(sandbox))
    batch = submitted(client, line(0), line(1), bulk_id="b-1")
    assert batch.status == "validating"
    done = client.batches.retrieve(batch.id)
    assert (done.status, done.error_file_id) == ("completed", None)
    lines = lines_of(client, done.output_file_id)
    assert [one["custom_id"] for one in lines] == ["row-1", "row-0"]
    assert lines[0]["response"]["body"]["choices"][0]["message"]["content"] == alone.choices[0].message.content
    assert float(units(sandbox)) - before == alone.usage.total_tokens
    assert [one.metadata for one in client.batches.list()] == [{"bulk_id": "b-1"}]


def test_a_completed_batch_may_hold_failed_lines(client: openai.OpenAI) -> None:
    long = {**line(1), "body": {"model": "gpt-test", "messages": []}}
    done = client.batches.retrieve(submitted(client, line(0), long).id)
    assert done.request_counts is not None
    assert (done.status, done.request_counts.completed, done.request_counts.failed) == ("completed", 1, 1)
    assert lines_of(client, done.error_file_id)[0]["response"]["status_code"] == 400


def test_an_expired_batch_keeps_what_was_finished(client: openai.OpenAI, sandbox: SandboxProcess) -> None:
    sandbox.configure(batch_expired=0.5)
    done = client.batches.retrieve(submitted(client, *(line(n, f"Question {n}") for n in range(20))).id)
    finished, expired = lines_of(client, done.output_file_id), lines_of(client, done.error_file_id)
    assert done.status == "expired"
    assert {one["error"]["code"] for one in expired} == {"batch_expired"}
    assert sorted(one["custom_id"] for one in [*finished, *expired]) == sorted(f"row-{n}" for n in range(20))
    used = sum(one["response"]["body"]["usage"]["total_tokens"] for one in finished)
    assert float(units(sandbox)) == used / 2


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([line(0), line(0)], "duplicate_custom_id"),
        ([line(0), line(1, model="gpt-other")], "mismatched_model"),
        ([{**line(0), "url": "/v1/responses"}], "mismatched_endpoint"),
        ([{"custom_id": "row-0"}], "invalid_json_line"),
    ],
)
def test_a_file_that_is_wrong_fails_as_a_whole(client: openai.OpenAI, lines: list[Any], code: str) -> None:
    failed = client.batches.retrieve(submitted(client, *lines).id)
    assert failed.status == "failed"
    assert failed.errors is not None
    assert [one.code for one in failed.errors.data or ()] == [code]


def test_a_batch_takes_its_time_and_can_be_cancelled(client: openai.OpenAI, sandbox: SandboxProcess) -> None:
    sandbox.configure(callback_delay="1h")
    batch = submitted(client, line(0))
    assert client.batches.retrieve(batch.id).status == "in_progress"
    assert client.batches.cancel(batch.id).status == "cancelling"
    cancelled = client.batches.retrieve(batch.id)
    assert cancelled.status == "cancelled"
    assert lines_of(client, cancelled.error_file_id)[0]["error"]["code"] == "batch_cancelled"


def test_a_response_is_kept_unless_it_must_not_be(client: openai.OpenAI) -> None:
    kept = client.responses.create(model="gpt-test", input="Is Acme a fit?")
    assert client.responses.retrieve(kept.id).output_text == kept.output_text
    private = client.responses.create(model="gpt-test", input="Is Birch a fit?", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(private.id)
    with pytest.raises(openai.BadRequestError, match="background requires store"):
        client.responses.create(model="gpt-test", input="Is Birch a fit?", store=False, background=True)


def test_a_response_in_the_background_is_asked_for_until_it_is_there(
    client: openai.OpenAI, sandbox: SandboxProcess
) -> None:
    queued = client.responses.create(model="gpt-test", input="Is Acme a fit?", background=True)
    assert (queued.status, queued.output, queued.usage) == ("queued", [], None)
    assert client.responses.retrieve(queued.id).status == "completed"
    failed = client.responses.create(model="failing-1", input="Is Acme a fit?")
    assert failed.status == "failed"
    assert failed.error is not None
    sandbox.configure(callback_delay="1h")
    later = client.responses.create(model="gpt-test", input="Is Birch a fit?", background=True)
    assert client.responses.retrieve(later.id).status == "in_progress"
