"""The engine's side of the inbox: what waits, taking it up, marking it."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg
from receiver_world import World, inbox, make_world

from enrichment_assets.domain.statuses import InboxStatus
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect_async
from enrichment_assets.store.inbox import (
    IncomingCallback,
    Receipt,
    WaitingBatch,
    fetch_new,
    mark,
    new_callbacks_by_batch,
    prepare_session,
    store_callbacks,
)

Hq = psycopg.Connection[dict[str, Any]]


def _incoming(token: str, body: bytes) -> IncomingCallback:
    return IncomingCallback(token, '{"content-type": "text/plain"}', body, hashlib.sha256(body).digest())


async def _store(settings: Settings, *callbacks: IncomingCallback) -> list[Receipt]:
    async with await connect_async(settings.hq_database_url or "", autocommit=True) as connection:
        await prepare_session(connection, 10)
        return await store_callbacks(connection, callbacks)


async def _two_batches(settings: Settings, hq: Hq) -> tuple[World, World]:
    one, two = make_world(hq, "acme", calls=3), make_world(hq, "globex")
    callbacks = [_incoming(two.tokens[0], b"g"), *(_incoming(token, b"a" * 10) for token in one.tokens)]
    assert await _store(settings, *callbacks) == [Receipt.STORED] * 4
    return one, two


async def test_one_group_decides_for_each_of_its_callbacks(settings: Settings, hq: Hq) -> None:
    world = make_world(hq, calls=2)
    first, second = world.tokens
    await _store(settings, _incoming(first, b"old"))
    group = [(first, b"old"), ("A" * 32, b"x"), (second, b"new"), (second, b"new"), (first, b"new"), (first, b"old")]
    assert await _store(settings, *(_incoming(token, body) for token, body in group)) == [
        Receipt.ALREADY_STORED,
        Receipt.UNKNOWN_TOKEN,
        Receipt.STORED,
        Receipt.ALREADY_STORED,
        Receipt.STORED,
        Receipt.ALREADY_STORED,
    ]
    assert len(inbox(hq)) == 3
    assert await _store(settings) == []


async def test_waiting_batches_are_counted_apart_and_the_longest_waiting_comes_first(
    settings: Settings, hq: Hq
) -> None:
    one, two = await _two_batches(settings, hq)
    rows = {row["call_id"]: row["id"] for row in inbox(hq)}
    acme = WaitingBatch("acme-batch", one.batch_id, 3, max(rows[c] for c in one.call_ids))
    globex = WaitingBatch("globex-batch", two.batch_id, 1, rows[two.call_ids[0]])
    assert new_callbacks_by_batch(hq) == [acme, globex]


async def test_a_batch_is_taken_up_in_pages_and_never_with_anothers_callbacks(settings: Settings, hq: Hq) -> None:
    one, _ = await _two_batches(settings, hq)
    first = fetch_new(hq, one.batch_id, 2)
    second = fetch_new(hq, one.batch_id, 2, after_id=first[-1].inbox_id)
    taken = [*first, *second]
    assert (len(first), len(second)) == (2, 1)
    assert sorted(c.call_id for c in taken) == one.call_ids
    assert {(c.client_id, c.body, c.content_type) for c in taken} == {(one.client_id, b"a" * 10, "text/plain")}
    assert taken[0].headers == {"content-type": "text/plain"}
    assert fetch_new(hq, one.batch_id, 2, after_id=second[-1].inbox_id) == []


async def test_a_page_is_bounded_in_bytes_but_never_empty(settings: Settings, hq: Hq) -> None:
    one, _ = await _two_batches(settings, hq)
    assert [len(fetch_new(hq, one.batch_id, 10, max_bytes=bound)) for bound in (1, 10, 11, 20, 21)] == [1, 1, 2, 2, 3]


async def test_marks_change_what_is_new_once_and_nothing_else(settings: Settings, hq: Hq) -> None:
    one, two = await _two_batches(settings, hq)
    ids = [c.inbox_id for c in fetch_new(hq, one.batch_id, 10)]
    fates = [(ids[0], InboxStatus.APPLIED, None), (ids[1], InboxStatus.DEAD, "no\x00t JSON" + "!" * 3000)]
    assert mark(hq, [*fates, (ids[2], InboxStatus.SUPERSEDED, None)]) == 3
    assert mark(hq, [(ids[0], InboxStatus.DEAD, "again")]) == 0
    assert mark(hq, []) == 0
    hq.commit()
    rows = {row["id"]: row for row in inbox(hq)}
    assert [rows[i]["status"] for i in ids] == ["applied", "dead", "superseded"]
    assert rows[ids[1]]["error"] == ("no\ufffdt JSON" + "!" * 3000)[:2000]
    assert all(rows[i]["processed_at"] is not None for i in ids)
    assert fetch_new(hq, one.batch_id, 10) == []
    assert [b.batch_key for b in new_callbacks_by_batch(hq)] == [two.batch_key]
