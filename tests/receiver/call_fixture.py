"""What a callback needs to belong to: a client, a batch, an item in progress, and provider calls with tokens."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.types.json import Jsonb


@dataclass(frozen=True)
class CallFixture:
    """Ids of one client's batch; `tokens[i]` belongs to `call_ids[i]`."""

    client_id: int
    client: str
    batch_id: int
    batch_key: str
    item_id: int
    call_ids: list[int]
    tokens: list[str]
    by_token: dict[str, int] = field(default_factory=dict)


def insert_calls(
    hq: psycopg.Connection[Any], client: str = "acme", calls: int = 1, expires: str = "1 day", batch: str | None = None
) -> CallFixture:
    """Insert and commit one client with one batch, one item and `calls` sent calls."""
    batch_key = batch or f"{client}-batch"
    row = hq.execute(
        """
        with c as (insert into clients (slug, name) values (%(client)s, %(client)s) returning id),
        u as (
            insert into uploads (client_id, filename, sha256, size_bytes, encoding, delimiter, columns, row_count,
                                 rejected_count, source)
            select id, 'leads.csv', 'cafe', 10, 'utf-8', ',', '[]', 1, 0, 'cli' from c returning id, client_id
        ),
        b as (
            insert into batches (batch_key, client_id, upload_id, pipeline_slug, blueprint)
            select %(batch)s, client_id, id, 'leads', %(blueprint)s from u returning id, client_id
        )
        insert into batch_items (client_id, batch_id, row_number, origin_key, original_data)
        select client_id, id, 1, 'row:1', '{}' from b returning id, client_id, batch_id
        """,
        {"client": client, "batch": batch_key, "blueprint": Jsonb({})},
    ).fetchone()
    assert row is not None
    tokens = [secrets.token_urlsafe(24) for _ in range(calls)]
    rows = hq.execute(
        """
        insert into provider_calls (call_key, client_id, batch_id, item_id, workflow_slug, subject_key, provider,
                                    operation, state, fence, callback_token, token_expires_at)
        select 'call:' || token, %s, %s, %s, 'enrich-person-clay', 'item:1', 'clay', 'enrich', 'sent', 1, token,
               now() + %s::interval
        from unnest(%s::text[]) with ordinality as t (token, n) order by n
        returning id, callback_token
        """,
        [row["client_id"], row["batch_id"], row["id"], expires, tokens],
    ).fetchall()
    hq.execute(
        """
        insert into workflow_states (item_id, workflow_slug, batch_id, client_id, position, status, call_id)
        values (%s, 'enrich-person-clay', %s, %s, 0, 'IN_PROGRESS', %s)
        """,
        [row["id"], row["batch_id"], row["client_id"], rows[0]["id"] if rows else None],
    )
    hq.commit()
    by_token = {r["callback_token"]: r["id"] for r in rows}
    call_ids = [by_token[t] for t in tokens]
    return CallFixture(row["client_id"], client, row["batch_id"], batch_key, row["id"], call_ids, tokens, by_token)


def inbox(hq: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Every stored callback, as another connection sees it now."""
    hq.rollback()
    rows = hq.execute("select * from callback_inbox order by id").fetchall()
    hq.rollback()
    return rows
