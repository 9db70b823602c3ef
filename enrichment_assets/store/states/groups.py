"""When a batch that waits for answers wants a run: for a group of items that can go on, not for each answer.

A run costs a process and some tens of kilobytes of Dagster's history, whatever it does. So items that can go on wait
for others: until a quarter of the batch's rows can, until nothing more is awaited, or until they have waited as long as
the batch had been under way when the first of them could. What nobody can speed up (deadlines) is looked at in time;
polls before a deadline grow rarer with the batch's age.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from enrichment_assets.store.database import AsyncConnection, Connection
from enrichment_assets.store.states.transitions import OF_STEPS

SHORTEST_WAIT = timedelta(minutes=1)
"""Items of a young batch wait this long for others."""

LONGEST_WAIT = timedelta(hours=1)
"""No item waits longer than this for others, however old the batch is."""

ONE_OF = 4
"""One of so many rows that can go on is a group."""

GRACE = timedelta(seconds=15)
"""Whoever settled a batch asks for its run; the sequencer does so after this long where that was lost."""

NEXT_LOOK = """
    least(s.deadline_at, case when s.next_poll_at is not null then greatest(
      s.next_poll_at, clock_timestamp() + least((clock_timestamp() - coalesce(b.started_at, b.created_at)) / 2,
                                                interval '1 hour')) end)
"""
"""When an IN_PROGRESS state `s` of a batch `b` is to be looked at: at its deadline, or at a poll that is worth a run.

Half of the batch's age from now at the earliest: a poll is for the callback that got lost.
"""

ASKS_PEOPLE = "s.status = 'IN_PROGRESS' and s.deadline_at is null and s.next_poll_at is null"
"""A state `s` that nothing but a person, or another item's call, will move: no deadline, no poll."""

_SETTLE = f"""
with facts as materialized (
  select b.id, b.is_try, coalesce(b.started_at, b.created_at) as began, clock_timestamp() as now,
         least(u.row_count - u.rejected_count, coalesce(b.row_limit, u.row_count)) as rows
  from batches b left join uploads u on u.id = b.upload_id where b.id = %(batch)s
), open_states as materialized (
  select s.item_id, s.workflow_slug, s.status, s.next_attempt_at,
         case when s.status = 'IN_PROGRESS' then {NEXT_LOOK} end as look_at, {ASKS_PEOPLE} as asks_people
  from workflow_states s join batches b on b.id = s.batch_id
  where s.batch_id = %(batch)s and {OF_STEPS} and s.status in ('PENDING', 'IN_PROGRESS')
), needs as materialized (
  select * from unnest(%(steps)s::text[], %(needs)s::text[]) as d(step, needs)
), stopped as materialized (
  select workflow_slug, until_at from step_stops
  where batch_id = %(batch)s and (until_at is null or until_at > clock_timestamp())
), free as materialized (
  select o.item_id, o.workflow_slug, o.next_attempt_at, max(x.advanced_at) as since
  from open_states o
  left join needs d on d.step = o.workflow_slug
  left join workflow_states x on x.item_id = o.item_id and x.workflow_slug = d.needs
  where o.status = 'PENDING'
    and not (select holds from batches where id = %(batch)s) ?| array['*', o.workflow_slug]
  group by o.item_id, o.workflow_slug, o.next_attempt_at
  having coalesce(bool_and(x.status not in ('PENDING', 'IN_PROGRESS')), true)
), counted as (
  select f.*,
         (select count(*) from open_states) as open,
         (select count(*) from open_states where status = 'IN_PROGRESS') as awaited,
         (select count(*) from open_states where asks_people) as people, exists (select from free) as any_free,
         (select min(look_at) from open_states) as look_at,
         (select min(greatest(r.next_attempt_at, st.until_at))
          from free r left join stopped st using (workflow_slug)
          where r.next_attempt_at > f.now or st.until_at is not null) as later,
         g.items, g.since
  from facts f cross join lateral (
    select count(distinct r.item_id) as items, min(coalesce(r.since, f.began)) as since
    from free r
    where (r.next_attempt_at is null or r.next_attempt_at <= f.now)
      and not exists (select 1 from stopped st where st.workflow_slug = r.workflow_slug)
  ) g
), decided as (
  select c.*, c.since + least(greatest(c.since - c.began, %(shortest)s), %(longest)s) as waits_until from counted c
), judged as (
  select d.*, d.open = 0 or not d.is_try and d.items > 0 and (
           d.awaited = 0 or d.items * {ONE_OF} >= d.rows or d.waits_until <= d.now) as goes_on
  from decided d
)
update batches b
set resume_at = case when j.open = 0 then null else least(
      j.look_at, j.later,
      case when j.items = 0 then null when j.goes_on then j.now + %(grace)s else j.waits_until end) end,
    finished_at = case when j.open = 0 then coalesce(b.finished_at, j.now) end,
    waits_since = case when j.people > 0 and j.people = j.awaited and not j.any_free then j.now end
from judged j where b.id = j.id
returning j.open = 0 as finished, j.goes_on
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """A batch after answers were taken in: nothing of it is open; it wants a run now."""

    finished: bool
    goes_on: bool


# crash point: taken-answers-are-settled
async def settle_taken(connection: AsyncConnection, batch_id: int, dependencies: Sequence[tuple[str, str]]) -> Settled:
    """Write whether a batch is finished, or when it wants a run, after answers were taken in without one.

    The batch's row is locked before the states are counted, as in `settle_batch`.

    Args:
        connection: HQ database, in autocommit.
        batch_id: The batch.
        dependencies: (step, step that must be settled first) pairs of the blueprint.
    """
    async with connection.transaction():
        await connection.execute("select 1 from batches where id = %s for no key update", (batch_id,))
        cursor = await connection.execute(
            _SETTLE,
            {
                "batch": batch_id,
                "steps": [step for step, _ in dependencies],
                "needs": [needs for _, needs in dependencies],
                "shortest": SHORTEST_WAIT,
                "longest": LONGEST_WAIT,
                "grace": GRACE,
            },
        )
        row = await cursor.fetchone()
    return Settled(finished=bool(row and row["finished"]), goes_on=bool(row and row["goes_on"]))


async def settle_later(connection: AsyncConnection, batch_id: int, slugs: Sequence[str], seconds: float) -> bool:
    """Have a batch looked at after `seconds` at the latest, without counting its states now.

    False: none of these workflows awaits an answer any more, so that it is to be settled at once.
    """
    cursor = await connection.execute(
        """
        update batches set resume_at = least(resume_at, clock_timestamp() + make_interval(secs => %(seconds)s))
        where id = %(batch)s and exists (
          select 1 from workflow_states
          where batch_id = %(batch)s and workflow_slug = any(%(slugs)s::text[]) and status = 'IN_PROGRESS')
        """,
        {"batch": batch_id, "slugs": list(slugs), "seconds": seconds},
    )
    return cursor.rowcount == 1


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run of a batch finds.

    Attributes:
        laid_out: Its items are there.
        grows: Its rows come one after another: a run that may finish it tells of the upload and the items again.
        planned: The workflows of its blueprint, in order.
        open: Those of them that have not settled; all, where no items are there yet.
        may_finish: Nothing is awaited from outside but people, and no step is stopped: one run may come to the tables.
        system: The system whose tables it has besides those of every batch.
        by_phase: It goes on where somebody asks for a phase of it: by hand, by a backfill, or by the phase's schedule.
    """

    laid_out: bool
    grows: bool
    planned: Sequence[str]
    open: Sequence[str]
    may_finish: bool
    system: str | None
    by_phase: bool


