"""The statements on `pulls` and `pull_syncs`: who is connected, and how far a fetch has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from enrichment_assets.store.database import Connection

RESUMED_MINUTES = 60
"""A fetch that was broken off is gone on with for so long; its first answers would be too old for the others."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A client whose figures are fetched.

    Attributes:
        client_id: Its number.
        client: Its slug.
        pull: Slug of the pull.
        secret_variable: NAME of the variable with the key.
        connected_at: Since when.
        synced_at: When a fetch was last finished; None: never.
        synced_day: The newest day that was fetched; None: none was.
        failed_at: When the last fetch was broken off; None: it was not.
        error: Why.
    """

    client_id: int
    client: str
    pull: str
    secret_variable: str
    connected_at: datetime
    synced_at: datetime | None
    synced_day: date | None
    failed_at: datetime | None
    error: str | None


_CONNECTED = """
    select p.client_id, c.slug as client, p.pull, p.secret_variable, p.connected_at,
        done.finished_at as synced_at, done.last_day as synced_day, last.failed_at, last.error
    from pulls p join clients c on c.id = p.client_id
    left join lateral (
        select max(s.finished_at) as finished_at,
            max(s.last_day) filter (where s.streams @> %(days)s::text[]) as last_day
        from pull_syncs s
        where s.client_id = p.client_id and s.pull = p.pull and s.source = 'api' and s.finished_at is not null) done
      on true
    left join lateral (
        select s.failed_at, s.error from pull_syncs s where s.client_id = p.client_id and s.pull = p.pull
        order by s.id desc limit 1) last on true
    where p.pull = %(pull)s and c.archived_at is null
      and (%(client)s::text is null or c.slug = %(client)s) order by c.slug
"""


def connected(
    connection: Connection, pull: str, day_streams: Sequence[str], client: str | None = None
) -> list[Connected]:
    """The clients whose figures are fetched, or that one if it is, by slug. Archived clients are none.

    `day_streams`: the streams that are about days; a fetch without them says nothing of how far the days are.
    """
    with connection.cursor(row_factory=class_row(Connected)) as cursor:
        asked = {"pull": pull, "days": list(day_streams), "client": client}
        return cursor.execute(_CONNECTED, asked).fetchall()


def connect_client(connection: Connection, client_id: int, pull: str, secret_variable: str) -> str | None:
    """Fetch a client's figures with this key from now on; the variable before, None: there was none."""
    before = connection.execute(
        "select secret_variable from pulls where client_id = %s and pull = %s for update", (client_id, pull)
    ).fetchone()
    connection.execute(
        """
        insert into pulls (client_id, pull, secret_variable) values (%s, %s, %s)
        on conflict (client_id, pull) do update set secret_variable = excluded.secret_variable
        """,
        (client_id, pull, secret_variable),
    )
    return None if before is None else str(before["secret_variable"])


def disconnect_client(connection: Connection, client_id: int, pull: str) -> str | None:
    """Fetch a client's figures no more, and forget the kept answers; the variable, None: it was not connected."""
    row = connection.execute(
        "delete from pulls where client_id = %s and pull = %s returning secret_variable", (client_id, pull)
    ).fetchone()
    for table in ("pulled_pages", "pull_syncs"):
        connection.execute(f"delete from {table} where client_id = %s and pull = %s", (client_id, pull))
    return None if row is None else str(row["secret_variable"])


def begin(
    connection: Connection, client_id: int, pull: str, source: str, streams: Sequence[str], first: date, last: date
) -> int:
    """The number of a fetch: of the same one that was begun within the hour and is not finished, or of a new one."""
    open_ = connection.execute(
        """
        select id from pull_syncs where client_id = %s and pull = %s and source = %s and streams = %s
          and first_day = %s and last_day = %s and finished_at is null
          and started_at > clock_timestamp() - make_interval(mins => %s)
        order by id desc limit 1
        """,
        (client_id, pull, source, list(streams), first, last, RESUMED_MINUTES),
    ).fetchone()
    if open_ is not None:
        connection.execute("update pull_syncs set failed_at = null, error = null where id = %s", (open_["id"],))
        return int(open_["id"])
    row = connection.execute(
        """
        insert into pull_syncs (client_id, pull, source, streams, first_day, last_day)
        values (%s, %s, %s, %s, %s, %s) returning id
        """,
        (client_id, pull, source, list(streams), first, last),
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return int(row["id"])


# one row: by its key
def finish(connection: Connection, sync_id: int, pages: int, rows: int) -> None:
    """Note that all of a fetch is in the tables."""
    connection.execute(
        "update pull_syncs set finished_at = clock_timestamp(), failed_at = null, error = null, pages = %s, rows = %s "
        "where id = %s",
        (pages, rows, sync_id),
    )


def fail(connection: Connection, sync_id: int, error: str) -> None:
    """Note why a fetch was broken off."""
    connection.execute(
        "update pull_syncs set failed_at = clock_timestamp(), error = %s where id = %s and finished_at is null",
        (error[:500], sync_id),
    )
