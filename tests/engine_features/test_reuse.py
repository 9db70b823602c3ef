"""What a client has paid for within `reuse_for` is not asked again: the sandbox's bill, the rows, and what they say."""

from __future__ import annotations

import asyncio
import os
from decimal import Decimal
from typing import Any

import pytest

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.run.advance import EngineOptions, advance
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.advancing import load_batch
from tests.engine.hostile_server import answering
from tests.harness.batches import RECEIVER, BatchHarness, Launched, async_step, company_step, people, step
from tests.harness.handles import hq_of

GOOD = {"found": True, "id": "answer-1"}
RETRIED = {"found_if": "found", "on_deadline": "retry"}


def find(**fields: Any) -> WorkflowDefinition:
    """The billed person step whose answers may be reused for a day."""
    return step("find", **{"reuse_for": "1d", **fields})


def aged(batch: Launched, age: str) -> None:
    """Let every answer of the batch have come `age` ago."""
    batch.change(
        "update provider_calls set received_at = now() - %s::interval where batch_id = %s and reused_from is null",
        age,
        batch.batch_id,
    )


def test_a_second_batch_of_the_client_takes_the_answers_and_pays_nothing(harness: BatchHarness) -> None:
    first = harness.launch(people(4), find(), step("later", requires=["find"]))
    first.run()
    second = harness.launch(people(5), find(), step("later", requires=["find"]))
    second.set_budget("0.01", batch=True, workflow="find")
    assert second.run().finished
    assert second.statuses() == {"COMPLETED": 10}
    assert second.asked("find") == second.billed("find") == 5
    assert second.asked("later") == 9
    originals = {call["id"]: call for call in first.calls("find")}
    reused = [call for call in second.calls("find") if call["reused_from"]]
    assert [(c["state"], c["attempt"], c["cost"], c["estimated_cost"]) for c in reused] == [
        ("applied", 0, Decimal(0), Decimal("0.01"))
    ] * 4
    assert sorted(c["reused_from"] for c in reused) == sorted(originals)
    before = {r["call_id"]: r for r in first.results() if r["workflow_slug"] == "find"}
    after = {r["call_id"]: r for r in second.results() if r["workflow_slug"] == "find"}
    for call in reused:
        old, new = before[call["reused_from"]], after[call["id"]]
        assert (new["fields"], new["payload"], new["outcome"]) == (old["fields"], old["payload"], old["outcome"])
        assert new["fetched_at"] == originals[call["reused_from"]]["received_at"]
        state = next(s for s in second.states("find") if s["call_id"] == call["id"])
        assert (state["result_id"], state["cost"]) == (new["id"], 0)
        assert state["reason"].startswith(f"reused: batch {first.key} asked the same, answered 20")
    assert [s["cost"] for s in second.states("find")] == [0, 0, 0, 0, Decimal("0.01")]
    (budget,) = second.budgets()
    assert (budget.spent, budget.reserved) == (Decimal("0.01"), 0)


def test_what_is_older_than_reuse_for_is_asked_again_and_reuse_makes_no_answer_younger(harness: BatchHarness) -> None:
    first = harness.launch(people(2), find())
    first.run()
    aged(first, "23 hours")
    second = harness.launch(people(2), find())
    second.run()
    assert second.asked("find") == 2
    aged(first, "25 hours")
    third = harness.launch(people(2), find())
    third.run()
    assert third.asked("find") == 4, "the second batch's copies are as old as what they were copied from"
    patient = harness.launch(people(2), find(reuse_for="2d"))
    patient.run()
    assert patient.asked("find") == 4
    assert {c["reused_from"] for c in patient.calls()} == {c["id"] for c in third.calls()}, "the youngest is taken"


def test_another_clients_answers_are_never_taken(harness: BatchHarness) -> None:
    harness.launch(people(2), find()).run()
    theirs = harness.launch(people(2), find(), client="globex")
    theirs.run()
    assert theirs.asked("find") == 4
    assert [c["reused_from"] for c in theirs.calls()] == [None, None]


