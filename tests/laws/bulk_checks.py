"""What laws 3 and 4 come to for one request that carries many calls. Otherwise as `checks.py`."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from uuid import uuid4

from enrichment_assets.store.calls import bulk, intents
from enrichment_assets.store.calls.bulk import BulkMembers, BulkReceived
from enrichment_assets.store.calls.intents import Intent
from enrichment_assets.store.database import connect, connect_async
from enrichment_assets.store.runs import claims
from tests.engine.hostile_server import answering
from tests.harness.batches import BatchHarness, bulk_step, people, start_runner


def a_bulk_call_lists_its_members_before_it_leaves(harness: BatchHarness) -> None:
    """When the provider sees the request, another connection sees who is in it, and an intent for each."""
    seen: list[tuple[int, int]] = []
    with answering() as server:
        request = {"url": server.url + "/x", "body": {"rows": "{{members}}"}}
        batch = harness.launch(people(4), bulk_step("first", request=request))

        def look() -> None:
            with connect(harness.settings.hq_database_url or "", autocommit=True) as connection:
                intended = connection.execute("select id from provider_calls where state = 'intent'").fetchall()
                listed = connection.execute("select unnest(call_ids) as id from bulk_calls").fetchall()
                seen.append((len(intended), len({row["id"] for row in intended} & {row["id"] for row in listed})))

        server.before = look
        batch.run()
    assert seen == [(4, 4)], "a request left before it was written down who is in it"


def a_bulk_answer_is_written_by_who_sent_it_and_holds_the_item(harness: BatchHarness) -> None:
    """Neither another run nor one that has lost the item writes for it."""
    batch = harness.launch(people(1), bulk_step("first"))
    item, request = batch.first_item(), uuid4()

    async def write() -> None:
        async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as connection:
            old = await start_runner(connection, batch)
            ((_, fence),) = await claims.claim(connection, batch.batch_id, old.runner_id, [item])
            intent = Intent(item, fence, "first", "key", "item:1", "http", "first", Decimal(0), bulk_id=request)
            (verdict,) = await (await intents.intend(connection, old, [intent])).result()
            assert verdict.call_id is not None
            await bulk.list_members(connection, old, [BulkMembers(request, "first", [verdict.call_id], None)])
            other = await start_runner(connection, batch)
            answer = BulkReceived(request, 200, "{}", b"theirs")
            await (await bulk.receive(connection, other, [answer])).result()
            assert batch.bulk_calls()[0]["response_body"] is None, "another run's answer was stored"
            await claims.end_runner(connection, old.runner_id)
            await claims.claim(connection, batch.batch_id, other.runner_id, [item])
            stale = BulkReceived(request, 200, "{}", b"stale")
            assert not await (await bulk.receive(connection, old, [stale])).result(), "a stale answer counts"

    asyncio.run(write())
    assert batch.calls()[0]["state"] == "intent"
