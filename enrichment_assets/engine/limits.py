"""When the next call to a provider may leave: the shared rate, and pauses that the provider asked for.

A gate takes slots from the database in blocks of about a quarter of a second, so that a fast provider costs a few
statements a second and a slow one never holds slots that another run could use.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from enrichment_assets.domain.workflow import Limits
from enrichment_assets.store.limits import Slots

BLOCK_SECONDS = 0.25


def interval_of(limits: Limits) -> float:
    """Seconds between two calls that keep every configured rate; 0 where none is configured.

    A daily rate does not space calls (600 a day would be one in 144 s): it is counted, not spaced.
    """
    rates = [limits.per_second, limits.per_minute and limits.per_minute / 60]
    return max((1 / rate for rate in rates if rate), default=0.0)


class Clock(Protocol):
    """Monotonic seconds and sleeping; tests use a virtual one."""

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; never shorter than asked."""
        ...


class LoopClock:
    """The machine's monotonic clock. uvloop's own stands still during a turn of the loop and rounds sleeps to 1 ms."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep until that much time has really passed."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:  # noqa: ASYNC110 - a sleep can end early
            await asyncio.sleep(left)


class Closed(Exception):  # noqa: N818
    """Nothing may leave for another `seconds`: longer than an item should wait for."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds


TakeSlots = Callable[[float, int], Awaitable[Slots]]
"""(interval, count) -> slots of this gate's key."""


@dataclass
class RateGate:
    """Lets calls through at the rate of one provider key. `wait()` before each call."""

    interval: float
    take: TakeSlots
    clock: Clock = field(default_factory=LoopClock)
    _starts: deque[float] = field(default_factory=deque)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _closed_until: float = 0.0
    _last: float = -math.inf

    async def wait(self, patience: float = math.inf) -> None:
        """Return when a call may leave, never earlier.

        Raises:
            Closed: the provider asked for a longer quiet than `patience` seconds.
        """
        while True:
            while (closed_for := self._closed_until - self.clock.now()) > 0:
                if closed_for > patience:
                    raise Closed(f"the provider asked for quiet, for another {round(closed_for)} s", closed_for)
                await self.clock.sleep(closed_for)
            async with self._lock:
                if not self._starts and self.interval > 0:
                    await self._refill()
                start = self._next_start()
            delay = start - self.clock.now()
            if delay > 0:
                await self.clock.sleep(delay)
            if self.clock.now() >= self._closed_until:
                return
            # Closed meanwhile: the slot is given up, or all who waited would leave together when the pause ends.

    def close_for(self, seconds: float) -> None:
        """Let nothing through for `seconds` (the provider said so); slots already taken are given up."""
        self._closed_until = max(self._closed_until, self.clock.now() + seconds)
        self._starts.clear()

    def _next_start(self) -> float:
        """The next slot, at least an interval after the last one.

        Slots that nobody came for in time are used late, one after another and not in a burst; and a block that the
        database was quick to give does not begin before the one that it was slow to give has ended.
        """
        if not self._starts:
            return 0.0
        self._last = max(self._starts.popleft(), self._last + self.interval, self.clock.now())
        return self._last

    async def _refill(self) -> None:
        count = max(1, math.floor(BLOCK_SECONDS / self.interval))
        asked = self.clock.now()
        slots = await self.take(self.interval, count)
        # Counted from after the answer: a slow database makes a call later, never earlier.
        first = max(asked, self.clock.now()) + max(slots.first_in, slots.paused_for)
        self._starts.extend(first + n * self.interval for n in range(count))
