"""Leads that are told of: by the hash of what was told last, so that each change is told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enrichment_assets.domain.outgoing import LEAD_TYPES, EventType
from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one lead. `content` is the hash of it, `data` the JSON, `size` its bytes."""

    item_id: int
    content: bytes
    data: str
    size: int


@dataclass(frozen=True, slots=True)
class Listener:
    """A batch whose client is told of leads."""

    client_id: int
    batch_id: int


# one row: by its key
def listener_of(connection: Connection, batch_key: str) -> Listener | None:
    """The batch, if its client has a webhook that is told of leads."""
    row = connection.execute(
        """
        select b.client_id, b.id as batch_id from batches b
        where b.batch_key = %(batch)s and not b.is_try
          and exists (select 1 from outgoing_webhooks w where w.client_id = b.client_id and w.events ?| %(types)s)
        """,
        {"batch": batch_key, "types": [one.value for one in sorted(LEAD_TYPES)]},
    ).fetchone()
    return None if row is None else Listener(**row)


def contents_of(connection: Connection, batch_id: int) -> dict[int, bytes]:
    """Item id -> hash of what was told of it last."""
    rows = connection.execute("select item_id, content from outgoing_leads where batch_id = %s", (batch_id,))
    return {row["item_id"]: bytes(row["content"]) for row in rows}


def tell(connection: Connection, of: Listener, leads: Sequence[Told]) -> int:
    """Write events of leads whose content is new; what another process told meanwhile is not told again.

    Returns how many events were written.
    """
    row = connection.execute(
        f"""
        with told as (
          select * from unnest(%(items)s::bigint[], %(contents)s::bytea[], %(data)s::text[], %(sizes)s::int[])
            as t(item_id, content, data, size)
        ), changed as (
          insert into outgoing_leads as l (batch_id, item_id, client_id, content)
          select %(batch)s, item_id, %(client)s, content from told order by item_id
          on conflict (batch_id, item_id) do update set content = excluded.content
          where l.content <> excluded.content
          returning l.item_id, l.xmax = 0 as is_new
        ), typed as (
          select item_id, case when is_new then '{EventType.LEAD_READY.value}'
                               else '{EventType.LEAD_CHANGED.value}' end as type
          from changed
        ), written as (
          insert into outgoing_events (client_id, batch_id, item_id, type, data, bytes)
          select %(client)s, %(batch)s, y.item_id, y.type, t.data::jsonb, t.size
          from typed y join told t using (item_id)
          where exists (select 1 from outgoing_webhooks w where w.client_id = %(client)s and w.events ? y.type)
          order by y.item_id
          returning 1
        )
        select count(*) as written from written
        """,
        {
            "batch": of.batch_id,
            "client": of.client_id,
            "items": [lead.item_id for lead in leads],
            "contents": [lead.content for lead in leads],
            "data": [lead.data for lead in leads],
            "sizes": [lead.size for lead in leads],
        },
    ).fetchone()
    return int(row["written"]) if row else 0