def test_a_miss_is_reused_and_a_failure_is_not(harness: BatchHarness) -> None:
    with answering() as provider:
        find_here = find(url=f"{provider.url}/find")
        provider.bodies["/find"] = b'{"found": false}'
        harness.launch(people(1), find_here).run()
        missed = harness.launch(people(1), find_here)
        missed.run()
        assert provider.asked["/find"] == 1
        assert missed.state("find")["outcome"] == "not_found"
        assert "; the answer has none of the asked fields" in missed.state("find")["reason"]

        provider.bodies["/broken"] = b"<html>"
        broken = find(url=f"{provider.url}/broken")
        failed = harness.launch(people(1), broken)
        failed.run()
        assert failed.state("find")["error_class"] == "contract"
        provider.bodies["/broken"] = b'{"found": true, "id": "mended"}'
        harness.launch(people(1), broken).run()
        assert provider.asked["/broken"] == 2


def test_a_mended_mapping_reads_the_kept_answer_and_asks_nobody(harness: BatchHarness) -> None:
    harness.launch(people(2), find()).run()
    batch = harness.launch(people(2), find(provides={"find": "id", "echoed": "step"}, price={"estimate": "0.05"}))
    batch.run()
    assert batch.asked("find") == 2
    assert [r["fields"]["echoed"] for r in batch.results()] == ["find", "find"]
    unreadable = harness.launch(people(2), find(response={"found_if": "found", "error_if": "found"}))
    unreadable.run()
    assert unreadable.asked("find") == 4, "an answer that cannot be read as the batch wants it is of no use"


def test_another_request_is_another_question(harness: BatchHarness) -> None:
    harness.launch(people(1), find()).run()
    body = {"first_name": "{{first_name}}", "and": "more"}
    request = {"url": "/enrich", "headers": {"x-api-key": "find"}, "body": body}
    other = harness.launch(people(1), find(request=request))
    other.run()
    assert other.asked("find") == 2
    renamed = harness.launch([{"first_name": "Bea", "n": "1"}], find(request=request))
    renamed.run()
    assert renamed.asked("find") == 3


def test_the_same_person_in_several_rows_is_asked_about_once(harness: BatchHarness) -> None:
    rows = [*people(3), *people(3), *people(2)]
    batch = harness.launch(rows, find(limits={"concurrency": 8}), step("later", requires=["find"]))
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 16}
    assert batch.asked("find") == len(batch.calls("find")) == 3
    assert sum(1 for s in batch.states("find") if s["cost"] > 0) == 3
    assert len({s["result_id"] for s in batch.states("find")}) == 3


def test_an_api_key_is_no_part_of_a_question(harness: BatchHarness) -> None:
    request = {"url": "/enrich", "headers": {"x-api-key": "{{secrets.key}}"}, "body": {"n": "{{original.n}}"}}
    keyed = find(request=request, secrets={"key": "REUSE_TEST_KEY"})
    try:
        os.environ["REUSE_TEST_KEY"] = "one"
        first = harness.launch(people(2), keyed)
        first.run()
        os.environ["REUSE_TEST_KEY"] = "two"
        second = harness.launch(people(2), keyed)
        second.run()
    finally:
        del os.environ["REUSE_TEST_KEY"]
    assert (second.asked("one"), second.asked("two")) == (2, 0)
    assert len({c["question_hash"] for c in first.calls()}) == 2


@pytest.mark.parametrize(("then", "now"), [(True, False), (False, True), (None, False)])
def test_simulated_and_real_answers_never_meet(harness: BatchHarness, then: bool | None, now: bool) -> None:
    for batch, simulated in ((harness.launch(people(1), find()), then), (harness.launch(people(1), find()), now)):
        batch.change(
            "update batches set blueprint = jsonb_set(blueprint, '{simulated}', %s::jsonb) where id = %s",
            {True: "true", False: "false", None: "null"}[simulated],
            batch.batch_id,
        )
        # `refuse_other_world` would not let this process advance a batch for real providers: the engine is asked alone.
        _advance_alone(batch)
    assert batch.asked("find") == 2


def _advance_alone(batch: Launched) -> None:
    options = EngineOptions(RECEIVER, batch.sandbox.url, linger_seconds=1.0)
    loaded = load_batch(hq_of(batch.settings), batch.key)
    asyncio.run(advance(batch.settings.hq_database_url or "", loaded, build_providers(batch.sandbox.url), options))


def test_zero_takes_no_old_answer_and_leaves_its_own_to_later_batches(harness: BatchHarness) -> None:
    harness.launch(people(2), find()).run()
    fresh = harness.launch(people(2), find(reuse_for=0))
    fresh.run()
    assert fresh.asked("find") == 4
    later = harness.launch(people(2), find())
    later.run()
    assert later.asked("find") == 4
    assert {c["reused_from"] for c in later.calls()} == {c["id"] for c in fresh.calls()}


