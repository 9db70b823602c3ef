"""How often somebody may come: a pace per caller, token or key, counted in memory that has a bound.

GCRA, the generic cell rate algorithm (ITU-T I.371): one point in time per key says when the next one would come at the
pace, and `burst` of them may come early. Each process counts for itself; what is shared by all processes and must hold
(providers' limits) is counted in HQ (`store.limits.rates`).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_KEYS = 10_000


class Pace:
    """At most `burst` at once and `per_second` in the long run, for each key by itself.

    At most `most` keys are remembered, 200 bytes each: the one that was idle longest is forgotten first, and begins
    anew.
    """

    def __init__(
        self, per_second: float, burst: int, *, most: int = MOST_KEYS, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = 1.0 / per_second
        self._early = (burst - 1) * self._interval
        self._most = most
        self._now = now
        self._next: OrderedDict[int, float] = OrderedDict()

    def take(self, key: str) -> float:
        """Count one; 0: it may come, else the seconds after which it may, and it is not counted."""
        now, place = self._now(), hash(key)  # keyed by Python, anew for each process: nobody can make two keys meet
        due = max(self._next.get(place, now), now)
        wait = due - now - self._early
        if wait <= 0:
            self._next[place] = due + self._interval
            self._next.move_to_end(place)
            self._forget(now)
        return max(wait, 0.0)

    def wait(self, key: str) -> float:
        """The seconds after which the next one may come; 0: now. Counts nothing."""
        now = self._now()
        return max(self._next.get(hash(key), now) - now - self._early, 0.0)

    def left(self, key: str) -> tuple[int, float]:
        """How many may come at once now, and the seconds after which all may again. Counts nothing."""
        now = self._now()
        behind = max(self._next.get(hash(key), now) - now, 0.0)
        return int((self._early + self._interval - behind + 1e-9) / self._interval), behind

    def forget(self, key: str) -> None:
        """Let a key begin anew."""
        self._next.pop(hash(key), None)

    def __len__(self) -> int:
        return len(self._next)

    def _forget(self, now: float) -> None:
        """Keep the bound; and while at it, let go of up to two that would begin anew anyway."""
        for _ in range(2):
            oldest = next(iter(self._next))
            if self._next[oldest] > now and len(self._next) <= self._most:
                return
            del self._next[oldest]
