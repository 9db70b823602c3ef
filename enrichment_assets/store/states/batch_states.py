"""Workflow states as a whole: what the engine adopts in bulk, when a batch wants attention again, and its counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from enrichment_assets.store.database import AsyncConnection, Connection
from enrichment_assets.store.deadlocks import again_after_deadlock
from enrichment_assets.store.states.groups import ASKS_PEOPLE, NEXT_LOOK
from enrichment_assets.store.states.transitions import (
    ANSWERED,
    DEPENDENTS,
    OF_STEPS,
    STEPS,
    WANTED_AN_ANSWER,
    StepFacts,
    ending,
    ends,
    reopening,
)


# crash point: left-over-answers-are-adopted
async def adopt_shared_answers(connection: AsyncConnection, batch_id: int, facts: StepFacts) -> int:
    """End states whose call was made by another item of the company and has ended. Returns how many.

    A state that had FAILED with that call (a missed deadline, garbage) follows it too when an answer comes after all,
    and what was skipped for want of it is PENDING again.
    """
    return await again_after_deadlock(partial(_adopt, connection, batch_id, facts))


_ENDS = ends(
    "ended",
    "item_id slug client_id batch_id status outcome reason error_class provider call_id result_id step_number "
    "company_key",
    {"message": "coalesce(reason, 'the answer to a call of another item of the company')"},
)

_ADOPT = f"""
with ended as (
  select s.item_id, s.workflow_slug as slug, s.client_id, s.batch_id, m.status, m.outcome, m.reason, m.error_class,
         f.provider, s.call_id, m.result_id, f.number as step_number, i.company_key
  from workflow_states s
  join provider_calls c on c.id = s.call_id and c.item_id <> s.item_id
  join workflow_states m on m.item_id = c.item_id and m.workflow_slug = c.workflow_slug
  join batch_items i on i.id = s.item_id
  join {STEPS} on f.slug = s.workflow_slug
  where s.batch_id = %(batch)s
    and (s.status = 'IN_PROGRESS' and m.status not in ('PENDING', 'IN_PROGRESS')
         or s.status in ('FAILED', 'AMBIGUOUS') and m.status = 'COMPLETED')
  order by s.item_id, s.workflow_slug for update of s
), ends as (
  select {_ENDS} from ended
), {ending("s.status in ('IN_PROGRESS', 'FAILED', 'AMBIGUOUS')")}, again as (
  select distinct m.item_id, o.after as slug, f.provider
  from moved m join {DEPENDENTS} on o.before = m.slug join {STEPS} on f.slug = o.after
  where m.outcome = 'found'
), {reopening(WANTED_AN_ANSWER)}
select count(*) as moved from moved
"""


async def _adopt(connection: AsyncConnection, batch_id: int, facts: StepFacts) -> int:
    cursor = await connection.execute(_ADOPT, {"batch": batch_id, "message": ANSWERED, **facts.parameters()})
    row = await cursor.fetchone()
    return 0 if row is None else int(row["moved"])


# crash point: batch-is-settled
async def settle_batch(
    connection: AsyncConnection, batch_id: int, dependencies: Sequence[tuple[str, str]], resume_in: float
) -> bool:
    """Write when this batch wants attention again, and whether it is finished. Returns True when it is.

    `resume_at` is the earliest look at an IN_PROGRESS state (`groups.NEXT_LOOK`), or the time when the first PENDING
    state that waits for no other step is due, but not before `resume_in` seconds from now. The batch's row is locked
    before the states are counted, so that a person's retry in between is not overwritten by an older count.
    """
    async with connection.transaction():
        await connection.execute("select 1 from batches where id = %s for no key update", (batch_id,))
        return await _settle(connection, batch_id, dependencies, resume_in)


async def _settle(
    connection: AsyncConnection, batch_id: int, dependencies: Sequence[tuple[str, str]], resume_in: float
) -> bool:
    cursor = await connection.execute(
        f"""
        with open_states as (
          select min(case when s.status = 'IN_PROGRESS' then {NEXT_LOOK} end) as deadline,
                 min(coalesce(s.next_attempt_at, clock_timestamp())) filter (
                   where s.status = 'PENDING' and not b.holds ?| array['*', s.workflow_slug] and not exists (
                     select 1
                     from unnest(%(steps)s::text[], %(needs)s::text[]) as d(step, needs)
                     join workflow_states x on x.item_id = s.item_id and x.workflow_slug = d.needs
                     where d.step = s.workflow_slug and x.status in ('PENDING', 'IN_PROGRESS')
                   )) as due,
                 count(*) filter (where {ASKS_PEOPLE}) as people,
                 count(*) filter (where s.status = 'IN_PROGRESS') as awaited,
                 count(*) as open
          from workflow_states s join batches b on b.id = s.batch_id
          where s.batch_id = %(batch)s and {OF_STEPS} and s.status in ('PENDING', 'IN_PROGRESS')
        )
        update batches b
        set resume_at = case when o.open = 0 then null else least(
              o.deadline,
              case when o.due is not null then
                greatest(o.due, clock_timestamp() + make_interval(secs => %(resume_in)s::float8)) end) end,
            finished_at = case when o.open = 0 then coalesce(b.finished_at, clock_timestamp()) end,
            waits_since = case when o.people > 0 and o.people = o.awaited and o.due is null
                               then clock_timestamp() end
        from open_states o where b.id = %(batch)s
        returning o.open = 0 as finished
        """,
        {
            "batch": batch_id,
            "resume_in": resume_in,
            "steps": [step for step, _ in dependencies],
            "needs": [needs for _, needs in dependencies],
        },
    )
    row = await cursor.fetchone()
    return bool(row and row["finished"])


async def now(connection: AsyncConnection) -> datetime:
    """The database's time."""
    row = await (await connection.execute("select clock_timestamp() as now")).fetchone()
    assert row is not None  # noqa: S101
    moment: datetime = row["now"]
    return moment


