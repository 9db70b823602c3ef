"""What law 11 comes to: nobody who said no is bought. Otherwise as `checks.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

from enrichment_assets.domain.suppression import Hasher, read_identity
from enrichment_assets.engine.commit.group_transaction import Kind, write_group
from enrichment_assets.services.people.pepper import must_compare, pepper_of
from enrichment_assets.services.people.suppressing import Terms, suppress, write
from enrichment_assets.store.calls.intents import Intent, IntentVerdict
from enrichment_assets.store.database import connect, connect_async
from enrichment_assets.store.runs import claims
from enrichment_assets.store.suppressions.suppressions import state
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, people, start_runner, step
from tests.harness.handles import hq_of

WAITING = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


def a_suppressed_person_has_no_intent(harness: BatchHarness) -> None:
    """Whatever a run overlooked, the ledger refuses to be asked about somebody who is suppressed."""
    batch, hasher, version = _suppressed(harness)
    ann, ben = (hasher.together([read_identity(f"{name}@acme.com")]) for name in ("ann", "ben"))
    intents = [_intent("first", ben + ann, version), _intent("second", ben, version)]
    assert [verdict.state for verdict in _asked(batch, intents)] == ["suppressed", "intent"]
    assert [call["workflow_slug"] for call in batch.calls()] == ["second"], "a suppressed person is asked about"


def an_intent_of_before_a_suppression_is_refused(harness: BatchHarness) -> None:
    """Who looked before somebody was suppressed has to look again."""
    batch, _, version = _suppressed(harness)
    intents = [_intent("first", b"", version - 1), _intent("second", b"", version)]
    assert [verdict.state for verdict in _asked(batch, intents)] == ["suppressions", "intent"]
    assert [call["workflow_slug"] for call in batch.calls()] == ["second"], "who was not looked for is asked about"


def an_intent_waits_for_a_suppression_that_is_being_written(harness: BatchHarness) -> None:
    """Whose no is about to be committed is asked about before, or never: not by a transaction that overlaps it."""
    batch, hasher, version = _suppressed(harness)
    ben = read_identity("ben@acme.com")
    with connect(batch.settings.hq_database_url or "") as connection, ThreadPoolExecutor(max_workers=1) as threads:
        write(
            connection,
            must_compare(connection, pepper_of(hq_of(batch.settings), batch.settings)),
            [ben],
            Terms("no"),
            None,
            TESTER,
        )
        asking = threads.submit(_asked, batch, [_intent("first", hasher.together([ben]), version)])
        until = time.monotonic() + 20
        while not batch.rows(WAITING):
            assert not asking.done(), "an intent was written beside a suppression"
            assert time.monotonic() < until
            time.sleep(0.01)
        connection.commit()
        assert [verdict.state for verdict in asking.result()] == ["suppressions"]


def _suppressed(harness: BatchHarness) -> tuple[Launched, Hasher, int]:
    """A batch, and who is suppressed: the hasher and the version."""
    batch = harness.launch(people(1), step("first"), step("second"))
    hq = hq_of(batch.settings)
    assert suppress(hq, batch.settings, read_identity("ann@acme.com"), Terms("no"), actor=TESTER)
    with hq.transaction() as connection:
        version = state(connection).version
    return batch, Hasher(pepper_of(hq, batch.settings) or ""), version


def _intent(slug: str, who: bytes, version: int) -> Intent:
    return Intent(0, 0, slug, f"key of {slug}", "s", "http", slug, Decimal(0), who=who, suppressions=version)


def _asked(batch: Launched, intents: Sequence[Intent]) -> list[IntentVerdict]:
    """What the ledger says to intents for the first item."""
    item = batch.first_item()

    async def ask() -> list[IntentVerdict]:
        async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as connection:
            scope = await start_runner(connection, batch)
            ((_, fence),) = await claims.claim(connection, batch.batch_id, scope.runner_id, [item])
            mine = [(Kind.INTEND, replace(intent, item_id=item, fence=fence)) for intent in intents]
            return list(await write_group(connection, scope, mine))

    return asyncio.run(ask())
