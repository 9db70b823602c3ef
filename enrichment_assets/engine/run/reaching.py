"""A batch that has as many prospects as were asked for asks for no more: what a target ends, and what it leaves.

Items that would only lead to further ones are skipped where they would next call somebody. Whoever is there already
goes on to the end. A call that is under way is not taken back, so some more pages are read than were needed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.statuses import SkipReason, Status
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.batches.fanout import count_children
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.runs.contexts import LoadedItem

LOOK_SECONDS = 0.5
"""How old a count may be: calls that leave meanwhile are too many, not wrong."""


class Enough(Exception):
    """The batch has as many as were asked for: this call would only lead to more."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Reaching:
    """What a run knows of its batch's target. Without one it asks nothing and ends nothing."""

    connection: AsyncConnection
    batch_id: int
    blueprint: Blueprint
    reached: bool = False
    _looked: float = float("-inf")

    async def refuse_more(self, item: LoadedItem, step: Step) -> None:
        """Raise `Enough` where a call that is about to leave would only lead to more than was asked for."""
        await self.look(step)
        if (reason := self.reason(item, step)) is not None:
            raise Enough(reason)

    async def look(self, step: Step) -> None:
        """Count what there is, where the step leads to more of it and the last look is too old."""
        target = self.blueprint.target
        if target is None or self.reached or not self._leads_there(step):
            return
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            self.reached = await count_children(self.connection, self.batch_id, target.of) >= target.most

    def reason(self, item: LoadedItem, step: Step) -> str | None:
        """Why a step would only lead to more than was asked for; None: it may run."""
        target = self.blueprint.target
        if target is None or not self.reached or not self._leads_there(step):
            return None
        state = item.states.get(target.of)
        if state is None or state.status is not Status.PENDING:
            return None
        return f"{SkipReason.TARGET_REACHED.value}: there are {target.most} of {target.of}"

    def _leads_there(self, step: Step) -> bool:
        target = self.blueprint.target
        return (
            target is not None
            and step.provider is not None
            and step.blueprint.position < self.blueprint.step(target.of).position
        )
