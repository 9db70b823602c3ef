"""Who dies while what came back is kept or taken: nothing is half done, and nothing counts twice."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind, EventSource
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.coming_back import take
from enrichment_assets.services.deliveries.connections import PATH, add_connection
from enrichment_assets.store.database import connect_async
from enrichment_assets.store.deliveries import inbox
from tests.actors import TESTER
from tests.chaos.dying import dies_at
from tests.chaos.points import EVENTS_STORED, TOLD
from tests.delivery.crm import destination
from tests.delivery.test_delivering import finished, people, sent
from tests.harness.batches import BatchHarness
from tests.harness.handles import hq_of


def test_who_dies_while_events_are_taken_has_taken_none_of_them(harness: BatchHarness) -> None:
    hq = hq_of(harness.settings)
    add_workflow(hq, harness.settings, destination(), actor=TESTER)
    batch = finished(harness, people(*"ABCD"))
    sent(batch, "to-crm")
    stands = batch.rows("select id, item_id, client_id from deliveries order by id")
    source, at = EventSource(stands[0]["client_id"], "acme-crm", "clickup"), datetime.now(UTC) - timedelta(hours=1)
    for row, point in zip(stands, TOLD, strict=True):
        told = [
            DeliveryEvent(kind, at, f"{kind.value}-{row['id']}", item_id=row["item_id"], delivery_id=row["id"])
            for kind in (EventKind.UNSUBSCRIBED, EventKind.REPLIED, EventKind.DELETED)
        ]
        before = batch.rows("select (select count(*) from delivery_events) e, (select count(*) from delivery_stops) s")
        assert dies_at(point, lambda told=told: take(open_hq(batch.settings, most=4), batch.settings, source, told)), (
            point
        )
        after = batch.rows("select (select count(*) from delivery_events) e, (select count(*) from delivery_stops) s")
        assert after == before, point
        done = take(hq, batch.settings, source, told)
        assert (done.new, done.known) == (3, 0) and done.suppressed and done.stopped, point
        assert take(hq, batch.settings, source, told).known == 3
    assert {row["state"] for row in batch.rows("select state from deliveries")} == {"deleted"}


def test_a_message_that_was_kept_when_its_keeper_died_is_known_when_it_comes_again(harness: BatchHarness) -> None:
    batch = finished(harness, people("Ann"))
    url = batch.settings.hq_database_url or ""
    path = add_connection(hq_of(batch.settings), batch.client, "acme-tool", "instantly", actor=TESTER).path or ""
    message = inbox.IncomingEvents(path.removeprefix(PATH), "{}", b"{}", hashlib.sha256(b"{}").digest())

    async def store() -> list[bool | None]:
        connection = await connect_async(url, autocommit=True)
        try:
            return await inbox.store_messages(connection, [message])
        finally:
            await connection.close()

    assert dies_at(EVENTS_STORED, lambda: asyncio.run(store()))
    assert asyncio.run(store()) == [False]
    assert batch.rows("select count(*) as n from event_inbox") == [{"n": 1}]
