"""Statements for tries: laying a few rows of one workflow out as a batch of their own, and reading what came of them.

A try is a batch without an upload: its calls go through the ledger, budgets and limits like any other, and it has no
partition, so that neither leads nor tables are made of it (docs/adr/0035-a-try-is-a-small-batch.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.store.batches.items import copy_items, insert_leases
from enrichment_assets.store.calls.places import CALLBACK_BODY
from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.transitions import inheriting, laying_out

Row = dict[str, Any]

MOST_BYTES = 256 * 1024
"""Bytes of an answer that are read to be shown; a whole page of a gateway helps nobody."""


# one row: by its key
def insert_try(connection: Connection, batch_key: str, client_id: int, blueprint: Blueprint) -> int | None:
    """Insert the batch of a try, laid out from the start; its id, or None when the key is taken."""
    row = connection.execute(
        """
        insert into batches (batch_key, client_id, pipeline_slug, blueprint, is_try, items_created_at)
        values (%s, %s, %s, %s, true, now())
        on conflict (batch_key) do nothing
        returning id
        """,
        (batch_key, client_id, blueprint.pipeline, Jsonb(blueprint.model_dump(mode="json", by_alias=True))),
    ).fetchone()
    return None if row is None else int(row["id"])


def insert_given(connection: Connection, item: Sequence[Any]) -> None:
    """Insert an item (a tuple in the order of `items.ITEM_COLUMNS`) of a try."""
    copy_items(connection, [item])


def copy_rows(connection: Connection, batch_id: int, item_ids: Sequence[int]) -> None:
    """Copy items of another batch into a try, with what people corrected of them."""
    columns = sql.SQL(", ").join(
        map(sql.Identifier, ("row_number", "origin_key", "company_key", *IDENTITY_FIELDS, "original_data", "details"))
    )
    connection.execute(
        sql.SQL(
            """
            with copied as (
              insert into batch_items (client_id, batch_id, {columns}, rejected)
              select client_id, %(batch)s, {columns}, rejected from batch_items where id = any(%(items)s::bigint[])
              order by id
              returning id, origin_key
            )
            insert into item_edits (client_id, batch_id, item_id, field, value, edited_by, note, edited_at)
            select e.client_id, %(batch)s, c.id, e.field, e.value, e.edited_by, e.note, e.edited_at
            from item_edits e join batch_items i on i.id = e.item_id join copied c on c.origin_key = i.origin_key
            where e.item_id = any(%(items)s::bigint[]) order by e.id
            """
        ).format(columns=columns),
        {"batch": batch_id, "items": list(item_ids)},
    )


def lay_out_states(connection: Connection, batch_id: int, position: int, slug: str) -> None:
    """Leases, and a PENDING state of the workflow that is tried, for every item of the try."""
    insert_leases(connection, batch_id)
    connection.execute(
        laying_out(
            "select id, %(slug)s::text, batch_id, client_id, %(position)s::smallint, 'PENDING', null "
            "from batch_items where batch_id = %(batch)s order by id"
        ),
        {"batch": batch_id, "position": position, "slug": slug},
    )


def inherit_answers(connection: Connection, batch_id: int, item_ids: Sequence[int], position: int) -> None:
    """Let the items of a try have what the rows that they were copied from were answered before this position."""
    connection.execute(
        inheriting(
            """
            select n.id, s.workflow_slug, n.batch_id, n.client_id, s.position, s.status, s.outcome, s.reason,
                   s.result_id
            from batch_items o join workflow_states s on s.item_id = o.id
            join batch_items n on n.batch_id = %(batch)s and n.origin_key = o.origin_key
            where o.id = any(%(items)s::bigint[]) and s.position < %(position)s
              and s.result_id is not null and s.status = 'COMPLETED'
            order by n.id, s.position
            """
        ),
        {"batch": batch_id, "items": list(item_ids), "position": position},
    )


def rows_from(connection: Connection, batch_id: int, first: int, count: int) -> list[Row]:
    """The `count` items (id, row_number) of a batch from a row on, without child items."""
    return connection.execute(
        """
        select id, row_number from batch_items
        where batch_id = %s and parent_item_id is null and row_number >= %s order by row_number limit %s
        """,
        (batch_id, first, count),
    ).fetchall()


# one row: by its key
def find_try(connection: Connection, batch_key: str) -> Row | None:
    """A try with its client's slug, or None."""
    return connection.execute(
        """
        select b.*, c.slug as client from batches b join clients c on c.id = b.client_id
        where b.batch_key = %s and b.is_try
        """,
        (batch_key,),
    ).fetchone()


def newest_tries(connection: Connection, workflow: str | None, client: str | None, limit: int) -> list[str]:
    """Keys of the newest tries, of one workflow or client or of all."""
    rows = connection.execute(
        """
        select b.batch_key from batches b join clients c on c.id = b.client_id
        where b.is_try and (%(workflow)s::text is null or b.pipeline_slug = %(workflow)s)
          and (%(client)s::text is null or c.slug = %(client)s)
        order by b.id desc limit %(limit)s
        """,
        {"workflow": workflow, "client": client, "limit": limit},
    ).fetchall()
    return [row["batch_key"] for row in rows]


