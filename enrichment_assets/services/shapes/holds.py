"""What is paused or cancelled of a batch, and what doing so came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.operations import holding
    from enrichment_assets.store.batches import held_calls, holds


@dataclass(frozen=True, slots=True)
class HeldCalls(Shape):
    """What became of the calls of a workflow that were under way when it was held.

    Attributes:
        workflow: Its slug.
        calls: How many they were.
        reserved: What they could cost then.
        still: How many are under way now.
        may_cost: What those can still cost.
        came_to: What the others have cost.
        unknown: How many of those nobody knows the fate of: they may have cost what was reserved.
        currency: Of the amounts.
    """

    workflow: str
    calls: int
    reserved: Decimal
    still: int
    may_cost: Decimal
    came_to: Decimal
    unknown: int
    currency: str

    @classmethod
    def of(cls, found: held_calls.HeldCalls, currencies: Mapping[str, str]) -> HeldCalls:
        """From what the store counts; `currencies` of each workflow's price."""
        return cls(
            found.workflow,
            found.calls,
            found.reserved,
            found.still,
            found.may_cost,
            found.came_to,
            found.unknown,
            currencies.get(found.workflow, ""),
        )


@dataclass(frozen=True, slots=True)
class Hold(Shape):
    """A workflow, or a whole batch, of which nothing is sent because somebody said so.

    Attributes:
        workflow: Its slug; null: the whole batch.
        kind: `paused`: what is pending waits; `cancelled`: it was ended.
        reason: In the words of who said so.
        actor: Who: `cli:ann`.
        at: When.
        under_way: What became of the calls that were under way at that moment.
    """

    workflow: str | None
    kind: str
    reason: str
    actor: str
    at: datetime
    under_way: tuple[HeldCalls, ...]

    @classmethod
    def of(
        cls,
        workflow: str,
        hold: holds.Hold,
        under_way: Sequence[held_calls.HeldCalls],
        currencies: Mapping[str, str],
    ) -> Hold:
        """From what the store keeps."""
        return cls(
            None if workflow == "*" else workflow,
            hold.kind,
            hold.reason,
            hold.actor,
            datetime.fromisoformat(hold.at),
            tuple(HeldCalls.of(one, currencies) for one in under_way),
        )


@dataclass(frozen=True, slots=True)
class HoldChange(Shape):
    """What pausing, cancelling or resuming a batch, or one of its workflows, came to.

    Attributes:
        batch: The batch's key.
        workflow: Of which workflow; null: all of them.
        hold: What stands now: `kind`, `reason`, `actor`, `at`, `under_way`; null: nothing holds it.
        states: Workflow to states that wait now, were ended, or go on.
        under_way: Workflow to calls that had left before and are not settled yet.
        may_cost: Currency to what those calls may still cost.
        running: Runs that work on the batch now.
        again: It was so before; nothing was changed.
    """

    batch: str
    workflow: str | None
    hold: Hold | None
    states: Mapping[str, int]
    under_way: Mapping[str, int]
    may_cost: Mapping[str, Decimal]
    running: tuple[str, ...]
    again: bool

    @classmethod
    def of(cls, report: holding.HoldReport) -> HoldChange:
        """From what the services return."""
        return cls(
            report.batch,
            report.workflow,
            None
            if report.hold is None
            else Hold.of(report.workflow or "*", report.hold, report.before, report.currencies),
            report.states,
            {one.workflow: one.calls for one in report.under_way},
            {money.currency: money.amount for money in report.may_cost},
            report.running,
            report.again,
        )
