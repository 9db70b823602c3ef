"""What law 4 comes to: who does not hold an item writes nothing for it. Otherwise as `checks.py`."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from enrichment_assets.engine.commit.group_transaction import LeaseLost
from enrichment_assets.engine.commit.group_writer import GroupWriter
from enrichment_assets.store.calls import intents as intents_store
from enrichment_assets.store.calls import ledger
from enrichment_assets.store.calls.intents import Intent
from enrichment_assets.store.calls.ledger import Applied, Received
from enrichment_assets.store.database import connect_async
from enrichment_assets.store.runs import claims
from tests.harness.batches import BatchHarness, people, start_runner, step


def a_retired_runner_writes_nothing(harness: BatchHarness) -> None:
    """A runner whose lease ran out learns it at its next write."""
    batch = harness.launch(people(1), step("first"))

    async def zombie() -> bool:
        async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as connection:
            scope = await start_runner(connection, batch)
            ((item, fence),) = await claims.claim(connection, batch.batch_id, scope.runner_id, [batch.first_item()])
            writer = GroupWriter(connection, scope)
            writing = asyncio.create_task(writer.run())
            await connection.execute("update runners set expires_at = now() - interval '1 s'")
            await claims.retire_expired_runners(connection, batch.batch_id)
            try:
                await writer.apply(Applied(item, fence, "first", "COMPLETED", "http", outcome="found", own_result=True))
            except LeaseLost:
                return True
            finally:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
            return False

    assert asyncio.run(zombie()), "a retired runner wrote"
    assert batch.results() == []


def a_stale_fence_writes_nothing(harness: BatchHarness) -> None:
    """Every write compares the fence: what another runner has taken over is out of reach."""
    batch = harness.launch(people(1), step("first"))
    item = batch.first_item()

    async def write() -> None:
        async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as connection:
            old = await start_runner(connection, batch)
            ((_, fence),) = await claims.claim(connection, batch.batch_id, old.runner_id, [item])
            intent = Intent(item, fence, "first", "key", "item:1", "http", "first", Decimal(0))
            (verdict,) = await (await intents_store.intend(connection, old, [intent])).result()
            assert verdict.granted and verdict.call_id
            await claims.end_runner(connection, old.runner_id)
            new = await start_runner(connection, batch)
            ((_, newer),) = await claims.claim(connection, batch.batch_id, new.runner_id, [item])
            assert newer > fence
            stale = Received(verdict.call_id, item, fence, 200, "{}", b"stale")
            assert not await (await ledger.receive(connection, old, [stale])).result(), "a stale answer was stored"
            done = Applied(item, fence, "first", "COMPLETED", "http", outcome="found", own_result=True, payload="{}")
            assert not await (await ledger.apply(connection, old, [done])).result(), "a stale result was stored"
            again = Intent(item, fence, "first", "key-2", "item:1", "http", "first", Decimal(0))
            (verdict,) = await (await intents_store.intend(connection, old, [again])).result()
            assert not verdict.granted, "a stale run may call"

    asyncio.run(write())
    assert batch.state("first")["status"] == "PENDING"


def an_item_that_another_run_holds_is_left_alone(harness: BatchHarness) -> None:
    """Claims skip what a living runner holds, and take it when that runner's lease has run out."""
    batch = harness.launch(people(4), step("first"))
    batch.change(
        "insert into runners (batch_id, label, expires_at) values (%s, 'other', now() + interval '1 h')",
        batch.batch_id,
    )
    batch.change("update item_leases set runner_id = (select max(id) from runners), fence = fence + 1")
    batch.run(linger=0.1)
    assert batch.asked("first") == 0, "two runs work on one item"
    batch.change("update runners set expires_at = now() - interval '1 s' where label = 'other'")
    assert batch.run().finished, "a dead run's items are lost"
