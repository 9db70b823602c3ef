"""States that become PENDING again: what a person retries, what an answer or more money makes possible after all.

`transitions` has the reasons for which a skipped step is reopened, and what reopening means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.statuses import SkipReason
from enrichment_assets.store.calls.ledger import Scope
from enrichment_assets.store.database import AsyncConnection, Connection
from enrichment_assets.store.replies import Reply
from enrichment_assets.store.states.transitions import (
    ANSWERED,
    DEPENDENTS,
    STEPS,
    WANTED_AN_ANSWER,
    WANTED_MONEY,
    StepFacts,
    reopening,
)


@dataclass(frozen=True, slots=True)
class Reopen:
    """Steps of an item that may run again because an answer has come for it: workflow slug -> provider."""

    item_id: int
    fence: int
    providers: dict[str, str]


_HELD = f"""
with again as (
  select a.* from unnest(%(items)s::bigint[], %(fences)s::bigint[], %(slugs)s::text[], %(providers)s::text[])
    as a(item_id, fence, slug, provider)
  join item_leases l on l.item_id = a.item_id and l.fence = a.fence and l.runner_id = %(runner)s
), {reopening(WANTED_AN_ANSWER)}
select item_id, workflow_slug from reopened
"""


async def reopen(connection: AsyncConnection, scope: Scope, records: Sequence[Reopen]) -> Reply[set[tuple[int, str]]]:
    """Make steps PENDING again that were skipped for want of an answer that has now come.

    Like the ledger's, this statement belongs in a transaction in which `claims.alive` held.

    Returns:
        (item id, workflow slug) of each step that is PENDING again.
    """
    flat = [(r.item_id, r.fence, slug, provider) for r in records for slug, provider in r.providers.items()]
    cursor = await connection.execute(
        _HELD,
        {
            "runner": scope.runner_id,
            "message": ANSWERED,
            "items": [item for item, _, _, _ in flat],
            "fences": [fence for _, fence, _, _ in flat],
            "slugs": [slug for _, _, slug, _ in flat],
            "providers": [provider for _, _, _, provider in flat],
        },
    )
    return Reply(cursor, lambda rows: {(row["item_id"], row["workflow_slug"]) for row in rows})


_DEPENDENTS = f"""
with again as (
  select distinct p.item_id, o.after as slug, f.provider
  from unnest(%(items)s::bigint[], %(slugs)s::text[]) as p(item_id, slug)
  join {DEPENDENTS} on o.before = p.slug
  join {STEPS} on f.slug = o.after
), {reopening(WANTED_AN_ANSWER)}
select count(*) as moved from reopened
"""


def reopen_dependents(connection: Connection, answerable: Sequence[tuple[int, str]], facts: StepFacts) -> int:
    """Make steps PENDING that were skipped for want of an answer which may come now. Returns how many.

    Args:
        connection: HQ database.
        answerable: (item id, workflow slug) that may answer now.
        facts: Of the batch's blueprint.
    """
    if not answerable or not facts.dependents:
        return 0
    row = connection.execute(
        _DEPENDENTS,
        {
            "items": [item for item, _ in answerable],
            "slugs": [slug for _, slug in answerable],
            "message": ANSWERED,
            **facts.parameters(),
        },
    ).fetchone()
    return int(row["moved"]) if row else 0


_PICKED = f"""
with again as (
  select p.item_id, p.slug, f.provider
  from unnest(%(items)s::bigint[], %(slugs)s::text[]) as p(item_id, slug) join {STEPS} on f.slug = p.slug
), {reopening("s.status = %(status)s")}
select count(*) as moved from reopened
"""


def reopen_states(
    connection: Connection, picked: Sequence[tuple[int, str]], status: str, facts: StepFacts, message: str
) -> int:
    """Make picked states (item id, workflow slug) of this status PENDING; the log says `message`. Returns how many."""
    row = connection.execute(
        _PICKED,
        {
            "items": [item for item, _ in picked],
            "slugs": [slug for _, slug in picked],
            "status": status,
            "message": message,
            **facts.parameters(),
        },
    ).fetchone()
    return int(row["moved"]) if row else 0


_ANEW = f"""
with again as (
  select p.item_id, p.slug, f.provider
  from unnest(%(items)s::bigint[], %(slugs)s::text[]) as p(item_id, slug) join {STEPS} on f.slug = p.slug
), {reopening("s.status = 'COMPLETED'", anew=True)}
select count(*) as moved from reopened
"""


def reopen_answered(connection: Connection, picked: Sequence[tuple[int, str]], facts: StepFacts, message: str) -> int:
    """Make picked states that have an answer PENDING, to be asked anew: by calls of other keys. Returns how many."""
    row = connection.execute(
        _ANEW,
        {
            "items": [item for item, _ in picked],
            "slugs": [slug for _, slug in picked],
            "message": message,
            **facts.parameters(),
        },
    ).fetchone()
    return int(row["moved"]) if row else 0


ALREADY_FOUND_BY = "{} = '" + SkipReason.ALREADY_FOUND.value + ": by ' || {}"
"""SQL of a reason (first) that says that a step was not asked because another one (second) had found it."""

_FALLBACKS = f"""
with again as (
  select p.item_id, p.slug, p.member, f.provider
  from unnest(%(items)s::bigint[], %(slugs)s::text[], %(members)s::text[]) as p(item_id, slug, member)
  join {STEPS} on f.slug = p.slug
), {reopening("s.status = 'SKIPPED' and " + ALREADY_FOUND_BY.format("s.reason", "r.member"))}
select count(*) as moved from reopened
"""


def reopen_fallbacks(
    connection: Connection, behind: Sequence[tuple[int, str, str]], facts: StepFacts, message: str
) -> int:
    """Make steps PENDING that were not asked because another had found it, which is asked anew. Returns how many.

    They wait for that one, and are not asked where it finds again. `behind`: (item id, workflow slug, that step).
    """
    if not behind:
        return 0
    row = connection.execute(
        _FALLBACKS,
        {
            "items": [item for item, _, _ in behind],
            "slugs": [slug for _, slug, _ in behind],
            "members": [member for _, _, member in behind],
            "message": message,
            **facts.parameters(),
        },
    ).fetchone()
    return int(row["moved"]) if row else 0


@dataclass(frozen=True, slots=True)
class Reopened:
    """A batch with steps that were skipped for want of money and are PENDING again: (item id, workflow slug) each."""

    batch_id: int
    batch_key: str
    blueprint: dict[str, Any]
    states: tuple[tuple[int, str], ...]


_AFFORDABLE = f"""
with again as (
  select s.item_id, s.workflow_slug as slug, f.provider
  from batches b
  join workflow_states s on s.batch_id = b.id and {WANTED_MONEY}
  join lateral (
    select w.step -> 'workflow' ->> 'provider' as provider
    from jsonb_array_elements(b.blueprint -> 'steps') as w(step)
    where w.step -> 'workflow' ->> 'slug' = s.workflow_slug
  ) f on true
  where b.client_id = %(client)s and b.retired_at is null
    and (%(batch)s::bigint is null or b.id = %(batch)s)
    and (%(workflow)s::text is null or s.workflow_slug = %(workflow)s)
), {reopening(WANTED_MONEY)}
select b.id, b.batch_key, b.blueprint, array_agg(r.item_id order by r.item_id, r.workflow_slug) as items,
       array_agg(r.workflow_slug order by r.item_id, r.workflow_slug) as slugs
from reopened r join batches b on b.id = r.batch_id group by b.id order by b.id
"""


def reopen_affordable(
    connection: Connection, client_id: int, batch_id: int | None, workflow: str | None
) -> list[Reopened]:
    """Make the steps PENDING again that were skipped for want of money; those of retired batches stay.

    Args:
        connection: HQ database.
        client_id: Whose steps.
        batch_id: Only this batch's; None: all.
        workflow: Only this workflow's; None: all.
    """
    rows = connection.execute(
        _AFFORDABLE,
        {
            "client": client_id,
            "batch": batch_id,
            "workflow": workflow,
            "message": "there is money for it now",
        },
    ).fetchall()
    return [
        Reopened(row["id"], row["batch_key"], row["blueprint"], tuple(zip(row["items"], row["slugs"], strict=True)))
        for row in rows
    ]
