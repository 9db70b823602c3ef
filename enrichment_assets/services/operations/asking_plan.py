"""What asking chosen steps about chosen leads comes to, before it is done and after (`services.operations.asking`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.money import Money, sums
from enrichment_assets.services.batches.foresight import Hindrance
from enrichment_assets.services.operations.recovery import what_next


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be asked.

    Attributes:
        workflows: Slugs of the steps.
        items: Ids of the items; None: all of the batch.
        where: Conditions over the leads as they were last extracted, which hold besides (`domain.conditions`).
        again: Also what has an answer: it is paid once more.
    """

    workflows: Sequence[str]
    items: Collection[int] | None = None
    where: Sequence[str] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class StepAsking:
    """What is asked of one step.

    Attributes:
        asked: Why it can be asked -> chosen items: `waiting` (it was not asked yet), `failed`, `cancelled`, `skipped`
            (for want of what may be there by now), `again` (it has an answer), `fallback` (it was not asked because an
            earlier member of its waterfall had found it, which is asked anew: it is asked where that finds nothing).
        left: Why it is left alone -> chosen items: `found`, `not_found`, `under_way`, `ambiguous`, `suppressed`,
            `erased`, or why it was skipped.
        shared: Items besides that share a call with them, and go back with them.
        calls_at_most: A company is asked about once.
        cost_at_most: Of these calls.
    """

    workflow: str
    asked: Mapping[str, int]
    left: Mapping[str, int]
    shared: int
    calls_at_most: int
    cost_at_most: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Asking:
    """What was asked, or would be.

    Attributes:
        batch: Its key.
        items: Chosen items.
        again: What has an answer is asked anew.
        steps: In the order of the pipeline: the chosen ones, and the fallbacks of those that are asked anew.
        later: Later steps that have used these answers -> chosen items: they stay as they are, unless chosen too.
        reopened: Later steps that were skipped for want of these answers, and are PENDING again; of a plan 0.
        hindrances: Why steps would stand still, whoever runs the batch next.
        running: Labels of the runs that work on the batch.
        started: It was done.
        phases: Of a batch that goes by phase: those of the asked steps. They wait until their phase is asked for.
    """

    batch: str
    items: int
    again: bool
    steps: tuple[StepAsking, ...]
    later: Mapping[str, int]
    reopened: int
    hindrances: tuple[Hindrance, ...]
    running: tuple[str, ...]
    started: bool
    phases: tuple[str, ...] = ()

    @property
    def asked(self) -> int:
        """Questions: a step of an item each."""
        return sum(sum(step.asked.values()) for step in self.steps)

    @property
    def answered(self) -> int:
        """Answers that are left alone, and could be asked for anew."""
        return sum(step.left.get(outcome, 0) for step in self.steps for outcome in ("found", "not_found"))

    @property
    def calls_at_most(self) -> int:
        """Of all steps."""
        return sum(step.calls_at_most for step in self.steps)

    @property
    def costs(self) -> list[Money]:
        """At most, one for each currency."""
        return sums(Money(step.cost_at_most, step.currency) for step in self.steps)

    @property
    def next_step(self) -> Hint:
        """What to do now."""
        return what_next(self.batch, self.running) if self.asked else Hint(Action.NOTHING_CHANGED)
