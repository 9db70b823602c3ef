"""Queries on `sources` and `source_rows`: which tables are looked at, and which of their rows were taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from enrichment_assets.domain.sources import RowEnd, TableSource
from enrichment_assets.store.database import Connection
from enrichment_assets.store.sources.jobs import FATES

ENDED_AT_ONCE = 10_000
"""Rows that are written back together at most."""


@dataclass(frozen=True, slots=True)
class Source:
    """A table source as it stands.

    Attributes:
        id: Its number.
        name: By which it is known.
        client_id: Whose rows they are.
        client: That client's slug.
        pipeline: What the rows go through.
        definition: The table, and how its rows are chosen, read and written back.
        created_at: Since when there is the source.
        paused_at: Since when no rows are taken; None: they are.
        next_look_at: When it is looked at next.
        looked_at: When it was looked at last, to the end; None: it was not.
        problem: Why the last look could not be finished; None: it could.
        under_way: Rows that were taken and have not ended.
        ended: How many rows ended how.
    """

    id: int
    name: str
    client_id: int
    client: str
    pipeline: str
    definition: TableSource
    created_at: datetime
    paused_at: datetime | None
    next_look_at: datetime
    looked_at: datetime | None
    problem: str | None
    under_way: int
    ended: Mapping[str, int]


_SOURCES = """
    select s.id, s.name, s.client_id, c.slug as client, s.pipeline_slug as pipeline, s.definition, s.created_at,
           s.paused_at, s.next_look_at, s.looked_at, s.problem,
           (select count(*) from source_rows r where r.source_id = s.id and r.ended_at is null) as under_way,
           (select coalesce(jsonb_object_agg(n.ended, n.rows), '{}')
            from (select r.ended, count(*) as rows from source_rows r
                  where r.source_id = s.id and r.ended is not null group by r.ended) n) as ended
    from sources s join clients c on c.id = s.client_id
