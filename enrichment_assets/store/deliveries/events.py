"""The statements on `delivery_events`: what came back, each once by its source's own key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event as it is kept; what it is about as far as it is known."""

    key: str
    kind: str
    happened_at: datetime
    delivery_id: int | None
    batch_id: int | None
    item_id: int | None
    destination: str | None
    external_id: str | None
    hash: bytes | None
    actor: str | None
    data: Mapping[str, Any]
    inbox_id: int | None


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event as it is shown."""

    id: int
    client: str
    source: str
    key: str
    kind: str
    happened_at: datetime
    taken_at: datetime
    delivery_id: int | None
    batch_key: str | None
    item_id: int | None
    destination: str | None
    external_id: str | None
    actor: str | None
    data: dict[str, Any]
    followed: str | None


# crash point: delivery-events-are-written
def add(connection: Connection, client_id: int, source: str, events: Sequence[NewEvent]) -> dict[str, int]:
    """Keep events; key -> number of those that are new. The caller commits, and holds the lock of suppressions.

    So two that keep the same events come one after the other, and numbers have the order in which events were told.
    """
    rows = connection.execute(
        """
        insert into delivery_events (client_id, source, key, kind, happened_at, delivery_id, batch_id, item_id,
                                     destination, external_id, hash, actor, data, inbox_id)
        select %(client)s, %(source)s, g.key, g.kind, g.happened_at, g.delivery_id, g.batch_id,
               g.item_id, g.destination, g.external_id, g.hash, g.actor, g.data, g.inbox_id
        from unnest(%(keys)b::text[], %(kinds)b::text[], %(times)b::timestamptz[], %(deliveries)b::bigint[],
                    %(batches)b::bigint[], %(items)b::bigint[], %(destinations)b::text[], %(externals)b::text[],
                    %(hashes)b::bytea[], %(actors)b::text[], %(datas)b::jsonb[], %(inbox)b::bigint[])
          with ordinality as g(key, kind, happened_at, delivery_id, batch_id, item_id, destination, external_id, hash,
                               actor, data, inbox_id, ord)
        order by g.ord
        on conflict (client_id, source, key) do nothing
        returning id, key
        """,
        {
            "client": client_id,
            "source": source,
            "keys": [event.key for event in events],
            "kinds": [event.kind for event in events],
            "times": [event.happened_at for event in events],
            "deliveries": [event.delivery_id for event in events],
            "batches": [event.batch_id for event in events],
            "items": [event.item_id for event in events],
            "destinations": [event.destination for event in events],
            "externals": [event.external_id for event in events],
            "hashes": [event.hash for event in events],
            "actors": [event.actor for event in events],
            "datas": [Jsonb(dict(event.data)) for event in events],
            "inbox": [event.inbox_id for event in events],
        },
    ).fetchall()
    return {row["key"]: row["id"] for row in rows}


def note_followed(connection: Connection, followed: Mapping[int, str]) -> None:
    """Write down what followed from events: number -> words. The caller commits."""
    connection.execute(
        """
        update delivery_events e set followed = g.followed
        from unnest(%s::bigint[], %s::text[]) as g(id, followed) where e.id = g.id
        """,
        (list(followed), list(followed.values())),
    )


def listed(
    connection: Connection,
    client_id: int | None,
    *,
    kind: str | None = None,
    source: str | None = None,
    item_id: int | None = None,
    delivery_id: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[KeptEvent]:
    """The newest events first; each of the filters only where it is given. `before`: older than that of this number."""
    with connection.cursor(row_factory=class_row(KeptEvent)) as cursor:
        return cursor.execute(
            """
            select e.id, c.slug as client, e.source, e.key, e.kind, e.happened_at, e.taken_at, e.delivery_id,
                   b.batch_key, e.item_id, e.destination, e.external_id, e.actor, e.data, e.followed
            from delivery_events e join clients c on c.id = e.client_id left join batches b on b.id = e.batch_id
            where (%(client)s::bigint is null or e.client_id = %(client)s)
              and (%(kind)s::text is null or e.kind = %(kind)s)
              and (%(source)s::text is null or e.source = %(source)s)
              and (%(item)s::bigint is null or e.item_id = %(item)s)
              and (%(delivery)s::bigint is null or e.delivery_id = %(delivery)s)
              and (%(before)s::bigint is null or e.id < %(before)s)
            order by e.id desc limit %(limit)s
            """,
            {
                "client": client_id,
                "kind": kind,
                "source": source,
                "item": item_id,
                "delivery": delivery_id,
                "before": before,
                "limit": limit,
            },
        ).fetchall()
