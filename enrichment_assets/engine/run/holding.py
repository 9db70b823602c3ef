"""Heeding what a person, a guard or a budget holds: a paused step starts nothing, a cancelled one has nothing to start.

The ledger refuses every intent of what is held (`store.batches.holds`); here a run learns of it without asking, so that
it neither claims rows in vain nor computes what was to stand still.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from enrichment_assets.domain.statuses import StopCause
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.event_log import log_event
from enrichment_assets.engine.run.guard import ACTOR, ErrorGuard
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.engine.run.standing import LOOK_SECONDS
from enrichment_assets.engine.run.stops import HELD, Stop
from enrichment_assets.store.batches.budget_holds import Want, pause_for_want
from enrichment_assets.store.batches.holds import (
    ALL,
    ARCHIVED,
    Gate,
    Hold,
    cancel_new,
    counts_for_guard,
    holds_of,
    pause_for_guard,
)
from enrichment_assets.store.database import AsyncConnection, connect
from enrichment_assets.store.deliveries.over import end_what_is_over


async def set_guard(run: Run, connection: AsyncConnection) -> None:
    """Let the run count failures, where the batch has a guard that has not spoken yet."""
    limit = run.batch.blueprint.guard
    if limit is not None and (before := await counts_for_guard(connection, run.batch.batch_id)) is not None:
        run.guard = ErrorGuard.after(limit, before)


# crash point: holds-are-heeded
async def heed_holds(run: Run, connection: AsyncConnection) -> None:
    """Stop steps that are held, let those go on that are not any more, end what became PENDING of cancelled ones."""
    holds = await holds_of(connection, run.batch.batch_id)
    if run.delivers and (why := await end_what_is_over(connection, run.batch.batch_id)) is not None:
        holds = {**holds, ALL: replace(ARCHIVED, reason=why)} if ALL not in holds else holds
    gate = Gate(False, holds)
    for step in run.steps.values():
        _heed(run, step, gate.hold_on(step.slug))
    for slug in run.facts.providers:
        hold = gate.hold_on(slug)
        if hold is not None and hold.kind == "cancelled" and not run.delivers:
            await cancel_new(connection, run.batch.batch_id, [slug], hold.sentence, run.facts)


def _heed(run: Run, step: Step, hold: Hold | None) -> None:
    is_held = step.stop is not None and step.stop.cause in HELD
    if hold is None:
        if is_held:
            step.stop = None
            log_event(run, "step_goes_on", step)
    elif step.stop is None or is_held:
        stop = Stop(StopCause(hold.kind), hold.sentence)
        if step.stop != stop:
            log_event(run, "step_held", step, detail=hold.kind)
        step.stop = stop


@dataclass
class HoldKeeper:
    """Heeds holds while a run works, and writes those that the batch's guard or a budget wants."""

    run: Run
    connection: AsyncConnection
    hq_url: str

    async def look(self) -> None:
        """Write what the guard said and what there is no money for, then heed what holds."""
        if self.run.guard is not None and self.run.guard.spoke is not None:
            await asyncio.to_thread(self._pause, self.run.guard.spoke)
            self.run.guard = None
        while self.run.wants:
            await asyncio.to_thread(self._pause_for, self.run.wants.popitem()[1])
        await heed_holds(self.run, self.connection)

    async def watch(self) -> None:
        """Look every two seconds, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    def _pause_for(self, want: Want) -> None:
        with connect(self.hq_url) as connection:
            pause_for_want(connection, self.run.batch.batch_key, want)

    # opens a connection of its own: it locks the batch's row
    def _pause(self, reason: str) -> None:
        with connect(self.hq_url) as connection:
            pause_for_guard(connection, self.run.batch.batch_key, ACTOR, reason)
