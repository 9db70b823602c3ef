"""Why steps of a batch send nothing: one row a step, whatever the number of its PENDING states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment_assets.store.database import AsyncConnection, Connection


@dataclass(frozen=True, slots=True)
class KeptStop:
    """A stop as it is written: `seconds` until it may go on by itself (None: not by itself)."""

    workflow: str
    cause: str
    reason: str
    seconds: float | None = None
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class StepStop:
    """A stop as it is read. `process`: who found out; `since`: when this reason was first found."""

    workflow: str
    cause: str
    reason: str
    variable: str | None
    process: str
    until: datetime | None
    since: datetime
    is_over: bool
    """Its time has come: the step may go on."""


_KEEP = """
with told as (
  select * from unnest(%(stopped)s::text[], %(causes)s::text[], %(reasons)s::text[], %(variables)s::text[],
                       %(seconds)s::float8[]) as t(slug, cause, reason, variable, seconds)
), gone as (
  delete from step_stops
  where batch_id = %(batch)s and workflow_slug = any(%(worked)s::text[])
    and workflow_slug <> all(%(stopped)s::text[])
)
insert into step_stops as s (batch_id, workflow_slug, client_id, cause, reason, variable, process, until_at, stopped_at)
select b.id, t.slug, b.client_id, t.cause, t.reason, t.variable, %(process)s,
       clock_timestamp() + make_interval(secs => t.seconds), clock_timestamp()
from told t join batches b on b.id = %(batch)s
on conflict (batch_id, workflow_slug) do update
set cause = excluded.cause, reason = excluded.reason, variable = excluded.variable, process = excluded.process,
    until_at = excluded.until_at,
    stopped_at = case when s.cause = excluded.cause and s.reason = excluded.reason then s.stopped_at
                      else excluded.stopped_at end
"""


async def keep_stops(
    connection: AsyncConnection, batch_id: int, worked: Sequence[str], stops: Sequence[KeptStop], process: str
) -> None:
    """Write which of the steps that a process works on are stopped; what was written of the others goes.

    Args:
        connection: HQ database.
        batch_id: The batch.
        worked: The steps that the process may work on.
        stops: Those of them that are stopped.
        process: Who says so.
    """
    await connection.execute(_KEEP, _parameters(batch_id, worked, stops, process))


def keep_stops_now(
    connection: Connection, batch_id: int, worked: Sequence[str], stops: Sequence[KeptStop], process: str
) -> None:
    """`keep_stops` for who has no event loop."""
    connection.execute(_KEEP, _parameters(batch_id, worked, stops, process))


def _parameters(batch_id: int, worked: Sequence[str], stops: Sequence[KeptStop], process: str) -> Mapping[str, Any]:
    return {
        "batch": batch_id,
        "worked": list(worked),
        "process": process,
        "stopped": [stop.workflow for stop in stops],
        "causes": [stop.cause for stop in stops],
        "reasons": [stop.reason for stop in stops],
        "variables": [stop.variable for stop in stops],
        "seconds": [stop.seconds for stop in stops],
    }


def stops_of(connection: Connection, batch_id: int) -> dict[str, StepStop]:
    """Workflow slug -> why it sends nothing."""
    rows = connection.execute(
        """
        select workflow_slug as workflow, cause, reason, variable, process, until_at as until, stopped_at as since,
               coalesce(until_at <= clock_timestamp(), false) as is_over
        from step_stops where batch_id = %s
        """,
        (batch_id,),
    ).fetchall()
    return {row["workflow"]: StepStop(**row) for row in rows}


def lift_stops(connection: Connection, batch_id: int, causes: Sequence[str], slugs: Sequence[str]) -> None:
    """Forget stops of these causes at these steps: a person lifted the pauses that they stand for."""
    connection.execute(
        "delete from step_stops where batch_id = %s and cause = any(%s::text[]) and workflow_slug = any(%s::text[])",
        (batch_id, list(causes), list(slugs)),
    )
