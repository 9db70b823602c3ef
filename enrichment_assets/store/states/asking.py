"""Chosen steps for chosen items: where they stand, which of them can be asked about, and those states, locked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.statuses import LIFTED_BY_AN_ANSWER, SkipReason
from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.reopening import ALREADY_FOUND_BY

ASKED = ("waiting", "failed", "cancelled", "skipped", "again")
"""Verdicts of states that are asked about: PENDING already, or put back."""

_LIFTED = (*LIFTED_BY_AN_ANSWER, SkipReason.INVALID_INPUT, SkipReason.BUDGET)
"""Why a step was skipped that may run by now: a value was corrected, an answer has come, there is money."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is chosen of a batch.

    Attributes:
        batch_id: The batch.
        workflows: Slugs of the steps.
        items: Ids of the items; None: all.
        anew: Also what has an answer.
        persons: Items whose person may not be asked about, `companies`: those whose company may not.
        of_company: Slugs of the steps that ask about companies.
        local: Slugs of the steps that ask nobody.
    """

    batch_id: int
    workflows: Sequence[str]
    items: Collection[int] | None
    anew: bool
    persons: Collection[int]
    companies: Collection[int]
    of_company: Sequence[str]
    local: Sequence[str]

    def parameters(self) -> dict[str, Any]:
        """Of the statements below."""
        return {
            "batch": self.batch_id,
            "slugs": list(self.workflows),
            "items": None if self.items is None else sorted(self.items),
            "anew": self.anew,
            "persons": sorted(self.persons),
            "companies": sorted(self.companies),
            "of_company": list(self.of_company),
            "local": list(self.local),
            "lifted": [reason.value for reason in _LIFTED],
            "asked": list(ASKED),
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """States of one step that stand alike: the verdict, how many, and of how many companies."""

    workflow: str
    verdict: str
    states: int
    companies: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A locked state that can be asked about."""

    item_id: int
    workflow: str
    status: str
    call_id: int | None


_JUDGED = """
with erased as materialized (
  select distinct e.item_id from person_erasures p cross join lateral unnest(p.item_ids) as e(item_id)
  join batch_items i on i.id = e.item_id and i.batch_id = %(batch)s
), judged as materialized (
  select s.item_id, s.workflow_slug, s.status, s.call_id, coalesce(i.company_key, i.id::text) as company,
         case when s.item_id in (select item_id from erased) then 'erased'
              when s.status = 'IN_PROGRESS' then 'under_way'
              when s.status = 'AMBIGUOUS' then 'ambiguous'
              when s.status = 'COMPLETED' and not %(anew)s then s.outcome
              when s.workflow_slug <> all(%(local)s::text[]) and (
                     s.workflow_slug = any(%(of_company)s::text[]) and s.item_id = any(%(companies)s::bigint[])
                     or s.workflow_slug <> all(%(of_company)s::text[]) and s.item_id = any(%(persons)s::bigint[]))
                then 'suppressed'
              when s.status = 'COMPLETED' then 'again'
              when s.status = 'PENDING' then 'waiting'
              when s.status in ('FAILED', 'CANCELLED') then lower(s.status)
              when split_part(s.reason, ':', 1) = any(%(lifted)s::text[]) then 'skipped'
              else coalesce(split_part(s.reason, ':', 1), 'left') end as verdict
  from workflow_states s join batch_items i on i.id = s.item_id
  where s.batch_id = %(batch)s and s.workflow_slug = any(%(slugs)s::text[])
    and (%(items)s::bigint[] is null or s.item_id = any(%(items)s::bigint[]))
)"""

