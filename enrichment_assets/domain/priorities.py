"""How urgent a batch is beside the other batches of its client."""

from __future__ import annotations

from enum import StrEnum

STEP = 4.0
"""How many turns a batch has for one of a batch that is a step less urgent."""


LEAST_WEIGHT, MOST_WEIGHT = 0.01, 100.0
"""Bounds of a client's weight; 1 is usual."""


class Priority(StrEnum):
    """A batch's priority. It decides among batches of one client; between clients their weights do."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """As it is kept, and as Dagster's run queue orders runs: higher goes first."""
        return _RANKS[self]

    @classmethod
    def of_rank(cls, rank: int) -> Priority:
        """The priority that is kept as this number."""
        return next(priority for priority, kept in _RANKS.items() if kept == rank)


_RANKS = {Priority.LOW: -1, Priority.NORMAL: 0, Priority.HIGH: 1}
