"""Batches of which something failed or was cancelled, by the filters of a retry: one statement, however many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Candidate:
    """A batch that has one of the workflows that are meant.

    Attributes:
        batch: Its key.
        workflows: Slugs of the workflows of it that are meant.
        holds: What of it is paused or cancelled (`store.batches.holds`).
        matches: Something of it has failed or was cancelled, or stands still for a reason that a retry lifts.
        archived: Nothing of it runs any more.
        given_up: Nothing more of it is sent.
    """

    batch: str
    workflows: list[str]
    holds: dict[str, dict[str, Any]]
    matches: bool
    archived: bool
    given_up: bool


_FIND = """
with meant as materialized (
  select b.id, b.batch_key, b.holds, b.retired_at is not null as archived, b.given_up_at is not null as given_up,
         array_agg(e.step -> 'workflow' ->> 'slug') as slugs
  from batches b cross join lateral jsonb_array_elements(b.blueprint -> 'steps') as e(step)
  where not b.is_try
    and (%(batches)s::text[] is null or b.batch_key = any(%(batches)s::text[]))
    and (%(workflow)s::text is null or e.step -> 'workflow' ->> 'slug' = %(workflow)s)
    and (%(provider)s::text is null or e.step -> 'workflow' ->> 'provider' = %(provider)s)
  group by b.id
)
select m.batch_key as batch, m.slugs as workflows, m.holds, m.archived, m.given_up,
       exists (
         select 1 from workflow_states s
         where s.batch_id = m.id and s.workflow_slug = any(m.slugs) and s.status in ('FAILED', 'CANCELLED')
           and (%(class)s::text is null or s.status = 'FAILED' and s.error_class = %(class)s)
           and (%(since)s::timestamptz is null or s.advanced_at >= %(since)s)
       ) or %(class)s::text is null and %(since)s::timestamptz is null and exists (
         select 1 from step_stops t
         where t.batch_id = m.id and t.workflow_slug = any(m.slugs) and t.cause = any(%(lifted)s::text[])
       ) as matches
from meant m order by m.id
"""


def find_batches(
    connection: Connection,
    batches: Sequence[str] | None,
    *,
    workflow: str | None,
    provider: str | None,
    error_class: str | None,
    since: datetime | None,
    lifted: Sequence[str],
) -> list[Candidate]:
    """The batches that have a workflow that is meant, the oldest first.

    Args:
        connection: HQ database.
        batches: Keys of the only batches; None: all but tries.
        workflow: Slug of the only workflow.
        provider: The only provider.
        error_class: The only class of failures; then nothing that was cancelled or stands still is meant.
        since: Only what ended at this time or later.
        lifted: Causes of stops that a retry lifts.
    """
    rows = connection.execute(
        _FIND,
        {
            "batches": None if batches is None else list(batches),
            "workflow": workflow,
            "provider": provider,
            "class": error_class,
            "since": since,
            "lifted": list(lifted),
        },
    ).fetchall()
    return [Candidate(**row) for row in rows]


def unknown_batches(connection: Connection, batches: Sequence[str]) -> list[str]:
    """Which of these keys no batch has, in their order."""
    rows = connection.execute(
        "select k.key from unnest(%s::text[]) with ordinality as k(key, place) "
        "where not exists (select 1 from batches b where b.batch_key = k.key and not b.is_try) order by k.place",
        (list(batches),),
    ).fetchall()
    return [row["key"] for row in rows]
