"""Rate limits per key: a sliding log, so that no window of the named length ever holds more than was allowed.

Strict on purpose: it is what a client's limiter is judged by. Quotas and concurrency are counted here too.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import cache

_LIMIT = re.compile(r"^\s*(\d+)\s*/\s*(s|m|h|d)\s*$")
_WINDOWS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` calls in any `window` seconds."""

    count: int
    window: float


@cache
def parse_limits(text: str | None) -> tuple[Limit, ...]:
    """Read `15/s,500/m` (s, m, h, d); raises `ValueError`."""
    limits = []
    for part in (text or "").split(","):
        if not part.strip():
            continue
        match = _LIMIT.match(part)
        if match is None:
            raise ValueError(f"{part!r} is no limit: write 15/s, 500/m, 1000/h or 2000/d")
        limits.append(Limit(int(match.group(1)), _WINDOWS[match.group(2)]))
    return tuple(limits)


@dataclass(slots=True)
class Room:
    """What is left of the limits after one call: `remaining` per window in seconds, `retry_after` if refused."""

    remaining: dict[float, int] = field(default_factory=dict)
    retry_after: float | None = None


class RateLimiter:
    """Counts calls per name (provider, key and endpoint) against limits."""

    def __init__(self) -> None:
        self._log: dict[tuple[str, ...], deque[float]] = defaultdict(deque)
        self._under_way: dict[tuple[str, ...], int] = defaultdict(int)

    def take(self, name: tuple[str, ...], limits: tuple[Limit, ...], now: float) -> Room:
        """Count one call at `now` (seconds of a monotonic clock) unless that would exceed a limit."""
        room = Room()
        if not limits:
            return room
        log = self._log[name]
        horizon = now - max(limit.window for limit in limits)
        while log and log[0] <= horizon:
            log.popleft()
        for limit in limits:
            used = sum(1 for at in log if at > now - limit.window) if len(limits) > 1 else len(log)
            room.remaining[limit.window] = max(limit.count - used - 1, 0)
            if used >= limit.count:
                freed_at = log[-limit.count] + limit.window if limit.count else now + limit.window
                room.retry_after = max(room.retry_after or 0.0, freed_at - now)
        if room.retry_after is None:
            log.append(now)
        return room

    def enter(self, name: tuple[str, ...], limit: int | None) -> bool:
        """Count a call as under way; False when `limit` calls of this name already are."""
        if limit is not None and self._under_way[name] >= limit:
            return False
        self._under_way[name] += 1
        return True

    def leave(self, name: tuple[str, ...]) -> None:
        """The call that entered is over."""
        self._under_way[name] -= 1

    def under_way(self, name: tuple[str, ...]) -> int:
        """Calls of this name under way now."""
        return self._under_way.get(name, 0)

    def clear(self) -> None:
        """Forget every call that was counted (calls under way go on)."""
        self._log.clear()
