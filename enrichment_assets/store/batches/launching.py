"""Queries that launch a batch: finding the upload, choosing a key, writing the row with its blueprint."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.store.database import Connection

Row = dict[str, Any]

_UPLOAD = """
    select u.*, c.slug as client from uploads u join clients c on c.id = u.client_id
    where (%(client)s::text is null or c.slug = %(client)s) and c.archived_at is null
      and u.archived_at is null
"""


def uploads_by_id(connection: Connection, upload_id: int, client: str | None) -> list[Row]:
    """The upload with that id, if it is the client's (None: anybody's)."""
    return connection.execute(_UPLOAD + " and u.id = %(id)s", {"id": upload_id, "client": client}).fetchall()


def uploads_by_hash(connection: Connection, prefix: str, client: str | None) -> list[Row]:
    """Uploads whose SHA-256 begins with hexadecimal digits; two clients can have the same file."""
    return connection.execute(
        _UPLOAD + " and starts_with(u.sha256, %(prefix)s) order by u.id", {"prefix": prefix, "client": client}
    ).fetchall()


def next_batch_number(connection: Connection, prefix: str) -> int:
    """The next free n of `<prefix>-<n>`."""
    row = connection.execute(
        """
        select coalesce(max(substring(batch_key from length(%(prefix)s) + 2)::bigint), 0) + 1 as number from batches
        where starts_with(batch_key, %(prefix)s || '-')
          and substring(batch_key from length(%(prefix)s) + 2) ~ '^[0-9]{1,15}$'
        """,
        {"prefix": prefix},
    ).fetchone()
    return int(row["number"]) if row else 1


# one row: by its key
# crash point: batch-is-inserted
def insert_batch(
    connection: Connection,
    batch_key: str,
    upload: Row,
    blueprint: Blueprint,
    row_limit: int | None = None,
    replaces: int | None = None,
    priority: int = 0,
    starts_in: timedelta = timedelta(0),
) -> int | None:
    """Insert the batch; its id, or None when the key is taken.

    Args:
        connection: HQ database.
        batch_key: Its key.
        upload: The upload's row.
        blueprint: What it will run by.
        row_limit: It is a pilot: only so many readable rows, the first ones.
        replaces: Id of the batch that was given up for it.
        priority: Its rank (`domain.priorities`).
        starts_in: When the sequencer starts it, if it was not started before.
    """
    row = connection.execute(
        """
        insert into batches (batch_key, client_id, upload_id, pipeline_slug, blueprint, row_limit, replaces, priority,
                             resume_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, now() + %s)
        on conflict (batch_key) do nothing
        returning id
        """,
        (
            batch_key,
            upload["client_id"],
            upload["id"],
            blueprint.pipeline,
            Jsonb(blueprint.model_dump(mode="json", by_alias=True)),
            row_limit,
            replaces,
            priority,
            starts_in,
        ),
    ).fetchone()
    return None if row is None else int(row["id"])


def pilot_of(connection: Connection, upload_id: int, pipeline: str) -> Row | None:
    """The newest batch of this upload and pipeline if it has some of the rows only, and can have the rest."""
    row = connection.execute(
        """
        select b.*, c.slug as client from batches b join clients c on c.id = b.client_id
        where b.upload_id = %s and b.pipeline_slug = %s and b.retired_at is null and b.given_up_at is null
        order by b.id desc limit 1
        """,
        (upload_id, pipeline),
    ).fetchone()
    return row if row is not None and row["row_limit"] is not None else None


def batches_of(connection: Connection, upload_id: int, pipeline: str) -> list[str]:
    """Keys of the batches of this upload and pipeline that are neither archived nor given up, the newest first."""
    rows = connection.execute(
        """
        select batch_key from batches
        where upload_id = %s and pipeline_slug = %s and retired_at is null and given_up_at is null
        order by id desc limit 10
        """,
        (upload_id, pipeline),
    ).fetchall()
    return [row["batch_key"] for row in rows]


# one row: by its key
def replacement_of(connection: Connection, batch_id: int, pipeline: str) -> Row | None:
    """The batch for which this one was given up, if it is there."""
    return connection.execute(
        """
        select b.*, c.slug as client from batches b join clients c on c.id = b.client_id
        where b.replaces = %s and b.pipeline_slug = %s and b.given_up_at is null order by b.id desc limit 1
        """,
        (batch_id, pipeline),
    ).fetchone()


# one row: by its key
def get_batch(connection: Connection, batch_key: str) -> Row | None:
    """One batch with its client's slug, or None."""
    return connection.execute(
        "select b.*, c.slug as client from batches b join clients c on c.id = b.client_id where b.batch_key = %s",
        (batch_key,),
    ).fetchone()
