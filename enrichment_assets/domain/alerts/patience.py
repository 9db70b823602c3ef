"""How often a channel is tried, and how long a condition has to be away before it counts as over."""

from __future__ import annotations

MOST_ATTEMPTS = 10
"""With the pauses below, some five hours; after it a notice is given up, and shown as such."""

MOST_UNSURE = 2
"""Attempts without an answer, after which a notice that the channel may have posted is not sent again."""

CLAIM_SECONDS = 90
"""How long who took a notice may take to send it; then it is taken for dead. Longer than the slowest channel."""

CLEAR_SECONDS = 300
"""How long a condition is away before its incident is closed, doubled for each that it had within a day ..."""

LONGEST_CLEAR_SECONDS = 7_200
"""... up to this: what comes and goes all day says so a few times, and stays open between."""


def pause_after(attempts: int, asked: float | None) -> float:
    """Seconds until the next attempt: a minute, two, four ... an hour, and never less than the channel asked for."""
    ours = min(60.0 * 2.0 ** max(attempts - 1, 0), 3_600.0)
    return max(ours, min(asked or 0.0, 86_400.0))


def rest_after(failures: int, asked: float | None) -> float:
    """Seconds that a whole channel rests after so many failures in a row: half a minute, doubled, up to 15 minutes."""
    ours = min(30.0 * 2.0 ** min(max(failures - 1, 0), 10), 900.0)
    return max(ours, min(asked or 0.0, 86_400.0))
