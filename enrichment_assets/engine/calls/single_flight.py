"""One company, one call: the items of a company share the answer of the one that asked.

Within a run, the first item's call is a flight that the others await. Across runs, the ledger's unique call key
decides, and the row's state says what the others may do. Across batches, a question that is being asked is waited for:
the item is freed, and looks again after a while.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from enrichment_assets.domain.statuses import CallState, ErrorClass, Outcome, SkipReason, Status, StopCause
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.engine.decisions.decision import PUT_OFF, Decision, Ending
from enrichment_assets.engine.decisions.outcome import ItemLost, Move, commit, note, record_of
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.engine.run.stops import Stop
from enrichment_assets.store.batches.giving_up import REASON as GIVEN_UP
from enrichment_assets.store.calls.intents import IntentVerdict
from enrichment_assets.store.calls.questions import CallInFlight
from enrichment_assets.store.runs.contexts import LoadedItem
from enrichment_assets.store.runs.shared_answers import SharedAnswer

WAIT_FOR_OTHER = 5.0
"""Seconds before an item looks again at a call that another run has under way."""

FIRST_LOOK = 0.5
"""Seconds between the first looks at another batch's call whose answer may come any moment."""

FIRST_LOOK_ASYNC = 64.0
"""The same where the answer comes by callback: more than a run lingers, so that none is kept for it."""

LONGEST_LOOK = 4096.0
"""Seconds that two looks are apart at most."""

KEPT_IN_FLIGHT = 10_000
"""Ended calls that a run remembers; older ones are found in the ledger."""


async def single_flight(
    run: Run, item: LoadedItem, step: Step, key: str, make: Callable[[], Awaitable[Ending]]
) -> Ending:
    """Make the call, or share the ending of the same call that is under way in this run."""
    flight = run.in_flight.get(key)
    if flight is not None:
        with run.crowd.waits(item.item_id):
            ending = await asyncio.shield(flight)
        return await adopt(run, item, step, ending, retry_in=ending.retry_in)
    flight = asyncio.get_running_loop().create_future()
    run.in_flight[key] = flight
    ending = PUT_OFF
    try:
        ending = await make()
        return ending
    finally:
        flight.set_result(ending.for_others())
        # An answer stays for a while, so that later items share it without asking the ledger. Any other ending is
        # forgotten: a person may retry it, or raise the budget, while this run goes on.
        if ending.deferred or ending.decision.status is not Status.COMPLETED:
            del run.in_flight[key]
        elif len(run.in_flight) > KEPT_IN_FLIGHT:
            _forget_oldest(run)


def _forget_oldest(run: Run) -> None:
    oldest = next((key for key, flight in run.in_flight.items() if flight.done()), None)
    if oldest is not None:
        del run.in_flight[oldest]


async def follow(run: Run, item: LoadedItem, step: Step, verdict: IntentVerdict) -> Ending:
    """The call may not leave: end this item's step by the state of the row that is in the way.

    Raises:
        ItemLost: the item was taken over.
    """
    if verdict.state == "taken":
        raise ItemLost(item.item_id)
    if verdict.elsewhere is not None:
        return await wait_for(run, item, step, verdict.elsewhere)
    if verdict.state == CallState.APPLIED and verdict.call_id is not None:
        answer = await run.find_shared(verdict.call_id)
        if answer is not None and (ending := _shared(answer, verdict.call_id)) is not None:
            return await adopt(run, item, step, ending)
    if verdict.state == "paused":
        step.stop = step.stop or Stop(StopCause.PAUSED, verdict.error or "")
        return PUT_OFF
    if verdict.state == "budget" and not run.batch.is_try:
        run.lacks_money(step, verdict.wanted, verdict.error or "")
        return PUT_OFF
    if verdict.state == "suppressions":
        return PUT_OFF
    following = _decided_by(verdict)
    if following is None:
        return await adopt(run, item, step, PUT_OFF, retry_in=WAIT_FOR_OTHER)
    return await adopt(run, item, step, Ending(following, verdict.call_id))


