"""What the headers of an answer say about the calls that are left: how long to leave the provider alone.

Apollo: `x-minute-requests-left`, `x-hourly-requests-left`, `x-24-hour-requests-left`. Common: `x-ratelimit-remaining`
and `ratelimit-remaining`, with `-reset` in seconds or as a Unix time. ZenRows: `concurrency-remaining`.
"""

from __future__ import annotations

from collections.abc import Mapping

WINDOWS = {
    "x-minute-requests-left": 60.0,
    "x-hourly-requests-left": 3600.0,
    "x-24-hour-requests-left": 3600.0,
    "x-ratelimit-remaining": 60.0,
    "ratelimit-remaining": 60.0,
    "concurrency-remaining": 0.25,
}
"""Seconds to rest where the header is 0 and nothing says when the window ends: a whole window, since it may have just
begun. A day's window is asked again every hour (a refusal is free), and a slot of ZenRows is free in a moment."""

_RESETS = ("x-ratelimit-reset", "ratelimit-reset")
_MOST = 86_400.0
_UNIX_TIME = 1_000_000_000.0


def rest_after(headers: Mapping[str, str], now: float) -> float:
    """Seconds to call nobody with this key; 0 where calls are left, or nothing is said.

    Args:
        headers: By lower-case name.
        now: Unix time of the answer.
    """
    if "retry-after" in headers:  # the provider says it more exactly
        return 0.0
    rests = [
        (_reset(headers, now) if "ratelimit" in name else None) or seconds
        for name, seconds in WINDOWS.items()
        if headers.get(name, "").strip() == "0"
    ]
    return max(rests, default=0.0)


def _reset(headers: Mapping[str, str], now: float) -> float | None:
    for name in _RESETS:
        try:
            value = float(headers.get(name, ""))
        except ValueError:
            continue
        seconds = value - now if value >= _UNIX_TIME else value
        if 0 < seconds <= _MOST:
            return seconds
    return None
