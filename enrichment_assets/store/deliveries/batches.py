"""Which deliveries a batch has, what each was asked for last, and when something of it is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from enrichment_assets.domain.deliveries import DELIVERY_POSITION
from enrichment_assets.domain.delivery_courses import ALONE
from enrichment_assets.domain.statuses import Status
from enrichment_assets.store.database import AsyncConnection, Connection
from enrichment_assets.store.deliveries.over import IS_OPEN, OVER

AT_REST = """(
  select case when c.archived_at is not null then 'the client is archived'
              when x.retired_at is not null then 'the batch is archived'
              when w.id is null or w.archived_at is not null or not w.enabled then 'it is switched off'
              when not f.enabled then 'it is switched off for this client' end
  from batches x join clients c on c.id = x.client_id
  left join enrichment_registry w on w.workflow_slug = d.workflow_slug
  left join client_workflow_configs f on f.client_id = x.client_id and f.workflow_slug = d.workflow_slug
  where x.id = d.batch_id)"""
"""Why nothing of a delivery `d` (batch_id, workflow_slug) of a batch goes now, whatever was planned; null: it goes.

A plan may be days old: who switches a delivery off, or puts its client or batch away, means what waits as well.
"""


HELD_BY = """(
  select concat_ws(': ', (one.hold ->> 'kind') || ' by ' || (one.hold ->> 'actor'), nullif(one.hold ->> 'reason', ''))
  from (values (b.holds -> '*'), (b.holds -> d.workflow_slug)) as one(hold) where one.hold is not null limit 1)"""
"""What holds a delivery `d` of a batch `b` in words, as `Hold.sentence`; null: nothing does."""


WITHOUT_MOMENT = "regexp_replace(s.reason, ' at [0-9-]+ [0-9:]+ UTC$', '')"
"""Why a state `s` waits, without the moment of its own that a mail has: those of one mailbox are counted together."""


@dataclass(frozen=True, slots=True)
class BatchDelivery:
    """A delivery of a batch.

    Attributes:
        step: The workflow as it was when leads were planned last; None: they never were.
        planned_for: `extracted_at` of the leads that were planned.
        resume_at: When something of it is due; None: nothing is.
    """

    workflow_slug: str
    position: int
    automatic: bool
    step: dict[str, Any] | None
    conditions: list[str] | None
    asked_by: str
    planned_at: datetime | None
    planned_for: datetime | None
    resume_at: datetime | None


# one row: of one batch's few deliveries
def deliveries_of(connection: Connection, batch_id: int) -> list[BatchDelivery]:
    """The deliveries of a batch, in their order."""
    with connection.cursor(row_factory=class_row(BatchDelivery)) as cursor:
        return cursor.execute(
            "select workflow_slug, position, automatic, step, conditions, asked_by, planned_at, planned_for, resume_at "
            "from batch_deliveries where batch_id = %s order by position",
            (batch_id,),
        ).fetchall()


# crash point: delivery-is-noted
# one row: of one batch's few deliveries
def note_delivery(
    connection: Connection,
    batch_id: int,
    client_id: int,
    slug: str,
    position: int,
    *,
    step: dict[str, Any] | None,
    conditions: Sequence[str],
    asked_by: str,
    automatic: bool,
    planned_at: datetime,
    planned_for: datetime | None,
) -> None:
    """Note what a batch is asked to deliver; something of it is due from now on.

    `planned_at`: before its leads were read, by the database's clock; what is corrected from then on may be missing.
    """
    connection.execute(
        """
        insert into batch_deliveries (batch_id, workflow_slug, client_id, position, automatic, step, conditions,
                                      asked_by, planned_at, planned_for, resume_at)
        values (%(batch)s, %(slug)s, %(client)s, %(position)s, %(automatic)s, %(step)s, %(conditions)s, %(by)s,
                %(planned_at)s, %(planned_for)s, clock_timestamp())
        on conflict (batch_id, workflow_slug) do update
        set position = excluded.position, automatic = batch_deliveries.automatic or excluded.automatic,
            step = excluded.step, conditions = excluded.conditions, asked_by = excluded.asked_by,
            planned_at = excluded.planned_at, planned_for = excluded.planned_for, resume_at = excluded.resume_at
        """,
        {
            "batch": batch_id,
            "slug": slug,
            "client": client_id,
            "position": position,
            "automatic": automatic,
            "step": None if step is None else Jsonb(step),
            "conditions": list(conditions),
            "by": asked_by,
            "planned_at": planned_at,
            "planned_for": planned_for,
        },
    )


# crash point: deliveries-are-settled
async def settle_deliveries(connection: AsyncConnection, batch_id: int, slugs: Sequence[str], resume_in: float) -> bool:
    """Write when something of these deliveries is due again. Returns whether nothing of them is open."""
    cursor = await connection.execute(
        """
        with open_states as (
          select s.workflow_slug,
                 min(case when s.status = 'PENDING' then
                       greatest(coalesce(s.next_attempt_at, clock_timestamp()),
                                clock_timestamp() + make_interval(secs => %(resume_in)s::float8))
                     else least(s.deadline_at, s.next_poll_at) end) as due
          from workflow_states s
          where s.batch_id = %(batch)s and s.workflow_slug = any(%(slugs)s::text[])
            and s.status in ('PENDING', 'IN_PROGRESS')
          group by s.workflow_slug
        ), settled as (
          update batch_deliveries b
          set resume_at = (select o.due from open_states o where o.workflow_slug = b.workflow_slug)
          where b.batch_id = %(batch)s and b.workflow_slug = any(%(slugs)s::text[])
        )
        select count(*) as open from open_states
        """,
        {"batch": batch_id, "slugs": list(slugs), "resume_in": resume_in},
    )
    row = await cursor.fetchone()
    return row is None or row["open"] == 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How the leads of one delivery of a batch stand, by status and the reason's first words."""

    workflow_slug: str
    status: str
    outcome: str | None
    reason: str | None
    leads: int

    @property
    def is_there(self) -> bool:
        """Whether a plan left these leads alone because they stand at the destination, as it may after they went."""
        return self.status == Status.SKIPPED and (self.reason or "").partition(":")[0] in ALONE


