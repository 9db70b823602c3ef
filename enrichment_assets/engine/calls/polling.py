"""Asking for an answer that has not come by itself: at the provider's pace before the deadline, and at the deadline.

A poll never takes anything away from a callback: before the deadline only an answer ends the step, and what a poll says
otherwise leaves it under way. From the deadline on a workflow decides what becomes of a call without an answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.provider import Answer, RenderedRequest, Verdict
from enrichment_assets.domain.statuses import CallState, ErrorClass, Status, StopCause
from enrichment_assets.engine.calls.asks import as_asked_again, ask_of, is_asked_again
from enrichment_assets.engine.calls.attempt import Attempt, send_in_turn
from enrichment_assets.engine.calls.call import bounded, keep
from enrichment_assets.engine.calls.orders import results_of
from enrichment_assets.engine.calls.subject import subject_of
from enrichment_assets.engine.decisions.bulk import decide_member_poll
from enrichment_assets.engine.decisions.decision import (
    Decision,
    decide_poll,
    dump,
    failed,
    poll_in,
    unreadable,
    without_pace,
)
from enrichment_assets.engine.decisions.outcome import Move, conclude
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.engine.run.stops import because
from enrichment_assets.engine.throttle.admission import Admission, NotNow
from enrichment_assets.engine.throttle.rates import Closed
from enrichment_assets.store.calls.bulk import BulkReceived
from enrichment_assets.store.runs.contexts import LoadedItem, OpenCall
from enrichment_assets.wire.transport import AnswerTooLarge, FateUnknown, NotSent

LATE_PACE = 30.0
"""Seconds between polls from the deadline on, where nobody names a pace."""

_NOT_READY = "not ready yet when polled"


@dataclass(frozen=True, slots=True)
class _Polled:
    """What a poll brought. A decision of None: not ready, or the provider could not be asked.

    `is_final`: the provider says itself that the call is over, whatever came of it.
    """

    attempt: Attempt
    decision: Decision | None = None
    again_in: float | None = None
    is_final: bool = False


async def look(run: Run, item: LoadedItem, step: Step, open_call: OpenCall) -> None:
    """Look after a submission whose time to be polled, or whose deadline, has come."""
    polled = _Polled(Attempt(open_call.call_id, open_call.attempt, open_call.estimated_cost))
    if step.workflow.poll is not None and open_call.external_id:
        try:
            polled = await _poll(run, item, step, open_call)
        except Closed as closed:  # nothing was asked: the state stays as it is
            run.rest(step, closed)
            return
        except NotNow:  # not asked for want of a chance, not of an answer: the state stays as it is
            return
    if polled.is_final and polled.decision is not None:
        await _finish(run, item, step, open_call, polled.attempt, polled.decision)
    elif item.states[step.slug].overdue:
        await _end(run, item, step, open_call, polled)
    else:
        await _go_on(run, item, step, polled)


async def _finish(
    run: Run, item: LoadedItem, step: Step, open_call: OpenCall, attempt: Attempt, decision: Decision
) -> None:
    """The call is over: an answer, another ask, another submission within bounds, or a failure."""
    if (ask := ask_of(step, subject_of(run.batch, item, step), open_call.call_key)) is not None:
        decision = as_asked_again(step, ask, decision)
    attempts = item.states[step.slug].attempts
    decision, delay = (decision, 0.0) if is_asked_again(decision) else bounded(step, decision, attempts, 0.0)
    await conclude(run, item, step, decision, Move(attempt, retry_in=delay))


async def _go_on(run: Run, item: LoadedItem, step: Step, polled: _Polled) -> None:
    """Before the deadline, which stays: an answer ends the step, anything else is waited out.

    What cannot be read now may be an order that the provider does not know yet; it is asked about at the deadline.
    """
    decision = polled.decision
    if decision is None:
        decision = Decision(Status.IN_PROGRESS, CallState.SENT, reason=_NOT_READY, poll_in=polled.again_in)
    elif decision.status is Status.FAILED:
        reason = f"{decision.reason}; asked again at the deadline"
        decision = Decision(Status.IN_PROGRESS, CallState.SENT, reason=reason)
    await conclude(run, item, step, decision, Move(polled.attempt))


async def _end(run: Run, item: LoadedItem, step: Step, open_call: OpenCall, polled: _Polled) -> None:
    """From the deadline on: a few more polls, then retry or fail as the workflow says."""
    decision, attempts = polled.decision, item.states[step.slug].attempts + 1
    can_be_polled = step.workflow.poll is not None and open_call.external_id
    # Submissions are counted by the ledger, polls by the state: a poll must not use up a submission.
    if decision is None and can_be_polled and attempts - open_call.attempt < step.workflow.retry.attempts:
        waiting = Decision(Status.IN_PROGRESS, CallState.SENT, reason=_NOT_READY)
        pace = polled.again_in or LATE_PACE
        await conclude(run, item, step, waiting, Move(polled.attempt, attempts=attempts, deadline_in=pace))
        return
    resend = step.workflow.callback.on_deadline == "retry" and open_call.attempt < step.workflow.retry.attempts
    if decision is None and resend:
        attempts = open_call.attempt
        decision = Decision(
            Status.PENDING,
            CallState.READY,
            reason="no callback before the deadline",
            error_class=ErrorClass.DEADLINE,
            # The order that is given up may be billed all the same, unless the next one is known to be the same order.
            as_reserved=step.workflow.idempotency_header is None,
        )
    if decision is None:
        # The provider took the order and may bill it: what was reserved is booked as spent.
        decision = replace(failed(ErrorClass.DEADLINE, "no callback before the deadline"), as_reserved=True)
    await conclude(run, item, step, decision, Move(polled.attempt, attempts=attempts))


# crash point: result-is-polled
async def _poll(run: Run, item: LoadedItem, step: Step, open_call: OpenCall) -> _Polled:
    """Ask for the answer, store it, read it.

    A poll goes through the same throttle as a call: in an outage it is the one probe of its cooldown, or it waits.

    Raises:
        Closed, NotNow: nothing was asked, or the provider is down; that uses up no attempts.
        ItemLost: the item was taken over.
    """
    attempt = Attempt(open_call.call_id, open_call.attempt, open_call.estimated_cost)
    nothing = _Polled(attempt, again_in=poll_in(step.workflow, None))
    if step.poll_renderer is None or step.provider is None:
        return nothing
    try:
        context = run.item_context(item, step, external_id=open_call.external_id)
        request = step.authorised(step.poll_renderer.render(context), is_poll=True)
    except ContractError:
        return nothing
    if open_call.bulk_id is not None:
        return await _poll_for_all(run, item, step, open_call, request, nothing)
    async with Admission(run, step) as admission:
        answer = await _ask(run, step, request, admission)
        if answer is None:
            polled = nothing
        else:
            await keep(run, item, open_call.call_id, answer)
            if step.workflow.prompt is not None:
                answer = replace(answer, inputs=await run.bodies.inputs(open_call.call_id))
            polled = await _read(run, step, answer, replace(nothing.attempt, http_status=answer.status), admission)
    if admission.is_down:
        raise NotNow
    return polled


async def _poll_for_all(
    run: Run, item: LoadedItem, step: Step, open_call: OpenCall, request: RenderedRequest, nothing: _Polled
) -> _Polled:
    """Of the members of one call, one asks; the others read the same answer. Raises what `_poll` does."""
    bulk_id, number = open_call.bulk_id or UUID(int=0), open_call.external_id or ""
    under_way = run.polls.get(bulk_id)
    if under_way is None:
        under_way = run.polls[bulk_id] = asyncio.ensure_future(
            _asked_for_all(run, item, step, bulk_id, request, number)
        )
        under_way.add_done_callback(lambda _: run.polls.pop(bulk_id, None))
    answer = await asyncio.shield(under_way)
    if answer is None:
        return nothing
    place = await run.bodies.place(nothing.attempt.call_id)
    attempt = replace(nothing.attempt, http_status=answer.status)
    if step.workflow.prompt is not None:
        answer = replace(answer, inputs=await run.bodies.inputs(nothing.attempt.call_id))
    return await _read(run, step, answer, attempt, None, place)


async def _asked_for_all(
    run: Run, item: LoadedItem, step: Step, bulk_id: UUID, request: RenderedRequest, number: str
) -> Answer | None:
    """Ask, keep the answer once, and tell the throttle how it went."""
    async with Admission(run, step) as admission:
        if step.batch_api is not None:
            place = await run.bodies.place(item.states[step.slug].call_id or 0)
            names = () if place is None else place.names or ()
            answer = await results_of(run, step, step.batch_api, number, names)
        else:
            answer = await _ask(run, step, request, admission)
        if answer is not None:
            headers = dump(dict(answer.headers))
            received = BulkReceived(bulk_id, answer.status, headers, answer.body, (item.item_id, item.fence))
            await run.writer.receive_bulk(received)
            place = await run.bodies.place(item.states[step.slug].call_id or 0)
            await _read(run, step, answer, Attempt(0, 0, Decimal(0)), admission, place)
    if admission.is_down:
        raise NotNow
    return answer


async def _ask(run: Run, step: Step, request: RenderedRequest, admission: Admission) -> Answer | None:
    """The answer to a poll; None: there is none."""
    try:
        return await send_in_turn(run, step, request, admission.turn)
    except (NotSent, FateUnknown):
        admission.ended(True, None)
    except AnswerTooLarge:
        admission.ended(False, None)
    except ContractError:  # a request that cannot be made: nothing left
        pass
    return None


# crash point: poll-is-read
async def _read(
    run: Run, step: Step, answer: Answer, attempt: Attempt, admission: Admission | None, place: Place | None = None
) -> _Polled:
    """What a stored answer to a poll says of the call (`place`: of one of many).

    With an admission also what it says of the provider; where one asked for many, it is told once.
    """
    verdict = Verdict() if _is_of_an_order(step, answer) else _verdict(step, answer)
    decision, is_refusal = None, False
    is_final = step.workflow.prompt is not None and 200 <= answer.status < 300
    try:
        decision = _decided(step, answer, place)
    except ContractError as error:
        is_refusal = verdict.error is not None and (
            verdict.error is ErrorClass.RETRYABLE or verdict.error.stops_provider
        )
        if not is_refusal:
            decision = unreadable(str(error))
    if admission is None:
        return _Polled(attempt, decision, poll_in(step.workflow, answer), is_final)
    if is_refusal and verdict.retry_after and step.gate is not None:
        step.gate.close_for(verdict.retry_after)
        await run.pause_provider(step.limit_key, verdict.retry_after, because(StopCause.QUIET, verdict.message))
    # When to come back for one result is no word about the provider's other calls.
    heard = answer if is_refusal else without_pace(answer)
    is_failure = is_refusal and verdict.error is ErrorClass.RETRYABLE and not verdict.retry_after
    admission.ended(is_failure, heard)
    return _Polled(attempt, decision, poll_in(step.workflow, answer), is_final)


def _is_of_an_order(step: Step, answer: Answer) -> bool:
    """Whether it is the answer of a batch API: its lines have verdicts, and it would be read whole for each of them."""
    return step.batch_api is not None and 200 <= answer.status < 300


def _verdict(step: Step, answer: Answer) -> Verdict:
    return step.provider.classify(step.workflow.operation, answer) if step.provider is not None else Verdict()


def _decided(step: Step, answer: Answer, place: Place | None) -> Decision | None:
    """How an answer to a poll ends the call; None: not ready yet. Raises `ContractError`."""
    if place is not None:
        return decide_member_poll(step, answer, place)
    return decide_poll(step, answer)