def test_a_workflow_without_reuse_for_neither_takes_nor_leaves_answers(harness: BatchHarness) -> None:
    plain = harness.launch([*people(2), *people(2)], step("find"))
    plain.run()
    assert plain.asked("find") == 4
    assert {c["question_hash"] for c in plain.calls()} == {None}
    harness.launch(people(2), find()).run()
    assert plain.asked("find") == 6
    harness.launch(people(2), step("find")).run()
    assert plain.asked("find") == 8


def test_a_company_that_an_earlier_batch_asked_about_is_taken_for_all_its_people(harness: BatchHarness) -> None:
    rows = [{"first_name": f"P{n}", "company_name": f"Company {n % 2}"} for n in range(6)]
    firm = company_step("firm", reuse_for="30d")
    harness.launch(rows, firm).run()
    second = harness.launch(rows, firm, step("later", requires=["firm"]))
    assert second.run().finished
    assert second.asked("firm") == 2
    assert len(second.calls("firm")) == len({s["result_id"] for s in second.states("firm")}) == 2
    assert second.asked("later") == 6


def test_two_companies_that_are_one_question_are_asked_about_once(harness: BatchHarness) -> None:
    request = {"url": "/enrich", "headers": {"x-api-key": "firm"}, "body": {"domain": "{{original.site}}"}}
    firm = company_step("firm", reuse_for="30d", request=request, limits={"concurrency": 8})
    rows = [{"first_name": f"P{n}", "company_name": f"Company {n % 3}", "site": "one.example"} for n in range(9)]
    batch = harness.launch(rows, firm)
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 9}
    assert batch.asked("firm") == len(batch.calls("firm")) == 1
    batch.change(
        "update workflow_states set status = 'PENDING', outcome = null "
        "where item_id <> (select item_id from provider_calls)"
    )
    assert batch.run().finished
    assert batch.asked("firm") == 1, "a later run follows the other company's call"
    assert len({s["call_id"] for s in batch.states("firm")}) == 1


def test_a_callbacks_answer_reaches_all_who_asked_and_the_next_batch(harness: BatchHarness) -> None:
    slow = async_step("slow", reuse_for="1d")
    rows = [*people(2), *people(1)]
    batch = harness.launch(rows, slow, step("later", requires=["slow"]))
    batch.run()
    assert batch.statuses("slow") == {"IN_PROGRESS": 3}
    assert batch.asked("slow") == 2
    meanwhile = harness.launch(people(1), async_step("slow", reuse_for=0))
    meanwhile.run()
    assert meanwhile.asked("slow") == 3, "who takes no earlier answers waits for none"
    for call in batch.calls("slow"):
        batch.call_back(call, GOOD)
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 6}
    assert batch.asked("slow") == 3
    second = harness.launch(rows, slow)
    assert second.run().finished
    assert second.asked("slow") == 3
    assert [r["fields"] for r in second.results()] == [{"slow": "answer-1"}] * 2
    received = sorted(i["received_at"] for i in batch.inbox())
    assert sorted(r["fetched_at"] for r in second.results()) == received


def test_a_callback_that_comes_after_its_call_was_answered_by_reuse_is_superseded(harness: BatchHarness) -> None:
    slow = async_step("slow", reuse_for="1d", retry={"attempts": 2, "base": 0.01}, callback=RETRIED)
    waiting = harness.launch(people(1), slow)
    waiting.run()
    (call,) = waiting.calls()
    other = harness.launch(people(1), async_step("slow", reuse_for=0))
    other.run()
    other.call_back(other.calls()[0], {"found": True, "id": "other"})
    other.run()
    waiting.overdue()
    assert waiting.run().finished, "instead of the second submission the other batch's answer is taken"
    assert waiting.asked("slow") == 2
    assert waiting.results()[0]["fields"] == {"slow": "other"}
    waiting.call_back(call, {"found": True, "id": "late"})
    waiting.run()
    assert [i["status"] for i in waiting.inbox()] == ["superseded"]
    assert waiting.results()[0]["fields"] == {"slow": "other"}
    (call,) = waiting.calls()
    assert (call["attempt"], call["cost"]) == (1, Decimal("0.01")), "the submission that was given up may be billed"
