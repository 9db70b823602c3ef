"""The inbox: what is stored once, and which batches wait."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg
from call_fixture import CallFixture, inbox, insert_calls

from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect_async
from enrichment_assets.store.inbox.callbacks import (
    IncomingCallback,
    Receipt,
    WaitingBatch,
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


async def _two_batches(settings: Settings, hq: Hq) -> tuple[CallFixture, CallFixture]:
    one, two = insert_calls(hq, "acme", calls=3), insert_calls(hq, "globex")
    callbacks = [_incoming(two.tokens[0], b"g"), *(_incoming(token, b"a" * 10) for token in one.tokens)]
    assert await _store(settings, *callbacks) == [Receipt.STORED] * 4
    return one, two


async def test_one_group_decides_for_each_of_its_callbacks(settings: Settings, hq: Hq) -> None:
    inserted = insert_calls(hq, calls=2)
    first, second = inserted.tokens
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
    acme = WaitingBatch("acme-batch", one.batch_id, False, 3, max(rows[c] for c in one.call_ids))
    globex = WaitingBatch("globex-batch", two.batch_id, False, 1, rows[two.call_ids[0]])
    assert new_callbacks_by_batch(hq) == [acme, globex]
