"""What stands between a call and the wire for one provider key: breaker, rate, and calls per day."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial

from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import ErrorClass, Status, StopCause
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.answers import Decision, without_pace
from enrichment_assets.engine.breaker import COOLDOWN, OPENS_AT, Breaker, BreakerOpen
from enrichment_assets.engine.context import Run
from enrichment_assets.engine.day_quota import DayQuota
from enrichment_assets.engine.event_log import log_event
from enrichment_assets.engine.limits import AT_ONCE, Closed, RateGate, Turn, interval_of
from enrichment_assets.engine.refusals import PAUSE
from enrichment_assets.engine.steps import Door, Step
from enrichment_assets.engine.stops import because
from enrichment_assets.store import breaker as breaker_store
from enrichment_assets.store import day_counts, limits, reasons
from enrichment_assets.store.breaker import BreakerState
from enrichment_assets.store.claims import Connection
from enrichment_assets.wire.quota_headers import rest_after

PATIENCE = 30.0
"""Seconds that an item waits for a closed gate; where it is closed for longer, the step rests and the run goes on."""

SHARED_FROM = 1.0
"""Rests of a second or more are told to the other runs."""


@dataclass(frozen=True)
class SharedBreakerRow:
    """A breaker's row in HQ."""

    connection: Connection
    key: str

    async def state(self) -> BreakerState:
        """See `BreakerRow`."""
        return await breaker_store.breaker_state(self.connection, self.key)

    async def failed(self) -> BreakerState:
        """See `BreakerRow`."""
        return await breaker_store.note_failure(self.connection, self.key, OPENS_AT, COOLDOWN)

    async def succeeded(self) -> None:
        """See `BreakerRow`."""
        await breaker_store.note_success(self.connection, self.key)

    async def take_probe(self) -> bool:
        """See `BreakerRow`."""
        return await breaker_store.take_probe(self.connection, self.key, OPENS_AT, COOLDOWN)


@dataclass
class Doors:
    """One door per provider key and operation; steps that share it keep the strictest of their limits."""

    connection: Connection
    _doors: dict[str, Door] = field(default_factory=dict)
    _counting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def make(self, limit_key: str, workflow: WorkflowDefinition) -> Door:
        """The door of this key (a `DoorFactory`)."""
        door = self._doors.get(limit_key)
        if door is None:
            door = self._doors[limit_key] = Door(
                RateGate(0.0, partial(limits.take_stretch, self.connection, limit_key)),
                Breaker(SharedBreakerRow(self.connection, breaker_key(limit_key))),
            )
        door.gate.interval = max(door.gate.interval, interval_of(workflow.limits))
        per_day = workflow.limits.per_day
        if per_day is not None and (door.day is None or per_day < door.day.per_day):
            door.day = DayQuota(per_day, partial(self._take_day_tokens, limit_key))
        return door

    async def _take_day_tokens(self, limit_key: str, per_day: float, wanted: int) -> day_counts.DayTokens:
        async with self._counting:  # a transaction: one at a time on this connection
            return await day_counts.take_day_tokens(self.connection, limit_key, per_day, wanted)

    async def give_back(self) -> None:
        """At the end of a run: calls of the day that were taken and not made."""
        for limit_key, door in self._doors.items():
            if door.day is not None and door.day.unused:
                await day_counts.give_back_day_tokens(self.connection, limit_key, door.day.unused)


def breaker_key(limit_key: str) -> str:
    """The breaker's own row: a probe must not be held back by the pause that it ends."""
    return f"{limit_key}:breaker"


async def admitted(run: Run, step: Step) -> Turn | None:
    """Wait until it is nearly a call's turn to leave. None: the step or the run was stopped meanwhile.

    Whoever is admitted ends with `heed`, or with `not_sent`.

    Raises:
        Closed: nothing may leave for longer than an item waits. The step is to rest.
    """
    door = step.door
    if door is None:
        return AT_ONCE
    turn = await door.gate.wait(PATIENCE)
    if step.stopped or run.stopping:
        return None
    if door.day is not None:
        await door.day.take()
    await door.breaker.enter()
    return turn


def not_sent(step: Step) -> None:
    """A call that was admitted does not leave after all: if it was the breaker's probe, nobody waits for it."""
    if step.door is not None:
        step.door.breaker.abandon()


async def heed(run: Run, step: Step, decision: Decision, answer: Answer | None) -> bool:
    """Learn from how a call ended. True: the breaker is open, and the step rests from now on."""
    if answer is None and decision.again_in:  # the provider asked for quiet before it left: nothing was learnt
        not_sent(step)
        return False
    if decision.status is Status.IN_PROGRESS and answer is not None:
        answer = without_pace(answer)
    failed = decision.error_class in (ErrorClass.RETRYABLE, ErrorClass.AMBIGUOUS) and not decision.again_in
    return await heed_outcome(run, step, failed, answer)


async def heed_outcome(run: Run, step: Step, failed: bool, answer: Answer | None) -> bool:
    """Learn from how a call or a poll ended: whether the provider failed, and what the answer's headers say.

    True: the breaker is open, and the step rests from now on.
    """
    door = step.door
    if door is None:
        return False
    rest = rest_after(answer.headers, time.time()) if answer is not None else 0.0
    if rest > 0:
        door.gate.close_for(rest)
        if rest >= SHARED_FROM:
            await run.pause_provider(
                step.limit_key, rest, because(StopCause.QUIET, "its answers say that it has enough")
            )
    if not await door.breaker.leave(failed):
        return False
    if step.stopped is None:
        seconds = door.breaker.rests_for
        run.rest(step, BreakerOpen(seconds))
        log_event(run, "breaker_opened", step, rests_for=round(seconds, 1))
    return True


def heed_refusal(run: Run, step: Step, decision: Decision, answer: Answer) -> None:
    """Learn from an answer whether every row would be refused alike; then the step pauses, and says why."""
    why = step.refusals.note(decision.status, decision.error_class, decision.reason or "", answer.status)
    if why is not None and step.stopped is None:
        run.rest(step, Closed(why, PAUSE, StopCause.REFUSED, "; one more call finds out in"))
        log_event(run, "step_paused", step, detail=why)


async def remember_refusals(run: Run, connection: Connection) -> None:
    """Steps that have been refused alike so far, and had no other answer, pause after one more refusal."""
    for found in await reasons.refusals(connection, run.batch.batch_id, list(run.steps)):
        run.steps[found.workflow].refusals.remember(found.reason, found.states)


async def look_at_breakers(run: Run) -> None:
    """Steps whose breaker another run has opened rest from the start."""
    for step in run.steps.values():
        if step.door is not None and step.stopped is None and (seconds := await step.door.breaker.look()) > 0:
            run.rest(step, BreakerOpen(seconds))
