"""Why states of a batch stand where they stand: the reasons that were written down, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.store.claims import Connection
from enrichment_assets.store.states import Sync

_COUNTED = """
  select workflow_slug as workflow, status, error_class, reason, count(*) as states, min(position) as position
  from workflow_states where batch_id = %(batch)s and reason is not null
  group by workflow_slug, status, error_class, reason
"""

_COMMONEST = f"""
with counted as materialized ({_COUNTED}), ranked as (
  select *, row_number() over (partition by workflow order by states desc, status, reason) as place from counted
)
select workflow, status, error_class, reason, states from ranked where place <= %(most)s
order by position, workflow, place
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


def commonest_reasons(connection: Sync, batch_id: int, most: int = 3) -> list[ReasonCount]:
    """The commonest reasons of each workflow, at most `most` of each, in blueprint order."""
    rows = connection.execute(_COMMONEST, {"batch": batch_id, "most": most}).fetchall()
    return [ReasonCount(**row) for row in rows]


async def refusals(connection: Connection, batch_id: int, slugs: Sequence[str]) -> list[ReasonCount]:
    """What workflows were refused with that have had no other answer in this batch yet."""
    parameters: dict[str, Any] = {"batch": batch_id, "slugs": list(slugs)}
    cursor = await connection.execute(_REFUSED, parameters)
    return [ReasonCount(**row) for row in await cursor.fetchall()]
