"""One provider call from intent to applied answer, with its retries. The heart of "never pay twice".

The order is the law: the intent is committed, the lease is checked, the request leaves, the raw answer is committed,
and only then is it read and its effect committed. An attempt of unknown fate is never repeated blindly.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.domain.statuses import DIED, CallState, ErrorClass, SkipReason, Status, StopCause
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition
from enrichment_assets.engine.calls import asks
from enrichment_assets.engine.calls.attempt import Attempt, Made, addressed, callback_url, exchange, fate_unknown
from enrichment_assets.engine.calls.bulk_call import call_in_bulk
from enrichment_assets.engine.calls.orders import search
from enrichment_assets.engine.calls.single_flight import follow
from enrichment_assets.engine.calls.subject import Subject, subject_of
from enrichment_assets.engine.decisions.bulk import decided_again
from enrichment_assets.engine.decisions.decision import PUT_OFF, Decision, Ending, decide, dump, failed
from enrichment_assets.engine.decisions.outcome import ItemLost, Move, conclude
from enrichment_assets.engine.decisions.reading import MOST_READINGS, decided, given_up
from enrichment_assets.engine.deliveries.intending import as_delivered, change, intended, is_part, shares_request
from enrichment_assets.engine.deliveries.verdicts import heed
from enrichment_assets.engine.mail.composing import composed
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.event_log import log_event
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.engine.run.reaching import Enough
from enrichment_assets.engine.run.stops import because
from enrichment_assets.engine.throttle.admission import CallAdmission, NotNow, heed_refusal
from enrichment_assets.engine.throttle.backoff import delay_before
from enrichment_assets.engine.throttle.rates import Closed
from enrichment_assets.store.calls.bulk import BulkReceived
from enrichment_assets.store.calls.intents import Intent, IntentVerdict
from enrichment_assets.store.calls.ledger import Received
from enrichment_assets.store.runs.contexts import LoadedItem, OpenCall

INLINE_WAIT = 30.0
"""Seconds up to which a retry waits inside the run; longer waits are left to a later run."""

ASKS_OTHERWISE = "an attempt may have been done and paid for, and what the step would ask now is another question"
"""Why a call that could be repeated under its key is not."""

NEVER_ORDERED = "the run died before the batch was ordered: the provider has none of that name"

MOST_DEATHS = 20
"""Runs that may die in the middle of one call before it is given up: it may be what kills them."""

PROVIDER_PAUSE = 900.0
"""Seconds that a provider rests after it refused the key, the quota or the payment, unless it said how long."""


HELD_PACE = 0.5
"""Seconds after which a budget is asked again that calls under way have taken up."""


async def call(run: Run, item: LoadedItem, step: Step, subject: Subject) -> Ending:
    """Make the call, retrying within bounds, and return how the step ended for this item."""
    started = run.clock.now()
    counted = item.states[step.slug].attempts
    alone = False
    while True:
        try:
            if step.gathering is None or not shares_request(item, step):
                made = await _alone(run, item, step, subject)
            else:
                made = await call_in_bulk(run, item, step, subject, step.gathering, alone=alone)
        except (ContractError, ConfigurationError) as error:
            reason = f"{SkipReason.INVALID_INPUT.value}: {error}"
            return await conclude(run, item, step, Decision(Status.SKIPPED, CallState.FAILED, reason=reason), Move())
        except Enough as enough:
            return await conclude(
                run, item, step, Decision(Status.SKIPPED, CallState.FAILED, reason=enough.reason), Move()
            )
        except Closed as closed:
            run.rest(step, closed)
            return PUT_OFF
        except NotNow:
            return PUT_OFF
        if isinstance(made, IntentVerdict):
            if _awaits_room(run, step, made, started):
                await run.clock.sleep(HELD_PACE)
                continue
            if made.state == "suppressions" and await _looked_again(run, step):
                continue
            if (later := asks.after_verdict(step, subject, made)) is not None:
                subject = later
                continue
            return await (follow if step.delivering is None else heed)(run, item, step, made)
        if step.delivering is not None:
            made = replace(made, decision=as_delivered(item, step, made.decision, made.attempt.http_status))
        if made.decision.status is Status.SKIPPED and made.attempt.http_status is not None:
            await _heed_objection(run, item, step, made.decision)
        decision, delay, alone = asks.as_asked_again(step, subject, made.decision), None, made.alone
        waits_by_request = bool(decision.again_in)
        if asks.is_asked_again(decision):
            subject, delay = asks.after(step, subject, decision), 0.0
        elif not (made.is_down and decision.again_in is not None):  # an outage uses up no item's attempts
            counted += 0 if waits_by_request or is_part(decision) else 1
            decision, delay = bounded(step, decision, counted, run.clock.now() - started)
        ending = await conclude(run, item, step, decision, Move(made.attempt, retry_in=delay, attempts=counted))
        if made.is_heard:
            await _pause_others(run, step, decision, made.attempt, waits_by_request)
        if ending.decision.status is not Status.PENDING:
            return ending
        if decision.stops_provider or delay is None or delay > INLINE_WAIT or run.stopping:
            return replace(ending, deferred=True)
        step.load.resting += 1
        try:
            await run.clock.sleep(delay)
        finally:
            step.load.resting -= 1


def _awaits_room(run: Run, step: Step, verdict: IntentVerdict, started: float) -> bool:
    """Whether a budget may have room for a call as soon as others have ended.

    A miss costs less than was set aside, and a model's call is bounded by several times what it costs. A call under way
    ends within its time-out, or its fate is unknown and nothing comes back; an answer by callback takes too long.
    """
    may_come_back = verdict.is_held and step.workflow.mode is Mode.SYNC
    is_at_work = step.stop is None and not run.stopping
    return may_come_back and is_at_work and run.clock.now() - started < step.workflow.retry.timeout


async def _looked_again(run: Run, step: Step) -> bool:
    """See who is suppressed by now; False where that cannot be told, and the step has stopped."""
    await run.suppressing.look(list(run.steps.values()))
    return step.stop is None


async def _heed_objection(run: Run, item: LoadedItem, step: Step, decision: Decision) -> None:
    """A provider that may not process a person says so for all: nobody else is asked about them for this client."""
    code, _, why = (decision.reason or "").partition(": ")
    if code == SkipReason.SUPPRESSED:
        await run.suppressing.refused_by(step.workflow.provider, item, why or "said by the provider")


async def _alone(run: Run, item: LoadedItem, step: Step, subject: Subject) -> Made | IntentVerdict:
    """One attempt of a call that has its request to itself. Raises `Enough`, and as `_render` and `CallAdmission`."""
    token = secrets.token_urlsafe(32) if step.workflow.mode is Mode.ASYNC else None
    request = _render(run, item, step, subject, token)
    async with CallAdmission(run, step) as admission:
        await run.reaching.refuse_more(item, step)  # it may have waited long for its turn
        made = await _attempt(run, item, step, subject, request, token, admission)
    return replace(made, is_down=admission.is_down) if isinstance(made, Made) and admission.is_down else made


def _open_for(workflow: WorkflowDefinition) -> float | None:
    """Seconds for which a callback of a call is taken; None: for good."""
    patience = workflow.overdue_after
    return None if patience is None else patience + workflow.callback.keep_open


def _render(run: Run, item: LoadedItem, step: Step, subject: Subject, token: str | None) -> RenderedRequest:
    """The authorised request; the callback URL carries the token that names this call."""
    context = run.request_context(item, step, callback_url=callback_url(run, token))
    rendered = step.render(context, subject.again) if step.delivering is None else change(item, step).render(context)
    if step.delivering is not None and (turn := (step.delivering.turns or {}).get(item.item_id)) is not None:
        key = item.planned[step.slug].key
        simulated = step.only_simulator is not None
        return composed(rendered, turn, key, run.receiver_url, run.suppressing.hasher, simulated=simulated)
    return addressed(run, step, rendered, subject.key)


async def _attempt(
    run: Run,
    item: LoadedItem,
    step: Step,
    subject: Subject,
    request: RenderedRequest,
    token: str | None,
    admission: CallAdmission,
) -> Made | IntentVerdict:
    """Intent, request, raw answer, decision. A verdict is returned when the call may not leave."""
    reserved = step.reserves(request)
    verdict = await _intend(run, item, step, subject, token, reserved, request.inputs)  # guard: intent-before-request
    if not verdict.granted:
        return verdict
    if token is not None and verdict.callback_token != token:
        # A repeated call keeps the token of its first attempt, so that either attempt's callback is recognised.
        request = _render(run, item, step, subject, verdict.callback_token)
    async with admission.wire():
        exchanged = await exchange(run, step, request, admission.turn)
    call_id, outcome = verdict.call_id or 0, exchanged.outcome
    if isinstance(outcome, Decision):
        admission.decided(outcome, None)
        return Made(Attempt(call_id, verdict.attempt, reserved, None, exchanged.duration_ms), outcome)
    await keep(run, item, call_id, outcome)
    answer = outcome if request.inputs is None else replace(outcome, inputs=request.inputs)
    decision = await decided(step, answer)
    admission.decided(decision, outcome)
    return Made(Attempt(call_id, verdict.attempt, reserved, outcome.status, exchanged.duration_ms), decision)


# crash point: call-is-intended
async def _intend(
    run: Run,
    item: LoadedItem,
    step: Step,
    subject: Subject,
    token: str | None,
    reserved: Decimal,
    inputs: Mapping[str, str] | None,
) -> IntentVerdict:
    workflow = step.workflow
    return await run.writer.intend(
        Intent(
            item_id=item.item_id,
            fence=item.fence,
            workflow_slug=step.slug,
            call_key=subject.key,
            subject_key=subject.subject_key,
            provider=workflow.provider,
            operation=workflow.operation,
            estimated_cost=reserved,
            callback_token=token,
            token_seconds=_open_for(workflow) if token else None,
            asked=subject.asked,
            inputs=None if inputs is None else json_bytes(inputs),
            who=run.suppressing.who(item, step),
            suppressions=run.suppressing.version,
            delivery=intended(run, item, step),
        )
    )


async def keep(run: Run, item: LoadedItem, call_id: int, answer: Answer) -> None:
    """Commit a raw answer, before anybody reads it.

    Raises:
        ItemLost: the item was taken over.
    """
    headers = dump(dict(answer.headers))
    # guard: answer-kept-before-read
    stored = await run.writer.receive(Received(call_id, item.item_id, item.fence, answer.status, headers, answer.body))
    if not stored:
        raise ItemLost(item.item_id)


def bounded(step: Step, decision: Decision, attempts: int, elapsed: float) -> tuple[Decision, float | None]:
    """A retryable decision within its bounds: the decision, and seconds until the next attempt (None: none follows)."""
    if decision.again_in is None or decision.stops_provider:
        return decision, None
    retry = step.workflow.retry
    delay = delay_before(max(attempts + 1, 2), retry, decision.again_in)
    # A wait that the provider asked for is not ours to count; it may be longer than all our patience.
    if attempts >= retry.attempts or elapsed + delay - decision.again_in > retry.total:
        reason = f"{decision.reason or 'no answer'} (gave up after {attempts} attempts)"
        last = failed(decision.error_class or ErrorClass.RETRYABLE, reason, decision.cost)
        return replace(last, as_reserved=decision.cost is None and decision.may_be_billed), None
    return decision, delay


async def _pause_others(run: Run, step: Step, decision: Decision, attempt: Attempt, asked_for_quiet: bool) -> None:
    """What a decision means for other calls: the step, the provider's key or its rate pauses."""
    if attempt.http_status is not None:
        heed_refusal(run, step, decision, attempt.http_status)
    if decision.stops_provider:
        refusal = because(StopCause(decision.error_class or ErrorClass.AUTH), decision.reason or "refused")
        run.stop_provider(step, refusal, decision.again_in or PROVIDER_PAUSE)
        log_event(run, "provider_stopped", step, detail=decision.reason)
        await run.pause_provider(step.account_key, decision.again_in or PROVIDER_PAUSE, refusal)
    elif asked_for_quiet and step.gate is not None:
        step.gate.close_for(decision.again_in or 0.0)
        asked = because(StopCause.QUIET, decision.reason or "the provider asked for quiet")
        await run.pause_provider(step.limit_key, decision.again_in or 0.0, asked)


