"""What the laws come to for answers that are reused; otherwise as `checks.py`."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from enrichment_assets.engine.commit.group_transaction import Kind, write_group
from enrichment_assets.engine.run.advance import EngineOptions, advance
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.advancing import load_batch
from enrichment_assets.store.calls import intents as intents_store
from enrichment_assets.store.calls import questions
from enrichment_assets.store.calls.intents import Intent, IntentVerdict
from enrichment_assets.store.calls.ledger import Applied, Scope
from enrichment_assets.store.calls.questions import Question
from enrichment_assets.store.calls.reuse import Reused, ReuseVerdict, take
from enrichment_assets.store.database import AsyncConnection, connect_async
from enrichment_assets.store.runs import claims
from tests.harness.batches import RECEIVER, BatchHarness, Launched, people, start_runner, step
from tests.harness.handles import hq_of


def a_question_is_asked_once(harness: BatchHarness) -> None:
    """Whoever asks it: rows of one batch, a later run of it, another batch of the client."""
    batch = harness.launch(people(2) * 5, _find())
    batch.run()
    batch.change(
        "update workflow_states set status = 'PENDING' where item_id not in (select item_id from provider_calls)"
    )
    batch.run()
    harness.launch(people(2) * 2, _find()).run()
    assert batch.asked("find") == 2, "the same was asked, and paid for, again"


def a_question_that_failed_is_not_asked_again_for_the_next_row(harness: BatchHarness) -> None:
    """An answer that cannot be read was billed too: whoever asks the same in this batch ends like the first."""
    batch = harness.launch(people(2, scenario="garbage") * 5, _find())
    batch.run()
    assert batch.statuses() == {"FAILED": 10}
    assert batch.asked("find") == 2, "what cannot be read was bought again"


def a_call_of_unknown_fate_is_not_replaced_by_a_reused_answer(harness: BatchHarness) -> None:
    """A call that may have been paid for keeps its fate, also where an answer to its question is at hand."""
    old, batch = _two_batches(harness)
    batch.change("update provider_calls set state = 'ambiguous', call_key = 'key' where id = %s", old.calls()[0]["id"])
    verdict = _take(old, batch)
    assert verdict.call_id is None, "an unknown fate was covered up"
    assert old.calls()[0]["state"] == "ambiguous"


def a_stale_fence_reuses_nothing(harness: BatchHarness) -> None:
    """A reuse compares the fence like every write."""
    old, batch = _two_batches(harness)
    verdict = _take(old, batch, late=1)
    assert not verdict.held, "a stale reuse was stored"
    assert batch.state("find")["status"] == "PENDING"


def an_answer_is_never_reused_across_clients(harness: BatchHarness) -> None:
    """The same question of two clients is asked twice; each has its own answer."""
    harness.launch(people(2), _find(), client="acme", key="mine").run()
    theirs = harness.launch(people(2), _find(), client="globex", key="theirs")
    theirs.run()
    assert theirs.asked("find") == 4, "a client's paid answer went to another client"
    assert [call["reused_from"] for call in theirs.calls()] == [None, None]


def simulated_answers_do_not_reach_a_batch_for_real_providers(harness: BatchHarness) -> None:
    """Two batches that differ in nothing but what they were launched for ask both."""
    for batch, simulated in (
        ((harness.launch(people(1), _find())), "true"),
        (harness.launch(people(1), _find()), "false"),
    ):
        batch.change(
            "update batches set blueprint = jsonb_set(blueprint, '{simulated}', %s::jsonb) where id = %s",
            simulated,
            batch.batch_id,
        )
        # The service refuses a batch for real providers beside a sandbox: the engine is asked without it.
        options = EngineOptions(RECEIVER, batch.sandbox.url, linger_seconds=1.0)
        loaded = load_batch(hq_of(batch.settings), batch.key)
        asyncio.run(advance(batch.settings.hq_database_url or "", loaded, build_providers(batch.sandbox.url), options))
    assert batch.asked("find") == 2, "a made-up answer was taken for a real one"


def a_reused_answer_says_when_it_was_fetched(harness: BatchHarness) -> None:
    """The time of the answer is that of the call that fetched it, however often it is reused."""
    first = harness.launch(people(1), _find())
    first.run()
    first.change("update provider_calls set received_at = now() - interval '2 hours'")
    second = harness.launch(people(1), _find())
    second.run()
    assert second.results()[0]["fetched_at"] == first.calls()[0]["received_at"], "an old answer looks young"


def a_question_is_not_asked_beside_another_batch(harness: BatchHarness) -> None:
    """An intent that is not committed yet holds up the other batch's, which then is not written."""
    first, second = (harness.launch(people(1), _find()) for _ in range(2))

    async def race() -> IntentVerdict:
        url = harness.settings.hq_database_url or ""
        async with (
            await connect_async(url, autocommit=True) as early,
            await connect_async(url, autocommit=True) as late,
            await connect_async(url, autocommit=True) as watch,
        ):
            (scope, intent), (other, late_intent) = await _intent(watch, first), await _intent(watch, second)
            async with early.transaction():
                assert intent.asked is not None
                await questions.take_turn(early, scope.client_id, scope.batch_id, [intent.asked])
                (verdict,) = await (await intents_store.intend(early, scope, [intent])).result()
                assert verdict.granted
                writing = asyncio.create_task(write_group(late, other, [(Kind.INTEND, late_intent)]))
                while not writing.done() and not await _waits_for_its_turn(watch, late):
                    await asyncio.wait({writing}, timeout=0.02)
            (verdict,) = await writing
            return verdict

    assert not asyncio.run(race()).granted, "both batches may ask"
    assert len(first.calls()) == 1 and second.calls() == []


