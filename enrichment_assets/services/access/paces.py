"""How often somebody may ask, where several processes answer: they count together, in HQ."""

from __future__ import annotations

import time

from enrichment_assets.store.hq import Hq
from enrichment_assets.store.limits import paces as store


class SharedPace:
    """As `domain.pace.Pace`, for all processes together: at most `burst` at once, `per_second` in the long run."""

    def __init__(self, hq: Hq, per_second: float, burst: int) -> None:
        self._hq = hq
        self._interval = 1.0 / per_second
        self._early = (burst - 1) * self._interval
        self._behind: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> float:
        """Count one; 0: it may come, else the seconds after which it may, and it is not counted."""
        with self._hq.transaction() as connection:
            may, behind = store.take(connection, key, self._interval, self._early)
        self._behind[key] = (time.monotonic(), behind)  # a row for each key and user: there are few
        return 0.0 if may else max(behind - self._early, self._interval)

    def left(self, key: str) -> tuple[int, float]:
        """How many may come at once now, and the seconds after which all may again, by what `take` saw last."""
        at, behind = self._behind.get(key, (0.0, 0.0))
        now = max(behind - (time.monotonic() - at), 0.0)
        return max(int((self._early + self._interval - now + 1e-9) / self._interval), 0), now
