"""The statements on `pulled_pages`: the newest answer to each question, kept before it is read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Page:
    """An answer as it came. `is_read`: its rows are in their table."""

    id: int
    body: bytes
    fetched_at: datetime
    is_read: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """Which question of which fetch: `request` is its path and query, in one spelling, without any key."""

    client_id: int
    pull: str
    sync_id: int
    stream: str
    request: str

    @property
    def hash(self) -> bytes:
        """By which it is found."""
        return hashlib.sha256(self.request.encode()).digest()


# one row: by its key
def kept(connection: Connection, asked: Asked) -> Page | None:
    """The answer that this fetch has to the question already, if it has one."""
    with connection.cursor(row_factory=class_row(Page)) as cursor:
        return cursor.execute(
            """
            select id, body, fetched_at, read_at is not null as is_read from pulled_pages
            where client_id = %s and pull = %s and request_hash = %s and sync_id = %s and body is not null
            """,
            (asked.client_id, asked.pull, asked.hash, asked.sync_id),
        ).fetchone()


# one row: by its key
# crash point: pulled-page-is-kept
def keep(connection: Connection, asked: Asked, status: int, body: bytes) -> Page:
    """Keep an answer in place of an earlier one to the same question. The caller commits before anybody reads it."""
    with connection.cursor(row_factory=class_row(Page)) as cursor:
        page = cursor.execute(
            """
            insert into pulled_pages (client_id, pull, stream, request, request_hash, sync_id, status, body, body_bytes)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            on conflict (client_id, pull, request_hash) do update set stream = excluded.stream,
                request = excluded.request, sync_id = excluded.sync_id, status = excluded.status, body = excluded.body,
                body_bytes = excluded.body_bytes, fetched_at = excluded.fetched_at, read_at = null
            returning id, body, fetched_at, false as is_read
            """,
            (
                asked.client_id,
                asked.pull,
                asked.stream,
                asked.request,
                asked.hash,
                asked.sync_id,
                status,
                body,
                len(body),
            ),
        ).fetchone()
    assert page is not None  # noqa: S101 - an insert returns its row
    return page


# one row: by its key
def note_read(connection: Connection, asked: Asked, page: Page) -> None:
    """Note that the rows of an answer are in their table; one that was replaced meanwhile is not meant."""
    connection.execute(
        "update pulled_pages set read_at = clock_timestamp() where id = %s and sync_id = %s", (page.id, asked.sync_id)
    )
