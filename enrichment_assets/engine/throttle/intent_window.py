"""How many calls may have a durable intent: those in a slot, and as many more as a slot needs not to wait for a commit.

What is between its intent and its slot when a run dies has an unknown fate. So it should be few: next to none where a
provider takes seconds, and about as many as the slots where it answers as fast as the database commits.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field

HIGHEST = 2.0
"""At most this many times the slots."""

MARGIN = 1.5
"""Commits vary: the intents that are ready have to last for a slower one."""

WEIGHT = 0.05
"""Share of the newest measurement in the averages."""


@dataclass
class Lookahead:
    """Permits that a call holds from before its intent until its answer has come.

    Attributes:
        slots: Calls that may be on the wire at once.
        permits: Calls that may have an intent; starts at `slots` and one.
    """

    slots: int
    permits: int = 0
    _semaphore: asyncio.Semaphore = field(init=False)
    _withheld: int = 0
    _committing: float = 0.0
    _calling: float = 0.0

    def __post_init__(self) -> None:
        self.permits = self.slots + 1
        self._semaphore = asyncio.Semaphore(self.permits)

    async def take(self) -> None:
        """Wait for a permit."""
        await self._semaphore.acquire()

    def give_back(self) -> None:
        """Give a permit back, or keep it back where there are too many by now."""
        if self._withheld:
            self._withheld -= 1
        else:
            self._semaphore.release()

    def learn(self, committing: float, calling: float) -> None:
        """Adjust to a call whose intent took `committing` seconds to become durable, and itself `calling` seconds."""
        weight = WEIGHT if self._calling else 1.0
        self._committing += weight * (committing - self._committing)
        self._calling += weight * (calling - self._calling)
        ahead = MARGIN * self._committing / self._calling if self._calling > 0 else math.inf
        self._allow(max(math.ceil(self.slots * min(1 + ahead, HIGHEST)), self.slots + 1))

    def _allow(self, permits: int) -> None:
        for _ in range(permits - self.permits):
            if self._withheld:
                self._withheld -= 1
            else:
                self._semaphore.release()
        self._withheld += max(self.permits - permits, 0)
        self.permits = permits
