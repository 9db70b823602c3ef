"""Corrections that people make to a lead's values (`item_edits`): append only, the latest per field counts."""

from __future__ import annotations

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