def counts_of(connection: Connection, batch_id: int, slugs: Sequence[str]) -> list[Counts]:
    """How the leads of these deliveries stand; of those that wait why they do, what holds their delivery first."""
    with connection.cursor(row_factory=class_row(Counts)) as cursor:
        return cursor.execute(
            f"""
            with held as (
              select d.workflow_slug, coalesce({AT_REST}, {HELD_BY}) as why
              from batch_deliveries d join batches b on b.id = d.batch_id where d.batch_id = %(batch)s
            )
            select s.workflow_slug, s.status, s.outcome,
                   case when s.status = 'PENDING' then left(coalesce(h.why, {WITHOUT_MOMENT}), 200)
                        when s.status <> 'COMPLETED' then left(s.reason, 200) end as reason,
                   count(*) as leads
            from workflow_states s left join held h on h.workflow_slug = s.workflow_slug
            where s.batch_id = %(batch)s and s.workflow_slug = any(%(slugs)s::text[])
            group by 1, 2, 3, 4 order by 1, leads desc, 2, 4
            """,
            {"batch": batch_id, "slugs": list(slugs)},
        ).fetchall()


# one row: of one batch's few deliveries
def is_planned(connection: Connection, batch_id: int, slug: str) -> bool:
    """Whether the leads of a delivery are planned as they are now, by the conditions of whoever asked.

    They are not where some ended with their batch, which is not over any more.
    """
    row = connection.execute(
        """
        select d.step is not null and d.planned_for is not distinct from b.extracted_at
               and not exists (select from approvals a where a.batch_id = b.id and a.decided_at > d.planned_at)
               and not exists (select from item_edits e where e.batch_id = b.id and e.edited_at > d.planned_at)
               and not exists (select from workflow_states s where s.batch_id = b.id
                                 and s.workflow_slug = d.workflow_slug and s.status = 'CANCELLED')
               as is_planned
        from batch_deliveries d join batches b on b.id = d.batch_id
        where d.batch_id = %s and d.workflow_slug = %s
        """,
        (batch_id, slug),
    ).fetchone()
    return row is not None and bool(row["is_planned"])


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery of a batch of which something is due, and since when."""

    batch_key: str
    workflow_slug: str
    since: datetime


def due_deliveries(connection: Connection, most: int = 200) -> list[DueDelivery]:
    """What is due and nobody works on, the longest due first; nothing of what is paused or `AT_REST`.

    Of a batch that is over it is what has not ended yet: calls under way, and what became PENDING behind them.
    """
    with connection.cursor(row_factory=class_row(DueDelivery)) as cursor:
        return cursor.execute(
            f"""
            select b.batch_key, d.workflow_slug, d.resume_at as since
            from batch_deliveries d join batches b on b.id = d.batch_id
            where d.resume_at <= clock_timestamp()
              and case when {OVER} is null
                       then {AT_REST} is null and not b.holds ? '*' and not b.holds ? d.workflow_slug
                       else exists (select from workflow_states s where s.batch_id = d.batch_id
                                      and s.workflow_slug = d.workflow_slug and {IS_OPEN}) end
              and not exists (select from runners r where r.batch_id = b.id and r.ended_at is null
                                and r.expires_at > clock_timestamp())
            order by d.resume_at, b.id limit %s
            """,
            (most,),
        ).fetchall()


AUTOMATIC = f"""
insert into batch_deliveries (batch_id, workflow_slug, client_id, position, automatic, asked_by, resume_at)
select m.id, n.slug, m.client_id, {DELIVERY_POSITION} + n.place - 1, true, 'schedule:delivery', clock_timestamp()
from marked m join batches b on b.id = m.id and b.blueprint ? 'deliver'
cross join jsonb_array_elements_text(b.blueprint -> 'deliver') with ordinality as n(slug, place)
on conflict (batch_id, workflow_slug) do update set automatic = true, resume_at = excluded.resume_at
"""
"""What a pipeline says of its leads is due once a batch is extracted: the rows `marked` (id, client_id)."""


# one row: of one batch's few deliveries
def wake_automatic(connection: Connection, batch_id: int) -> None:
    """Have the leads of a batch that go somewhere by themselves planned again: a person has decided about drafts."""
    connection.execute(
        "update batch_deliveries set resume_at = clock_timestamp() where batch_id = %s and automatic", (batch_id,)
    )