"""


def list_sources(connection: Connection, client: str | None = None) -> list[Source]:
    """All sources by name, of one client or of all."""
    query = f"{_SOURCES} where (%(client)s::text is null or c.slug = %(client)s) order by s.name"
    return [_source(row) for row in connection.execute(query, {"client": client}).fetchall()]


def find_source(connection: Connection, name: str) -> Source | None:
    """One source by its name."""
    row = connection.execute(f"{_SOURCES} where s.name = %s", (name,)).fetchone()
    return None if row is None else _source(row)


def _source(row: dict[str, Any]) -> Source:
    return Source(**{**row, "definition": TableSource.of(row["definition"])})


def insert_source(connection: Connection, name: str, client_id: int, pipeline: str, definition: TableSource) -> bool:
    """Add a source; False: there is one of that name."""
    return (
        connection.execute(
            "insert into sources (name, client_id, pipeline_slug, definition) values (%s, %s, %s, %s) "
            "on conflict (name) do nothing",
            (name, client_id, pipeline, Jsonb(definition.kept())),
        ).rowcount
        == 1
    )


def set_paused(connection: Connection, source_id: int, *, paused: bool) -> None:
    """Take no more rows, or take them again from now on."""
    connection.execute(
        "update sources set paused_at = case when %s then coalesce(paused_at, clock_timestamp()) end, "
        "next_look_at = clock_timestamp() where id = %s",
        (paused, source_id),
    )


def delete_source(connection: Connection, source_id: int) -> None:
    """Forget a source and which rows it took."""
    connection.execute("delete from sources where id = %s", (source_id,))


@dataclass(frozen=True, slots=True)
class Due:
    """Which sources are to be looked at now, the longest waiting first; `any`: whether there is one at all."""

    names: Sequence[str]
    any: bool


def due_sources(connection: Connection, woken: Sequence[str]) -> Due:
    """Which sources' time has come, or of which word came.

    A paused one is looked at as long as rows of it are under way: they are written back.
    """
    rows = connection.execute(
        """
        select s.name, (s.next_look_at <= clock_timestamp() or s.name = any(%s::text[])) and (
                 s.paused_at is null
                 or exists (select from source_rows r where r.source_id = s.id and r.ended_at is null)) as is_due
        from sources s order by s.next_look_at
        """,
        (list(woken),),
    ).fetchall()
    return Due([row["name"] for row in rows if row["is_due"]], bool(rows))


def lock_look(connection: Connection, source_id: int) -> bool:
    """Be the only one who looks at this source until the transaction ends. False: somebody else does."""
    row = connection.execute(
        "select pg_try_advisory_xact_lock(hashtextextended('look at source ' || %s::text, 0)) as mine", (source_id,)
    ).fetchone()
    return bool(row and row["mine"])


def note_look(connection: Connection, source_id: int, every: float, problem: str | None, *, done: bool) -> None:
    """Say that a source was looked at, and when it is looked at next; `done`: to the end of this look."""
    connection.execute(
        """
        update sources set next_look_at = clock_timestamp() + make_interval(secs => %s), problem = %s,
               looked_at = case when %s then clock_timestamp() else looked_at end
        where id = %s
        """,
        (every, problem, done, source_id),
    )


def taken_keys(connection: Connection, source_id: int) -> list[str]:
    """Keys of the rows that were taken and have not ended."""
    rows = connection.execute(
        "select row_key from source_rows where source_id = %s and ended_at is null and row_key is not null",
        (source_id,),
    ).fetchall()
    return [row["row_key"] for row in rows]


# crash point: table-rows-are-claimed
def claim_rows(
    connection: Connection,
    source_id: int,
    client_id: int,
    batch: int,
    claims: Sequence[tuple[str, int | None, str | None]],
) -> None:
    """Note that rows were taken: key, item, and, where it was rejected, why. The caller commits.

    Raises `psycopg.errors.UniqueViolation` where one of them is taken and has not ended.
    """
    connection.execute(
        """
        insert into source_rows (client_id, source_id, row_key, batch_id, item_id, reason)
        select %s, %s, t.key, %s, t.item, t.reason
        from unnest(%s::text[], %s::bigint[], %s::text[]) as t(key, item, reason)
        """,
        (client_id, source_id, batch, *map(list, zip(*claims, strict=True))),
    )


@dataclass(frozen=True, slots=True)
class Ending:
    """A row that was taken and is through: its key (None: erased), its token, whether it failed and why."""

    id: int
    key: str | None
    token: UUID
    failed: bool
    reason: str | None


_RESTING = """
select b.id from batches b
where b.id in (select r.batch_id from source_rows r where r.source_id = %s and r.ended_at is null)
  and (jsonb_typeof(b.blueprint -> 'families') = 'object' or b.retired_at is not null
       or b.extracted_at >= b.finished_at)
"""
"""Batches of which rows may be through: their tables are made, or they write those of each family by itself."""

_ENDINGS = f"""
with recursive plans as materialized (
  select b.id as batch_id, b.blueprint -> 'families' ->> 'of' as families,
         array(select e -> 'workflow' ->> 'slug' from jsonb_array_elements(b.blueprint -> 'steps') e
               where jsonb_typeof(e -> 'workflow' -> 'destination') = 'object') as storing
  from batches b where b.id = any(%(batches)s::bigint[])
), claims as materialized (
  select r.id, r.row_key, r.token, r.item_id, r.batch_id, r.reason from source_rows r
  where r.source_id = %(source)s and r.ended_at is null
    and (r.item_id is null or r.batch_id = any(%(batches)s::bigint[]))
), members as materialized (
  select i.id, i.parent_item_id, i.batch_id, i.company_key from batch_items i
  where i.batch_id = any(%(batches)s::bigint[])
), tree as (
  select c.item_id as root, c.item_id from claims c where c.item_id is not null
  union all
  select t.root, m.id from tree t join members m on m.parent_item_id = t.item_id
), {FATES}, stored as materialized (
  select t.root as item_id, bool_and(s.stored_at is not null) as is_stored
  from tree t join workflow_states s on s.item_id = t.item_id and s.batch_id = any(%(batches)s::bigint[])
  join plans p on p.batch_id = s.batch_id
  where s.status = 'COMPLETED' and s.outcome = 'found' and s.workflow_slug = any(p.storing)
  group by t.root
), families as materialized (
  select c.item_id, y.status, y.workflow_slug, y.reason, y.ended_at, y.written_at, y.problem
  from claims c join plans p on p.batch_id = c.batch_id and p.families is not null
  join members m on m.id = c.item_id
  left join (
    select batch_id, company_key, min(id) as item_id from members
    where parent_item_id is null and company_key is not null group by batch_id, company_key
  ) o on p.families = 'company' and o.batch_id = m.batch_id and o.company_key = m.company_key
  join item_families y on y.item_id = coalesce(o.item_id, m.id) and y.batch_id = any(%(batches)s::bigint[])
)
select c.id, c.row_key as key, c.token,
       c.item_id is null or coalesce(y.status <> 'enriched', f.failure is not null) as failed,
       case when c.item_id is null then c.reason when y.item_id is null then f.failure
            when y.status <> 'enriched' then concat_ws(': ', y.workflow_slug, y.reason) end as reason
