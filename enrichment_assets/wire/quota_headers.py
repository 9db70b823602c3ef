"""What the headers of an answer say about the calls that are left: how long to leave the provider alone.

What they look like, and who sends it:

    x-minute-requests-left: 0                                     Apollo; also -hourly- and -24-hour-
    x-ratelimit-remaining: 0, x-ratelimit-reset: 7                most; the reset in seconds, as a Unix or an ISO time
    x-ratelimit-remaining: {'minute': 0}                          People Data Labs: windows by name, in Python's quotes
    x-ratelimit-remaining: 0, 14832 and -reset: 1, 1419704        Brave: the same place of both lists is one window
    x-ratelimit-remaining-requests: 0 and -reset-requests: 1m30s  OpenAI; also -tokens; a duration. Azure sends -1
    anthropic-ratelimit-requests-remaining: 0                     Anthropic; the reset is RFC 3339
    concurrency-remaining: 0                                      ZenRows
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from enrichment_assets.domain.http_answers import RETRY_AFTER

_MINUTE, _HOUR = 60.0, 3600.0
_LONGEST_ASKED_AGAIN = _HOUR
"""A day's or a month's window is asked again every hour: a refusal is free."""

_COUNTS: Mapping[str, tuple[float, str]] = {
    "x-minute-requests-left": (_MINUTE, ""),
    "x-hourly-requests-left": (_HOUR, ""),
    "x-24-hour-requests-left": (_LONGEST_ASKED_AGAIN, ""),
    "x-ratelimit-remaining": (_MINUTE, "x-ratelimit-reset"),
    "ratelimit-remaining": (_MINUTE, "ratelimit-reset"),
    "x-ratelimit-remaining-requests": (_MINUTE, "x-ratelimit-reset-requests"),
    "x-ratelimit-remaining-tokens": (_MINUTE, "x-ratelimit-reset-tokens"),
    "anthropic-ratelimit-requests-remaining": (_MINUTE, "anthropic-ratelimit-requests-reset"),
    "anthropic-ratelimit-tokens-remaining": (_MINUTE, "anthropic-ratelimit-tokens-reset"),
    "concurrency-remaining": (0.25, ""),
}
"""Header -> seconds to rest at 0 where nothing says when the window ends (a whole window, since it may have just
begun; a slot of ZenRows is free in a moment), and the header that does say it."""

_WINDOWS = {"second": 1.0, "minute": _MINUTE, "hour": _HOUR, "day": _LONGEST_ASKED_AGAIN, "month": _LONGEST_ASKED_AGAIN}
_MOST = 86_400.0
_UNIX_TIME, _UNIX_MILLISECONDS = 1e9, 1e12
_MEMBER = re.compile(r"""["'](\w+)["']\s*:\s*(?:["']([^"']*)["']|([^,}\s]+))""")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": _MINUTE, "h": _HOUR, "d": 86_400.0}


def rest_after(headers: Mapping[str, str], now: float) -> float:
    """Seconds to call nobody with this key; 0 where calls are left, or nothing is said.

    Args:
        headers: By lower-case name.
        now: Unix time of the answer.
    """
    if any(name in headers for name in RETRY_AFTER):  # the provider says it more exactly
        return 0.0
    return max((rest for name in _COUNTS if name in headers for rest in _rests(headers, name, now)), default=0.0)


def _rests(headers: Mapping[str, str], name: str, now: float) -> Iterator[float]:
    """The rest that each window of one header asks for, those with calls left passed over."""
    unsaid, reset_name = _COUNTS[name]
    resets = dict(_windows(headers.get(reset_name, "")))
    for window, left in _windows(headers[name]):
        if _is_zero(left):
            reset = resets.get(window) or (next(iter(resets.values())) if len(resets) == 1 else "")
            yield _seconds_until(reset, now) or _WINDOWS.get(window, unsaid)


def _windows(text: str) -> list[tuple[str, str]]:
    """A header as (window, value): windows have names, places in a list, or there is one without a name."""
    text = text.strip()
    if text.startswith("{"):
        return [(window.lower(), quoted or bare) for window, quoted, bare in _MEMBER.findall(text)]
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 1 and all(part.lstrip("-").isdigit() for part in parts):
        return [(str(place), part) for place, part in enumerate(parts)]
    return [("", text)] if text else []


def _is_zero(text: str) -> bool:
    try:
        return float(text) == 0
    except ValueError:
        return False


def _seconds_until(reset: str, now: float) -> float | None:
    """Seconds until a reset, however it is written; None for what cannot be read, is over, or is more than a day."""
    seconds = _number(reset, now)
    if seconds is None:
        seconds = _duration(reset)
    if seconds is None:
        seconds = _moment(reset, now)
    return seconds if seconds is not None and 0 < seconds <= _MOST else None


def _number(reset: str, now: float) -> float | None:
    try:
        value = float(reset)
    except ValueError:
        return None
    if value >= _UNIX_MILLISECONDS:
        return value / 1000 - now
    return value - now if value >= _UNIX_TIME else value


def _duration(reset: str) -> float | None:
    parts = _PART.findall(reset)
    if not parts or "".join(number + unit for number, unit in parts) != reset:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _moment(reset: str, now: float) -> float | None:
    try:
        moment = datetime.fromisoformat(reset)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
