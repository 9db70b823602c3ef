"""Which batches wait for a run: what the sequencer looks for."""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.groups import LONGEST_WAIT, SHORTEST_WAIT

NOT_EXTRACTED = "not extracted"
"""Reason to run a batch: all of its steps have settled, and its tables are not made of that yet."""

WAITS_FOR_PEOPLE = "waits for people"
"""Reason to run a batch: nothing but people is waited for, and its tables lack what was done since they were made."""


@dataclass(frozen=True, slots=True)
class WaitingBatch:
    """A batch that the sequencer should continue, and what shows that it is a new reason.

    `seconds`: how long the tables of a batch have been missing; None for every other reason.
    """

    batch_key: str
    reason: str
    mark: str
    seconds: float | None


def batches_to_resume(connection: Connection) -> list[WaitingBatch]:
    """Batches whose time has come: something is due, a deadline passed, their runner died, or only tables are missing.

    The last waits five seconds for a run in a terminal (`enrich run`), which makes the tables itself. A try is nobody's
    but that of who tries. While people are waited for, tables are made at once, and then for groups of answers: after
    as long as the batch had been under way when they were made last, a minute at least and an hour at most.
    """
    rows = connection.execute(
        """
        select b.batch_key, 'due' as reason, extract(epoch from b.resume_at)::bigint::text as mark,
               null::float8 as seconds
        from batches b
        where b.finished_at is null and (b.retired_at is null or b.given_up_at is not null)
          and b.resume_at <= clock_timestamp() and not b.is_try
          and not exists (select 1 from runners r where r.batch_id = b.id and r.ended_at is null
                          and r.expires_at > clock_timestamp())
        union all
        select b.batch_key, 'runner died', max(r.id)::text, null
        from batches b join runners r on r.batch_id = b.id
        where b.finished_at is null and (b.retired_at is null or b.given_up_at is not null) and r.ended_at is null
          and r.expires_at <= clock_timestamp() and not b.is_try
          and not exists (select 1 from runners x where x.batch_id = b.id and x.ended_at is null
                          and x.expires_at > clock_timestamp())
        group by b.batch_key
        union all
        select b.batch_key, %s, extract(epoch from b.finished_at)::bigint::text,
               extract(epoch from clock_timestamp() - b.finished_at)::float8
        from batches b
        where b.retired_at is null and b.finished_at < clock_timestamp() - interval '5 seconds' and not b.is_try
          and (b.extracted_at is null or b.extracted_at < b.finished_at)
        union all
        select b.batch_key, %s, extract(epoch from b.waits_since)::bigint::text, null
        from batches b
        where b.retired_at is null and b.waits_since < clock_timestamp() - interval '5 seconds' and not b.is_try
          and (b.extracted_at is null or b.extracted_at < b.waits_since and b.extracted_at < clock_timestamp() - least(
                 greatest(b.extracted_at - coalesce(b.started_at, b.created_at), %s), %s))
        order by batch_key
        """,
        (NOT_EXTRACTED, WAITS_FOR_PEOPLE, SHORTEST_WAIT, LONGEST_WAIT),
    ).fetchall()
    return [WaitingBatch(**row) for row in rows]


# one row: by its key
def waits_for_people(connection: Connection, batch_key: str) -> bool:
    """Whether all that is open of a batch waits for people."""
    row = connection.execute("select waits_since from batches where batch_key = %s", (batch_key,)).fetchone()
    return bool(row and row["waits_since"])