_STANDINGS = f"""
{_JUDGED}
select workflow_slug as workflow, verdict, count(*) as states, count(distinct company) as companies
from judged group by workflow_slug, verdict
union all
select workflow_slug, 'asked', count(*), count(distinct company)
from judged where verdict = any(%(asked)s::text[]) group by workflow_slug
order by 1, 2
"""
# Who shares a call goes with whoever is chosen: its answer is theirs too, and another is.
_PUT_BACK = f"""
{_JUDGED}, chosen as (
  select * from judged where verdict = any(%(asked)s::text[]) and verdict <> 'waiting'
)
select s.item_id, s.workflow_slug as workflow, s.status, s.call_id
from workflow_states s
where s.batch_id = %(batch)s and s.workflow_slug = any(%(slugs)s::text[])
  and ((s.item_id, s.workflow_slug) in (select item_id, workflow_slug from chosen)
       or s.status in ('FAILED', 'COMPLETED') and (s.call_id, s.status) in (
            select call_id, status from chosen where call_id is not null))
"""


def standings(connection: Connection, chosen: Chosen) -> list[Standing]:
    """Where the chosen states stand; the verdict `asked` is of all that are asked about, together."""
    rows = connection.execute(_STANDINGS, chosen.parameters()).fetchall()
    return [Standing(**row) for row in rows]


def put_back_of(connection: Connection, chosen: Chosen) -> dict[str, int]:
    """Step -> states that are put back: those that are chosen, and those that share a call with them."""
    rows = connection.execute(
        f"select p.workflow, count(*) as states from ({_PUT_BACK}) p group by 1", chosen.parameters()
    )
    return {row["workflow"]: row["states"] for row in rows.fetchall()}


def fallbacks_of(connection: Connection, chosen: Chosen, pairs: Sequence[tuple[str, str]]) -> dict[str, Standing]:
    """Step -> states that were not asked because a step that is asked anew had found it; `pairs`: (that, fallback)."""
    if not pairs:
        return {}
    rows = connection.execute(
        f"""
        select s.workflow_slug as workflow, 'fallback' as verdict, count(*) as states,
               count(distinct coalesce(i.company_key, i.id::text)) as companies
        from ({_PUT_BACK}) p
        join unnest(%(members)s::text[], %(fallbacks)s::text[]) as o(member, fallback) on o.member = p.workflow
        join workflow_states s on s.item_id = p.item_id and s.workflow_slug = o.fallback
          and {ALREADY_FOUND_BY.format("s.reason", "o.member")} and s.status = 'SKIPPED'
        join batch_items i on i.id = s.item_id
        where p.status = 'COMPLETED' group by 1
        """,
        {
            **chosen.parameters(),
            "members": [member for member, _ in pairs],
            "fallbacks": [fallback for _, fallback in pairs],
        },
    ).fetchall()
    return {row["workflow"]: Standing(**row) for row in rows}


def lock_put_back(connection: Connection, chosen: Chosen) -> list[Asked]:
    """Those states, locked, in the order in which a run locks them."""
    rows = connection.execute(
        f"{_PUT_BACK} order by s.item_id, s.workflow_slug for update of s", chosen.parameters()
    ).fetchall()
    return [Asked(**row) for row in rows]


def items_of(connection: Connection, batch_id: int, items: Collection[int] | None) -> list[int]:
    """Ids of a batch's items, of all or of these: those that it has."""
    rows = connection.execute(
        "select id from batch_items where batch_id = %s and (%s::bigint[] is null or id = any(%s::bigint[])) "
        "order by id",
        (batch_id, *([None if items is None else list(items)] * 2)),
    )
    return [row["id"] for row in rows.fetchall()]


def answered_after(
    connection: Connection, batch_id: int, steps: Sequence[str], items: Collection[int] | None
) -> dict[str, int]:
    """Step -> items that have an answer of it."""
    rows = connection.execute(
        "select workflow_slug as workflow, count(*) as states from workflow_states where batch_id = %s "
        "and workflow_slug = any(%s::text[]) and status = 'COMPLETED' "
        "and (%s::bigint[] is null or item_id = any(%s::bigint[])) group by 1 order by 1",
        (batch_id, list(steps), *([None if items is None else list(items)] * 2)),
    )
    return {row["workflow"]: row["states"] for row in rows.fetchall()}
