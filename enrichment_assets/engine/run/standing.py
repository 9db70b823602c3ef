"""Keeping why steps stand still: at the start of a run, while it works, and at its end; one statement a change."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.stops import HELD, Stop
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.states.stops import KeptStop, keep_stops

LOOK_SECONDS = 2.0
"""How often a run looks whether something new stops one of its steps."""


@dataclass
class StopKeeper:
    """Writes a run's stops where `status` finds them."""

    run: Run
    connection: AsyncConnection
    process: str
    _kept: dict[str, Stop] | None = field(default=None)

    async def keep(self) -> None:
        """Write what stops which step now, if that has changed since it was last written."""
        stops = {s.slug: s.stop for s in self.run.steps.values() if s.stop is not None and s.stop.cause not in HELD}
        if stops == self._kept:
            return
        now = self.run.clock.now()
        kept = [
            KeptStop(
                slug,
                stop.cause.value,
                stop.reason,
                None if stop.until is None else max(stop.until - now, 0.0),
                stop.variable,
            )
            for slug, stop in stops.items()
        ]
        await keep_stops(self.connection, self.run.batch.batch_id, list(self.run.steps), kept, self.process)
        self._kept = stops

    async def watch(self) -> None:
        """Go on keeping until cancelled: a pass over a long list takes hours, and says why at once."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.keep()
