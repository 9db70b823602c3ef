"""A breaker per provider key: while a provider is down, at most one call per cooldown finds out whether it still is.

Closed, it costs nothing. Each failure is counted in the database, where all runs see it; after `OPENS_AT` in a row
the breaker is open, items stay PENDING, and after a cooldown one probe may leave, of all runs together.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from enrichment_assets.domain.statuses import StopCause
from enrichment_assets.engine.throttle.rates import Clock, Closed, LoopClock
from enrichment_assets.store.limits.breaker import BreakerState

OPENS_AT = 20
"""Failures in a row: fewer happen by chance on a day when a provider is merely slow."""

COOLDOWN = 60.0
"""Seconds between two probes."""


class BreakerRow(Protocol):
    """One key's row in the database."""

    async def state(self) -> BreakerState:
        """Where it stands."""
        ...

    async def failed(self) -> BreakerState:
        """Count a failure; opens the breaker, or renews its cooldown."""
        ...

    async def succeeded(self) -> None:
        """Close the breaker."""
        ...

    async def take_probe(self) -> bool:
        """Be the one probe of this cooldown."""
        ...


class BreakerOpen(Closed):
    """The provider is down; `seconds` until the next probe may leave."""

    def __init__(self, seconds: float) -> None:
        why = f"the provider failed {OPENS_AT} times in a row"
        super().__init__(why, seconds, StopCause.BREAKER, "; the next probe is due in")


Probe = asyncio.Event
"""The one call of a run that finds out whether the provider is still down; set when it is over."""


@dataclass
class Breaker:
    """`enter()` before a call, then `leave(failed, probe)` with what entering returned."""

    row: BreakerRow
    opens_at: int = OPENS_AT
    cooldown: float = COOLDOWN
    clock: Clock = field(default_factory=LoopClock)
    _failures: int = 0
    _next_probe: float = 0.0
    _probe: Probe | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> float:
        """Learn what other runs know. Seconds that an open breaker still rests; 0: it is closed, or a probe is due."""
        self._learn(await self.row.state())
        return self.rests_for

    @property
    def rests_for(self) -> float:
        """Seconds until a probe may leave; 0: it may, or the breaker is closed."""
        return max(self._next_probe - self.clock.now(), 0.0) if self.is_open else 0.0

    @property
    def is_open(self) -> bool:
        """Whether only a probe may leave."""
        return self._failures >= self.opens_at

    async def enter(self) -> Probe | None:
        """Return when a call may leave; a `Probe` where it is the one that finds out.

        Raises:
            BreakerOpen: nothing may leave now.
        """
        while self.is_open:
            if self._probe is not None:
                await self._probe.wait()  # all others of this run wait for what the probe finds
                continue
            async with self._lock:
                if self._probe is not None or not self.is_open:
                    continue
                if self.rests_for == 0 and await self.row.take_probe():
                    self._probe = Probe()
                    self._next_probe = self.clock.now() + self.cooldown
                    return self._probe
                if self.rests_for == 0:
                    self._learn(await self.row.state())
                if self.is_open:
                    raise BreakerOpen(self.rests_for or self.cooldown)
        return None

    async def leave(self, failed: bool, probe: Probe | None) -> bool:
        """Say how a call that entered ended. True: the breaker is open now."""
        if failed:
            self._learn(await self.row.failed())
        elif self._failures:
            self._failures = 0
            await self.row.succeeded()
        self.abandon(probe)
        return self.is_open

    def abandon(self, probe: Probe | None) -> None:
        """The call that entered is over, or did not leave after all. Only the probe itself ends the wait for it."""
        if probe is not None and probe is self._probe:
            self._probe = None
            probe.set()

    def _learn(self, state: BreakerState) -> None:
        self._failures = state.failures
        self._next_probe = self.clock.now() + state.rests_for
