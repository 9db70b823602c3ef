"""A provider key's calls per day, taken from the database a few at a time and never used after their hour."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from enrichment_assets.domain.statuses import StopCause
from enrichment_assets.engine.throttle.rates import Clock, Closed, LoopClock
from enrichment_assets.store.limits.day_counts import DayTokens

MOST_AT_ONCE = 20
TakeTokens = Callable[[float, int], Awaitable[DayTokens]]
"""(calls per day, wanted) -> tokens of this quota's key."""


class DayUsedUp(Closed):
    """No call is left for now; `seconds` until some are."""

    def __init__(self, per_day: float, seconds: float) -> None:
        why = f"the {math.floor(per_day)} calls of a day are used up"
        super().__init__(why, seconds, StopCause.DAY_LIMIT, "; the next in")


@dataclass
class DayQuota:
    """`take()` before each call."""

    per_day: float
    take_tokens: TakeTokens
    clock: Clock = field(default_factory=LoopClock)
    unused: int = 0
    _valid_until: float = 0.0
    _used_up_until: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def take(self) -> None:
        """Use one call of the day.

        Raises:
            DayUsedUp: there is none.
        """
        async with self._lock:
            now = self.clock.now()
            if now < self._used_up_until:
                raise DayUsedUp(self.per_day, self._used_up_until - now)
            if self.unused and now < self._valid_until:
                self.unused -= 1
                return
            tokens = await self.take_tokens(self.per_day, min(MOST_AT_ONCE, max(1, math.floor(self.per_day / 100))))
            if not tokens.count:
                self._used_up_until = self.clock.now() + tokens.free_in
                raise DayUsedUp(self.per_day, tokens.free_in)
            # Counted from before the answer: a token is dropped early rather than used in an hour that is not its own.
            self._valid_until = now + tokens.valid_for
            self.unused = tokens.count - 1
