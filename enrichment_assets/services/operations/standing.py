"""Why each step of a batch stands where it stands and what to do, as `status`, `run`, `retry` and Dagster say it.

What the states themselves say is counted by the database; what stops a whole step is one row of `step_stops`; and a
state that nobody wrote a reason for waits for an earlier step, or for a run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.statuses import ErrorClass, Status, StopCause
from enrichment_assets.services.operations.remedies import (
    ENRICH_UP,
    at,
    failure_remedy,
    skip_remedy,
    stop_reason,
    stop_remedy,
)
from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.batch_states import BatchRow, WorkflowCounts, is_running_now
from enrichment_assets.store.states.reasons import StandingStates, standing_states
from enrichment_assets.store.states.stops import StepStop, stops_of

MOST_REASONS = 8
"""Reasons of one workflow and status that are shown; the rest is counted in one more."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How many states of a workflow stand at `status`, why, and what to do about it.

    Attributes:
        cause: The kind of reason in one word: a stop's cause, a skip's code, an error class; None: neither.
        remedy: What to do; empty for what is done.
        since: When the first of them came to stand there.
        until: When it goes on by itself, or is given up: the end of a pause, a deadline, the next attempt.
    """

    workflow: str
    status: str
    states: int
    cause: str | None
    reason: str
    remedy: str
    error_class: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def standing_of(
    connection: Connection, row: BatchRow, counts: Sequence[WorkflowCounts], *, is_up: bool
) -> tuple[Standing, ...]:
    """Why the states of a batch stand where they stand, in blueprint order.

    Args:
        connection: HQ database.
        row: The batch.
        counts: Its states by workflow.
        is_up: The platform runs for this home, so that the batch goes on by itself.
    """
    blueprint = Blueprint.model_validate(row.blueprint)
    stops = stops_of(connection, row.batch_id)
    is_running = is_running_now(connection, row.batch_id)
    reader = _Reader(row, blueprint, {c.slug: c for c in counts}, stops, is_running, is_up)
    found = standing_states(connection, row.batch_id, MOST_REASONS)
    return tuple(reader.merged([reader.standing(states) for states in found]))


@dataclass(frozen=True, slots=True)
class _Reader:
    """What is known of the batch while its states are read."""

    row: BatchRow
    blueprint: Blueprint
    counts: Mapping[str, WorkflowCounts]
    stops: Mapping[str, StepStop]
    is_running: bool
    is_up: bool

    def standing(self, states: StandingStates) -> Standing:
        """One group of states with its sentence."""
        if states.is_rest:
            return self._made(states, None, "other reasons", "see them row by row")
        if states.status == Status.PENDING:
            return self._pending(states)
        if states.status == Status.IN_PROGRESS:
            return self._in_progress(states)
        reason = states.reason or ""
        if states.status == Status.SKIPPED:
            code = reason.partition(":")[0]
            return self._made(states, code, reason, skip_remedy(reason, states.workflow, self.blueprint))
        if states.status in (Status.FAILED, Status.AMBIGUOUS):
            remedy = failure_remedy(states.status, states.error_class, states.reason)
            return self._made(states, states.error_class, reason, remedy)
        return self._made(states, None, reason, "")

    def _pending(self, states: StandingStates) -> Standing:
        stop = self.stops.get(states.workflow)
        if stop is not None and (states.reason is None or _is_for(stop, states.error_class)):
            remedy = stop_remedy(stop, self.blueprint, os.environ)
            return self._made(states, stop.cause, stop_reason(stop), remedy, since=stop.since, until=stop.until)
        if states.reason is not None:
            when = f" at {at(states.due)}" if states.due else ""
            remedy = f"nothing: it is tried again{when}, by {ENRICH_UP} if that runs"
            return self._made(states, states.error_class, states.reason, remedy, until=states.due)
        waits = self._unsettled_before(states.workflow)
        if waits:
            return self._made(states, "earlier_step", f"waits for {', '.join(waits)}", _see(self.stops, waits))
        if self.is_running:
            return self._made(states, "its_turn", "its turn has not come yet: a run is at work on the batch", "nothing")
        return self._made(
            states,
            "no_run",
            "nobody runs the batch now" if self.row.started_at else "nobody has run the batch yet",
            f"nothing: {ENRICH_UP} does" if self.is_up else f"run it, or start {ENRICH_UP}, which does so by itself",
            until=self.row.resume_at,
        )

    def _unsettled_before(self, workflow: str) -> list[str]:
        return [
            f"{needs} ({count.pending + count.in_progress} of {count.items} not done)"
            for needs in self.blueprint.step(workflow).needs
            if (count := self.counts.get(needs)) is not None and not count.settled
        ]

    def _in_progress(self, states: StandingStates) -> Standing:
        since = f" since {at(states.since)}" if states.since else ""
        until = f", the first until {at(states.deadline)}" if states.deadline else ""
        note = f" ({states.reason})" if states.reason else ""
        reason = f"waits for its callback{since}{until}{note}"
        remedy = "nothing, if the provider reaches the receiver: at the deadline the next run asks again or gives up"
        return self._made(states, "callback", reason, remedy, until=states.deadline)

    @staticmethod
    def _made(
        states: StandingStates,
        cause: str | None,
        reason: str,
        remedy: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Standing:
        return Standing(
            states.workflow,
            states.status,
            states.states,
            cause,
            reason,
            remedy,
            states.error_class,
            since or states.since,
            until,
        )

    @staticmethod
    def merged(found: Sequence[Standing]) -> list[Standing]:
        """Groups that are told in the same words are one: the rows that were refused, and those not asked for it."""
        kept: dict[tuple[str, str, str], Standing] = {}
        for one in found:
            key = (one.workflow, one.status, one.reason)
            before = kept.get(key)
            kept[key] = one if before is None else _together(before, one)
        return list(kept.values())


def _is_for(stop: StepStop, error_class: str | None) -> bool:
    """Whether an answer of this class is one of those for which the step was stopped."""
    return error_class == (ErrorClass.RETRYABLE if stop.cause in _NO_ANSWER else stop.cause)


def _together(one: Standing, other: Standing) -> Standing:
    times = [time for time in (one.since, other.since) if time is not None]
    return Standing(
        one.workflow,
        one.status,
        one.states + other.states,
        one.cause,
        one.reason,
        one.remedy,
        one.error_class or other.error_class,
        min(times, default=None),
        one.until,
    )


def _see(stops: Mapping[str, StepStop], waits: Sequence[str]) -> str:
    stopped = [name for name in (text.partition(" ")[0] for text in waits) if name in stops]
    return f"see {', '.join(stopped)}, which stands still" if stopped else "nothing: it goes on after that"


def is_stopped(one: Standing) -> bool:
    """Whether the step of these states sends nothing now, rather than waits for its turn or an answer."""
    return one.status == Status.PENDING and one.cause in _STOPS


_NO_ANSWER = frozenset({StopCause.QUIET, StopCause.BREAKER})
_STOPS = frozenset(cause.value for cause in StopCause)