async def next_due_in(
    connection: AsyncConnection, batch_id: int, slugs: Sequence[str], since: datetime
) -> float | None:
    """Seconds until the next PENDING state of these workflows that was deferred beyond `since` is due; None: none was.

    `since` is when the caller began to look for what is due: what has become due meanwhile is due in 0 seconds.
    """
    cursor = await connection.execute(
        """
        select extract(epoch from min(next_attempt_at) - clock_timestamp())::float8 as seconds
        from workflow_states
        where batch_id = %s and status = 'PENDING' and workflow_slug = any(%s::text[])
          and next_attempt_at > %s
        """,
        (batch_id, list(slugs), since),
    )
    row = await cursor.fetchone()
    return None if row is None or row["seconds"] is None else max(float(row["seconds"]), 0.0)


@dataclass(frozen=True, slots=True)
class WorkflowCounts:
    """States of one workflow in one batch, by where they stand; `cost` in the workflow's currency."""

    slug: str
    position: int
    pending: int
    in_progress: int
    found: int
    not_found: int
    skipped: int
    failed: int
    ambiguous: int
    cancelled: int
    cost: Decimal
    p50_ms: float | None = None
    p95_ms: float | None = None
    calls: int = 0

    @property
    def settled(self) -> bool:
        """True when nothing of this workflow is PENDING or IN_PROGRESS."""
        return self.pending == 0 and self.in_progress == 0

    @property
    def items(self) -> int:
        """States in all."""
        ended = self.found + self.not_found + self.skipped + self.failed + self.ambiguous + self.cancelled
        return self.pending + self.in_progress + ended


