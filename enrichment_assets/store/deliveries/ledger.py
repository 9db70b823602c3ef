"""Deliveries as people look at them: what stands for which lead at which destination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A row of `deliveries` with the names that people know; `lead`: whose it is, from the item's cells."""

    id: int
    client: str
    client_id: int
    destination: str
    target: str
    simulated: bool
    key: str
    state: str
    external_id: str | None
    generation: int
    identity_field: str
    lead: str | None
    item_id: int
    batch: str
    batch_id: int
    call_id: int | None
    written: dict[str, Any] | None
    intended: dict[str, Any] | None
    approval_ids: list[int] | None
    actor: str
    reason: str | None
    created_at: datetime
    first_delivered_at: datetime | None
    delivered_at: datetime | None
    ended_at: datetime | None


_ROWS = """
select d.id, c.slug as client, d.client_id, d.destination, d.target, d.simulated, d.key, d.state, d.external_id,
       d.generation, d.identity_field,
       coalesce(i.full_name, nullif(concat_ws(' ', i.first_name, i.last_name), ''), i.company_name) as lead,
       d.item_id, b.batch_key as batch, d.batch_id, d.call_id, d.written, d.intended, d.approval_ids, d.actor, d.reason,
       d.created_at, d.first_delivered_at, d.delivered_at, d.ended_at
from deliveries d join clients c on c.id = d.client_id join batches b on b.id = d.batch_id
left join batch_items i on i.id = d.item_id
"""


def listed(
    connection: Connection,
    *,
    client_id: int | None = None,
    batch_key: str | None = None,
    destination: str | None = None,
    states: Sequence[str] = (),
    before: int | None = None,
    limit: int = 100,
) -> list[DeliveryRow]:
    """The newest deliveries: of a client, a batch, a destination, in these states, older than that of a number."""
    with connection.cursor(row_factory=class_row(DeliveryRow)) as cursor:
        return cursor.execute(
            f"""
            {_ROWS}
            where (%(client)s::bigint is null or d.client_id = %(client)s)
              and (%(batch)s::text is null or b.batch_key = %(batch)s)
              and (%(destination)s::text is null or d.destination = %(destination)s)
              and (cardinality(%(states)s::text[]) = 0 or d.state = any(%(states)s::text[]))
              and (%(before)s::bigint is null or d.id < %(before)s)
            order by d.id desc limit %(limit)s
            """,
            {
                "client": client_id,
                "batch": batch_key,
                "destination": destination,
                "states": list(states),
                "before": before,
                "limit": limit,
            },
        ).fetchall()


def found(connection: Connection, delivery_id: int, *, lock: bool = False) -> DeliveryRow | None:
    """One delivery; `lock`: until the transaction ends, so that no call about it is intended meanwhile."""
    if lock:  # the call first, as whoever intends one
        connection.execute(
            "select 1 from provider_calls where id = (select call_id from deliveries where id = %s) for update",
            (delivery_id,),
        )
        connection.execute("select 1 from deliveries where id = %s for update", (delivery_id,))
    with connection.cursor(row_factory=class_row(DeliveryRow)) as cursor:
        return cursor.execute(f"{_ROWS} where d.id = %s", (delivery_id,)).fetchone()


@dataclass(frozen=True, slots=True)
class DeliveryCall:
    """A call about a delivery, as the call ledger has it."""

    call_id: int
    batch: str
    attempt: int
    state: str
    http_status: int | None
    error: str | None
    sent_at: datetime | None
    received_at: datetime | None


def calls_of(connection: Connection, client_id: int, keys: Sequence[str]) -> list[DeliveryCall]:
    """The calls of these keys (`domain.delivery_keys.key_of_delivery_call`), the oldest first."""
    with connection.cursor(row_factory=class_row(DeliveryCall)) as cursor:
        return cursor.execute(
            """
            select c.id as call_id, b.batch_key as batch, c.attempt, c.state, c.http_status, c.error, c.sent_at,
                   c.received_at
            from provider_calls c join batches b on b.id = c.batch_id
            where c.client_id = %(client)s and c.call_key = any(%(keys)s::text[]) order by c.id
            """,
            {"client": client_id, "keys": list(keys)},
        ).fetchall()
