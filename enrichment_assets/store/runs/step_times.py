"""Where the time of a batch's runs went, added up over its runs: `step_times`."""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.statuses import SpentOn
from enrichment_assets.store.database import AsyncConnection, Connection

ALL_STEPS = ""
"""Instead of a workflow's slug: the run as a whole."""


async def add_times(
    connection: AsyncConnection, client_id: int, batch_id: int, seconds: Mapping[tuple[str, SpentOn], float]
) -> None:
    """Add (workflow slug, what for) -> seconds to what is kept of the batch."""
    spent = sorted(seconds.items())
    await connection.execute(
        """
        insert into step_times as t (batch_id, client_id, workflow_slug, spent_on, seconds)
        select %s, %s, s.slug, s.spent_on, s.seconds
        from unnest(%s::text[], %s::text[], %s::float8[]) as s(slug, spent_on, seconds)
        on conflict (batch_id, workflow_slug, spent_on) do update set seconds = t.seconds + excluded.seconds
        """,
        (
            batch_id,
            client_id,
            [slug for (slug, _), _ in spent],
            [spent_on.value for (_, spent_on), _ in spent],
            [passed for _, passed in spent],
        ),
    )


def times_of(connection: Connection, batch_id: int) -> dict[str, dict[SpentOn, float]]:
    """Workflow slug (`ALL_STEPS`: the runs) -> what for -> seconds."""
    found: dict[str, dict[SpentOn, float]] = {}
    rows = connection.execute(
        "select workflow_slug, spent_on, seconds from step_times where batch_id = %s", (batch_id,)
    )
    for row in rows:
        found.setdefault(row["workflow_slug"], {})[SpentOn(row["spent_on"])] = row["seconds"]
    return found


def callback_waits(connection: Connection, batch_id: int) -> tuple[float, dict[str, float]]:
    """How long the batch has been under way, and how long at least one callback of each workflow was waited for.

    Seconds: from the first run to the last move; from a submission until its callback came, times that overlap counted
    once.
    """
    row = connection.execute(
        """
        select coalesce(extract(epoch from max(l.created_at) - min(b.started_at))::float8, 0) as seconds
        from batches b left join enrichment_results_log l on l.batch_id = b.id where b.id = %s
        """,
        (batch_id,),
    ).fetchone()
    waits = connection.execute(
        """
        with calls as materialized (  -- one sorting instead of a join, which fresh statistics would make a nested loop
          select max(workflow_slug) as workflow_slug, max(sent_at) as sent_at, min(at) as at
          from (
            select id, workflow_slug, sent_at, applied_at as at from provider_calls
            where batch_id = %(batch)s and callback_token is not null
            union all
            select call_id, null, null, received_at from callback_inbox where batch_id = %(batch)s
          ) as heard group by id
        ), waited as materialized (
          select workflow_slug, range_agg(tstzrange(sent_at, greatest(at, sent_at))) as times
          from calls where workflow_slug is not null and at is not null group by workflow_slug
        )
        select workflow_slug, sum(extract(epoch from upper(t) - lower(t)))::float8 as seconds
        from waited cross join unnest(times) as t group by workflow_slug
        """,
        {"batch": batch_id},
    ).fetchall()
    return (row["seconds"] if row else 0.0), {wait["workflow_slug"]: wait["seconds"] for wait in waits}
