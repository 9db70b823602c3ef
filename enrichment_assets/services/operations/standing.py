"""Why each step of a batch stands where it stands and what to do, as `status`, `run`, `retry` and Dagster say it.

What the states themselves say is counted by the database; what stops a whole step is one row of `step_stops`; and a
state that nobody wrote a reason for waits for an earlier step, or for a run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.statuses import ErrorClass, Status, StopCause
from enrichment_assets.services.operations.remedies import (
    at,
    failure_remedy,
    hold_remedy,
    skip_remedy,
    stop_reason,
    stop_remedy,
)
from enrichment_assets.store.batches.holds import Gate, read_holds
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
        hints: What to do; empty for what is done.
        since: When the first of them came to stand there.
        until: When it goes on by itself, or is given up: the end of a pause, a deadline, the next attempt.
    """

    workflow: str
    status: str
    states: int
    cause: str | None
    reason: str
    hints: tuple[Hint, ...]
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
    gate = Gate(False, read_holds(row.holds))
    reader = _Reader(row, blueprint, {c.slug: c for c in counts}, stops, gate, is_running, is_up)
    found = standing_states(connection, row.batch_id, MOST_REASONS)
    return tuple(reader.merged([reader.standing(states) for states in found]))


@dataclass(frozen=True, slots=True)
class _Reader:
    """What is known of the batch while its states are read."""

    row: BatchRow
    blueprint: Blueprint
    counts: Mapping[str, WorkflowCounts]
    stops: Mapping[str, StepStop]
    gate: Gate
    is_running: bool
    is_up: bool

    def standing(self, states: StandingStates) -> Standing:
        """One group of states with its sentence."""
        if states.is_rest:
            return self._made(states, None, "other reasons", (Hint(Action.SEE_ROWS),))
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
        if states.status == Status.CANCELLED:
            again = Hint(Action.RETRY_CANCELLED)
            return self._made(states, StopCause.CANCELLED.value, reason, (again,))
        return self._made(states, None, reason, ())

    def _pending(self, states: StandingStates) -> Standing:
        hold = self.gate.hold_on(states.workflow)
        if hold is not None:
            since = datetime.fromisoformat(hold.at)
            return self._made(states, hold.kind, hold.sentence, (hold_remedy(hold),), since=since)
        stop = self.stops.get(states.workflow)
        if stop is not None and (states.reason is None or _is_for(stop, states.error_class)):
            remedy = stop_remedy(stop, self.blueprint, os.environ)
            return self._made(states, stop.cause, stop_reason(stop), remedy, since=stop.since, until=stop.until)
        if states.reason is not None:
            again = Hint(Action.AWAIT_ATTEMPT_AT, {"at": at(states.due)}) if states.due else Hint(Action.AWAIT_ATTEMPT)
            return self._made(states, states.error_class, states.reason, (again,), until=states.due)
        waits = self._unsettled_before(states.workflow)
        if waits:
            return self._made(states, "earlier_step", f"waits for {', '.join(waits)}", (_see(self.stops, waits),))
        if self.is_running:
            return self._made(
                states,
                "its_turn",
                "its turn has not come yet: a run is at work on the batch",
                (Hint(Action.AWAIT_TURN),),
            )
        return self._made(
            states,
            "no_run",
            "nobody runs the batch now" if self.row.started_at else "nobody has run the batch yet",
            (Hint(Action.AWAIT_PLATFORM if self.is_up else Action.RUN_OR_START),),
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
        if self.blueprint.step(states.workflow).workflow.review is not None:
            return self._made(states, "person", f"waits for a person's answer{since}", (Hint(Action.ANSWER_REVIEWS),))
        until = f", the first until {at(states.deadline)}" if states.deadline else ""
        note = f" ({states.reason})" if states.reason else ""
        reason = f"waits for its callback{since}{until}{note}"
        return self._made(states, "callback", reason, (Hint(Action.AWAIT_CALLBACK),), until=states.deadline)

    @staticmethod
    def _made(
        states: StandingStates,
        cause: str | None,
        reason: str,
        hints: tuple[Hint, ...],
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
            hints,
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
        one.hints,
        one.error_class or other.error_class,
        min(times, default=None),
        one.until,
    )


def _see(stops: Mapping[str, StepStop], waits: Sequence[str]) -> Hint:
    stopped = [name for name in (text.partition(" ")[0] for text in waits) if name in stops]
    return Hint(Action.SEE_STEPS, {"workflows": ", ".join(stopped)}) if stopped else Hint(Action.AWAIT_STEPS)


def is_stopped(one: Standing) -> bool:
    """Whether the step of these states sends nothing now, rather than waits for its turn or an answer."""
    return one.status == Status.PENDING and one.cause in _STOPS


_NO_ANSWER = frozenset({StopCause.QUIET, StopCause.BREAKER})
_STOPS = frozenset(cause.value for cause in StopCause)
