"""Work that Postgres broke off to end a deadlock is done again: nothing of it was written, and the other one went on.

Statements take their locks in one order (states, calls, budgets; each by its key), so that this is rare. A run that
died of it would leave the calls that it has under way with a fate unknown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from psycopg.errors import DeadlockDetected

MOST_REPEATS = 10
"""Postgres looks for a deadlock after a second: that many seconds and more of losing, and it is not bad luck."""

T = TypeVar("T")


async def again_after_deadlock(transaction: Callable[[], Awaitable[T]]) -> T:
    """What the transaction returns, once it was not chosen as a deadlock's victim.

    Raises:
        DeadlockDetected: it was chosen each time.
    """
    for _ in range(MOST_REPEATS):
        try:
            return await transaction()
        except DeadlockDetected:
            continue
    return await transaction()