# crash point: interrupted-call-is-recovered
async def recover(run: Run, item: LoadedItem, step: Step, open_call: OpenCall) -> Ending:
    """Finish a call that a dead run left behind: read its stored answer, or decide about its unknown fate."""
    attempts = item.states[step.slug].attempts
    subject = subject_of(run.batch, item, step)
    if open_call.state == CallState.RECEIVED:
        async with run.alone:
            kept = await run.bodies.answer(open_call.call_id)
            if kept.readings > MOST_READINGS:
                decision = given_up()
            else:
                headers = kept.headers or open_call.headers
                answer = Answer(open_call.http_status or 0, headers, kept.body, inputs=kept.inputs)
                decision = as_delivered(item, step, await decided_again(step, answer, kept.place), answer.status)
                if (ask := asks.ask_of(step, subject, open_call.call_key)) is not None:
                    decision = asks.as_asked_again(step, ask, decision)
            return await _recovered(run, item, step, open_call, decision, attempts + 1, attempts + 1)
    if step.batch_api is not None and open_call.bulk_id is not None:
        decision = await _of_lost_order(run, item, step, open_call.bulk_id)
        return await _recovered(run, item, step, open_call, decision, attempts, attempts)
    decision = fate_unknown(step, DIED)
    if asks_otherwise(step, open_call, subject):
        decision = Decision(Status.AMBIGUOUS, CallState.AMBIGUOUS, None, ASKS_OTHERWISE, ErrorClass.AMBIGUOUS)
    decision = as_delivered(item, step, decision)
    # Our deaths use up no attempts of the provider's, unless it is this very call that runs die of.
    counted = attempts if open_call.attempt < step.workflow.retry.attempts + MOST_DEATHS else open_call.attempt
    return await _recovered(run, item, step, open_call, decision, attempts, counted)


