"""One step for chosen items: what a run would ask, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.batches.choosing import Choice


@dataclass(frozen=True, slots=True)
class ChosenRun(Shape):
    """A run of one step for chosen items, or what it would be.

    Attributes:
        batch: Key of the batch.
        workflow: The step.
        where: The conditions, which all hold.
        chosen: Items that were chosen.
        of_items: Items of the batch that have the step.
        companies: Companies of the chosen ones.
        ready: Chosen items that can be asked about now.
        waiting: Earlier step -> chosen items that wait for it.
        ended: Status or outcome -> chosen items of which nothing is asked: they had it before the run.
        calls_at_most: Calls that the run makes at most.
        cost_at_most: What they cost at most.
        currency: Of the cost.
        hindrances: Why nothing is asked now.
        asked: Items that the run has asked about; null: it was not run.
        now: Status or outcome -> chosen items after the run; null: it was not run.
    """

    batch: str
    workflow: str
    where: tuple[str, ...]
    chosen: int
    of_items: int
    companies: int
    ready: int
    waiting: Mapping[str, int]
    ended: Mapping[str, int]
    calls_at_most: int
    cost_at_most: Decimal
    currency: str
    hindrances: tuple[str, ...]
    asked: int | None
    now: Mapping[str, int] | None

    @classmethod
    def of(cls, before: Choice, after: Choice | None) -> ChosenRun:
        """From what was found before a run, and after it if there was one."""
        return cls(
            before.batch,
            before.workflow,
            before.where,
            len(before.items),
            before.of_items,
            before.companies,
            before.ready,
            before.waiting,
            before.ended,
            before.calls_at_most,
            before.cost_at_most,
            before.currency,
            tuple(one.reason for one in before.hindrances),
            None if after is None else before.ready - after.ready,
            None if after is None else after.ended,
        )
