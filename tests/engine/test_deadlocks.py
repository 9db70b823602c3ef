"""Two runs that want the same rows at the same moment wait for each other, never in a circle; if they do, none dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import pytest

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.engine.commit.group_writer import GroupWriter
from enrichment_assets.store.calls import intents as intents_store
from enrichment_assets.store.calls import ledger
from enrichment_assets.store.calls.intents import Intent, IntentVerdict
from enrichment_assets.store.calls.ledger import Applied, Received, Scope
from enrichment_assets.store.database import AsyncConnection, connect_async
from enrichment_assets.store.runs import claims
from tests.harness.batches import BatchHarness, Launched, company_step, people, start_runner, step

END_READER = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
      and strpos(query, 'order by s.item_id limit') > 0
"""
"""Ends the connection that looks for items to claim."""


@dataclass
class Runner:
    """A run as the store sees it."""

    scope: Scope
    connection: AsyncConnection
    fences: dict[int, int]

    async def intends(self, *keys: str) -> list[str]:
        """The state of each key, as its verdict gives it."""
        (item, fence) = next(iter(self.fences.items()))
        intents = [Intent(item, fence, "first", key, key, "http", "first", Decimal(0)) for key in keys]
        verdicts: list[IntentVerdict] = await (
            await intents_store.intend(self.connection, self.scope, intents)
        ).result()
        return [verdict.state for verdict in verdicts]


@asynccontextmanager
async def runners(batch: Launched, *shares: Sequence[int]) -> AsyncIterator[list[Runner]]:
    """A runner for each share of the batch's items."""
    async with AsyncExitStack() as stack:
        found = []
        for share in shares:
            connection = await connect_async(batch.settings.hq_database_url or "", autocommit=True)
            stack.push_async_callback(connection.close)
            scope = await start_runner(connection, batch)
            held = await claims.claim(connection, batch.batch_id, scope.runner_id, share)
            found.append(Runner(scope, connection, dict(held)))
        yield found


def items(batch: Launched) -> list[int]:
    return [row["id"] for row in batch.rows("select id from batch_items order by id")]


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("did not come about")


def waits(batch: Launched, runner: Runner) -> bool:
    pid = runner.connection.info.backend_pid
    return bool(batch.rows("select 1 from pg_locks where pid = %s and not granted", pid))


def test_keys_are_taken_in_one_order_whatever_the_order_of_the_items(harness: BatchHarness) -> None:
    batch = harness.launch(people(2), step("first"))

    async def scenario() -> tuple[list[str], list[str]]:
        async with runners(batch, items(batch)[:1], items(batch)[1:]) as (one, two):
            async with one.connection.transaction():
                assert await one.intends("k2") == ["intent"]
                asking = asyncio.create_task(two.intends("k3", "k2", "k1"))
                await until(lambda: waits(batch, two))
                rest = await one.intends("k3")
            return rest, await asking

    assert asyncio.run(scenario()) == (["intent"], ["busy", "busy", "intent"])


def test_a_call_that_is_being_moved_keeps_nobody_waiting(harness: BatchHarness) -> None:
    batch = harness.launch(people(2), step("first"))

    async def scenario() -> list[str]:
        first, second = items(batch)
        async with runners(batch, [first], [second]) as (one, two):
            assert await one.intends("k1") == ["intent"]
            (call,) = batch.calls()
            await two.connection.execute("set lock_timeout = '2s'")
            async with one.connection.transaction():
                answer = Received(call["id"], first, one.fences[first], 200, "{}", b"{}")
                assert await (await ledger.receive(one.connection, one.scope, [answer])).result()
                return await two.intends("k1", "k0")

    assert asyncio.run(scenario()) == ["intent", "intent"]
    assert len(batch.calls()) == 2


def test_a_group_that_lost_a_deadlock_is_written_again(harness: BatchHarness) -> None:
    """The victim is the run: it looks for a deadlock after a second, the other one after a minute."""
    batch = harness.launch(people(2), step("first"))
    touch = "update workflow_states set attempts = attempts where item_id = %s"

    async def scenario() -> list[bool]:
        first, second = items(batch)
        url = batch.settings.hq_database_url or ""
        async with runners(batch, [first, second]) as (one,), await connect_async(url, autocommit=True) as other:
            await other.execute("set deadlock_timeout = '60s'")
            writer = GroupWriter(one.connection, one.scope)
            writing = asyncio.create_task(writer.run())
            try:
                async with other.transaction():
                    await other.execute(touch, (second,))
                    moves = [asyncio.create_task(_ends(writer, one, item)) for item in (first, second)]
                    await until(lambda: waits(batch, one))
                    await other.execute(touch, (first,))
                moved = await asyncio.gather(*moves)
                assert writer.commits == 1
                return moved
            finally:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)

    before = _deadlocks(batch)
    assert asyncio.run(scenario()) == [True, True]
    asyncio.run(until(lambda: _deadlocks(batch) == before + 1))
    assert batch.statuses() == {"COMPLETED": 2}
    assert len(batch.results()) == 2


def test_companies_that_two_runs_ask_for_crosswise_are_each_asked_once(harness: BatchHarness) -> None:
    harness.sandbox.configure(latency="5ms-15ms")
    rows = [{"first_name": f"P{n}", "company_name": f"Company {n * 7 % 40}"} for n in range(600)]
    batch = harness.launch(rows, company_step("firm", limits={"concurrency": 10}))
    batch.run_twice_at_once(linger=8.0)
    batch.due()
    assert batch.run(linger=8.0).finished
    assert batch.statuses() == {"COMPLETED": 600}
    assert batch.asked("firm") == 40
    assert _deadlocks(batch) == 0


def test_a_run_that_loses_the_connection_it_reads_with_ends_its_calls_in_good_order(harness: BatchHarness) -> None:
    harness.sandbox.configure(latency="1s")
    batch = harness.launch(people(40), step("first", limits={"concurrency": 5}))
    with ThreadPoolExecutor(max_workers=1) as aside:
        running = aside.submit(batch.run)
        asyncio.run(until(lambda: bool(batch.calls()) and bool(batch.rows(END_READER))))
        with pytest.raises(InfrastructureError, match="cannot be used: terminating connection"):
            running.result()
    done = batch.statuses()["COMPLETED"]
    assert batch.statuses() == {"COMPLETED": done, "PENDING": 40 - done}
    assert 5 <= done == batch.billed() < 40
    harness.sandbox.configure(latency="0")
    assert batch.run().finished
    assert batch.billed() == 40


async def _ends(writer: GroupWriter, runner: Runner, item: int) -> bool:
    done = Applied(item, runner.fences[item], "first", "COMPLETED", "http", outcome="found", own_result=True)
    moved, _ = await writer.apply(done)
    return moved


def _deadlocks(batch: Launched) -> int:
    batch.rows("select pg_stat_clear_snapshot()")
    return int(batch.rows("select deadlocks from pg_stat_database where datname = current_database()")[0]["deadlocks"])
