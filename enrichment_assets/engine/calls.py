"""One provider call from intent to applied answer, with its retries. The heart of "never pay twice".

The order is the law: the intent is committed, the lease is checked, the request leaves, the raw answer is committed,
and only then is it read and its effect committed. An attempt of unknown fate is never repeated blindly.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.mapping import ContractError
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.domain.statuses import CallState, ErrorClass, InboxStatus, SkipReason, Status, StopCause
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.engine.admission import CallAdmission, NotNow, heed_refusal
from enrichment_assets.engine.answers import MAX_REASON, Decision, dump, failed
from enrichment_assets.engine.backoff import delay_before
from enrichment_assets.engine.context import Run
from enrichment_assets.engine.endings import Ending, ItemLost
from enrichment_assets.engine.event_log import log_event
from enrichment_assets.engine.exchange import Attempt, exchange, fate_unknown
from enrichment_assets.engine.fanout import with_children
from enrichment_assets.engine.group_writer import RecordRefused
from enrichment_assets.engine.limits import Closed
from enrichment_assets.engine.moves import action_of, note_move
from enrichment_assets.engine.reading import MOST_READINGS, decided, given_up
from enrichment_assets.engine.sharing import follow
from enrichment_assets.engine.steps import Step
from enrichment_assets.engine.stops import because
from enrichment_assets.engine.subjects import Subject
from enrichment_assets.store.contexts import LoadedItem, OpenCall
from enrichment_assets.store.ledger import Applied, Intent, IntentVerdict, Received
from enrichment_assets.wire.simulator import RECEIVER_HEADER

INLINE_WAIT = 30.0
"""Seconds up to which a retry waits inside the run; longer waits are left to a later run."""

MOST_DEATHS = 20
"""Runs that may die in the middle of one call before it is given up: it may be what kills them."""

PROVIDER_PAUSE = 900.0
"""Seconds that a provider rests after it refused the key, the quota or the payment, unless it said how long."""


async def call(run: Run, item: LoadedItem, step: Step, subject: Subject) -> Ending:
    """Make the call, retrying within bounds, and return how the step ended for this item."""
    started = run.clock.now()
    counted = item.states[step.slug].attempts
    while True:
        try:
            token = secrets.token_urlsafe(32) if step.workflow.mode is Mode.ASYNC else None
            request = _render(run, item, step, subject, token)
        except (ContractError, ConfigurationError) as error:
            reason = f"{SkipReason.INVALID_INPUT.value}: {error}"
            return await conclude(run, item, step, Decision(Status.SKIPPED, CallState.FAILED, reason=reason), None)
        try:
            async with CallAdmission(run, step) as admission:
                outcome = await _attempt(run, item, step, subject, request, token, admission)
                if isinstance(outcome, Attempt):
                    decision = outcome.decision or await decided(step, _must(outcome.answer))
                    admission.decided(decision, outcome.answer)
        except Closed as closed:
            run.rest(step, closed)
            return Ending(Status.PENDING, deferred=True)
        except NotNow:
            return Ending(Status.PENDING, deferred=True)
        if isinstance(outcome, IntentVerdict):
            return await follow(run, item, step, outcome)
        waits_by_request = bool(decision.again_in)
        delay = None
        if not (admission.is_down and decision.again_in is not None):  # an outage uses up no item's attempts
            counted += 0 if waits_by_request else 1
            decision, delay = bounded(step, decision, counted, run.clock.now() - started)
        ending = await conclude(run, item, step, decision, outcome, retry_in=delay, attempts=counted)
        if outcome.answer is not None:
            heed_refusal(run, step, decision, outcome.answer)
        if decision.stops_provider:
            refusal = because(StopCause(decision.error_class or ErrorClass.AUTH), decision.reason or "refused")
            run.stop_provider(step, refusal, decision.again_in or PROVIDER_PAUSE)
            log_event(run, "provider_stopped", step, detail=decision.reason)
            await run.pause_provider(step.account_key, decision.again_in or PROVIDER_PAUSE, refusal)
            return replace(ending, deferred=True)
        if waits_by_request and step.gate is not None:
            step.gate.close_for(decision.again_in or 0.0)
            asked = because(StopCause.QUIET, decision.reason or "the provider asked for quiet")
            await run.pause_provider(step.limit_key, decision.again_in or 0.0, asked)
        if ending.status is not Status.PENDING:
            return ending
        if delay is None or delay > INLINE_WAIT or run.stopping:
            return replace(ending, deferred=True)
        await run.clock.sleep(delay)


def bounded(step: Step, decision: Decision, attempts: int, elapsed: float) -> tuple[Decision, float | None]:
    """A retryable decision within its bounds: the decision, and seconds until the next attempt (None: none follows)."""
    if decision.again_in is None or decision.stops_provider:
        return decision, None
    retry = step.workflow.retry
    delay = delay_before(max(attempts + 1, 2), retry, decision.again_in)
    # A wait that the provider asked for is not ours to count; it may be longer than all our patience.
    if attempts >= retry.attempts or elapsed + delay - decision.again_in > retry.total:
        reason = f"{decision.reason or 'no answer'} (gave up after {attempts} attempts)"
        cost = decision.cost if decision.cost is not None else decision.cost_if_last
        return failed(decision.error_class or ErrorClass.RETRYABLE, reason, cost), None
    return decision, delay


async def recover(run: Run, item: LoadedItem, step: Step, open_call: OpenCall) -> Ending:
    """Finish a call that a dead run left behind: read its stored answer, or decide about its unknown fate."""
    attempts = item.states[step.slug].attempts
    if open_call.state == CallState.RECEIVED:
        async with run.alone:
            kept = await run.bodies.answer(open_call.call_id)
            if kept.readings > MOST_READINGS:
                decision = given_up(step)
            else:
                decision = await decided(step, Answer(open_call.http_status or 0, open_call.headers, kept.body))
            return await _recovered(run, item, step, open_call, decision, attempts + 1, attempts + 1)
    decision = fate_unknown(step, "the run that made this call died before its answer was stored")
    # Our deaths use up no attempts of the provider's, unless it is this very call that runs die of.
    counted = attempts if open_call.attempt < step.workflow.retry.attempts + MOST_DEATHS else open_call.attempt
    return await _recovered(run, item, step, open_call, decision, attempts, counted)


async def _recovered(
    run: Run, item: LoadedItem, step: Step, open_call: OpenCall, decision: Decision, attempts: int, counted: int
) -> Ending:
    decision, delay = bounded(step, decision, counted, 0.0)
    attempt = Attempt(open_call.call_id, open_call.attempt)
    return await conclude(run, item, step, decision, attempt, retry_in=delay, attempts=attempts)


async def conclude(
    run: Run,
    item: LoadedItem,
    step: Step,
    decision: Decision,
    attempt: Attempt | None,
    *,
    retry_in: float | None = None,
    deadline_in: float | None = None,
    attempts: int | None = None,
    reserved: bool = True,
    **extra: Any,
) -> Ending:
    """Commit what a decision does, in memory too.

    Args:
        run: The run.
        item: The claimed item.
        step: The step that moves.
        decision: How it moves.
        attempt: The call it comes from, if any.
        retry_in: Seconds until a PENDING state is due again.
        deadline_in: Seconds until an IN_PROGRESS state is overdue (default: the workflow's deadline; one that
            stands stays).
        attempts: Attempts so far, this one included (default: unchanged).
        reserved: Whether money is still reserved for the attempt.
        **extra: More columns of `Applied` (the callback it comes from).

    Raises:
        ItemLost: the item was taken over, or its state had ended already; nothing was written.
    """
    state = item.states[step.slug]
    own = decision.status is Status.COMPLETED
    decision, emission = with_children(run, item, step, decision)
    if deadline_in is None and decision.status is Status.IN_PROGRESS and state.status is not Status.IN_PROGRESS:
        deadline_in = step.workflow.deadline
    released = reserved and attempt is not None and _ends_reservation(decision)
    record = Applied(
        item_id=item.item_id,
        fence=item.fence,
        workflow_slug=step.slug,
        status=decision.status.value,
        provider=step.workflow.provider,
        outcome=decision.outcome and decision.outcome.value,
        reason=decision.reason and decision.reason[:MAX_REASON],
        error_class=decision.error_class and decision.error_class.value,
        call_id=attempt.call_id if attempt else None,
        call_state=decision.call_state.value if attempt else None,
        external_id=decision.external_id,
        own_result=own,
        payload=decision.payload if own else None,
        fields=dump(decision.fields) if own else "{}",
        rejected=dump(decision.rejected) if own and decision.rejected else None,
        cost=decision.cost,
        attempts=attempts if attempts is not None else state.attempts,
        http_status=attempt.answer.status if attempt and attempt.answer else None,
        duration_ms=attempt.duration_ms if attempt else None,
        retry_in=retry_in,
        deadline_in=deadline_in,
        poll_in=decision.poll_in,
        step_number=step.workflow.step,
        company_key=item.company_key,
        reserved=step.workflow.price.estimate if released else Decimal(0),
        emission=emission,
        **extra,
    )
    try:
        moved, result_id = await run.writer.apply(record)
    except RecordRefused as refused:
        if decision.error_class is ErrorClass.CONTRACT:
            raise  # nothing of the payload is left in this decision
        reason = f"the database refuses the payload ({refused})"
        decision = failed(ErrorClass.CONTRACT, reason, step.workflow.price.estimate if attempt else None)
        if "inbox_status" in extra:
            extra["inbox_status"] = InboxStatus.DEAD.value
        return await conclude(run, item, step, decision, attempt, attempts=attempts, reserved=reserved, **extra)
    if not moved:
        log_event(run, "lost", step, item_id=item.item_id)
        raise ItemLost(item.item_id)
    action = action_of(step, record, called=attempt is not None)
    note_move(run, item, step, record, action, decision.fields, attempt=attempt.number if attempt else None)
    return Ending(
        decision.status,
        record.outcome,
        record.reason,
        record.error_class,
        record.call_id,
        result_id,
        decision.fields,
    )


def _ends_reservation(decision: Decision) -> bool:
    """A call of unknown fate, or one that will be answered later, may still cost what was reserved."""
    return decision.status not in (Status.AMBIGUOUS, Status.IN_PROGRESS)


def _render(run: Run, item: LoadedItem, step: Step, subject: Subject, token: str | None) -> RenderedRequest:
    """The authorised request; the callback URL carries the token that names this call."""
    if step.renderer is None or step.provider is None:
        raise ConfigurationError(f"{step.slug}: has no request")
    url = f"{run.receiver_url}/callbacks/{token}" if token else None
    rendered = step.renderer.render(run.item_context(item, step, callback_url=url))
    request = step.authorised(rendered)
    added = {step.workflow.idempotency_header: subject.key} if step.workflow.idempotency_header else {}
    if step.only_simulator is not None:
        added[RECEIVER_HEADER] = run.receiver_url
    return replace(request, headers={**request.headers, **added}) if added else request


async def _attempt(
    run: Run,
    item: LoadedItem,
    step: Step,
    subject: Subject,
    request: RenderedRequest,
    token: str | None,
    admission: CallAdmission,
) -> Attempt | IntentVerdict:
    """Intent, request, raw answer. A verdict is returned when the call may not leave."""
    verdict = await _intend(run, item, step, subject, token)
    if not verdict.granted:
        return verdict
    request = _retoken(run, item, step, subject, request, token, verdict)
    async with admission.wire():
        attempt = await exchange(run, step, verdict, request, admission.turn)
    if attempt.answer is None:
        return attempt
    stored = await run.writer.receive(
        Received(
            attempt.call_id,
            item.item_id,
            item.fence,
            attempt.answer.status,
            dump(dict(attempt.answer.headers)),
            attempt.answer.body,
        )
    )
    if not stored:
        raise ItemLost(item.item_id)
    return attempt


def _retoken(
    run: Run,
    item: LoadedItem,
    step: Step,
    subject: Subject,
    request: RenderedRequest,
    token: str | None,
    verdict: IntentVerdict,
) -> RenderedRequest:
    """A repeated call keeps the token of its first attempt, so that either attempt's callback is recognised."""
    if token is None or verdict.callback_token == token:
        return request
    return _render(run, item, step, subject, verdict.callback_token)


async def _intend(run: Run, item: LoadedItem, step: Step, subject: Subject, token: str | None) -> IntentVerdict:
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
            estimated_cost=workflow.price.estimate,
            callback_token=token,
            token_seconds=workflow.deadline + workflow.callback.keep_open if token else None,
            asked=subject.asked,
        )
    )


def _must(answer: Answer | None) -> Answer:
    assert answer is not None, "an attempt without a decision has an answer"  # noqa: S101
    return answer