def an_answer_that_came_between_looking_and_asking_is_seen(harness: BatchHarness) -> None:
    """The intent is refused also where the other call has ended by then; but not for an answer that is of no use."""
    old, batch = _two_batches(harness)
    (call,) = old.calls()

    async def ask(seen: int | None) -> bool:
        async with await connect_async(harness.settings.hq_database_url or "", autocommit=True) as connection:
            scope, intent = await _intent(connection, batch, question=call["question_hash"], seen=seen)
            (verdict,) = await write_group(connection, scope, [(Kind.INTEND, intent)])
            return bool(verdict.granted)

    assert not asyncio.run(ask(None)), "an answer was there, and the question is asked again"
    assert asyncio.run(ask(call["id"]))


def a_dead_run_keeps_no_other_batch_waiting(harness: BatchHarness) -> None:
    """A call whose run is gone brings no answer by itself."""
    leader, follower = _two_batches(harness)
    _reopen(leader)
    assert follower.run(linger=0.0).finished, "a batch waits for the dead"


def a_dead_runs_call_is_repeated_under_its_own_key(harness: BatchHarness) -> None:
    """Where the provider honours keys another batch waits for that: its own key would be charged anew."""
    keyed = _find(idempotency_header="idempotency-key")
    leader, follower = (harness.launch(people(1), keyed) for _ in range(2))
    leader.run()
    _reopen(leader)
    leader.change("update workflow_states set status = 'PENDING', outcome = null where batch_id = %s", leader.batch_id)
    for batch, linger in ((follower, 0.0), (leader, 5.0), (follower, 0.0)):  # the leader waits before it repeats
        batch.run(linger=linger)
        batch.due()
    assert [batch.statuses() for batch in (leader, follower)] == [{"COMPLETED": 1}] * 2
    assert leader.billed("find") == 1, "what one key had paid for was bought again under another"


def nobody_waits_longer_than_for_a_call_of_its_own(harness: BatchHarness) -> None:
    """However lively the other batch's run is."""
    leader, follower = _two_batches(harness)
    _reopen(leader, run="lives")
    follower.run(linger=0.0)
    assert (follower.statuses(), follower.asked("find")) == ({"PENDING": 1}, 1)
    leader.change("update provider_calls set sent_at = now() - interval '1 hour'")
    follower.due()
    assert follower.run(linger=0.0).finished, "a batch waits for ever"


def a_fresh_batch_waits_for_nobody(harness: BatchHarness) -> None:
    """Who wants no earlier answer wants none that is under way."""
    leader, _ = _two_batches(harness)
    _reopen(leader, run="lives")
    fresh = harness.launch(people(1), _find(reuse_for=0))
    assert fresh.run(linger=0.0).finished, "a fresh batch waits for an older call"
    assert fresh.asked("find") == 2


def a_client_waits_for_no_other(harness: BatchHarness) -> None:
    """The same question of another client is under way: that is nothing to this one."""
    leader, _ = _two_batches(harness)
    _reopen(leader, run="lives")
    theirs = harness.launch(people(1), _find(), client="globex")
    assert theirs.run(linger=0.0).finished, "a client waits for another client's answer"


def _reopen(batch: Launched, run: str = "is dead") -> None:
    """Let the batch's one call be as if it had just left."""
    batch.change(
        "update provider_calls set state = 'intent', response_body = null, received_at = null, sent_at = now() "
        "where batch_id = %s",
        batch.batch_id,
    )
    if run == "lives":
        batch.change(
            "update runners set ended_at = null, expires_at = now() + interval '1 day' where batch_id = %s",
            batch.batch_id,
        )


async def _intent(
    connection: AsyncConnection, batch: Launched, question: str = "question", seen: int | None = None
) -> tuple[Scope, Intent]:
    """An intent of a new run for the batch's first item."""
    scope = await start_runner(connection, batch)
    await connection.execute("update item_leases set runner_id = null where batch_id = %s", (batch.batch_id,))
    ((item, fence),) = await claims.claim(connection, batch.batch_id, scope.runner_id, [batch.first_item()])
    asked = Question(question, f"key-{batch.batch_id}", max_age=60.0, patience=60.0, seen=seen)
    return scope, Intent(item, fence, "find", asked.call_key, "subject", "http", "find", Decimal("0.01"), asked=asked)


async def _waits_for_its_turn(watch: AsyncConnection, connection: AsyncConnection) -> bool:
    cursor = await watch.execute(
        "select 1 from pg_locks where pid = %s and locktype = 'advisory' and not granted",
        (connection.info.backend_pid,),
    )
    return await cursor.fetchone() is not None


def _find(**fields: Any) -> Any:
    return step("find", **{"reuse_for": "1d", **fields})


def _two_batches(harness: BatchHarness) -> tuple[Launched, Launched]:
    old = harness.launch(people(1), _find())
    old.run()
    return old, harness.launch(people(1), _find())


def _take(old: Launched, batch: Launched, late: int = 0) -> ReuseVerdict:
    """Reuse the old batch's answer for the other's item, under a fence that is `late` claims old."""

    async def write() -> ReuseVerdict:
        async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as connection:
            scope = await start_runner(connection, batch)
            item, (origin,) = batch.first_item(), old.calls()
            ((_, fence),) = await claims.claim(connection, batch.batch_id, scope.runner_id, [item])
            applied = Applied(
                item, fence - late, "find", "COMPLETED", "http", outcome="found", own_result=True, payload="{}"
            )
            record = Reused(applied, "key", f"item:{item}", "find", origin["id"], origin["received_at"], Decimal(0))
            (verdict,) = await (await take(connection, scope, [record])).result()
            return verdict

    return asyncio.run(write())