@dataclass(frozen=True, slots=True)
class TriedState:
    """What became of one row of a try, and the bytes that came: the first `MOST_BYTES` of them.

    Attributes:
        call_id: Of the call that its answer is of; null where none was made. `made_by`: the item that made it.
        reused_batch: The batch whose call fetched the answer, where it was not asked again.
        callback: Body of the last callback, where one came; `callback_bytes`: how long it is.
        members: How many items its request carried.
        emitted: Child items that its answer made; nothing is asked about them.
        is_due: It is PENDING and may go on now, or IN_PROGRESS and something came or is to be asked.
    """

    item_id: int
    row_number: int
    status: str
    outcome: str | None
    reason: str | None
    error_class: str | None
    attempts: int
    cost: Decimal
    deadline_at: datetime | None
    next_attempt_at: datetime | None
    is_due: bool
    call_id: int | None
    made_by: int | None
    estimated_cost: Decimal | None
    http_status: int | None
    headers: Mapping[str, str]
    body: bytes | None
    body_bytes: int | None
    external_id: str | None
    answered_at: datetime | None
    reused_batch: str | None
    members: int
    callback: bytes | None
    callback_bytes: int | None
    callback_encoding: str | None
    duration_ms: int | None
    payload: Any
    fields: Mapping[str, Any]
    rejected: Mapping[str, Any]
    rejected_cells: Mapping[str, Any]
    emitted: int


_TRIED = f"""
select i.id as item_id, i.row_number, s.status, s.outcome, s.reason, s.error_class, s.attempts, s.cost, s.deadline_at,
       s.next_attempt_at,
       s.status = 'PENDING' and coalesce(s.next_attempt_at <= clock_timestamp(), true)
         or s.status = 'IN_PROGRESS' and (
           least(s.deadline_at, s.next_poll_at) <= clock_timestamp()
           or exists (select 1 from callback_inbox w where w.call_id = c.id and w.status = 'new')) as is_due,
       c.id as call_id, c.item_id as made_by, c.estimated_cost, o.http_status,
       coalesce(o.response_headers, m.response_headers, '{{}}'::jsonb) as headers,
       substring(coalesce(o.response_body, m.response_body) from 1 for {MOST_BYTES}) as body,
       coalesce(octet_length(coalesce(o.response_body, m.response_body)), o.body_bytes, m.body_bytes) as body_bytes,
       o.external_id, coalesce(w.received_at, m.received_at, o.received_at) as answered_at,
       case when c.reused_from is not null then b.batch_key end as reused_batch,
       coalesce(cardinality(m.call_ids), 1) as members,
       substring(w.body from 1 for {MOST_BYTES}) as callback, octet_length(w.body) as callback_bytes,
       w.encoding as callback_encoding,
       (select duration_ms from enrichment_results_log l
        where l.call_id = c.id and l.duration_ms is not null order by l.id desc limit 1) as duration_ms,
       r.payload, coalesce(r.fields, '{{}}'::jsonb) as fields, coalesce(r.rejected, '{{}}'::jsonb) as rejected,
       coalesce(i.rejected, '{{}}'::jsonb) as rejected_cells,
       (select count(*) from batch_items k where k.batch_id = i.batch_id and k.parent_item_id = i.id) as emitted
from batch_items i
join workflow_states s on s.item_id = i.id and s.workflow_slug = %(slug)s
left join provider_calls c on c.id = s.call_id
left join provider_calls o on o.id = coalesce(c.reused_from, c.id)
left join batches b on b.id = o.batch_id
left join bulk_calls m on m.id = o.bulk_id
left join lateral (
  select {CALLBACK_BODY} as body, i.headers ->> 'content-encoding' as encoding, i.received_at from callback_inbox i
  where i.call_id = o.id order by i.status = 'applied' desc, i.id desc limit 1
) w on true
left join enrichment_results r on r.id = s.result_id
where i.batch_id = %(batch)s and i.parent_item_id is null order by i.row_number, i.id
"""


# one row: a try has a few
def tried_states(connection: Connection, batch_id: int, slug: str) -> list[TriedState]:
    """What became of the rows of a try, in their order."""
    rows = connection.execute(_TRIED, {"batch": batch_id, "slug": slug}).fetchall()
    bodies = ("body", "callback")
    return [
        TriedState(**{**row, **{name: None if row[name] is None else bytes(row[name]) for name in bodies}})
        for row in rows
    ]


def row_numbers(connection: Connection, item_ids: Sequence[int]) -> dict[int, int]:
    """Item id -> number of its row; 0 for a child item."""
    rows = connection.execute(
        "select id, row_number from batch_items where id = any(%s::bigint[])", (list(set(item_ids)),)
    ).fetchall()
    return {row["id"]: row["row_number"] for row in rows}
