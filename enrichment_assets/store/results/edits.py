"""Corrections that people make to a lead's values (`item_edits`): append only, the latest per field counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.store.database import Connection


def identity_of(connection: Connection, batch_key: str, item_id: int) -> dict[str, Any]:
    """The item's identity columns by field, those without a value left out. Raises `NotFoundError`."""
    row = connection.execute(
        sql.SQL(
            "select {} from batch_items i join batches b on b.id = i.batch_id where b.batch_key = %s and i.id = %s"
        ).format(sql.SQL(", ").join(sql.Identifier("i", name) for name in IDENTITY_FIELDS)),
        [batch_key, item_id],
    ).fetchone()
    if row is None:
        raise NotFoundError(f"Batch `{batch_key}` has no item {item_id}.", code="item.not_found")
    return {name: value for name, value in row.items() if value is not None}


# one row: by its key
def add_edit(
    connection: Connection,
    batch_key: str,
    item_id: int,
    field: str,
    value: str | None,
    edited_by: str,
    note: str | None,
) -> int:
    """Record one correction and return its id. The caller commits.

    Raises:
        NotFoundError: The batch has no such item.
    """
    row = connection.execute(
        """insert into item_edits (client_id, batch_id, item_id, field, value, edited_by, note)
           select i.client_id, i.batch_id, i.id, %s, %s, %s, %s
           from batch_items i join batches b on b.id = i.batch_id
           where b.batch_key = %s and i.id = %s
           returning id""",
        [field, value, edited_by, note, batch_key, item_id],
    ).fetchone()
    if row is None:
        raise NotFoundError(f"Batch `{batch_key}` has no item {item_id}.", code="item.not_found")
    return int(row["id"])


# one row: by its key
def latest_edit(connection: Connection, batch_id: int, item_id: int, field: str) -> str | None:
    """What a person said of a field last; None: nothing, or that it is to be empty."""
    row = connection.execute(
        "select value from item_edits where batch_id = %s and item_id = %s and field = %s order by id desc limit 1",
        (batch_id, item_id, field),
    ).fetchone()
    return None if row is None else row["value"]


@dataclass(frozen=True, slots=True)
class Correctee:
    """A lead that is to be corrected: its batch, the batch's blueprint, and its identity columns without empty ones."""

    batch_id: int
    batch_key: str
    identity: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewEdit:
    """A correction that was made elsewhere, at a time of its own."""

    item_id: int
    field: str
    value: str | None
    edited_by: str
    note: str | None
    edited_at: datetime


def correctees(connection: Connection, client_id: int, item_ids: Sequence[int]) -> dict[int, Correctee]:
    """These leads of the client, by number; one that is not there, or another client's, is left out."""
    columns = sql.SQL(", ").join(sql.Identifier("i", name) for name in IDENTITY_FIELDS)
    rows = connection.execute(
        sql.SQL(
            "select i.id, i.batch_id, b.batch_key, {} from batch_items i join batches b on b.id = i.batch_id "
            "where i.id = any(%s::bigint[]) and i.client_id = %s"
        ).format(columns),
        [list(item_ids), client_id],
    ).fetchall()
    return {
        row["id"]: Correctee(
            row["batch_id"],
            row["batch_key"],
            {name: row[name] for name in IDENTITY_FIELDS if row[name] is not None},
        )
        for row in rows
    }


def blueprints(connection: Connection, batch_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The blueprints of batches, by number."""
    rows = connection.execute("select id, blueprint from batches where id = any(%s::bigint[])", (list(batch_ids),))
    return {row["id"]: row["blueprint"] for row in rows}


def add_edits(connection: Connection, edits: Sequence[NewEdit]) -> list[bool]:
    """Record corrections that were made elsewhere; which of them count. The caller commits.

    One that is older than what somebody said of the field meanwhile, or says the same, is not recorded: it came late,
    or twice. Of `email_status` the note says which address it is about. Tables of batches that were changed are made
    anew.
    """
    rows = connection.execute(
        """
        with given as (
          select g.*, case when g.field = 'email_status' then g.note end as about
          from unnest(%(items)b::bigint[], %(fields)b::text[], %(values)b::text[], %(by)b::text[],
                               %(notes)b::text[], %(at)b::timestamptz[])
            with ordinality as g(item_id, field, value, edited_by, note, edited_at, ord)
        ), added as (
          insert into item_edits (client_id, batch_id, item_id, field, value, edited_by, note, edited_at)
          select i.client_id, i.batch_id, i.id, g.field, g.value, g.edited_by, g.note, g.edited_at
          from (select distinct on (item_id, field) * from given order by item_id, field, edited_at desc, ord desc) g
          join batch_items i on i.id = g.item_id
          left join lateral (
            select e.value, e.edited_at, case when e.field = 'email_status' then e.note end as about from item_edits e
            where e.batch_id = i.batch_id and e.item_id = i.id and e.field = g.field order by e.id desc limit 1
          ) last on true
          where last.edited_at is null
             or (last.edited_at <= g.edited_at and (last.value, last.about) is distinct from (g.value, g.about))
          order by i.id, g.field
          returning batch_id, item_id, field, edited_at
        ), behind as (
          update batches set extracted_at = null
          where id in (select batch_id from added) and finished_at is not null and retired_at is null
        )
        select a.item_id is not null as counts
        from given g left join added a on a.item_id = g.item_id and a.field = g.field and a.edited_at = g.edited_at
        order by g.ord
        """,
        {
            "items": [edit.item_id for edit in edits],
            "fields": [edit.field for edit in edits],
            "values": [edit.value for edit in edits],
            "by": [edit.edited_by for edit in edits],
            "notes": [edit.note for edit in edits],
            "at": [edit.edited_at for edit in edits],
        },
    ).fetchall()
    return [row["counts"] for row in rows]
