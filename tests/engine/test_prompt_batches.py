"""Prompts through vendors' batch APIs: one order for many, half the price, and a fate for each line."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import orjson
import pytest

from enrichment_assets.domain.prompts.usage import anthropic_usage, openai_usage
from enrichment_assets.domain.workflow import WorkflowDefinition
from tests.harness.batches import BatchHarness, Launched, Row
from tests.harness.models import prompt_step

PAGE = "We build pumps in Bremen and hire engineers. Write to ada@pumps{}.example."
KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
BASES = {"openai": "/openai/v1", "anthropic": "/anthropic"}
SCHEMA: Row = {
    "type": "object",
    "properties": {"score": {"type": "integer"}, "reason": {"type": "string"}, "email": {"type": ["string", "null"]}},
    "required": ["score", "reason", "email"],
    "additionalProperties": False,
}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in KEYS.values():
        monkeypatch.setenv(name, "key-one")
    yield


def rows(count: int) -> list[Row]:
    return [{"company_name": f"Pumps {n}", "page": PAGE.format(n)} for n in range(count)]


def batch_step(
    harness: BatchHarness, provider: str = "openai", model: str = "gpt-test", **fields: Any
) -> WorkflowDefinition:
    prompt = {"batch": True, "model": model, "answer": SCHEMA, "every": 1}
    more = {"provider": provider, "mode": "async", "base_url": f"{harness.sandbox.url}{BASES[provider]}", **fields}
    return prompt_step("score", prompt=prompt, **more)


def looked(batch: Launched) -> None:
    """Let the time to look, or to order again, have come, and do so."""
    batch.due()
    batch.change("update workflow_states set next_poll_at = now() - interval '1 s' where next_poll_at is not null")
    batch.run()


def finished(batch: Launched, rounds: int = 1) -> Launched:
    """Order, then look as often as that."""
    batch.run()
    for _ in range(rounds):
        looked(batch)
    return batch


def used(provider: str, body: bytes) -> Decimal:
    """What the lines of a stored answer cost at half the price of `prompt_step`."""
    spent = Decimal(0)
    for line in orjson.loads(body)["results"]:
        usage = (openai_usage if provider == "openai" else anthropic_usage)(line["body"]["usage"])
        assert usage is not None
        spent += (usage.input * 1 + usage.output * 4) / Decimal(2_000_000)
    return spent


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_many_rows_are_one_order_at_half_the_price_and_each_finds_its_line(
    harness: BatchHarness, provider: str
) -> None:
    batch = harness.launch(rows(6), batch_step(harness, provider))
    batch.set_budget("5")
    batch.run()
    assert batch.statuses() == {"IN_PROGRESS": 6}
    (order,) = batch.bulk_calls()
    assert sorted(order["names"]) == sorted(call["call_key"] for call in batch.calls())
    looked(batch)
    assert batch.statuses() == {"COMPLETED": 6}
    for state, result in zip(batch.states(), sorted(batch.results(), key=lambda one: one["item_id"]), strict=True):
        assert state["outcome"] == "found"
        assert result["fields"]["email"] == f"ada@pumps{state['row_number'] - 1}.example"
    (order,) = batch.bulk_calls()
    cost = used(provider, bytes(order["response_body"]))
    assert abs(sum(call["cost"] for call in batch.calls()) - cost) < Decimal("0.00001")
    (budget,) = batch.budgets()
    assert budget.reserved == 0
    assert harness.sandbox.billing()["double_charges"] == []


def test_lines_that_expired_are_ordered_again_and_those_that_were_finished_are_not(harness: BatchHarness) -> None:
    harness.sandbox.configure(batch_expired=0.5)
    batch = harness.launch(rows(8), batch_step(harness, retry={"attempts": 2, "base": 0.01, "max": 0.02}))
    finished(batch)
    first = batch.bulk_calls()[0]
    ends = {line["name"]: line["end"] for line in orjson.loads(bytes(first["response_body"]))["results"]}
    assert set(ends.values()) == {"answered", "expired"}
    again = [call["call_key"] for call in batch.calls() if call["attempt"] == 2]
    assert sorted(again) == sorted(name for name, end in ends.items() if end == "expired")
    harness.sandbox.configure(batch_expired=0)
    looked(batch)
    assert batch.statuses()["COMPLETED"] >= sum(end == "answered" for end in ends.values())
    assert harness.sandbox.billing()["double_charges"] == []


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("batch_missing", "its results say nothing about this line"),
        ("batch_canceled", "was cancelled at the provider"),
        ("batch_expired", "the batch expired before this line was asked"),
        ("batch_failed", "server_error"),
    ],
)
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_line_without_an_answer_ends_with_its_reason(
    harness: BatchHarness, provider: str, setting: str, reason: str
) -> None:
    harness.sandbox.configure(**{setting: 1})
    price = {"estimate": 1}
    batch = harness.launch(rows(2), batch_step(harness, provider, retry={"attempts": 1}, price=price))
    batch.set_budget("5")
    finished(batch)
    assert batch.statuses() == {"FAILED": 2}
    told = batch.states()[0]["reason"]
    assert reason in told or (setting == "batch_failed" and "HTTP 500" in told)
    (budget,) = batch.budgets()
    assert budget.reserved == 0
    booked = Decimal(1) if setting == "batch_missing" else Decimal(0)
    assert budget.spent == 2 * booked, "only what may have been done is booked"


def test_an_answer_that_is_not_as_asked_is_ordered_once_more_and_no_more(harness: BatchHarness) -> None:
    batch = harness.launch(rows(3), batch_step(harness, model="invalid-1"))
    finished(batch, rounds=3)
    assert batch.statuses() == {"FAILED": 3}
    ordered = [line for order in batch.bulk_calls() for line in order["names"]]
    assert len(ordered) == len(set(ordered)) == 6, "each row's prompt twice, however many orders that took"
    assert {call["error_class"] for call in batch.calls()} == {"contract"}


def test_a_look_that_is_refused_leaves_the_order_under_way_and_the_next_one_ends_it(harness: BatchHarness) -> None:
    batch = harness.launch(rows(2), batch_step(harness))
    batch.run()
    harness.sandbox.configure(rejected_keys=["key-one"])
    looked(batch)
    assert batch.statuses() == {"IN_PROGRESS": 2}
    harness.sandbox.configure(rejected_keys=[])
    looked(batch)
    assert batch.statuses() == {"COMPLETED": 2}
    assert len(batch.bulk_calls()) == 1


def test_an_order_that_is_not_taken_says_so_for_all_of_its_lines_and_costs_nothing(harness: BatchHarness) -> None:
    harness.sandbox.configure(quota=0)
    batch = harness.launch(rows(3), batch_step(harness))
    batch.run()
    assert batch.statuses() == {"PENDING": 3}
    assert harness.sandbox.billing()["units"] == "0"
    harness.sandbox.configure(quota=None)
