"""Which lead an event is about: by the delivery that it names, or by whom it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import class_row

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Asked:
    """What an event says of the lead; see `domain.delivery_events.DeliveryEvent`."""

    delivery_id: int | None = None
    destination: str | None = None
    external_id: str | None = None
    message_id: str | None = None
    item_id: int | None = None
    identities: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class About:
    """The lead that an event is about; what is None is not known."""

    delivery_id: int | None = None
    batch_id: int | None = None
    item_id: int | None = None
    destination: str | None = None
    external_id: str | None = None


# Each way by its index; of several deliveries that are meant the newest.
_FIND = """
with who as (
  select * from unnest(%(ords)s::int4[], %(hashes)s::bytea[]) as w(ord, hash)
)
select d.id as delivery_id, coalesce(d.batch_id, i.batch_id) as batch_id, coalesce(d.item_id, i.id) as item_id,
       d.destination, d.external_id
from unnest(%(deliveries)s::bigint[], %(destinations)s::text[], %(externals)s::text[], %(messages)s::text[],
            %(items)s::bigint[])
  with ordinality as a(delivery_id, destination, external_id, message_id, item_id, ord)
left join lateral (
  select * from (
    select 1 as way, e.* from deliveries e where e.id = a.delivery_id and e.client_id = %(client)s
    union all
    select 2, e.* from deliveries e
    where e.client_id = %(client)s and e.destination = a.destination and e.external_id = a.external_id
    union all
    select 3, e.* from deliveries e
    where a.destination is null and e.client_id = %(client)s and e.external_id = a.external_id
    union all
    select 4, e.* from mail_messages m join deliveries e on e.id = m.delivery_id and e.client_id = %(client)s
    where m.message_id in (a.message_id, '<' || a.message_id || '>')
    union all
    select 5, e.* from deliveries e
    where e.item_id = a.item_id and e.client_id = %(client)s and e.destination = a.destination
    union all
    select 6, e.* from who w
    join delivery_identities k on k.client_id = %(client)s and k.identity_sha256 = w.hash
    join deliveries e on e.key = k.key
    where w.ord = a.ord and (a.destination is null or e.destination = a.destination)
  ) e order by e.way, e.delivered_at desc nulls last, e.id desc limit 1
) d on true
left join batch_items i on d.id is null and i.id = a.item_id and i.client_id = %(client)s
order by a.ord
"""


def find(connection: Connection, client_id: int, asked: Sequence[Asked]) -> list[About]:
    """For each what is known of the lead that it means: of this client alone, whatever number it names."""
    with connection.cursor(row_factory=class_row(About)) as cursor:
        return cursor.execute(
            _FIND,
            {
                "client": client_id,
                "deliveries": [one.delivery_id for one in asked],
                "destinations": [one.destination for one in asked],
                "externals": [one.external_id for one in asked],
                "messages": [one.message_id for one in asked],
                "items": [one.item_id for one in asked],
                "ords": [ord for ord, one in enumerate(asked, 1) for _ in one.identities],
                "hashes": [identity for one in asked for identity in one.identities],
            },
        ).fetchall()