_OUTLOOK = """
select b.batch_key, b.items_created_at is not null as laid_out, b.gathers is not null as grows,
       b.blueprint ->> 'system' as system,
       coalesce((b.blueprint ->> 'by_phase')::boolean, false) as by_phase,
       array_agg(s.slug order by s.place) as planned,
       array_agg(s.slug order by s.place) filter (where s.is_pending or s.is_awaited) as open,
       b.waits_since is not null
         or not bool_or(s.is_awaited or s.is_stopped or s.mode = 'async' and s.is_pending) as may_finish
from batches b cross join lateral (
  select t.slug, t.mode, t.place,
         b.items_created_at is null or exists (
           select 1 from workflow_states w
           where w.batch_id = b.id and w.workflow_slug = t.slug and w.status = 'PENDING') as is_pending,
         exists (select 1 from workflow_states w
                 where w.batch_id = b.id and w.workflow_slug = t.slug and w.status = 'IN_PROGRESS') as is_awaited,
         exists (select 1 from step_stops st
                 where st.batch_id = b.id and st.workflow_slug = t.slug
                   and (st.until_at is null or st.until_at > clock_timestamp())) as is_stopped
  from (select e.step -> 'workflow' ->> 'slug' as slug, e.step -> 'workflow' ->> 'mode' as mode, e.place
        from jsonb_array_elements(b.blueprint -> 'steps') with ordinality as e(step, place)) t
) s
where b.batch_key = any(%s)
group by b.id
"""


def outlooks(connection: Connection, batch_keys: Collection[str]) -> dict[str, Outlook]:
    """Batch key -> what a run of it finds; a key without a batch is left out."""
    rows = connection.execute(_OUTLOOK, (list(batch_keys),)).fetchall()
    return {
        row["batch_key"]: Outlook(
            row["laid_out"],
            row["grows"],
            row["planned"],
            row["open"] or [],
            row["may_finish"],
            row["system"],
            row["by_phase"],
        )
        for row in rows
    }