def _shared(answer: SharedAnswer, call_id: int) -> Ending | None:
    """How an item ends that shares an answered call; None: whoever made it has none to share yet.

    That item may have been asked about anew since, and without an answer: then this one has none either, by that call.
    """
    later = answer.call_id if answer.call_id not in (None, call_id) else None
    shared = (Status.COMPLETED, Status.SKIPPED) if later is None else (Status.COMPLETED, Status.SKIPPED, Status.FAILED)
    if answer.status not in shared:
        return None
    has_answer = answer.status == Status.COMPLETED  # another ending keeps what was answered before, for itself alone
    decision = Decision(
        Status(answer.status),
        CallState.APPLIED,
        Outcome(answer.outcome) if answer.outcome else None,
        answer.reason,
        ErrorClass(answer.error_class) if answer.error_class else None,
        fields=dict(answer.fields) if has_answer else {},
    )
    result_id = answer.result_id if has_answer else None
    return Ending(decision, later or call_id, result_id, fetched_at=answer.fetched_at)


def _decided_by(verdict: IntentVerdict) -> Decision | None:
    """What a refused intent means for its step; None: it waits for the run that has the call."""
    if verdict.state == "budget":  # of a try, whose rows nobody resumes: who tries them is told at once
        return Decision(Status.SKIPPED, CallState.FAILED, reason=f"{SkipReason.BUDGET.value}: {verdict.error}")
    if verdict.state == "given_up":
        return Decision(Status.SKIPPED, CallState.FAILED, reason=GIVEN_UP)
    if verdict.state == "suppressed":
        return Decision(Status.SKIPPED, CallState.FAILED, reason=f"{SkipReason.SUPPRESSED.value}: {verdict.error}")
    if verdict.state == "cancelled":
        return Decision(Status.CANCELLED, CallState.FAILED, reason=verdict.error)
    if verdict.state == CallState.SENT:
        return Decision(Status.IN_PROGRESS, CallState.SENT)
    if verdict.state == CallState.AMBIGUOUS:
        return Decision(Status.AMBIGUOUS, CallState.AMBIGUOUS, None, verdict.error, ErrorClass.AMBIGUOUS)
    if verdict.state == CallState.FAILED:
        error_class = ErrorClass(verdict.error_class) if verdict.error_class else None
        return Decision(Status.FAILED, CallState.FAILED, None, verdict.error, error_class)
    return None


async def wait_for(run: Run, item: LoadedItem, step: Step, call: CallInFlight) -> Ending:
    """Leave the step PENDING until the next look at a call that asks the same: at once where it has its answer by now.

    Raises:
        ItemLost: the item was taken over.
    """
    reason = f"waits for batch {call.batch_key}, which asks the same"
    ending = Ending(Decision(Status.PENDING, CallState.READY, reason=reason), deferred=True)
    first = FIRST_LOOK_ASYNC if step.workflow.mode is Mode.ASYNC else FIRST_LOOK
    wait = 0.0 if call.age is None else look_again_in(call.age, first, time.time())
    return await adopt(run, item, step, ending, retry_in=wait)


def look_again_in(age: float, first: float, now: float) -> float:
    """Seconds until the next look at a call that left `age` seconds ago; `now` in seconds since any fixed time.

    The looks are a quarter of the age apart, up to a power of two, and at multiples of that distance: so those who wait
    look together, and not each in a run of its own.
    """
    apart = min(2.0 ** math.ceil(math.log2(max(age / 4, first))), LONGEST_LOOK)
    return apart - now % apart


# crash point: shared-answer-is-adopted
async def adopt(run: Run, item: LoadedItem, step: Step, ending: Ending, *, retry_in: float | None = None) -> Ending:
    """Give this item the ending of a call that it did not make (no cost, no result row of its own)."""
    decision = ending.decision
    record = record_of(item, step, decision, Move(shared=ending, retry_in=retry_in))
    await commit(run, item, step, record)
    note(run, item, step, record, "share", decision.fields, fetched_at=ending.fetched_at)
    return replace(ending, deferred=decision.status is Status.PENDING, retry_in=retry_in)
