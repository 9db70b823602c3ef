"""The statements on `event_inbox`: bytes go in before they are acknowledged, and are read from here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row, tuple_row

from enrichment_assets.domain.statuses import EventInboxStatus
from enrichment_assets.store.database import AsyncConnection, Connection

MOST_READINGS = 5
"""Times that reading a message is begun: one that ends the process each time is dead then."""

POLLED = "x-enrich-polled"
"""Header of a message that we fetched ourselves: what was asked for. The receiver keeps none of this name."""


@dataclass(frozen=True, slots=True)
class IncomingEvents:
    """A message as the receiver read it; see `store.inbox.callbacks.IncomingCallback`."""

    token: str
    headers: str
    body: bytes
    body_sha256: bytes

    @property
    def fingerprint(self) -> bytes:
        """What a message that comes again is known by.

        Headers and bytes: one that a stranger sent without its signature is not the one that comes after it.
        """
        return hashlib.sha256(self.headers.encode() + b"\x00" + self.body_sha256).digest()


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is to be read."""

    id: int
    source_id: int
    headers: dict[str, str]
    body: bytes
    received_at: datetime
    readings: int


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One line of the inbox. `size` is in bytes; `error` says why a dead message is dead."""

    id: int
    status: EventInboxStatus
    received_at: datetime
    processed_at: datetime | None
    client: str
    source: str
    kind: str
    content_type: str | None
    size: int
    body_removed_at: datetime | None
    events: int
    error: str | None


# A token names one connection by its hash, by a unique index; ordered so that two writers cannot wait in a circle.
_STORE = """
with known as (
  select g.ord, s.id as source_id, s.client_id, g.headers::jsonb as headers, g.body, g.body_sha256, g.fingerprint
  from unnest(%b::bytea[], %b::text[], %b::bytea[], %b::bytea[], %b::bytea[])
    with ordinality as g(token_sha256, headers, body, body_sha256, fingerprint, ord)
  join event_sources s on s.token_sha256 = g.token_sha256
), stored as (
  insert into event_inbox (client_id, source_id, content_type, headers, body, body_sha256, fingerprint)
  select client_id, source_id, headers ->> 'content-type', headers, body, body_sha256, fingerprint
  from known order by source_id, fingerprint
  on conflict (source_id, fingerprint) do nothing
  returning source_id, fingerprint
)
select k.ord, s.source_id is not null from known k
left join stored s on s.source_id = k.source_id and s.fingerprint = k.fingerprint
"""


# crash point: event-messages-are-stored
async def store_messages(connection: AsyncConnection, messages: Sequence[IncomingEvents]) -> list[bool | None]:
    """Store messages in one statement, which is committed: the connection is in autocommit.

    For each, in order: True: it is stored; False: it was there; None: its token names no connection.
    """
    columns = (
        [hashlib.sha256(one.token.encode()).digest() for one in messages],
        [one.headers for one in messages],
        [one.body for one in messages],
        [one.body_sha256 for one in messages],
        [one.fingerprint for one in messages],
    )
    async with connection.under_settings(), connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_STORE, columns)
        rows = await cursor.fetchall()
    found: list[bool | None] = [None] * len(messages)
    for ordinal, stored in rows:
        found[ordinal - 1] = stored
    return found


# crash point: polled-pages-are-kept
def keep_polled(
    connection: Connection, source_id: int, client_id: int, pages: Sequence[tuple[str, bytes]], content_type: str
) -> list[int]:
    """Keep what a connection answered, (what was asked, bytes) each, to be read; numbers of those that are new.

    The same answer to the same question says nothing new. The caller commits.
    """
    rows = connection.execute(
        """
        insert into event_inbox (client_id, source_id, content_type, headers, body, body_sha256, fingerprint)
        select %(client)s, %(source)s, %(type)s::text, jsonb_build_object(%(polled)s::text, g.asked), g.body,
               sha256(g.body), sha256(convert_to(g.asked, 'UTF8') || sha256(g.body))
        from unnest(%(asked)b::text[], %(bodies)b::bytea[]) with ordinality as g(asked, body, ord)
        order by g.ord
        on conflict (source_id, fingerprint) do nothing returning id
        """,
        {
            "client": client_id,
            "source": source_id,
            "type": content_type,
            "polled": POLLED,
            "asked": [asked for asked, _ in pages],
            "bodies": [body for _, body in pages],
        },
    ).fetchall()
    return [row["id"] for row in rows]


# crash point: event-readings-are-counted
def begin(connection: Connection, limit: int, source_id: int | None = None) -> list[Message]:
    """The messages that wait longest, of all connections that are not paused or of one; reading them is begun.

    The caller commits before reading: a message that ends the process counts as begun.
    """
    with connection.cursor(row_factory=class_row(Message)) as cursor:
        return sorted(
            cursor.execute(
                """
                with next as (
                  select i.id from event_inbox i join event_sources s on s.id = i.source_id
                  where i.status = 'new' and s.paused_at is null and (%(source)s::bigint is null or s.id = %(source)s)
                  order by i.id limit %(limit)s for update of i skip locked
                )
                update event_inbox i set readings = i.readings + 1 from next n where i.id = n.id
                returning i.id, i.source_id, i.headers, coalesce(i.body, ''::bytea) as body, i.received_at, i.readings
                """,
                {"limit": limit, "source": source_id},
            ).fetchall(),
            key=lambda message: message.id,
        )


def put_back(connection: Connection, ids: Sequence[int]) -> None:
    """Messages that were not looked at are as they were. The caller commits."""
    connection.execute(
        "update event_inbox set readings = greatest(readings - 1, 0) where id = any(%s::bigint[]) and status = 'new'",
        (list(ids),),
    )


def mark(connection: Connection, ends: Sequence[tuple[int, str | None]]) -> None:
    """(number, why it is dead or None: it is read) each. The caller commits."""
    connection.execute(
        """
        update event_inbox i
        set status = case when g.error is null then 'read' else 'dead' end, error = g.error,
            processed_at = clock_timestamp()
        from unnest(%s::bigint[], %s::text[]) as g(id, error) where i.id = g.id
        """,
        ([number for number, _ in ends], [error for _, error in ends]),
    )


_ROWS = """
select i.id, i.status, i.received_at, i.processed_at, c.slug as client, s.name as source, s.kind, i.content_type,
       coalesce(octet_length(i.body), i.body_bytes, 0) as size, i.body_removed_at,
       (select count(*) from delivery_events e where e.client_id = i.client_id and e.inbox_id = i.id) as events, i.error
