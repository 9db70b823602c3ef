"""A request's way past what stands between it and the wire: rate, calls of the day, breaker, permit and slot."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Self

from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import ErrorClass, Status, StopCause
from enrichment_assets.engine.decisions.decision import Decision, without_pace
from enrichment_assets.engine.decisions.refusals import PAUSE
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.event_log import log_event
from enrichment_assets.engine.run.prepared_step import Step, Throttle
from enrichment_assets.engine.run.stops import HELD, because
from enrichment_assets.engine.throttle.breaker import BreakerOpen, Probe
from enrichment_assets.engine.throttle.rates import AT_ONCE, Closed, Turn
from enrichment_assets.wire.quota_headers import rest_after

PATIENCE = 30.0
"""Seconds that an item waits for a closed gate; where it is closed for longer, the step rests and the run goes on."""

SHARED_FROM = 1.0
"""Rests of a second or more are told to the other runs."""


class NotNow(Exception):
    """Nothing is sent now: the step or the run was stopped while the call waited, or the provider is down."""


@dataclass(slots=True)
class Admission:
    """One request's way past rate, calls of the day and breaker: `async with Admission(run, step) as admission`.

    Entering waits until it is nearly the request's turn to leave, and raises `Closed` where nothing may leave for
    longer than an item waits (the step is to rest), `NotNow` where the step or the run was stopped meanwhile.
    Inside, `ended` notes how it went; leaving tells the others. Without a note nothing was sent, and nothing is learnt:
    if it was the breaker's probe, nobody waits for it.

    Attributes:
        turn: When the request is to leave.
        is_down: After it ended: the breaker is open, and the step rests from now on.
    """

    run: Run
    step: Step
    turn: Turn = AT_ONCE
    is_down: bool = False
    _inside: bool = False
    _probe: Probe | None = None
    _failed: bool | None = None
    _answer: Answer | None = None

    async def __aenter__(self) -> Self:
        """Wait for the turn."""
        await self._enter()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Settle."""
        await self._settle()

    def ended(self, failed: bool, answer: Answer | None) -> None:
        """Note how it went: whether the provider failed, and the answer, whose headers may ask for quiet."""
        self._failed, self._answer = failed, answer

    def decided(self, decision: Decision, answer: Answer | None) -> None:
        """Note how a call went."""
        if answer is None and decision.again_in:  # the provider asked for quiet before it left: nothing was learnt
            return
        if decision.status is Status.IN_PROGRESS and answer is not None:
            answer = without_pace(answer)
        failed = decision.error_class in (ErrorClass.RETRYABLE, ErrorClass.AMBIGUOUS) and not decision.again_in
        self.ended(failed, answer)

    async def _enter(self) -> None:
        throttle = self.step.throttle
        if throttle is None:
            return
        self.step.load.for_rate += 1
        try:
            self.turn = await throttle.gate.wait(PATIENCE)
        finally:
            self.step.load.for_rate -= 1
        if self._is_stopped() or self.run.stopping:
            raise NotNow
        if throttle.day is not None:
            await throttle.day.take()
        self._probe = await throttle.breaker.enter()
        self._inside = True

    def _is_stopped(self) -> bool:
        """A step that is held is still asked about what is under way: that is settled."""
        stop = self.step.stop
        return stop is not None and stop.cause not in HELD

    async def _settle(self) -> None:
        throttle = self.step.throttle
        if throttle is None or not self._inside:
            return
        try:
            if self._failed is not None:
                await self._learn(throttle, self._failed)
        finally:
            throttle.breaker.abandon(self._probe)

    async def _learn(self, throttle: Throttle, failed: bool) -> None:
        run, step, answer = self.run, self.step, self._answer
        rest = rest_after(answer.headers, time.time()) if answer is not None else 0.0
        if rest > 0:
            throttle.gate.close_for(rest)
            if rest >= SHARED_FROM:
                quiet = because(StopCause.QUIET, "its answers say that it has enough")
                await run.pause_provider(step.limit_key, rest, quiet)
        self.is_down = await throttle.breaker.leave(failed, self._probe)
        if self.is_down and step.stopped is None:
            seconds = throttle.breaker.rests_for
            run.rest(step, BreakerOpen(seconds))
            log_event(run, "breaker_opened", step, rests_for=round(seconds, 1))


@dataclass(slots=True)
class CallAdmission(Admission):
    """A call's admission: from before its intent until its answer has come, it holds a permit of the lookahead too.

    On the wire (`async with admission.wire()`) it holds one of the step's slots. A call that is paced has its slot
    from the beginning: its turn must not pass while it waits for one.
    """

    _permitted: bool = False
    _slotted: bool = False
    _admitted_at: float = 0.0

    async def __aenter__(self) -> Self:
        """Wait for a permit, and for the turn."""
        self.step.load.for_slot += 1
        try:
            await self.step.lookahead.take()
        finally:
            self.step.load.for_slot -= 1
        self._permitted = True
        try:
            if self.step.is_paced:
                await self.take_slot()
            await self._enter()
        except BaseException:
            self.free()
            raise
        self._admitted_at = time.perf_counter()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give back what is still held, and settle."""
        self.free()
        await self._settle()

    def _is_stopped(self) -> bool:
        return self.step.stop is not None

    def wire(self) -> OnTheWire:
        """The time on the wire; the intent is durable by now."""
        return OnTheWire(self)

    async def take_slot(self) -> None:
        """Wait for a slot."""
        self.step.load.for_slot += 1
        try:
            await self.step.slots.acquire()
        finally:
            self.step.load.for_slot -= 1
        self._slotted = True

    def free(self) -> None:
        """Let others have the slot and the permit."""
        if self._slotted:
            self._slotted = False
            self.step.slots.release()
        if self._permitted:
            self._permitted = False
            self.step.lookahead.give_back()

    @property
    def has_slot(self) -> bool:
        """Whether it holds a slot already."""
        return self._slotted

    def seconds_to_commit(self) -> float:
        """How long its intent took, when it was admitted just before."""
        return time.perf_counter() - self._admitted_at


@dataclass(slots=True)
class OnTheWire:
    """A call's slot while its request is under way, and what that says of how many calls need an intent."""

    admission: CallAdmission
    _committing: float | None = None
    _left_at: float = 0.0

    async def __aenter__(self) -> None:
        """Wait for a slot, if the call is not paced and so has none yet."""
        if not self.admission.has_slot:
            self._committing = self.admission.seconds_to_commit()
            await self.admission.take_slot()
        self._left_at = time.perf_counter()
        self.admission.step.load.on_wire += 1

    async def __aexit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Free the slot and the permit."""
        self.admission.step.load.on_wire -= 1
        if self._committing is not None and error is None:
            self.admission.step.lookahead.learn(self._committing, time.perf_counter() - self._left_at)
        self.admission.free()


def heed_refusal(run: Run, step: Step, decision: Decision, http_status: int) -> None:
    """Learn from an answer whether every row would be refused alike; then the step pauses, and says why."""
    why = step.refusals.note(decision.status, decision.error_class, decision.reason or "", http_status)
    if why is not None and step.stopped is None:
        run.rest(step, Closed(why, PAUSE, StopCause.REFUSED, "; one more call finds out in"))
        log_event(run, "step_paused", step, detail=why)