async def _of_lost_order(run: Run, item: LoadedItem, step: Step, bulk_id: UUID) -> Decision:
    """What becomes of a line whose order a dead run may have placed: the vendor's list says whether it did."""
    found = await search(run, step, bulk_id)
    if isinstance(found, Answer):
        headers = dump(dict(found.headers))
        holder = (item.item_id, item.fence)
        await run.writer.receive_bulk(BulkReceived(bulk_id, found.status, headers, found.body, holder))
        return decide(step, found)
    if found is True:
        return Decision(Status.PENDING, CallState.READY, None, NEVER_ORDERED, ErrorClass.RETRYABLE, again_in=0.0)
    return fate_unknown(step, "the run that placed this order died before its answer was stored")


def asks_otherwise(step: Step, earlier: OpenCall, subject: Subject) -> bool:
    """Whether an attempt that may have been done cannot be repeated: the step asks another question by now.

    The provider takes a repetition for the same call by its key (`idempotency_header`), and the key is the question's.
    A person's correction, an answer that is read again or a new merge rule makes it another question, with its own key.
    """
    workflow = step.workflow
    is_paid_by_key = workflow.idempotency_header is not None and not workflow.free_or_idempotent
    return is_paid_by_key and asks.ask_of(step, subject, earlier.call_key) is None


async def give_up_repeating(run: Run, item: LoadedItem, step: Step, earlier: OpenCall) -> Ending:
    """End a step whose attempt cannot be repeated: booked, as the provider may have done it, and left to a person."""
    decision = replace(failed(ErrorClass.AMBIGUOUS, ASKS_OTHERWISE), as_reserved=True)
    attempt = Attempt(earlier.call_id, earlier.attempt, earlier.estimated_cost)
    return await conclude(run, item, step, decision, Move(attempt, reserved=False))


async def _recovered(
    run: Run, item: LoadedItem, step: Step, open_call: OpenCall, decision: Decision, attempts: int, counted: int
) -> Ending:
    decision, delay = (decision, 0.0) if asks.is_asked_again(decision) else bounded(step, decision, counted, 0.0)
    attempt = Attempt(open_call.call_id, open_call.attempt, open_call.estimated_cost)
    return await conclude(run, item, step, decision, Move(attempt, retry_in=delay, attempts=attempts))
