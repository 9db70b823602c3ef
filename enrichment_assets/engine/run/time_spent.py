"""Where a run's time goes, step by step: waiting for the rate, for a slot, for the provider, for us, or resting.

Each step counts what its calls do at the moment (`Load`); a few times a second it is looked at which of it holds the
step back, and the time since the last look is booked on that. So a call costs a few additions, however long it waits.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from enrichment_assets.domain.statuses import SpentOn
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.runs.step_times import ALL_STEPS, add_times

if TYPE_CHECKING:
    from enrichment_assets.engine.run.context import Run

LOOK_SECONDS = 0.2
KEEP_SECONDS = 5.0
"""How often what was booked is written where `enrich stats` finds it: a run that dies loses no more than this."""

BUSY = 0.85
"""Share of a look's time that this thread computed for: what waits then waits for us."""


@dataclass(slots=True)
class Load:
    """How many items a step has at work now, and how many of its calls wait for what.

    Attributes:
        items: At this step, whatever they do.
        for_rate: Calls whose turn to leave has not come.
        for_slot: Calls that want a slot, or a permit to have an intent.
        on_wire: Requests under way.
        resting: Calls that wait before they are repeated.
    """

    items: int = 0
    for_rate: int = 0
    for_slot: int = 0
    on_wire: int = 0
    resting: int = 0

    def held_back_by(self, slots: int, *, is_stopped: bool, we_are_busy: bool) -> SpentOn | None:
        """What a step with so many slots waits for at this moment; None: it has nothing to do."""
        if is_stopped:
            return SpentOn.RESTS
        if self.for_rate:
            return SpentOn.RATE
        if self.items == 0:
            return None
        if we_are_busy:
            return SpentOn.OURS
        if self.for_slot and 2 * self.on_wire >= slots:
            return SpentOn.SLOTS
        if self.on_wire:
            return SpentOn.PROVIDER
        return SpentOn.RESTS if self.resting == self.items else SpentOn.OURS


def _nothing() -> dict[tuple[str, SpentOn], float]:
    return defaultdict(float)


@dataclass
class TimeKeeper:
    """Books a run's time, and writes it down."""

    run: Run
    connection: AsyncConnection
    _booked: dict[tuple[str, SpentOn], float] = field(default_factory=_nothing)
    _looked_at: float = field(default_factory=time.monotonic)
    _computed: float = field(default_factory=time.thread_time)
    _kept_at: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        """Book the time since the last look."""
        now, computed = time.monotonic(), time.thread_time()
        passed = now - self._looked_at
        busy = computed - self._computed >= BUSY * passed
        self._looked_at, self._computed = now, computed
        self._booked[ALL_STEPS, SpentOn.RUN] += passed
        for step in self.run.steps.values():
            slots, is_stopped = step.workflow.limits.concurrency, step.stop is not None
            spent_on = step.load.held_back_by(slots, is_stopped=is_stopped, we_are_busy=busy)
            if spent_on is not None:
                self._booked[step.slug, spent_on] += passed

    async def keep(self) -> None:
        """Write what was booked since it was last written."""
        booked, self._booked = self._booked, _nothing()
        self._kept_at = self._looked_at
        scope = self.run.writer.scope
        await add_times(self.connection, scope.client_id, scope.batch_id, booked)

    async def watch(self) -> None:
        """Go on until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()
            if self._looked_at - self._kept_at >= KEEP_SECONDS:
                await self.keep()
