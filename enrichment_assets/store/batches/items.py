"""Queries that lay out a batch: its items, their leases and their workflow states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.store.database import Connection
from enrichment_assets.store.loading import Stream, load
from enrichment_assets.store.states.transitions import laying_out

Row = dict[str, Any]

ITEM_COLUMNS = (
    "client_id",
    "batch_id",
    "row_number",
    "origin_key",
    "company_key",
    *IDENTITY_FIELDS,
    "original_data",
    "details",
    "rejected",
)
"""What `copy_items` takes, in this order; the last three are JSON text (`details` and `rejected`: or null)."""


# one row: by its key
def lock_batch(connection: Connection, batch_key: str) -> Row | None:
    """The batch, locked until the transaction ends, so that its items are laid out by one process only."""
    return connection.execute(
        """
        select id, client_id, upload_id, blueprint, items_created_at, row_limit, given_up_at
        from batches where batch_key = %s for update
        """,
        (batch_key,),
    ).fetchone()


def copy_items(connection: Connection, items: Iterable[Sequence[Any]]) -> int:
    """Insert items (tuples in the order of `ITEM_COLUMNS`) all at once; how many there were."""

    def feed(stream: Stream) -> None:
        for item in items:
            stream.write_row(item)

    return load(connection, "batch_items", ITEM_COLUMNS, feed)


def identities(connection: Connection, item_ids: Sequence[int]) -> dict[int, Row]:
    """Item id -> the cells of its row that say who it is."""
    columns = ", ".join(IDENTITY_FIELDS)
    rows = connection.execute(
        f"select id as item_id, {columns} from batch_items where id = any(%s::bigint[])", (list(item_ids),)
    ).fetchall()
    return {row.pop("item_id"): row for row in rows}


def insert_leases(connection: Connection, batch_id: int) -> None:
    """A free lease (fence 0) for every item of the batch that has none."""
    connection.execute(
        """
        insert into item_leases (item_id, batch_id, fence)
        select id, batch_id, 0 from batch_items where batch_id = %s order by id
        on conflict (item_id) do nothing
        """,
        (batch_id,),
    )


def insert_states(connection: Connection, batch_id: int, steps: Sequence[tuple[int, str]], after_row: int = 0) -> None:
    """A PENDING state for every item of a row behind `after_row` and every step (position, workflow slug)."""
    connection.execute(
        laying_out(
            """
            select i.id, s.slug, i.batch_id, i.client_id, s.position, 'PENDING', null
            from batch_items i cross join unnest(%s::smallint[], %s::text[]) as s (position, slug)
            where i.batch_id = %s and i.row_number > %s
            order by i.id, s.position
            """
        ),
        ([position for position, _ in steps], [slug for _, slug in steps], batch_id, after_row),
    )


def laid_out(connection: Connection, batch_id: int) -> tuple[int, int]:
    """How many rows of the upload are items of the batch, and the last one's number; children are no rows."""
    row = connection.execute(
        "select count(*) as rows, coalesce(max(row_number), 0) as last from batch_items "
        "where batch_id = %s and parent_item_id is null",
        (batch_id,),
    ).fetchone()
    return (0, 0) if row is None else (int(row["rows"]), int(row["last"]))


# one row: by its key
def set_row_limit(connection: Connection, batch_id: int, limit: int | None) -> None:
    """Let a batch have more rows: it is not finished any more, and wants attention now."""
    connection.execute(
        "update batches set row_limit = %s, finished_at = null, resume_at = clock_timestamp() where id = %s",
        (limit, batch_id),
    )


# one row: by its key
def mark_items_created(connection: Connection, batch_id: int) -> None:
    """Say that the batch's items are all there; committed together with them."""
    connection.execute("update batches set items_created_at = now() where id = %s", (batch_id,))


def analyze(connection: Connection) -> None:
    """Tell the planner about a bulk load now; autovacuum would only get to it in a minute."""
    connection.execute("analyze batch_items, item_leases, workflow_states")
