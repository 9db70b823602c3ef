"""What law 5 comes to for a batch that is paused or cancelled. Otherwise as `checks.py`."""

from __future__ import annotations

import asyncio
import threading
import time
from decimal import Decimal

from enrichment_assets.engine.commit.group_transaction import Kind, write_group
from enrichment_assets.services.operations.holding import cancel, pause
from enrichment_assets.store.batches import holds
from enrichment_assets.store.calls.intents import Intent, IntentVerdict
from enrichment_assets.store.database import connect_async
from enrichment_assets.store.runs import claims
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, people, start_runner, step
from tests.harness.handles import hq_of


def a_held_batch_has_no_further_intent(harness: BatchHarness) -> None:
    """Once a pause or a cancellation is committed, the ledger refuses, whoever asks; other steps go on."""
    batch = harness.launch(people(1), step("first"), step("second"))
    pause(hq_of(batch.settings), batch.key, actor=TESTER, workflow="first")
    assert [verdict.state for verdict in _asked(batch)] == ["paused", "intent"]
    cancel(hq_of(batch.settings), batch.key, actor=TESTER)
    assert [verdict.state for verdict in _asked(batch)] == ["cancelled", "cancelled"]
    assert [call["workflow_slug"] for call in batch.calls()] == ["second"], "a held step was written down as asked"


def _asked(batch: Launched) -> list[IntentVerdict]:
    """What the ledger says to one intent of each step, of a run of its own."""
    item = batch.first_item()

    async def ask() -> list[IntentVerdict]:
        async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as connection:
            scope = await start_runner(connection, batch)
            ((_, fence),) = await claims.claim(connection, batch.batch_id, scope.runner_id, [item])
            wanted = [
                Intent(item, fence, slug, f"{slug} {scope.runner_id}", "s", "http", slug, Decimal(0))
                for slug in ("first", "second")
            ]
            verdicts = await write_group(connection, scope, [(Kind.INTEND, intent) for intent in wanted])
            await claims.end_runner(connection, scope.runner_id)
            return list(verdicts)

    return asyncio.run(ask())


def a_hold_waits_for_intents_that_are_being_written(harness: BatchHarness) -> None:
    """Who has asked whether calls may leave, and has not committed yet, comes before the cancellation."""
    batch = harness.launch(people(1), step("first"))
    waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"

    async def hold() -> None:
        async with await connect_async(batch.settings.hq_database_url or "") as connection:
            assert not (await (await holds.gate(connection, batch.batch_id)).result()).holds
            held = threading.Thread(target=cancel, args=(hq_of(batch.settings), batch.key), kwargs={"actor": TESTER})
            held.start()
            until = time.monotonic() + 20
            while not batch.rows(waiting):
                assert held.is_alive(), "it was cancelled while an intent was being written"
                assert time.monotonic() < until
                await asyncio.sleep(0.01)
            await connection.commit()
            held.join()

    asyncio.run(hold())
    assert batch.rows("select holds from batches where id = %s", batch.batch_id)[0]["holds"]["*"]["kind"] == "cancelled"
