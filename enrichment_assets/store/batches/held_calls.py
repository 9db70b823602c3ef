"""Calls that had left before their batch was held: how many, what they may cost, and later what they came to.

A hold keeps what was under way at its moment, read while the batch's row was locked: no call of what is held leaves
afterwards, so whatever its workflows have cost more since then is what those calls came to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.money import Money
from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Calls of a workflow that are in flight.

    Attributes:
        workflow: Its slug.
        calls: How many.
        reserved: The most that they can still cost.
        spent: What all calls of the workflow have cost so far, in this batch.
        unknown: Its calls whose fate nobody knows.
    """

    workflow: str
    calls: int
    reserved: Decimal
    spent: Decimal
    unknown: int

    def money(self, currency: str) -> Money:
        """What they can still cost."""
        return Money(self.reserved, currency)

    def kept(self) -> dict[str, Any]:
        """As a hold keeps it."""
        return {
            "calls": self.calls,
            "reserved": str(self.reserved),
            "spent": str(self.spent),
            "unknown": self.unknown,
        }


@dataclass(frozen=True, slots=True)
class HeldCalls:
    """What became of the calls of a workflow that were under way when it was held.

    Attributes:
        workflow: Its slug.
        calls: How many they were.
        reserved: What they could cost then.
        still: How many are under way now.
        may_cost: What those can still cost.
        came_to: What the others have cost.
        unknown: How many have an unknown fate since then; they may have cost what was reserved.
    """

    workflow: str
    calls: int
    reserved: Decimal
    still: int
    may_cost: Decimal
    came_to: Decimal
    unknown: int


def under_way(connection: Connection, batch_id: int, slugs: Sequence[str]) -> list[UnderWay]:
    """What of these workflows is in flight."""
    return [one for one in _calls(connection, batch_id, slugs) if one.calls]


def since_held(connection: Connection, batch_id: int, kept: Mapping[str, Mapping[str, Any]]) -> tuple[HeldCalls, ...]:
    """What became of what a hold kept (`UnderWay.kept` by workflow); empty where nothing was under way."""
    if not kept:
        return ()
    now = {one.workflow: one for one in _calls(connection, batch_id, list(kept))}
    return tuple(
        HeldCalls(
            workflow,
            before["calls"],
            Decimal(before["reserved"]),
            now[workflow].calls,
            now[workflow].reserved,
            now[workflow].spent - Decimal(before["spent"]),
            now[workflow].unknown - before["unknown"],
        )
        for workflow, before in kept.items()
    )


def _calls(connection: Connection, batch_id: int, slugs: Sequence[str]) -> list[UnderWay]:
    rows = connection.execute(
        """
        select workflow_slug as workflow, count(*) filter (where is_flying) as calls,
               coalesce(sum(estimated_cost) filter (where is_flying), 0) as reserved, coalesce(sum(cost), 0) as spent,
               count(*) filter (where state = 'ambiguous') as unknown
        from (select *, state in ('intent', 'sent', 'received') as is_flying from provider_calls
              where batch_id = %s and workflow_slug = any(%s::text[])) as c
        group by workflow_slug order by workflow_slug
        """,
        (batch_id, list(slugs)),
    ).fetchall()
    return [UnderWay(**row) for row in rows]
