"""Why states of a batch stand where they stand: the reasons that were written down, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment_assets.store.database import AsyncConnection, Connection
from enrichment_assets.store.states.transitions import OF_STEPS

_COUNTED = f"""
  select workflow_slug as workflow, status, error_class, reason, count(*) as states, min(position) as position
  from workflow_states s where batch_id = %(batch)s and {OF_STEPS} and reason is not null
  group by workflow_slug, status, error_class, reason
"""

_COMMONEST = f"""
with counted as materialized ({_COUNTED}), ranked as (
  select *, row_number() over (partition by workflow order by states desc, status, reason) as place from counted
)
select workflow, status, error_class, reason, states from ranked where place <= %(most)s
order by position, workflow, place
"""

# One reading of the batch. What is beyond the commonest is one more row, so that a status adds up.
_STANDING = f"""
with counted as materialized (
  select workflow_slug as workflow, status, error_class, reason, count(*) as states, min(position) as position,
         min(advanced_at) as since, min(deadline_at) as deadline, min(coalesce(next_attempt_at, next_poll_at)) as due
  from workflow_states s
  where batch_id = %(batch)s and {OF_STEPS} and (reason is not null or status in ('PENDING', 'IN_PROGRESS'))
  group by workflow_slug, status, error_class, reason
), ranked as (
  select *, row_number() over (partition by workflow, status order by states desc, reason nulls first) <= %(most)s
              as is_common
  from counted
)
select workflow, status, case when is_common then error_class end as error_class,
       case when is_common then reason end as reason, sum(states)::int as states, min(since) as since,
       min(deadline) as deadline, min(due) as due, not is_common as is_rest, min(position) as position
from ranked
group by workflow, status, is_common, case when is_common then error_class end, case when is_common then reason end
order by position, workflow, status, is_rest, states desc, reason nulls first
"""

# A state that was answered in any other way shows that the address is right and the key may ask.
_REFUSED = f"""
with counted as materialized ({_COUNTED}), answered as materialized (
  select workflow_slug as workflow from workflow_states
  where batch_id = %(batch)s and status in ('COMPLETED', 'IN_PROGRESS') group by workflow_slug
)
select workflow, status, error_class, reason, states from counted
where workflow = any(%(slugs)s::text[]) and workflow not in (select workflow from answered)
  and (status = 'FAILED' and error_class = 'contract' or status = 'SKIPPED' and starts_with(reason, 'invalid_input'))
"""


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many states of a workflow stand at `status` for this reason."""

    workflow: str
    status: str
    error_class: str | None
    reason: str
    states: int


@dataclass(frozen=True, slots=True)
class StandingStates:
    """How many states of a workflow stand at `status` for one reason; None: none was written down.

    Attributes:
        since: When the first of them came to stand there.
        deadline: The earliest deadline of those that wait for an answer.
        due: When the first of them is due again.
        is_rest: All reasons that are not among the commonest, together.
    """

    workflow: str
    status: str
    error_class: str | None
    reason: str | None
    states: int
    since: datetime | None
    deadline: datetime | None
    due: datetime | None
    is_rest: bool


def standing_states(connection: Connection, batch_id: int, most: int) -> list[StandingStates]:
    """All states that have a reason or are open, by workflow, status and reason, in blueprint order.

    At most `most` reasons of each workflow and status, and one more row for the rest.
    """
    rows = connection.execute(_STANDING, {"batch": batch_id, "most": most}).fetchall()
    return [StandingStates(**{name: value for name, value in row.items() if name != "position"}) for row in rows]


def commonest_reasons(connection: Connection, batch_id: int, most: int = 3) -> list[ReasonCount]:
    """The commonest reasons of each workflow, at most `most` of each, in blueprint order."""
    rows = connection.execute(_COMMONEST, {"batch": batch_id, "most": most}).fetchall()
    return [ReasonCount(**row) for row in rows]


async def refusals(connection: AsyncConnection, batch_id: int, slugs: Sequence[str]) -> list[ReasonCount]:
    """What workflows were refused with that have had no other answer in this batch yet."""
    parameters: dict[str, Any] = {"batch": batch_id, "slugs": list(slugs)}
    cursor = await connection.execute(_REFUSED, parameters)
    return [ReasonCount(**row) for row in await cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class FailedRow:
    """One state that ended without an answer: FAILED, or AMBIGUOUS. `row_number` is 0 for a child item."""

    row_number: int
    item_id: int
    first_name: str | None
    last_name: str | None
    full_name: str | None
    company_name: str | None
    workflow: str
    status: str
    error_class: str | None
    reason: str | None


def failed_rows(connection: Connection, batch_id: int, limit: int) -> list[FailedRow]:
    """States that FAILED or are AMBIGUOUS, by row and step; at most `limit`."""
    rows = connection.execute(
        f"""
        with failed as materialized (
          select item_id, workflow_slug as workflow, status, error_class, reason, position from workflow_states s
          where batch_id = %s and {OF_STEPS} and status in ('FAILED', 'AMBIGUOUS')
          order by item_id, position limit %s
        )
        select i.row_number, f.item_id, i.first_name, i.last_name, i.full_name, i.company_name, f.workflow, f.status,
               f.error_class, f.reason
        from failed f join batch_items i on i.id = f.item_id order by f.item_id, f.position
        """,
        (batch_id, limit),
    ).fetchall()
    return [FailedRow(**row) for row in rows]


def count_failed(connection: Connection, batch_id: int) -> int:
    """How many states FAILED or are AMBIGUOUS."""
    row = connection.execute(
        f"select count(*) as n from workflow_states s where batch_id = %s and {OF_STEPS} "
        "and status in ('FAILED', 'AMBIGUOUS')",
        (batch_id,),
    ).fetchone()
    return 0 if row is None else int(row["n"])


@dataclass(frozen=True, slots=True)
class FailureSample:
    """One of the first states of a workflow that ended in a class of error, of `states` in all."""

    workflow: str
    status: str
    error_class: str | None
    states: int
    item_id: int
    row_number: int
    reason: str | None


def failure_samples(connection: Connection, batch_id: int, samples: int) -> list[FailureSample]:
    """The first states of each workflow and class that FAILED or are AMBIGUOUS, the commonest class first."""
    rows = connection.execute(
        f"""
        with failed as materialized (
          select workflow_slug as workflow, status, error_class, item_id, reason,
                 count(*) over alike as states, row_number() over (alike order by item_id) as place
          from workflow_states s where batch_id = %s and {OF_STEPS} and status in ('FAILED', 'AMBIGUOUS')
          window alike as (partition by workflow_slug, status, error_class)
        )
        select f.workflow, f.status, f.error_class, f.states, f.item_id, i.row_number, f.reason
        from failed f join batch_items i on i.id = f.item_id where f.place <= %s
        order by f.states desc, f.workflow, f.status, f.error_class, f.item_id
        """,
        (batch_id, samples),
    ).fetchall()
    return [FailureSample(**row) for row in rows]
