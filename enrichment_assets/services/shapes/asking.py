"""Chosen steps asked about chosen leads: what that is, or would be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.operations.asking import Asking as Found
    from enrichment_assets.services.operations.asking import StepAsking as FoundStep


@dataclass(frozen=True, slots=True)
class StepAsking(Shape):
    """What is asked of one step.

    Attributes:
        workflow: The step.
        asked: Why it can be asked (`waiting`, `failed`, `cancelled`, `skipped`, `again`, `fallback`: of a waterfall,
            where what is asked anew finds nothing) -> leads.
        left: Why it is left alone (`found`, `not_found`, `under_way`, `ambiguous`, `suppressed`, `erased`, or why it
            was skipped) -> chosen leads.
        shared: Leads besides that share a call with them, and are asked about with them.
        calls_at_most: Calls at most.
        cost_at_most: What they cost at most.
        currency: Of the cost.
    """

    workflow: str
    asked: Mapping[str, int]
    left: Mapping[str, int]
    shared: int
    calls_at_most: int
    cost_at_most: Decimal
    currency: str

    @classmethod
    def of(cls, found: FoundStep) -> StepAsking:
        """From what a plan says of a step."""
        return cls(
            found.workflow,
            found.asked,
            found.left,
            found.shared,
            found.calls_at_most,
            found.cost_at_most,
            found.currency,
        )


@dataclass(frozen=True, slots=True)
class Asking(Shape):
    """What chosen steps were asked about chosen leads, or what that would be.

    Attributes:
        batch: Key of the batch.
        items: Chosen leads.
        again: What has an answer is asked anew, and paid again.
        started: It was done; false: nothing was changed.
        steps: What is asked of each step.
        calls_at_most: Calls at most, of all steps.
        costs: Currency -> what they cost at most.
        later: Later steps that have used answers which are asked for anew -> chosen leads; they stay as they are.
        reopened: Later steps that were skipped for want of these answers, and are asked too.
        hindrances: Why steps would stand still.
        phases: Of a batch that goes by phase, those of the asked steps: they wait until somebody asks for their phase.
    """

    batch: str
    items: int
    again: bool
    started: bool
    steps: tuple[StepAsking, ...]
    calls_at_most: int
    costs: Mapping[str, Decimal]
    later: Mapping[str, int]
    reopened: int
    hindrances: tuple[str, ...]
    phases: tuple[str, ...]

    @classmethod
    def of(cls, found: Found) -> Asking:
        """From a plan, or what was done of it."""
        return cls(
            found.batch,
            found.items,
            found.again,
            found.started,
            tuple(map(StepAsking.of, found.steps)),
            found.calls_at_most,
            {one.currency: one.amount for one in found.costs},
            found.later,
            found.reopened,
            tuple(one.reason for one in found.hindrances),
            found.phases,
        )
