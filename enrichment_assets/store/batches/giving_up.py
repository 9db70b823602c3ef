"""Giving a batch up: from the commit on nothing of it is sent any more, and what is under way is settled.

Who wants to send writes its intent in a transaction that holds a key-share lock on the batch's row (`takes_calls`);
giving up takes the row for update. So an intent is committed before, and its call is under way, or it is refused. The
row comes before states and calls in everybody's order.
"""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.statuses import SkipReason
from enrichment_assets.store.database import AsyncConnection, Connection
from enrichment_assets.store.replies import Reply
from enrichment_assets.store.states.transitions import STEPS, StepFacts, ending, ends

REASON = f"{SkipReason.GIVEN_UP.value}: the batch was given up before this was asked"


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What giving a batch up came to: states that are never asked, and calls whose answers are still taken.

    `again`: it had been given up before.
    """

    batch_id: int
    client_id: int
    skipped: int
    under_way: int
    ambiguous: int
    again: bool


# one row: by its key
async def takes_calls(connection: AsyncConnection, batch_id: int) -> Reply[bool]:
    """Whether calls of the batch may leave; holds that until the transaction ends."""
    cursor = await connection.execute(
        "select 1 from batches where id = %s and given_up_at is null for key share", (batch_id,), prepare=True
    )
    return Reply(cursor, bool)


_SKIP = f"""
with waiting as (
  select s.* from workflow_states s
  where s.batch_id = %(batch)s and s.status = 'PENDING' and not exists (
    select 1 from provider_calls c
    where c.batch_id = s.batch_id and c.item_id = s.item_id and c.workflow_slug = s.workflow_slug
      and c.state in ('intent', 'sent', 'received'))
  order by s.item_id, s.workflow_slug for update of s
), ends as (
  select {
    ends(
        "w",
        "item_id client_id batch_id",
        {
            "slug": "w.workflow_slug",
            "status": "'SKIPPED'",
            "reason": "%(reason)s::text",
            "provider": "f.provider",
            "attempts": "w.attempts",
        },
    )
}
  from waiting w join {STEPS} on f.slug = w.workflow_slug
), {ending("s.status = 'PENDING'")}
select count(*) as skipped from moved
"""


def give_up(connection: Connection, batch_key: str) -> GivenUp | None:
    """Skip what was not sent and let nothing more be; None: there is no such batch. Again, it changes nothing.

    A PENDING state whose call is under way keeps waiting for its answer. The caller commits.
    """
    batch = connection.execute(
        "select id, client_id, blueprint, given_up_at from batches where batch_key = %s for update", (batch_key,)
    ).fetchone()
    if batch is None:
        return None
    steps = StepFacts.of(Blueprint.model_validate(batch["blueprint"])).parameters()
    parameters = {"batch": batch["id"], "reason": REASON, **steps}
    connection.execute(
        "update batches set given_up_at = coalesce(given_up_at, clock_timestamp()) where id = %(batch)s", parameters
    )
    moved = connection.execute(_SKIP, parameters).fetchone()
    counts = connection.execute(
        """
        with standing as (
          select count(*) filter (where status in ('PENDING', 'IN_PROGRESS')) as open,
                 count(*) filter (where status = 'AMBIGUOUS') as ambiguous
          from workflow_states where batch_id = %(batch)s
        )
        update batches b
        set finished_at = case when s.open = 0 then coalesce(b.finished_at, clock_timestamp()) end,
            resume_at = case when s.open = 0 then null else clock_timestamp() end
        from standing s where b.id = %(batch)s
        returning s.open, s.ambiguous
        """,
        parameters,
    ).fetchone()
    assert moved is not None and counts is not None  # noqa: S101
    return GivenUp(
        batch_id=batch["id"],
        client_id=batch["client_id"],
        skipped=moved["skipped"],
        under_way=counts["open"],
        ambiguous=counts["ambiguous"],
        again=batch["given_up_at"] is not None,
    )
