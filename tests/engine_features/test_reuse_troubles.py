"""Reuse when things go wrong: unknown fates, dead runs, several runs at once, a person's retry and replay."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.calls.lookups import MAX_GROUP, Lookups
from enrichment_assets.engine.commit.group_writer import GroupWriter
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.operations.recovery import resolve
from enrichment_assets.services.operations.replaying import replay
from enrichment_assets.services.operations.retrying import retry
from enrichment_assets.store.calls.ledger import Applied
from enrichment_assets.store.calls.questions import Question, find
from enrichment_assets.store.calls.reuse import Reused, take
from enrichment_assets.store.database import connect_async
from enrichment_assets.store.runs import claims
from tests.actors import TESTER
from tests.engine.hostile_server import answering
from tests.harness.batches import BatchHarness, Launched, async_step, company_step, people, start_runner, step
from tests.harness.handles import hq_of


def finder(**fields: Any) -> WorkflowDefinition:
    """The billed person step whose answers may be reused for a day."""
    return step("find", **{"reuse_for": "1d", **fields})


def test_those_who_asked_what_has_an_unknown_fate_wait_for_one_decision(harness: BatchHarness) -> None:
    rows = [*people(1, scenario="timeout")] * 3
    batch = harness.launch(rows, finder(retry={"timeout": 0.3, "base": 0.01}))
    batch.run()
    batch.run()
    assert batch.statuses() == {"AMBIGUOUS": 3}
    assert [call["attempt"] for call in batch.calls()] == [1]
    assert len({s["call_id"] for s in batch.states()}) == 1
    report = resolve(hq_of(batch.settings), batch.key, "accept-miss", actor=TESTER)
    assert (report.states, report.calls, report.cost) == (3, 1, Decimal("0.01"))
    assert batch.statuses() == {"COMPLETED": 3}
    later = harness.launch(rows, finder(retry={"timeout": 0.3, "base": 0.01}))
    later.run()
    (call,) = later.calls()
    assert (call["reused_from"], call["attempt"]) == (None, 1), "what a person called a miss is nobody's answer"


def test_an_unknown_fate_that_is_retried_is_asked_once_more_for_all(harness: BatchHarness) -> None:
    rows = [*people(1, faults='{"timeouts": 1, "fault_attempts": 1}')] * 3
    batch = harness.launch(rows, finder(retry={"timeout": 0.3, "base": 0.01}))
    batch.run()
    assert batch.statuses() == {"AMBIGUOUS": 3}
    resolve(hq_of(batch.settings), batch.key, "retry", actor=TESTER)
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 3}
    assert [call["attempt"] for call in batch.calls()] == [2]


def test_a_question_is_retried_under_one_key_whoever_asks_again(harness: BatchHarness) -> None:
    rows = [*people(1, faults='{"resets": 1, "fault_attempts": 1}')] * 4
    batch = harness.launch(rows, finder(idempotency_header="idempotency-key"))
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 4}
    assert len(batch.calls()) == batch.billed("find") == 1
    assert harness.sandbox.billing()["double_charges"] == []


def test_two_runs_at_once_ask_each_question_once(harness: BatchHarness) -> None:
    harness.sandbox.configure(latency="60ms")
    batch = harness.launch(people(30) * 8, finder())
    batch.run_twice_at_once(linger=8.0)
    batch.due()
    assert batch.run(linger=8.0).finished
    assert batch.statuses() == {"COMPLETED": 240}
    assert batch.asked("find") == len(batch.calls()) == 30


def test_a_dead_runs_call_is_not_replaced_by_a_reused_answer(harness: BatchHarness) -> None:
    """Its fate is unknown: an answer of another batch ends nothing that may already be paid for."""
    batch = harness.launch(people(2), finder())
    batch.run()
    batch.change(
        "update provider_calls set state = 'intent', response_body = null, received_at = null where batch_id = %s",
        batch.batch_id,
    )
    batch.change("update workflow_states set status = 'PENDING', outcome = null, result_id = null")
    batch.change("delete from enrichment_results")
    harness.launch(people(2), finder()).run()
    batch.run()
    assert batch.statuses() == {"AMBIGUOUS": 2}
    assert batch.asked("find") == 4


def test_a_failed_step_that_a_person_retries_takes_what_has_been_answered_meanwhile(harness: BatchHarness) -> None:
    with answering() as provider:
        provider.bodies["/find"] = b"<html>"
        here = finder(url=f"{provider.url}/find")
        failed = harness.launch(people(1) * 2, here)
        failed.run()
        assert failed.statuses() == {"FAILED": 2}
        provider.bodies["/find"] = b'{"found": true, "id": "fine"}'
        harness.launch(people(1), here).run()
        assert provider.asked["/find"] == 2
        retry(hq_of(failed.settings), failed.settings, failed.key, actor=TESTER)
        assert failed.run().finished
        assert provider.asked["/find"] == 2
    (call,) = failed.calls()
    assert (call["state"], call["attempt"], call["cost"]) == ("applied", 1, Decimal("0.01"))
    assert failed.statuses() == {"COMPLETED": 2}
    assert sum(s["cost"] for s in failed.states()) == Decimal("0.01"), "the failed call was billed, the reuse is not"


def test_a_replay_reads_reused_answers_too_and_leaves_their_origin_alone(harness: BatchHarness) -> None:
    slow = async_step("slow", reuse_for="1d")
    first = harness.launch(people(2), slow)
    first.run()
    for call in first.calls():
        first.call_back(call, {"found": True, "id": "one", "more": "two"})
    first.run()
    second = harness.launch(people(2) * 2, slow)
    second.run()
    origin = (first.inbox(), first.calls(), first.results())
    add_workflow(
        hq_of(harness.settings),
        harness.settings,
        async_step("slow", reuse_for="1d", provides={"slow": "id", "also": "more"}),
        actor=TESTER,
    )
    report = replay(hq_of(harness.settings), harness.settings, second.key, "slow", actor=TESTER)
    assert (report.answers, report.found, report.changed, report.states) == (2, 2, 2, 4)
    assert [r["fields"] for r in second.results()] == [{"slow": "one", "also": "two"}] * 2
    assert (first.inbox(), first.calls(), first.results()) == origin
    received = {i["received_at"] for i in first.inbox()}
    assert {r["fetched_at"].replace(microsecond=0) for r in second.results()} == {
        r.replace(microsecond=0) for r in received
    }
    broken = async_step("slow", reuse_for="1d", callback={"found_if": "found", "error_if": "found"})
    add_workflow(hq_of(harness.settings), harness.settings, broken, actor=TESTER)
    assert replay(hq_of(harness.settings), harness.settings, first.key, "slow", actor=TESTER).failed == 2
    assert second.statuses() == {"COMPLETED": 4}, "another batch's replay takes nothing away"
    third = harness.launch(people(2), slow)
    third.run()
    assert third.statuses() == {"IN_PROGRESS": 2}, "an answer that its own batch cannot read is not passed on"


def test_another_companys_call_is_followed_into_its_unknown_fate_and_out_of_it(harness: BatchHarness) -> None:
    headers = {"x-api-key": "firm", "x-sandbox-faults": "{{original.faults}}"}
    request = {"url": "/enrich", "headers": headers, "body": {"domain": "{{original.site}}"}}
    firm = company_step("firm", reuse_for="30d", request=request, retry={"timeout": 0.3, "base": 0.01})
    faults = '{"timeouts": 1, "fault_attempts": 1}'
    rows = [
        {"first_name": f"P{n}", "company_name": f"Company {n % 2}", "site": "one.example", "faults": faults}
        for n in range(6)
    ]
    batch = harness.launch(rows, firm)
    batch.run()
    batch.run()
    assert batch.statuses() == {"AMBIGUOUS": 6}
    assert [call["attempt"] for call in batch.calls()] == [1]
    resolve(hq_of(batch.settings), batch.key, "retry", actor=TESTER)
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 6}
    assert sum(call["attempt"] for call in batch.calls()) == 2


@pytest.mark.parametrize("guarded", ["fence", "state", "call"])
def test_a_reuse_is_written_only_for_a_held_item_a_pending_state_and_a_free_call(
    harness: BatchHarness, guarded: str
) -> None:
    old = harness.launch(people(1), finder())
    old.run()
    batch = harness.launch(people(1), finder())
    item = batch.rows("select id from batch_items where batch_id = %s", batch.batch_id)[0]["id"]
    (origin,) = old.calls()

    async def write() -> tuple[bool, bool]:
        url = batch.settings.hq_database_url or ""
        async with await connect_async(url, autocommit=True) as connection:
            scope = await start_runner(connection, batch)
            ((_, fence),) = await claims.claim(connection, batch.batch_id, scope.runner_id, [item])
            if guarded == "state":
                batch.change("update workflow_states set status = 'SKIPPED' where item_id = %s", item)
            if guarded == "call":
                batch.change("update provider_calls set call_key = 'k' where id = %s", origin["id"])
            fence += guarded == "fence"
            applied = Applied(item, fence, "find", "COMPLETED", "http", outcome="found", own_result=True, payload="{}")
            record = Reused(applied, "k", "item:1", "find", origin["id"], origin["received_at"], Decimal(1))
            (verdict,) = await (await take(connection, scope, [record])).result()
            return verdict.held, verdict.call_id is not None

    assert asyncio.run(write()) == {"fence": (False, False), "state": (False, False), "call": (True, False)}[guarded]
    assert batch.results() == [] and batch.calls() == [] and batch.log() == []


def test_lookups_of_many_items_are_few_queries(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), finder())
    batch.run()
    (call,) = batch.calls()
    count = 3 * MAX_GROUP + 1

    async def ask() -> tuple[list[Any], int]:
        async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as connection:
            lookups = Lookups(connection, call["client_id"], batch.batch_id + 1)
            asked = [Question(call["question_hash"] if n % 2 else f"q{n}", f"k{n}", 60.0) for n in range(count)]
            found = await asyncio.gather(*map(lookups.find, asked))
            assert found == await find(connection, call["client_id"], batch.batch_id + 1, asked)
            return found, lookups.queries

    found, queries = asyncio.run(ask())
    assert [known and known.call_id for known in found] == [call["id"] if n % 2 else None for n in range(count)]
    assert queries == 4, "one for whoever comes first, then as many as go together"


def test_a_look_brings_no_more_bytes_than_it_may_and_whoever_is_left_looks_again(harness: BatchHarness) -> None:
    batch = harness.launch(people(4), finder())
    batch.run()
    calls = batch.calls()
    batch.change("update provider_calls set response_body = decode(repeat('20', 6000000), 'hex') where batch_id = %s",
                 batch.batch_id)  # fmt: skip
    asked = [Question(call["question_hash"], f"k{n}", 60.0) for n, call in enumerate(calls)]
    asked.insert(2, Question("nobody asked this", "k", 60.0))

    async def ask() -> tuple[list[int], list[Any], int]:
        async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as connection:
            looks = partial(find, connection, calls[0]["client_id"], batch.batch_id + 1)
            limits = (1, 6_000_000, 12_000_000, 17_999_999, 18_000_000, 24_000_000)
            lengths = [len(await looks(asked, most_bytes=limit)) for limit in limits]
            lookups = Lookups(connection, calls[0]["client_id"], batch.batch_id + 1)
            return lengths, await asyncio.gather(*map(lookups.find, asked)), lookups.queries

    lengths, found, queries = asyncio.run(ask())
    assert lengths == [1, 1, 3, 3, 4, 5], "the question without an answer takes no room"
    assert [known and (known.call_id, len(known.body or b"")) for known in found] == [
        *((call["id"], 6_000_000) for call in calls[:2]), None, *((call["id"], 6_000_000) for call in calls[2:]),
    ]  # fmt: skip
    assert queries == 3, "one for whoever comes first, then two answers at once, and what is left"


def test_a_lookup_that_fails_is_told_to_whoever_asked_and_those_who_wait_ask_themselves(harness: BatchHarness) -> None:
    async def ask() -> list[BaseException | None]:
        async with await connect_async(harness.settings.hq_database_url or "", autocommit=True) as connection:
            lookups = Lookups(connection, 1, 1)
            never = Question("no text of Postgres has a \0 in it", "k", 60.0)
            wanted = [never, *(Question(f"q{n}", "k", 60.0) for n in range(5))]
            return list(await asyncio.gather(*map(lookups.find, wanted), return_exceptions=True))  # type: ignore[arg-type]

    first, *others = asyncio.run(ask())
    assert isinstance(first, Exception) and others == [None] * 5


def test_a_run_that_was_retired_reuses_nothing(harness: BatchHarness) -> None:
    old = harness.launch(people(1), finder())
    old.run()
    batch = harness.launch(people(1), finder())
    assert _written_by_a_retired_run(batch, old) is False
    assert batch.state("find")["status"] == "PENDING" and batch.calls() == []


def _written_by_a_retired_run(batch: Launched, old: Launched) -> bool:
    item = batch.rows("select id from batch_items where batch_id = %s", batch.batch_id)[0]["id"]
    (origin,) = old.calls()

    async def write() -> bool:
        async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as connection:
            scope = await start_runner(connection, batch)
            ((_, fence),) = await claims.claim(connection, batch.batch_id, scope.runner_id, [item])
            writer = GroupWriter(connection, scope)
            writing = asyncio.create_task(writer.run())
            await connection.execute("update runners set expires_at = now() - interval '1 s'")
            await claims.retire_expired_runners(connection, batch.batch_id)
            applied = Applied(item, fence, "find", "COMPLETED", "http", outcome="found", own_result=True, payload="{}")
            record = Reused(applied, "k", "item:1", "find", origin["id"], origin["received_at"], Decimal(1))
            outcomes = await asyncio.gather(writer.reuse(record), return_exceptions=True)
            await asyncio.gather(writing, return_exceptions=True)
            return not isinstance(outcomes[0], BaseException)

    return asyncio.run(write())
