"""Giving a batch up: from the commit on nothing of it is sent any more, and what is under way is settled.

What keeps a call from leaving meanwhile is in `store.batches.holds`.
"""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.statuses import SkipReason
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries.over import end_planned
from enrichment_assets.store.states.transitions import OF_STEPS, STEPS, StepFacts, ending, ends

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


NOT_SENT = """
  select s.* from workflow_states s
  where s.batch_id = %(batch)s and s.status = 'PENDING' and s.workflow_slug = any(%(slugs)s::text[]) and not exists (
    select 1 from provider_calls c
    where c.batch_id = s.batch_id and c.item_id = s.item_id and c.workflow_slug = s.workflow_slug
      and c.state in ('intent', 'sent', 'received'))
  order by s.item_id, s.workflow_slug for update of s"""
"""The PENDING states of a batch's workflows that have no call under way, locked."""


def ending_unsent(status: str) -> str:
    """The statement that ends what `NOT_SENT` finds with this status and the parameter `reason`; counts as `ended`."""
    how = {
        "slug": "w.workflow_slug",
        "status": f"'{status}'",
        "reason": "%(reason)s::text",
        "provider": "f.provider",
        "attempts": "w.attempts",
    }
    return f"""
with waiting as ({NOT_SENT}
), ends as (
  select {ends("w", "item_id client_id batch_id", how)}
  from waiting w join {STEPS} on f.slug = w.workflow_slug
), {ending("s.status = 'PENDING'")}
select count(*) as ended from moved
"""


_SKIP = ending_unsent("SKIPPED")


def give_up(connection: Connection, batch_key: str) -> GivenUp | None:
    """Skip what was not sent and let nothing more be; None: there is no such batch. Again, it changes nothing.

    A PENDING state whose call is under way keeps waiting for its answer. The caller commits.
    """
    batch = connection.execute(
        "select id, client_id, blueprint, given_up_at from batches where batch_key = %s for update", (batch_key,)
    ).fetchone()
    if batch is None:
        return None
    facts = StepFacts.of(Blueprint.model_validate(batch["blueprint"]))
    parameters = {"batch": batch["id"], "reason": REASON, "slugs": list(facts.providers), **facts.parameters()}
    connection.execute(
        "update batches set given_up_at = coalesce(given_up_at, clock_timestamp()) where id = %(batch)s", parameters
    )
    moved = connection.execute(_SKIP, parameters).fetchone()
    end_planned(connection, batch["id"], "the batch was given up")
    counts = connection.execute(
        f"""
        with standing as (
          select count(*) filter (where status in ('PENDING', 'IN_PROGRESS')) as open,
                 count(*) filter (where status = 'AMBIGUOUS') as ambiguous
          from workflow_states s where batch_id = %(batch)s and {OF_STEPS}
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
        skipped=moved["ended"],
        under_way=counts["open"],
        ambiguous=counts["ambiguous"],
        again=batch["given_up_at"] is not None,
    )
