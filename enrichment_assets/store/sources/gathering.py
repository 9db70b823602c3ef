"""Queries on open batches: the upload that grows by parts, its rows, and until when a batch takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from enrichment_assets.domain.sources import Window
from enrichment_assets.store.database import Connection

Row = dict[str, Any]

_CHUNK = 5_000


def lock_gathering(connection: Connection, client_id: int, gathers: str, pipeline: str) -> None:
    """Let nobody else add rows of this client, source and pipeline until the transaction ends."""
    connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('gathering ' || %s::text || ' ' || %s || ' ' || %s, 0))",
        (client_id, gathers, pipeline),
    )


def find_open(connection: Connection, client_id: int, gathers: str, pipeline: str) -> Row | None:
    """The batch that takes rows now, with its upload, its row locked; None: there is none.

    One that was given up, archived or cancelled takes no more.
    """
    return connection.execute(
        """
        select b.id, b.batch_key, b.client_id, b.upload_id, b.blueprint, u.columns, u.options, u.sha256, u.row_count,
               u.rejected_count
        from batches b join uploads u on u.id = b.upload_id
        where b.client_id = %s and b.gathers = %s and b.pipeline_slug = %s and b.closes_at > clock_timestamp()
          and b.given_up_at is null and b.retired_at is null and u.archived_at is null
          and coalesce(b.holds -> '*' ->> 'kind', '') <> 'cancelled'
        order by b.id desc limit 1 for update of b
        """,
        (client_id, gathers, pipeline),
    ).fetchone()


@dataclass(frozen=True, slots=True)
class Span:
    """The hour or day of now: `label` as it stands in batch keys (`20261129t07`), and its end. All in UTC."""

    label: str
    closes_at: datetime


def span_of_now(connection: Connection, window: Window) -> Span:
    """The hour or day of now by the database's clock."""
    row = connection.execute(
        """
        select to_char(t.begins, %(shape)s) as label,
               (t.begins + make_interval(hours => %(hours)s)) at time zone 'UTC' as closes_at
        from (select date_trunc(%(unit)s, clock_timestamp() at time zone 'UTC') as begins) t
        """,
        {
            "unit": window.value,
            "shape": 'YYYYMMDD"t"HH24' if window is Window.HOUR else "YYYYMMDD",
            "hours": 1 if window is Window.HOUR else 24,
        },
    ).fetchone()
    assert row is not None  # noqa: S101
    return Span(row["label"], row["closes_at"])


def close_others(connection: Connection, client_id: int, gathers: str, pipeline: str) -> None:
    """Before a batch is opened: let the others of this client, source and pipeline take no more rows.

    One that was given up could be the open one again when it is restored.
    """
    connection.execute(
        """
        update batches set closes_at = clock_timestamp()
        where client_id = %s and gathers = %s and pipeline_slug = %s and closes_at > clock_timestamp()
        """,
        (client_id, gathers, pipeline),
    )


def close_now(connection: Connection, upload_id: int) -> None:
    """Let the batches that gather this upload take no more rows: what comes goes into another."""
    connection.execute(
        "update batches set closes_at = clock_timestamp() "
        "where upload_id = %s and gathers is not null and closes_at > clock_timestamp()",
        (upload_id,),
    )


def insert_gathered_upload(connection: Connection, upload: Row) -> Row:
    """Insert an upload without rows that is going to grow; its row as a launch needs it."""
    row = connection.execute(
        """
        insert into uploads (client_id, filename, sha256, size_bytes, encoding, delimiter, columns, options, row_count,
                             rejected_count, source, gathered)
        values (%(client_id)s, %(filename)s, %(sha256)s, 0, 'utf-8', ',', %(columns)s, %(options)s, 0, 0, %(source)s,
                true)
        returning *
        """,
        {**upload, "columns": Jsonb(upload["columns"]), "options": Jsonb(upload["options"])},
    ).fetchone()
    assert row is not None  # noqa: S101
    return row


# one row: by its key
def mark_open(connection: Connection, batch_id: int, gathers: str, closes_at: datetime) -> None:
    """Say what a new batch gathers, and until when."""
    connection.execute("update batches set gathers = %s, closes_at = %s where id = %s", (gathers, closes_at, batch_id))


@dataclass(frozen=True, slots=True)
class Part:
    """What came at once: how many rows, how many of them are rejections, their hash and size."""

    rows: int
    rejected: int
    sha256: str
    size: int


# crash point: part-is-added
def grow(connection: Connection, upload_id: int, columns: Sequence[Row], sha256: str, part: Part) -> int:
    """Add a part to an upload; the number of the part's first row. Its rows are written in the same transaction.

    `sha256`: of the upload with this part.
    """
    row = connection.execute(
        """
        with before as (
          select u.client_id, u.row_count from uploads u where u.id = %(upload)s
        ), grown as (
          update uploads set columns = %(columns)s, sha256 = %(sha256)s, size_bytes = size_bytes + %(size)s,
                 row_count = row_count + %(rows)s, rejected_count = rejected_count + %(rejected)s
          where id = %(upload)s
        )
        insert into upload_parts (client_id, upload_id, number, first_row, rows, sha256, size_bytes)
        select b.client_id, %(upload)s,
               (select coalesce(max(p.number), 0) + 1 from upload_parts p where p.upload_id = %(upload)s),
               b.row_count + 1, %(rows)s, %(part)s, %(size)s
        from before b
        returning first_row
        """,
        {
            "upload": upload_id,
            "columns": Jsonb(list(columns)),
            "sha256": sha256,
            "size": part.size,
            "rows": part.rows,
            "rejected": part.rejected,
            "part": part.sha256,
        },
    ).fetchone()
    assert row is not None  # noqa: S101
    return int(row["first_row"])


def keep_rows(connection: Connection, upload_id: int, batch_id: int, from_row: int) -> dict[int, int]:
    """Keep the cells of the items from a row on, as they came; row number -> item id."""
    rows = connection.execute(
        """
        insert into upload_rows (upload_id, row_number, client_id, item_id, cells)
        select %s, i.row_number, i.client_id, i.id, i.original_data from batch_items i
        where i.batch_id = %s and i.row_number >= %s
        returning row_number, item_id
        """,
        (upload_id, batch_id, from_row),
    ).fetchall()
    return {row["row_number"]: row["item_id"] for row in rows}


# one row: by its key
def wants_a_run(connection: Connection, batch_id: int) -> None:
    """A batch that got rows is not finished any more, and wants attention now."""
    connection.execute(
        "update batches set items_created_at = coalesce(items_created_at, now()), finished_at = null, "
        "resume_at = clock_timestamp() where id = %s",
        (batch_id,),
    )


def rows_of(connection: Connection, upload_id: int) -> Iterator[list[Row]]:
    """The kept rows of an upload in their order, some thousands at a time: row_number, cells."""
    after = 0
    while True:
        rows = connection.execute(
            "select row_number, cells from upload_rows where upload_id = %s and row_number > %s "
            f"order by row_number limit {_CHUNK}",
            (upload_id, after),
        ).fetchall()
        if not rows:
            return
        yield rows
        after = rows[-1]["row_number"]