from event_inbox i join event_sources s on s.id = i.source_id join clients c on c.id = i.client_id
"""


def listed(
    connection: Connection, *, status: str | None, source: str | None, client_id: int | None, limit: int
) -> list[MessageRow]:
    """The newest messages first, filtered by whatever is given."""
    with connection.cursor(row_factory=class_row(MessageRow)) as cursor:
        return cursor.execute(
            f"""
            {_ROWS}
            where (%(status)s::text is null or i.status = %(status)s)
              and (%(source)s::text is null or s.name = %(source)s)
              and (%(client)s::bigint is null or i.client_id = %(client)s)
            order by i.id desc limit %(limit)s
            """,
            {"status": status, "source": source, "client": client_id, "limit": limit},
        ).fetchall()


def shown(connection: Connection, inbox_id: int) -> tuple[MessageRow, dict[str, str], bytes] | None:
    """One message with headers and bytes; None: there is none."""
    with connection.cursor(row_factory=class_row(MessageRow)) as cursor:
        row = cursor.execute(f"{_ROWS} where i.id = %s", (inbox_id,)).fetchone()
    if row is None:
        return None
    kept = connection.execute("select headers, body from event_inbox where id = %s", (inbox_id,)).fetchone()
    return (row, {}, b"") if kept is None else (row, kept["headers"], bytes(kept["body"] or b""))


def reopen(connection: Connection, *, inbox_id: int | None, source_id: int | None, dead_only: bool) -> list[int]:
    """Have messages read again, one or those of a connection, whose bytes are there; their numbers."""
    rows = connection.execute(
        """
        update event_inbox set status = 'new', error = null, processed_at = null, readings = 0
        where status <> 'new' and body is not null and (not %(dead)s or status = 'dead')
          and (id = %(id)s::bigint or source_id = %(source)s::bigint)
        returning id
        """,
        {"id": inbox_id, "source": source_id, "dead": dead_only},
    ).fetchall()
    return sorted(row["id"] for row in rows)
