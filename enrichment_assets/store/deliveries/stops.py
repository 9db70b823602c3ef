"""The statements on `delivery_stops`: to whom nothing more is sent, and until when.

A stop is about a person (by the hash of an address, a profile or a name at a company, as suppressions are), or about
one delivery. Only what contacts people heeds it (`gate: contact`); a CRM goes on being told of whoever has answered.
Who writes a stop holds the lock of suppressions (`store.suppressions.lock_state`), and whoever intends to send lets
them stand still (`stand_still`): a stop comes before an intent, or after it, and never in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from enrichment_assets.domain.identity_hashes import HASH_BYTES
from enrichment_assets.store.database import Connection

STANDS = "(t.lifted_at is null and (t.until is null or t.until > clock_timestamp()))"
"""Condition on a stop `t`."""

STOPPED_BY = f"""
    select t.id, t.reason, t.until from (
      select t.* from generate_series(1, length(a.who), {HASH_BYTES}) as at
      join delivery_stops t on t.client_id = %(client)s and t.hash = substring(a.who from at for {HASH_BYTES})
      where {STANDS}
      union all
      select t.* from delivery_stops t where t.delivery_id = a.delivery_id and {STANDS}
    ) t order by t.until desc nulls first, t.id limit 1
"""
"""The stop that counts for one of the hashes in `a.who` (one behind the other) or for the delivery `a.delivery_id`.

Of several the one that lasts longest; of the client of the parameter `client`. No row: nothing stops it.
"""


@dataclass(frozen=True, slots=True)
class NewStop:
    """A stop to be written: of a person (`hash`, 32 bytes) or of one delivery."""

    reason: str
    hash: bytes | None = None
    delivery_id: int | None = None
    until: datetime | None = None
    event_id: int | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop as it is shown. `until`: None where it stands until somebody lifts it."""

    id: int
    client: str
    of_person: bool
    delivery_id: int | None
    reason: str
    actor: str
    event_id: int | None
    stopped_at: datetime
    until: datetime | None
    lifted_at: datetime | None


# crash point: stops-are-written
def add(connection: Connection, client_id: int, actor: str, stops: Sequence[NewStop], *, mark: bytes) -> int:
    """Write stops; one that is there and lasts as long is not written again. How many are new. The caller commits.

    `mark`: of the pepper that people were hashed with. It is kept: a process with another one knows nobody of them.
    """
    if not stops:
        return 0
    if any(stop.hash is not None for stop in stops):
        connection.execute("update suppression_state set mark = coalesce(mark, %s) where id = 1", (mark,))
    return connection.execute(
        f"""
        with given as (
          select * from unnest(%(hashes)b::bytea[], %(deliveries)b::bigint[], %(reasons)b::text[],
                               %(untils)b::timestamptz[], %(events)b::bigint[])
            as g(hash, delivery_id, reason, until, event_id)
        ), longest as (
          select distinct on (hash, delivery_id) * from given
          order by hash, delivery_id, until desc nulls first, event_id
        )
        insert into delivery_stops (client_id, hash, delivery_id, reason, actor, event_id, until)
        select %(client)s, g.hash, g.delivery_id, g.reason, %(actor)s, g.event_id, g.until from longest g
        where not exists (
          select from delivery_stops t
          where t.client_id = %(client)s and {STANDS}
            and (t.hash = g.hash or t.delivery_id = g.delivery_id) and (t.until is null or t.until >= g.until))
        """,
        {
            "client": client_id,
            "actor": actor,
            "hashes": [stop.hash for stop in stops],
            "deliveries": [stop.delivery_id for stop in stops],
            "reasons": [stop.reason for stop in stops],
            "untils": [stop.until for stop in stops],
            "events": [stop.event_id for stop in stops],
        },
    ).rowcount


def lift(connection: Connection, client_id: int, hashes: Sequence[bytes], delivery_id: int | None = None) -> int:
    """Let go on what was stopped, of a person by their hashes or of one delivery; how many. The caller commits."""
    return connection.execute(
        """
        update delivery_stops set lifted_at = clock_timestamp()
        where client_id = %(client)s and lifted_at is null
          and (hash = any(%(hashes)s::bytea[]) or delivery_id = %(delivery)s::bigint)
        """,
        {"client": client_id, "hashes": list(hashes), "delivery": delivery_id},
    ).rowcount


def listed(connection: Connection, client_id: int | None, *, lifted: bool, limit: int) -> list[Stop]:
    """The newest stops of a client, or of all: those that stand, or also those that do not any more (`lifted`)."""
    with connection.cursor(row_factory=class_row(Stop)) as cursor:
        return cursor.execute(
            f"""
            select t.id, c.slug as client, t.hash is not null as of_person, t.delivery_id, t.reason, t.actor,
                   t.event_id, t.stopped_at, t.until, t.lifted_at
            from delivery_stops t join clients c on c.id = t.client_id
            where (%(client)s::bigint is null or t.client_id = %(client)s) and (%(lifted)s or {STANDS})
            order by t.id desc limit %(limit)s
            """,
            {"client": client_id, "lifted": lifted, "limit": limit},
        ).fetchall()


def stopped(
    connection: Connection, client_id: int, whos: Sequence[bytes], deliveries: Sequence[int | None]
) -> list[tuple[str, datetime | None] | None]:
    """For each row of hashes and delivery why nothing is sent, and until when (None: for good); None: it is sent."""
    rows = connection.execute(
        f"""
        select s.reason, s.until from unnest(%(whos)b::bytea[], %(deliveries)b::bigint[])
          with ordinality as a(who, delivery_id, ord)
        left join lateral ({STOPPED_BY}) s on true order by a.ord
        """,
        {"client": client_id, "whos": list(whos), "deliveries": list(deliveries)},
    ).fetchall()
    return [None if row["reason"] is None else (row["reason"], row["until"]) for row in rows]
