"""Time that passes only when everybody waits for it: an hour of limits in a few milliseconds."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Coroutine
from typing import Any

IDLE_ROUNDS = 25
"""Turns of the event loop after which whoever could run has run; nothing here does real I/O."""


class VirtualClock:
    """A `limits.Clock`; `run` lets coroutines live in it until they are done."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        """Virtual seconds."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait; exactly as long as asked."""
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + max(seconds, 0.0), next(self._numbers), future))
        await future

    async def _live(self, coroutines: list[Coroutine[Any, Any, Any]]) -> None:
        tasks = [asyncio.create_task(c) for c in coroutines]
        while not all(task.done() for task in tasks):
            for _ in range(IDLE_ROUNDS):
                await asyncio.sleep(0)
            if self._sleepers:
                at, _, future = heapq.heappop(self._sleepers)
                self._now = max(self._now, at)
                future.set_result(None)
        for task in tasks:
            task.result()

    def run(self, *coroutines: Coroutine[Any, Any, Any]) -> None:
        """Run coroutines to their end, moving time on whenever all of them wait."""
        asyncio.run(self._live(list(coroutines)))


class StoppedClock:
    """The clock of a process that was stopped between two moments: whoever was to wake up in between wakes up late."""

    def __init__(self, clock: VirtualClock, stopped_at: float, resumed_at: float) -> None:
        self._clock = clock
        self._stopped_at = stopped_at
        self._resumed_at = resumed_at

    def now(self) -> float:
        """Virtual seconds."""
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        """Wait; until the process is resumed where that is later."""
        await self._clock.sleep(seconds)
        if self._stopped_at <= self._clock.now() < self._resumed_at:
            await self._clock.sleep(self._resumed_at - self._clock.now())