from claims c
left join plans p on p.batch_id = c.batch_id
left join fates f on f.item_id = c.item_id
left join stored d on d.item_id = c.item_id
left join families y on y.item_id = c.item_id
where c.item_id is null
   or f.open = 0 and not f.ambiguous and coalesce(d.is_stored, true)
      and (p.families is null or y.written_at is not null and y.problem is null and y.ended_at >= f.moved_at)
order by c.id limit {ENDED_AT_ONCE}
"""


def endings(connection: Connection, source_id: int) -> list[Ending]:
    """Rows that are through, with what their tables are told.

    All of their steps have settled, none with a call of unknown fate, and their results have reached their
    destinations: the tables of their family where the pipeline has families, else the published tables of their batch.
    """
    batches = [row["id"] for row in connection.execute(_RESTING, (source_id,)).fetchall()]
    # Of a batch that is being filled Postgres knows little, and would read it once for each row.
    connection.execute("set local enable_nestloop = off")
    rows = connection.execute(_ENDINGS, {"source": source_id, "batches": batches}).fetchall()
    connection.execute("set local enable_nestloop = on")
    return [Ending(**row) for row in rows]


def held_back(connection: Connection, source_id: int) -> tuple[int, str] | None:
    """How many rows have ended and wait for tables of their family that cannot be written, and why; None: none do."""
    row = connection.execute(
        """
        select count(*) as rows, y.problem from source_rows r
        join item_families y on y.item_id = r.item_id and y.batch_id = r.batch_id
        where r.source_id = %s and r.ended_at is null and y.problem is not null
        group by y.problem order by 1 desc limit 1
        """,
        (source_id,),
    ).fetchone()
    return None if row is None else (row["rows"], row["problem"])


# crash point: table-rows-are-ended
def end_rows(connection: Connection, ended: Sequence[tuple[int, RowEnd, str | None]]) -> None:
    """Note how rows ended, by their numbers, and why those that failed did. The caller commits."""
    connection.execute(
        """
        update source_rows r set ended_at = clock_timestamp(), ended = t.ended, reason = t.reason
        from unnest(%s::bigint[], %s::text[], %s::text[]) as t(id, ended, reason)
        where r.id = t.id and r.ended_at is null
        """,
        (
            [one for one, _, _ in ended],
            [end.value for _, end, _ in ended],
            [reason for _, _, reason in ended],
        ),
    )


def rows_under_way(connection: Connection, source_id: int, limit: int) -> list[dict[str, Any]]:
    """Rows that were taken and have not ended, the oldest first: key, item, batch, claimed_at."""
    return connection.execute(
        """
        select r.row_key as key, r.item_id, b.batch_key, r.claimed_at
        from source_rows r join batches b on b.id = r.batch_id
        where r.source_id = %s and r.ended_at is null order by r.id limit %s
        """,
        (source_id, limit),
    ).fetchall()
