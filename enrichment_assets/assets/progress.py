"""What a long run says about its progress in Dagster's event log: a line every half a minute, never one per item."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from enrichment_assets.engine.run.advance import Progress

EVERY_SECONDS = 30.0


class ProgressLog:
    """Hears the engine's progress in its thread, speaks in Dagster's.

    `listen` keeps the newest `Progress` and passes it on; `say` logs it when `every` seconds have gone by and something
    has moved since the last line.
    """

    def __init__(
        self,
        info: Callable[[str], object],
        pass_on: Callable[[Progress], None] | None = None,
        every: float = EVERY_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._info = info
        self._pass_on = pass_on
        self._every = every
        self._now = now
        self._last_said = now()
        self._said = 0
        self._newest: Progress | None = None

    def listen(self, progress: Progress) -> None:
        """Take the engine's counts."""
        self._newest = progress
        if self._pass_on is not None:
            self._pass_on(progress)

    def say(self) -> None:
        """Log a line if it is time."""
        progress, now = self._newest, self._now()
        if progress is None or now - self._last_said < self._every:
            return
        moved = sum(progress.moved.values())
        if moved == self._said:
            return
        rate = (moved - self._said) / (now - self._last_said)
        self._last_said, self._said = now, moved
        by_workflow: dict[str, Counter[str]] = {}
        for (slug, outcome), count in progress.moved.items():
            by_workflow.setdefault(slug, Counter())[outcome] += count
        parts = [f"{slug} {_counts(counts)}" for slug, counts in by_workflow.items()]
        self._info(f"{moved} states moved, {rate:.1f}/s: {'; '.join(parts)}")


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
