"""The statements on `suppressions`: hashes only. Every change makes the version grow, in its own transaction.

A run hashes whom it is about only where somebody is suppressed at all, and says with each intent by which version it
looked; the ledger refuses an intent of an older one (`store.calls.intents`). So the first suppression of an
installation counts for the run that is under way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment_assets.domain.identity_hashes import HASH_BYTES
from enrichment_assets.store.database import AsyncConnection, Connection

IN_FORCE = "(s.expires_at is null or s.expires_at > clock_timestamp())"
"""Condition on a suppression `s`."""


@dataclass(frozen=True, slots=True)
class State:
    """What a process has to know before it compares anybody.

    Attributes:
        version: Grows with every change.
        mark: Of the pepper that the hashes were made with; None: there are none.
        kinds: Kinds of which there are any in force.
        plain: Rows of an earlier version that are still to be hashed.
    """

    version: int
    mark: bytes | None
    kinds: frozenset[str]
    plain: int


_STATE = f"""
select t.version, t.mark,
       (select coalesce(array_agg(distinct s.kind), '{{}}') from suppressions s where {IN_FORCE}) as kinds,
       (select count(*) from suppressions s where s.value is not null) as plain
from suppression_state t where t.id = 1
"""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One suppression as it is shown; `client` is None where it is for every client."""

    id: int
    client: str | None
    kind: str
    sealed: bytes | None
    reason: str
    actor: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewSuppression:
    """A suppression to be written. `hash` is 32 bytes, `sealed` the value as its holder can read it; None: erased."""

    kind: str
    hash: bytes
    sealed: bytes | None


def state(connection: Connection) -> State:
    """Where suppressions stand."""
    return _read_state(connection.execute(_STATE).fetchone())


async def state_async(connection: AsyncConnection) -> State:
    """`state` for a run."""
    return _read_state(await (await connection.execute(_STATE)).fetchone())


def _read_state(row: dict[str, Any] | None) -> State:
    assert row is not None, "the migration made the row"  # noqa: S101
    mark = None if row["mark"] is None else bytes(row["mark"])
    return State(row["version"], mark, frozenset(row["kinds"]), row["plain"])


_CHANGE = "select pg_advisory_xact_lock(hashtextextended('suppressions', 0))"
_STAND_STILL = "select pg_advisory_xact_lock_shared(hashtextextended('suppressions', 0))"
"""Taken before any lock on a row. Who waits for it is served in turn: a lock on the row of `suppression_state` would be
passed by one run's intents after another's, as long as two of them overlap."""


def lock_state(connection: Connection) -> State:
    """`state`, locked: changes come one after another, and each before or after a transaction that writes intents."""
    connection.execute(_CHANGE)
    return state(connection)


async def stand_still(connection: AsyncConnection) -> None:
    """Let suppressions be as they are until the transaction ends: one that is committed meanwhile comes after it.

    A statement of its own, before those that read suppressions: they have to see what was waited for.
    """
    await connection.execute(_STAND_STILL, prepare=True)


# crash point: suppressions-are-written
def add(
    connection: Connection,
    rows: Sequence[NewSuppression],
    *,
    client_id: int | None,
    reason: str,
    actor: str,
    expires_at: datetime | None,
    mark: bytes,
) -> int:
    """Write suppressions; one that is there is prolonged, never shortened. Returns how many are new.

    The caller holds `lock_state`.
    """
    row = connection.execute(
        """
        with given as (
          select * from unnest(%(kinds)s::text[], %(hashes)s::bytea[], %(sealed)s::bytea[]) as g(kind, hash, sealed)
        ), written as (
          insert into suppressions as s (client_id, kind, hash, sealed, reason, actor, expires_at)
          select distinct on (hash) %(client)s::bigint, kind, hash, sealed, %(reason)s, %(actor)s,
                 %(expires)s::timestamptz
          from given
          on conflict (client_id, hash) do update
          set expires_at = case when s.expires_at is null or excluded.expires_at is null then null
                                else greatest(s.expires_at, excluded.expires_at) end
          returning xmax = 0 as is_new
        ), grown as (
          update suppression_state set version = version + 1, mark = %(mark)s where id = 1
        )
        select count(*) filter (where is_new) as new from written
        """,
        {
            "kinds": [row.kind for row in rows],
            "hashes": [row.hash for row in rows],
            "sealed": [row.sealed for row in rows],
            "client": client_id,
            "reason": reason,
            "actor": actor,
            "expires": expires_at,
            "mark": mark,
        },
    ).fetchone()
    return int(row["new"]) if row else 0


_SHOWN = """
    select s.id, c.slug as client, s.kind, s.sealed, s.reason, s.actor, s.created_at, s.expires_at
    from suppressions s left join clients c on c.id = s.client_id
"""


def naming(connection: Connection, hashes: Sequence[bytes], client_id: int | None) -> list[Suppression]:
    """The suppressions in force of these hashes that count for a client; None: for any."""
    rows = connection.execute(
        f"""
        {_SHOWN}
        where s.hash = any(%(hashes)s::bytea[]) and {IN_FORCE}
          and (%(client)s::bigint is null or s.client_id is null or s.client_id = %(client)s)
        order by s.id
        """,
        {"hashes": list(hashes), "client": client_id},
    ).fetchall()
    return [Suppression(**row) for row in rows]


def listed(connection: Connection, client_id: int | None, limit: int) -> list[Suppression]:
    """The newest suppressions: those that count for a client, or all."""
    rows = connection.execute(
        f"""
        {_SHOWN}
        where s.value is null and (%(client)s::bigint is null or s.client_id is null or s.client_id = %(client)s)
        order by s.id desc limit %(limit)s
        """,
        {"client": client_id, "limit": limit},
    ).fetchall()
    return [Suppression(**row) for row in rows]


