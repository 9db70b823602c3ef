"""Queries that lay out a batch: its items, their leases and their workflow states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.store.batches.known import REASON
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


def insert_leases(connection: Connection, batch_id: int, after_row: int = -1) -> None:
    """A free lease (fence 0) for every item of a row behind `after_row` that has none; children are row 0."""
    connection.execute(
        """
        insert into item_leases (item_id, batch_id, fence)
        select id, batch_id, 0 from batch_items where batch_id = %s and row_number > %s order by id
        on conflict (item_id) do nothing
        """,
        (batch_id, after_row),
    )


_STATES = """
    select i.id, s.slug, i.batch_id, i.client_id, s.position, {status}, {reason}
    from batch_items i{looked_up} cross join unnest(%(positions)s::smallint[], %(slugs)s::text[]) as s (position, slug)
    where i.batch_id = %(batch)s and i.row_number > %(after)s
    order by i.id, s.position
"""
_PENDING = laying_out(_STATES.format(status="'PENDING'", reason="null", looked_up=""))
_UNLESS_KNOWN = laying_out(
    _STATES.format(
        status="case when known.reason is null then 'PENDING' else 'SKIPPED' end",
        reason="known.reason",
        looked_up=f""" cross join lateral (select (
      with hashes as (
        select m.hash from known_identities m where m.batch_id = i.batch_id and m.item_id = i.id and m.compared
      ) {REASON}) as reason offset 0) known""",  # `offset 0`: once an item, and not once a step
    )
)


def insert_states(connection: Connection, batch_id: int, steps: Sequence[tuple[int, str]], after_row: int = 0) -> None:
    """A PENDING state for every item of a row behind `after_row` and every step (position, workflow slug)."""
    connection.execute(_PENDING, _of_steps(batch_id, steps, after_row))


def insert_states_unless_known(
    connection: Connection,
    client_id: int,
    batch_id: int,
    steps: Sequence[tuple[int, str]],
    after_row: int = 0,
    *,
    simulated: bool,
) -> None:
    """The same, but SKIPPED where the client has the lead from an earlier batch of the same world.

    The batch's items are in `known_identities` (`store.batches.known`).
    """
    given = {**_of_steps(batch_id, steps, after_row), "client": client_id, "simulated": simulated}
    connection.execute(_UNLESS_KNOWN, given)


def _of_steps(batch_id: int, steps: Sequence[tuple[int, str]], after_row: int) -> Row:
    positions, slugs = [position for position, _ in steps], [slug for _, slug in steps]
    return {"positions": positions, "slugs": slugs, "batch": batch_id, "after": after_row}


def last_item(connection: Connection, batch_id: int) -> int:
    """Id of the batch's last item; 0: it has none."""
    row = connection.execute("select max(id) as id from batch_items where batch_id = %s", (batch_id,)).fetchone()
    return 0 if row is None or row["id"] is None else int(row["id"])


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
