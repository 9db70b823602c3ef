"""Why a step sends nothing, as a run holds it and as it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.domain.statuses import StopCause


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a step sends nothing.

    Attributes:
        cause: Its kind.
        reason: A sentence without times, as it is kept.
        until: When it may go on by itself, by the run's clock; None: not by itself.
        variable: The environment variable that is missing.
        told: What the run's report and log say (default: the reason).
    """

    cause: StopCause
    reason: str
    until: float | None = None
    variable: str | None = None
    told: str = ""

    def __post_init__(self) -> None:
        """Where nothing else is told, the reason is."""
        if not self.told:
            object.__setattr__(self, "told", self.reason)


HELD = frozenset({StopCause.PAUSED, StopCause.CANCELLED})
"""Causes of stops that stand with the batch itself (`store.batches.holds`), and not with what a run found out."""


def because(cause: StopCause, reason: str) -> str:
    """`cause: reason`, as a provider's pause keeps it for all batches."""
    return f"{cause.value}: {reason}"


def stop_of(text: str, until: float, told: str | None = None) -> Stop:
    """The stop that `because` has written down."""
    cause, _, reason = text.partition(": ")
    return Stop(StopCause(cause), reason, until, told=told or reason)
