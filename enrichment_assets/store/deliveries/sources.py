"""The statements on `event_sources`: by which connections events of a client come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection by which events come.

    Attributes:
        id: Its number.
        client_id: Whose it is.
        client: Slug of the client.
        name: By which it is known.
        kind: Who reads it.
        has_address: Whether anything is posted to it.
        secret_variable: NAME of the variable by which it is signed, or asked.
        settings: As its kind understands them.
        cursor: How far it was asked.
        poll_seconds: How often it is asked; None: it is not.
        created_at: Since when.
        paused_at: Since when nothing of it is read and it is not asked.
        asked_at: When it was asked last.
        failed_at: When it could not be asked or read; None: it could.
        error: Why.
        unread: Messages that are to be read.
        dead: Messages that could not be read.
        events: Events that came by it.
        event_at: When the last one came.
    """

    id: int
    client_id: int
    client: str
    name: str
    kind: str
    has_address: bool
    secret_variable: str | None
    settings: dict[str, Any]
    cursor: dict[str, Any] | None
    poll_seconds: int | None
    created_at: datetime
    paused_at: datetime | None
    asked_at: datetime | None
    failed_at: datetime | None
    error: str | None
    unread: int
    dead: int
    events: int
    event_at: datetime | None


_COLUMNS = """s.id, s.client_id, c.slug as client, s.name, s.kind, s.token_sha256 is not null as has_address,
    s.secret_variable, s.settings, s.cursor, s.poll_seconds, s.created_at, s.paused_at, s.asked_at, s.failed_at,
    s.error"""

_COUNTED = f"""
    select {_COLUMNS}, coalesce(i.unread, 0) as unread, coalesce(i.dead, 0) as dead, coalesce(e.events, 0) as events,
           e.event_at
    from event_sources s join clients c on c.id = s.client_id
    left join (
      select source_id, count(*) filter (where status = 'new') as unread,
             count(*) filter (where status = 'dead') as dead
      from event_inbox where status in ('new', 'dead') group by source_id) i on i.source_id = s.id
    left join lateral (
      select count(*) as events, max(taken_at) as event_at from delivery_events e
      where e.client_id = s.client_id and e.source = s.name) e on true
"""

_ALONE = f"""
    select {_COLUMNS}, 0 as unread, 0 as dead, 0 as events, null::timestamptz as event_at
    from event_sources s join clients c on c.id = s.client_id
"""


def add(
    connection: Connection,
    client_id: int,
    name: str,
    kind: str,
    token_sha256: bytes | None,
    secret_variable: str | None,
    settings: Mapping[str, Any],
    poll_seconds: int | None,
) -> bool:
    """Add a connection; False: the name is taken. The caller commits."""
    row = connection.execute(
        """
        insert into event_sources (client_id, name, kind, token_sha256, secret_variable, settings, poll_seconds)
        values (%s, %s, %s, %s, %s, %s, %s) on conflict (name) do nothing returning id
        """,
        (client_id, name, kind, token_sha256, secret_variable, Jsonb(dict(settings)), poll_seconds),
    ).fetchone()
    return row is not None


def listed(connection: Connection, client_id: int | None = None, kind: str | None = None) -> list[Connected]:
    """Connections by name: all, a client's, those of a kind; with what came by them."""
    with connection.cursor(row_factory=class_row(Connected)) as cursor:
        return cursor.execute(
            f"""{_COUNTED} where (%(client)s::bigint is null or s.client_id = %(client)s)
                  and (%(kind)s::text is null or s.kind = %(kind)s) order by s.name""",
            {"client": client_id, "kind": kind},
        ).fetchall()


def find(connection: Connection, name: str, *, lock: bool = False) -> Connected | None:
    """One connection, without what came by it; None: there is none of that name."""
    with connection.cursor(row_factory=class_row(Connected)) as cursor:
        end = " for update of s" if lock else ""
        return cursor.execute(f"{_ALONE} where s.name = %s{end}", (name,)).fetchone()


def by_id(connection: Connection, ids: list[int]) -> dict[int, Connected]:
    """Connections by number, without what came by them."""
    with connection.cursor(row_factory=class_row(Connected)) as cursor:
        found = cursor.execute(f"{_ALONE} where s.id = any(%s::bigint[])", (ids,)).fetchall()
    return {one.id: one for one in found}


def set_token(connection: Connection, source_id: int, token_sha256: bytes) -> None:
    """Give it another address; the one before is nobody's any more. The caller commits."""
    connection.execute("update event_sources set token_sha256 = %s where id = %s", (token_sha256, source_id))


def set_setting(connection: Connection, source_id: int, name: str, value: str) -> None:
    """Note a setting that was learned of its service, as the number of a webhook. The caller commits."""
    connection.execute(
        "update event_sources set settings = settings || jsonb_build_object(%s::text, %s::text) where id = %s",
        (name, value, source_id),
    )


def set_paused(connection: Connection, source_id: int, *, paused: bool) -> None:
    """Pause it, or go on with it. What comes is kept either way. The caller commits."""
    connection.execute(
        "update event_sources set paused_at = case when %s then clock_timestamp() end where id = %s",
        (paused, source_id),
    )


def note_asked(connection: Connection, source_id: int, cursor: Mapping[str, Any] | None, error: str | None) -> None:
    """Note that it was asked, how far (None: as far as before), and why that failed (None: it did not)."""
    connection.execute(
        """
        update event_sources
        set asked_at = clock_timestamp(), cursor = coalesce(%(cursor)s, cursor), error = %(error)s,
            failed_at = case when %(error)s::text is not null then clock_timestamp() end
        where id = %(id)s
        """,
        {"id": source_id, "cursor": None if cursor is None else Jsonb(dict(cursor)), "error": error},
    )


def note_trouble(connection: Connection, source_id: int, error: str | None) -> None:
    """Note why what came by it cannot be read now; None: it can. The caller commits."""
    connection.execute(
        """
        update event_sources
        set error = %(error)s, failed_at = case when %(error)s::text is not null then clock_timestamp() end
        where id = %(id)s and error is distinct from %(error)s
        """,
        {"id": source_id, "error": error},
    )


def remove(connection: Connection, source_id: int) -> None:
    """Forget a connection and its messages; its events stay. The caller commits."""
    connection.execute("delete from event_inbox where source_id = %s", (source_id,))
    connection.execute("delete from event_sources where id = %s", (source_id,))


def due(connection: Connection) -> list[Connected]:
    """Connections that are to be asked now, the one that has waited longest first."""
    with connection.cursor(row_factory=class_row(Connected)) as cursor:
        return cursor.execute(f"{_ALONE} where {_DUE} order by s.asked_at nulls first, s.id").fetchall()


_DUE = """s.poll_seconds is not null and s.paused_at is null and c.archived_at is null
    and (s.asked_at is null or s.asked_at <= clock_timestamp() - make_interval(secs => s.poll_seconds))"""


def work(connection: Connection) -> tuple[bool, bool]:
    """Whether anything is to be read, and whether anybody is to be asked."""
    row = connection.execute(
        f"""
        select exists (
                 select from event_sources s join event_inbox i on i.source_id = s.id and i.status = 'new'
                 where s.paused_at is null) as unread,
               exists (select from event_sources s join clients c on c.id = s.client_id where {_DUE}) as due
        """
    ).fetchone()
    return (False, False) if row is None else (row["unread"], row["due"])
