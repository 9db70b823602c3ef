"""Taking old runs and their events out of Dagster's storage, so that its pages still know what is latest.

These are Dagster's tables, in its own database: its interface deletes a run with all of its events or not at all, and
with them the latest materialisation of a partition. What stays of an old run: the materialisations that are the latest
of their asset and partition, and the evaluation of a check that is its latest; with them the run's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enrichment_assets.store.database import Connection

CHUNK = 200
"""Runs looked at in one transaction."""

_LATEST = """
  e.dagster_event_type = 'ASSET_MATERIALIZATION' and not exists (
    select 1 from event_logs n
    where n.asset_key = e.asset_key and n.dagster_event_type = 'ASSET_MATERIALIZATION'
      and n.partition is not distinct from e.partition and n.id > e.id)
  or e.id in (
    select x.evaluation_event_storage_id from asset_check_executions x
    where x.run_id = e.run_id and not exists (
      select 1 from asset_check_executions n
      where n.asset_key = x.asset_key and n.check_name = x.check_name and n.id > x.id))
"""

_OLD = """
select r.id, r.run_id from runs r
where r.status in ('SUCCESS', 'FAILURE', 'CANCELED')
  and r.id > %(after)s
  and r.update_timestamp < (now() at time zone 'utc') - make_interval(days => %(days)s)
  and not exists (select 1 from run_tags t
                  where t.run_id = r.run_id and t.key in ('enrich/batch', 'dagster/partition')
                    and t.value = any(%(needed)s::text[]))
order by r.id limit %(chunk)s
"""


@dataclass(frozen=True, slots=True)
class History:
    """What was taken out: whole runs, events (of runs that stay, too), and the bytes of the events."""

    runs: int = 0
    events: int = 0
    bytes: int = 0

    def __add__(self, other: History) -> History:
        return History(self.runs + other.runs, self.events + other.events, self.bytes + other.bytes)


def old_runs(connection: Connection, days: int, needed: Sequence[str], after: int) -> dict[int, str]:
    """Number -> id of the next ended runs that nothing has happened in for `days`, in their order.

    Args:
        connection: Dagster's database.
        days: How old they are at least.
        needed: Keys of batches whose runs are left out.
        after: Runs of this number and before were looked at.
    """
    parameters = {"days": days, "needed": list(needed), "after": after, "chunk": CHUNK}
    return {row["id"]: row["run_id"] for row in connection.execute(_OLD, parameters).fetchall()}


def count(connection: Connection, run_ids: Sequence[str]) -> History:
    """What `take_out` would take."""
    row = connection.execute(
        f"""
        with judged as materialized (
          select e.run_id, octet_length(e.event) as bytes, coalesce({_LATEST}, false) as stays
          from event_logs e where e.run_id = any(%(ids)s)
        )
        select (select count(*) from unnest(%(ids)s) as r(id)
                where not exists (select 1 from judged where run_id = r.id and stays)) as runs,
               count(*) filter (where not stays) as events,
               coalesce(sum(bytes) filter (where not stays), 0)::bigint as bytes
        from judged
        """,
        {"ids": list(run_ids)},
    ).fetchone()
    return History() if row is None else History(row["runs"], row["events"], row["bytes"])


def take_out(connection: Connection, run_ids: Sequence[str]) -> History:
    """Take these runs out as far as nothing of them is the latest. The caller commits."""
    ids = list(run_ids)
    row = connection.execute(
        f"""
        with gone as (
          delete from event_logs e where e.run_id = any(%s) and not coalesce({_LATEST}, false)
          returning e.id, octet_length(e.event) as bytes
        ), tags as (
          delete from asset_event_tags t using gone where t.event_id = gone.id
        )
        select count(*) as events, coalesce(sum(bytes), 0)::bigint as bytes from gone
        """,
        (ids,),
    ).fetchone()
    connection.execute(
        """
        delete from asset_check_executions x
        where x.run_id = any(%s) and exists (
          select 1 from asset_check_executions n
          where n.asset_key = x.asset_key and n.check_name = x.check_name and n.id > x.id)
        """,
        (ids,),
    )
    empty = "run_id = any(%s) and not exists (select 1 from event_logs e where e.run_id = {0}.run_id)"
    connection.execute(f"delete from run_tags where {empty.format('run_tags')}", (ids,))
    runs = connection.execute(f"delete from runs where {empty.format('runs')}", (ids,)).rowcount
    return History(runs, row["events"] if row else 0, row["bytes"] if row else 0)