def kinds_of(connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, str]:
    """Hash -> the kind of what it names."""
    rows = connection.execute("select hash, kind from suppressions where hash = any(%s::bytea[])", (list(hashes),))
    return {bytes(row["hash"]): row["kind"] for row in rows}


def unseal(connection: Connection, hashes: Sequence[bytes]) -> int:
    """Forget whom these hashes name: their values can be read by nobody any more. How many were sealed."""
    return connection.execute(
        "update suppressions set sealed = null, value = null where hash = any(%s::bytea[]) and sealed is not null",
        (list(hashes),),
    ).rowcount


def remove(connection: Connection, hashes: Sequence[bytes], client_id: int | None, *, everywhere: bool) -> int:
    """Delete suppressions of these hashes: of one client, of all clients alike (None), or `everywhere`.

    The caller holds `lock_state`. Returns how many there were.
    """
    row = connection.execute(
        """
        with gone as (
          delete from suppressions
          where hash = any(%(hashes)s::bytea[])
            and (%(everywhere)s or client_id is not distinct from %(client)s::bigint)
          returning 1
        ), grown as (
          update suppression_state t
          set version = version + 1,
              mark = case when (select count(*) from suppressions) > (select count(*) from gone)
                            or exists (select from delivery_stops x where x.hash is not null) then t.mark end
          where id = 1 and exists (select 1 from gone)
        )
        select count(*) as gone from gone
        """,
        {"hashes": list(hashes), "client": client_id, "everywhere": everywhere},
    ).fetchone()
    return int(row["gone"]) if row else 0


@dataclass(frozen=True, slots=True)
class Plain:
    """A suppression of an earlier version, as it was kept."""

    id: int
    kind: str
    value: str


def plain(connection: Connection, limit: int) -> list[Plain]:
    """Suppressions that are still to be hashed."""
    rows = connection.execute(
        "select id, kind, value from suppressions where value is not null order by id limit %s", (limit,)
    ).fetchall()
    return [Plain(**row) for row in rows]


def hash_plain(connection: Connection, hashed: Sequence[tuple[int, NewSuppression]], mark: bytes) -> None:
    """Put hashes in the place of plain values; the caller holds `lock_state`. What is one by now is one row."""
    connection.execute(
        """
        with given as (
          select * from unnest(%(ids)s::bigint[], %(kinds)s::text[], %(hashes)s::bytea[], %(sealed)s::bytea[])
            as g(id, kind, hash, sealed)
        ), doubled as (
          delete from suppressions s using given g
          where s.id = g.id and (
            exists (select 1 from suppressions x where x.hash = g.hash and x.client_id is not distinct from s.client_id)
            or exists (select 1 from given o join suppressions y on y.id = o.id
                       where o.hash = g.hash and o.id < g.id and y.client_id is not distinct from s.client_id))
          returning s.id
        ), hashed as (
          update suppressions s set kind = g.kind, hash = g.hash, sealed = g.sealed, value = null
          from given g where s.id = g.id and s.id not in (select id from doubled)
        )
        update suppression_state set version = version + 1, mark = %(mark)s where id = 1
        """,
        {
            "ids": [number for number, _ in hashed],
            "kinds": [row.kind for _, row in hashed],
            "hashes": [row.hash for _, row in hashed],
            "sealed": [row.sealed for _, row in hashed],
            "mark": mark,
        },
    )


SUPPRESSED_BY = f"""
    select s.reason
    from generate_series(1, length(a.who), {HASH_BYTES}) as at
    join suppressions s on s.hash = substring(a.who from at for {HASH_BYTES})
    where (s.client_id is null or s.client_id = %(client)s) and {IN_FORCE}
    order by s.id limit 1
"""
"""The reason of a suppression that one of the hashes in `a.who` names, for the client of the parameter `client`."""


_REASONS = f"""
    select ({SUPPRESSED_BY}) as reason
    from unnest(%(whos)b::bytea[]) with ordinality as a(who, ord) order by a.ord
"""


def reasons(connection: Connection, client_id: int, whos: Sequence[bytes]) -> list[str | None]:
    """`suppressed` for who has no event loop."""
    rows = connection.execute(_REASONS, {"client": client_id, "whos": list(whos)}).fetchall()
    return [row["reason"] for row in rows]


async def suppressed(connection: AsyncConnection, client_id: int, whos: Sequence[bytes]) -> list[str | None]:
    """For each row of hashes why whoever they name is suppressed; None: nobody is."""
    cursor = await connection.execute(_REASONS, {"client": client_id, "whos": list(whos)})
    return [row["reason"] for row in await cursor.fetchall()]


async def suppress_person(
    connection: AsyncConnection, client_id: int, rows: Sequence[NewSuppression], reason: str, actor: str, mark: bytes
) -> None:
    """Suppress whom a provider said may not be processed, for the client; what is there stays as it is."""
    async with connection.transaction():
        await connection.execute(_CHANGE)
        await connection.execute(
            """
            with given as (
              select * from unnest(%(kinds)s::text[], %(hashes)b::bytea[], %(sealed)b::bytea[]) as g(kind, hash, sealed)
            ), written as (
              insert into suppressions (client_id, kind, hash, sealed, reason, actor)
              select distinct on (hash) %(client)s, kind, hash, sealed, %(reason)s, %(actor)s from given
              on conflict (client_id, hash) do nothing returning 1
            )
            update suppression_state set version = version + 1, mark = %(mark)s
            where id = 1 and exists (select 1 from written)
            """,
            {
                "kinds": [row.kind for row in rows],
                "hashes": [row.hash for row in rows],
                "sealed": [row.sealed for row in rows],
                "client": client_id,
                "reason": reason,
                "actor": actor,
                "mark": mark,
            },
        )
