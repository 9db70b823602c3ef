"""Queries on what became of an item with all of its children: a job, as whoever asked for a lead knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment_assets.domain.statuses import SkipReason
from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.transitions import OF_STEPS

Row = dict[str, Any]

FATES = f"""
fates as materialized (
  select t.root as item_id, count(distinct t.item_id) - 1 as children,
         count(s.item_id) filter (where s.status in ('PENDING', 'IN_PROGRESS')) as open,
         count(s.item_id) filter (where s.status <> 'PENDING') as moved,
         coalesce(bool_or(s.status = 'AMBIGUOUS'), false) as ambiguous,
         (array_agg(s.workflow_slug || ': ' || coalesce(s.reason, lower(s.status))
                    order by s.item_id <> t.root, s.position, s.item_id)
            filter (where s.status in ('FAILED', 'CANCELLED')
                    or s.status = 'SKIPPED' and s.reason = '{SkipReason.GIVEN_UP}'))[1] as failure,
         max(s.advanced_at) as moved_at
  from tree t left join workflow_states s on s.item_id = t.item_id and s.batch_id = any(%(batches)s::bigint[])
    and {OF_STEPS}
  group by t.root
)
"""
"""How items fare with all of their children; `tree` (root, item_id) stands before it, all of it in `%(batches)s`."""

_JOBS = f"""
with recursive kids as materialized (
  select i.id, i.parent_item_id from batch_items i
  where i.batch_id = any(%(batches)s::bigint[]) and i.parent_item_id is not null
), tree as (
  select i.id as root, i.id as item_id from batch_items i where i.id = any(%(items)s::bigint[])
  union all
  select t.root, k.id from tree t join kids k on k.parent_item_id = t.item_id
), {FATES}
select f.item_id, i.batch_id, b.batch_key, c.slug as client, b.pipeline_slug as pipeline, i.row_number, i.created_at,
       f.children, f.open, f.moved, f.ambiguous, f.failure, f.moved_at
from fates f join batch_items i on i.id = f.item_id join batches b on b.id = i.batch_id
join clients c on c.id = b.client_id
where i.parent_item_id is null and not b.is_try and (%(client)s::text is null or c.slug = %(client)s)
order by f.item_id
"""


@dataclass(frozen=True, slots=True)
class JobRow:
    """One item and what became of it and its children: `open` states have not settled, `failure` is the first one."""

    item_id: int
    batch_id: int
    batch_key: str
    client: str
    pipeline: str
    row_number: int
    created_at: datetime
    children: int
    open: int
    moved: int
    ambiguous: bool
    failure: str | None
    moved_at: datetime | None


def find_jobs(connection: Connection, item_ids: Sequence[int], client: str | None = None) -> list[JobRow]:
    """Those of the items that are rows of a batch, of one client or of all, in their order."""
    found = connection.execute(
        "select distinct batch_id from batch_items where id = any(%s::bigint[])", (list(item_ids),)
    ).fetchall()
    given = {"items": list(item_ids), "batches": [row["batch_id"] for row in found], "client": client}
    rows = connection.execute(_JOBS, given).fetchall()
    return [JobRow(**row) for row in rows]


def steps_of(connection: Connection, item_id: int) -> list[Row]:
    """The steps of an item itself, in order: workflow, status, outcome, reason."""
    return connection.execute(
        f"""
        select workflow_slug as workflow, status, outcome, reason from workflow_states s
        where item_id = %s and {OF_STEPS} order by position, workflow_slug
        """,
        (item_id,),
    ).fetchall()