def workflow_counts(connection: Connection, batch_id: int) -> list[WorkflowCounts]:
    """Counts of every workflow of the batch, in blueprint order.

    Three readings of the batch, each once. MATERIALIZED: on fresh statistics Postgres expects one row per workflow, and
    would repeat an aggregate for each of its rows.
    """
    rows = connection.execute(
        f"""
        with counted as materialized (
          select workflow_slug, min(position) as position,
                 count(*) filter (where status = 'PENDING') as pending,
                 count(*) filter (where status = 'IN_PROGRESS') as in_progress,
                 count(*) filter (where status = 'COMPLETED' and outcome = 'found') as found,
                 count(*) filter (where status = 'COMPLETED' and outcome = 'not_found') as not_found,
                 count(*) filter (where status = 'SKIPPED') as skipped,
                 count(*) filter (where status = 'FAILED') as failed,
                 count(*) filter (where status = 'AMBIGUOUS') as ambiguous,
                 count(*) filter (where status = 'CANCELLED') as cancelled
          from workflow_states s where batch_id = %(batch)s and {OF_STEPS} group by workflow_slug
        ), called as materialized (
          select workflow_slug, sum(cost) as cost, sum(attempt) as calls
          from provider_calls where batch_id = %(batch)s group by workflow_slug
        ), timed as materialized (
          select workflow_slug, percentile_cont(0.5) within group (order by duration_ms) as p50,
                 percentile_cont(0.95) within group (order by duration_ms) as p95
          from enrichment_results_log where batch_id = %(batch)s and duration_ms is not null group by workflow_slug
        )
        select s.workflow_slug as slug, s.position, s.pending, s.in_progress, s.found, s.not_found, s.skipped, s.failed,
               s.ambiguous, s.cancelled, coalesce(c.cost, 0) as cost, coalesce(c.calls, 0) as calls,
               t.p50 as p50_ms, t.p95 as p95_ms
        from counted s left join called c using (workflow_slug) left join timed t using (workflow_slug)
        order by s.position, s.workflow_slug
        """,
        {"batch": batch_id},
    ).fetchall()
    return [WorkflowCounts(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch as the entry points show it."""

    batch_id: int
    batch_key: str
    client_id: int
    client: str
    pipeline: str
    upload_id: int
    filename: str
    blueprint: dict[str, Any]
    rows: int
    rejected: int
    items: int
    children: int
    done: int
    priority: int
    created_at: datetime
    items_created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    extracted_at: datetime | None
    resume_at: datetime | None
    row_limit: int | None
    grows: bool
    holds: dict[str, dict[str, Any]]


_BATCH = f"""
    select b.id as batch_id, b.batch_key, b.client_id, c.slug as client, b.pipeline_slug as pipeline, b.upload_id,
           u.filename, b.blueprint, u.row_count as rows, u.rejected_count as rejected,
           (select count(*) from batch_items i where i.batch_id = b.id) as items,
           (select count(*) from batch_items i where i.batch_id = b.id and i.parent_item_id is not null) as children,
           (select count(*) from batch_items i where i.batch_id = b.id and not exists (
              select 1 from workflow_states s
              where s.item_id = i.id and {OF_STEPS} and s.status in ('PENDING', 'IN_PROGRESS')
            )) as done, b.priority,
           b.created_at, b.items_created_at, b.started_at, b.finished_at, b.extracted_at, b.resume_at,
           b.row_limit, b.gathers is not null as grows, b.holds
    from batches b join clients c on c.id = b.client_id join uploads u on u.id = b.upload_id
"""


def find_batch(connection: Connection, batch_key: str) -> BatchRow | None:
    """One batch by its key."""
    row = connection.execute(f"{_BATCH} where b.batch_key = %s", (batch_key,)).fetchone()
    return None if row is None else BatchRow(**row)


def find_batch_id(connection: Connection, batch_key: str) -> int | None:
    """The id alone: `find_batch` also counts every item, too much for what is asked every few seconds."""
    row = connection.execute("select id from batches where batch_key = %s", (batch_key,)).fetchone()
    return None if row is None else int(row["id"])


def list_batches(
    connection: Connection,
    client: str | None = None,
    limit: int = 100,
    *,
    archived: bool = False,
    after: str | None = None,
) -> list[BatchRow]:
    """The newest batches, of one client or of all; `archived`: those that were archived, instead of the others.

    `after`: those only that are older than the batch of this key.
    """
    rows = connection.execute(
        f"{_BATCH} where (%(client)s::text is null or c.slug = %(client)s) "
        "and (b.retired_at is not null) = %(archived)s "
        "and (%(after)s::text is null or b.id < (select id from batches where batch_key = %(after)s)) "
        "order by b.id desc limit %(limit)s",
        {"client": client, "limit": limit, "archived": archived, "after": after},
    ).fetchall()
    return [BatchRow(**row) for row in rows]


def is_running_now(connection: Connection, batch_id: int) -> bool:
    """Whether a run works on the batch at this moment."""
    query = "select 1 from runners where batch_id = %s and ended_at is null and expires_at > clock_timestamp() limit 1"
    return connection.execute(query, (batch_id,)).fetchone() is not None
