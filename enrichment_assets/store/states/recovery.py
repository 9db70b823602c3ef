"""What an operator changes in a batch after something went wrong: failed and ambiguous states, their calls, pauses.

A run may be working on the batch meanwhile. Every update compares the status it expects, states are locked before calls
and calls before budgets (the order in which a run's writer takes them), and no lease is needed: a run never touches a
FAILED or AMBIGUOUS state except to apply a late callback, and then one of the two finds nothing left to change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.transitions import OF_STEPS, RESULT_ID, STEPS, StepFacts, ending, ends


@dataclass(frozen=True, slots=True)
class LockedBatch:
    """The batch's row, locked until the transaction ends. `runners` are the labels of the runs working on it now.

    `holds`: what of it is paused or cancelled (`store.batches.holds`).
    """

    batch_id: int
    client_id: int
    blueprint: dict[str, Any]
    retired: bool
    runners: tuple[str, ...]
    holds: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Picked:
    """A locked workflow state, and the call that it ended with."""

    item_id: int
    workflow: str
    call_id: int | None


@dataclass(frozen=True, slots=True)
class Call:
    """A ledger row that moved."""

    call_id: int
    workflow: str
    estimated_cost: Decimal


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A state whose call's fate nobody knows. `shared`: the call was made by another item of the company."""

    item_id: int
    row_number: int
    workflow: str
    since: datetime | None
    reason: str | None
    call_id: int | None
    shared: bool
    estimated_cost: Decimal


# one row: by its key
def lock_batch(connection: Connection, batch_key: str, *, against_runs: bool = False) -> LockedBatch | None:
    """Lock the batch's row; None when there is no such batch.

    With `against_runs` no run can start on the batch until the transaction ends (a runner's row refers to the batch's,
    which takes a key-share lock), and runs whose lease has expired are retired for good.
    """
    lock = "for update" if against_runs else "for no key update"
    row = connection.execute(
        "select id, client_id, blueprint, holds, retired_at is not null as retired "
        f"from batches where batch_key = %s {lock}",
        (batch_key,),
    ).fetchone()
    if row is None:
        return None
    if against_runs:
        connection.execute(
            "update runners set ended_at = clock_timestamp() "
            "where batch_id = %s and ended_at is null and expires_at <= clock_timestamp()",
            (row["id"],),
        )
    runners = connection.execute(
        "select label from runners where batch_id = %s and ended_at is null and expires_at > clock_timestamp() "
        "order by id",
        (row["id"],),
    ).fetchall()
    labels = tuple(runner["label"] for runner in runners)
    return LockedBatch(row["id"], row["client_id"], row["blueprint"], row["retired"], labels, row["holds"])


def pick_states(
    connection: Connection,
    batch_id: int,
    status: str,
    *,
    workflows: Sequence[str] | None = None,
    error_class: str | None = None,
    item_id: int | None = None,
    since: datetime | None = None,
) -> list[Picked]:
    """Lock the states of this status that match, and with them all others that share the same call.

    Args:
        connection: HQ database.
        batch_id: The batch.
        status: Where they stand.
        workflows: Only of these; None: of all.
        error_class: Only of this class.
        item_id: Only of this item.
        since: Only those that came to stand there at this time or later.
    """
    rows = connection.execute(
        f"""
        with chosen as (
          select call_id, item_id, workflow_slug from workflow_states s
          where batch_id = %(batch)s and {OF_STEPS} and status = %(status)s
            and (%(workflows)s::text[] is null or workflow_slug = any(%(workflows)s::text[]))
            and (%(class)s::text is null or error_class = %(class)s)
            and (%(item)s::bigint is null or item_id = %(item)s)
            and (%(since)s::timestamptz is null or advanced_at >= %(since)s)
        )
        select s.item_id, s.workflow_slug, s.call_id from workflow_states s
        where s.batch_id = %(batch)s and s.status = %(status)s
          and ((s.item_id, s.workflow_slug) in (select item_id, workflow_slug from chosen)
               or s.call_id in (select call_id from chosen))
        order by s.item_id, s.workflow_slug for update
        """,
        {
            "batch": batch_id,
            "status": status,
            "workflows": None if workflows is None else list(workflows),
            "class": error_class,
            "item": item_id,
            "since": since,
        },
    ).fetchall()
    return [Picked(row["item_id"], row["workflow_slug"], row["call_id"]) for row in rows]


def ready_calls(connection: Connection, picked: Sequence[Picked], state: str) -> list[Call]:
    """Let the next intent take over the calls of picked states that are in this ledger state."""
    rows = connection.execute(
        """
        update provider_calls set state = 'ready' where id = any(%s::bigint[]) and state = %s
        returning id, workflow_slug, estimated_cost
        """,
        (sorted({p.call_id for p in picked if p.call_id is not None}), state),
    ).fetchall()
    return [Call(row["id"], row["workflow_slug"], row["estimated_cost"]) for row in rows]


def lift_provider_pauses(connection: Connection, providers: Sequence[str]) -> int:
    """Let calls to these providers leave again now, with whatever key. Returns how many pauses were lifted."""
    cursor = connection.execute(
        """
        update rate_limits set paused_until = null, failures = 0
        where paused_until > clock_timestamp() and split_part(limit_key, ':', 1) = any(%s::text[])
        """,
        (list(providers),),
    )
    return cursor.rowcount


def wake_batch(connection: Connection, batch_id: int, *, only_if_pending: bool = True) -> bool:
    """Have the sequencer continue the batch at once. True: it will.

    Without `only_if_pending` also when nothing is to be called: results are then stored and extracted again.
    """
    cursor = connection.execute(
        f"""
        update batches set resume_at = clock_timestamp(), finished_at = null
        where id = %(batch)s and (not %(pending)s or exists (
          select 1 from workflow_states s where batch_id = %(batch)s and {OF_STEPS} and status = 'PENDING'))
        """,
        {"batch": batch_id, "pending": only_if_pending},
    )
    return cursor.rowcount == 1


def list_ambiguous(
    connection: Connection, batch_id: int, workflow: str | None = None, item_id: int | None = None
) -> list[Ambiguous]:
    """States of unknown fate, by workflow and item."""
    rows = connection.execute(
        f"""
        select s.item_id, i.row_number, s.workflow_slug as workflow, s.advanced_at as since, s.reason, s.call_id,
               coalesce(c.item_id <> s.item_id, false) as shared, coalesce(c.estimated_cost, 0) as estimated_cost
        from workflow_states s join batch_items i on i.id = s.item_id left join provider_calls c on c.id = s.call_id
        where s.batch_id = %(batch)s and {OF_STEPS} and s.status = 'AMBIGUOUS'
          and (%(workflow)s::text is null or s.workflow_slug = %(workflow)s)
          and (%(item)s::bigint is null or s.item_id = %(item)s)
        order by s.position, s.item_id
        """,
        {"batch": batch_id, "workflow": workflow, "item": item_id},
    ).fetchall()
    return [Ambiguous(**row) for row in rows]


_ENDS = ends(
    "c",
    "status outcome reason provider call_id result_id",
    {
        "item_id": "s.item_id",
        "slug": "s.workflow_slug",
        "client_id": "s.client_id",
        "batch_id": "s.batch_id",
        "own": "s.item_id = c.item_id",
        "fields": "'{}'",
        "booked": "case when s.item_id = c.item_id then c.booked end",
        "step_number": "f.number",
        "company_key": "i.company_key",
    },
)

_ACCEPT = f"""
with closed as (
  update provider_calls c
  set state = 'applied', cost = coalesce(c.cost, 0) + coalesce(%(cost)s::numeric, c.estimated_cost),
      applied_at = clock_timestamp(), error = %(reason)s, error_class = null
  where c.id = any(%(calls)s::bigint[]) and c.state = 'ambiguous'
    and not exists (select 1 from callback_inbox i where i.call_id = c.id and i.status = 'new')
  returning c.id as call_id, c.item_id, c.workflow_slug, c.provider, c.estimated_cost,
            coalesce(%(cost)s::numeric, c.estimated_cost) as booked
), missed as (
  select c.*, 'COMPLETED' as status, 'not_found' as outcome, %(reason)s::text as reason, {RESULT_ID} as result_id
  from closed c
  left join enrichment_results e on e.item_id = c.item_id and e.workflow_slug = c.workflow_slug
), ends as (
  select {_ENDS}
  from missed c
  join unnest(%(picked_calls)s::bigint[], %(items)s::bigint[], %(slugs)s::text[]) as p(call_id, item_id, slug)
    on p.call_id = c.call_id
  join workflow_states s on s.item_id = p.item_id and s.workflow_slug = p.slug
  join batch_items i on i.id = s.item_id
  join {STEPS} on f.slug = s.workflow_slug
), {ending("s.status = 'AMBIGUOUS'")}
select c.workflow_slug, c.estimated_cost, c.booked, coalesce(m.states, 0) as states
from closed c left join (select call_id, count(*) as states from moved group by call_id) m on m.call_id = c.call_id
"""


@dataclass(frozen=True, slots=True)
class Closed:
    """An ambiguous call that a person called a miss: what was reserved for it, what was booked, states that moved."""

    workflow: str
    reserved: Decimal
    booked: Decimal
    states: int


def accept_as_missed(
    connection: Connection, picked: Sequence[Picked], cost: Decimal | None, reason: str, facts: StepFacts
) -> list[Closed]:
    """Complete picked AMBIGUOUS states as not found, where no answer to their call has come, not even to the inbox.

    Args:
        connection: HQ database.
        picked: Locked states; those that share a call move together.
        cost: What to book per call; None: its estimate.
        reason: Stored with the state and in the log.
        facts: Of the batch's blueprint.
    """
    rows = connection.execute(
        _ACCEPT,
        {
            "calls": sorted({p.call_id for p in picked if p.call_id is not None}),
            "picked_calls": [p.call_id for p in picked],
            "items": [p.item_id for p in picked],
            "slugs": [p.workflow for p in picked],
            "cost": cost,
            "reason": reason,
            **facts.parameters(),
        },
    ).fetchall()
    return [Closed(row["workflow_slug"], row["estimated_cost"], row["booked"], row["states"]) for row in rows]
