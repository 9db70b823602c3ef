"""Reuse (`reuse_for`): a question whose answer is there already is not asked again. Per client, never across clients.

Within a batch an identical question is one call, whoever asks it: the ledger's key is made of the question instead of
the item. Across batches an answer that is younger than `reuse_for` is taken from the ledger as bytes, and read by the
mapping of the batch that takes it (docs/adr/0013). A call that another batch has under way is waited for, with an end
(docs/adr/0015).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import orjson

from enrichment_assets.domain.mapping import ContractError
from enrichment_assets.domain.statuses import Status
from enrichment_assets.domain.workflow import Entity, Mode
from enrichment_assets.engine.answers import MAX_REASON, Decision, dump
from enrichment_assets.engine.calls import call, call_key, subject_of
from enrichment_assets.engine.context import Batch, Run
from enrichment_assets.engine.endings import Ending, ItemLost
from enrichment_assets.engine.fanout import with_children
from enrichment_assets.engine.group_writer import RecordRefused
from enrichment_assets.engine.moves import note_move
from enrichment_assets.engine.rereading import read_again
from enrichment_assets.engine.sharing import follow, shared, wait_for
from enrichment_assets.engine.steps import Step
from enrichment_assets.store.contexts import LoadedItem
from enrichment_assets.store.ledger import Applied, IntentVerdict
from enrichment_assets.store.questions import Asked, Elsewhere, Known
from enrichment_assets.store.reuse import Reused

_NAMELESS = {"id": 0, "row_number": 0, "batch": "-"}
"""What a question says where a request names our row: no answer depends on it, and it differs for every item."""

_CALLBACK_URL = "callback-url"


def question_of(batch: Batch, item: LoadedItem, step: Step) -> str | None:
    """Hash of what the step asks about this item, None where it cannot be put into a request.

    Client and account are no part of it: the lookup keeps to one client. How the answer is read is none either.
    Whether the answer comes from the simulator is.
    """
    if step.renderer is None:
        return None
    context = batch.item_context(item, step, callback_url=_CALLBACK_URL)
    context["item"] = {**context["item"], **_NAMELESS}
    try:
        request = step.renderer.render(context)
    except ContractError:
        return None
    workflow = step.workflow
    material = [
        workflow.slug,
        workflow.provider,
        workflow.operation,
        workflow.mode.value,
        batch.blueprint.simulated,
        step.simulated,
        step.base_url(),
        request.method,
        request.url,
        sorted(request.query.items()),
        sorted(request.spelled_headers().items()),
        None if request.content is None else hashlib.sha256(request.content).hexdigest(),
    ]
    return hashlib.sha256(orjson.dumps(material)).hexdigest()


async def call_or_reuse(run: Run, item: LoadedItem, step: Step) -> Ending:
    """Run a step whose answers may be reused: share the call under way, take a kept answer, or call.

    A company is asked about once, and then its question once: the outer flight is the company's, the inner one the
    question's. Whoever leads a question's flight waits for no flight, so nobody waits in a circle.
    """
    question = question_of(run.batch, item, step)
    if question is not None:
        item.questions[step.slug] = question
    key = call_key(run, item, step)

    async def ask() -> Ending:
        if question is None:  # the call says what is wrong with it
            return await call(run, item, step, key)
        ending = await _kept(run, item, step, _asked(step, question, key))
        return ending or await call(run, item, step, key)

    if question is None or step.workflow.entity is not Entity.COMPANY:
        return await shared(run, item, step, key, ask)
    return await shared(run, item, step, key, lambda: shared(run, item, step, f"question:{question}", ask))


def _asked(step: Step, question: str, key: str) -> Asked:
    """As long as a step would wait for a call of its own it waits for another batch's, unless it is to ask anew."""
    workflow = step.workflow
    patience = workflow.deadline if workflow.mode is Mode.ASYNC else workflow.retry.total
    keyed = workflow.idempotency_header is not None
    return Asked(question, key, workflow.reuse_for or 0.0, patience if workflow.reuse_for else None, keyed)


async def _kept(run: Run, item: LoadedItem, step: Step, asked: Asked) -> Ending | None:
    """End the step by a call that asked the same; None: there is none, or its answer is of no use.

    A call of this batch (another company's) is followed, whatever its state: its fate may not be known yet. One that
    another batch has under way is waited for. What the call must know is left in `item.asked`.
    """
    item.asked[step.slug] = asked
    known = await run.lookups.find(asked)
    if known is None:
        return None
    if known.in_batch:
        verdict = IntentVerdict(known.call_id, False, known.state, error_class=known.error_class, error=known.error)
        return await follow(run, item, step, verdict)
    if not known.answered:
        return await wait_for(run, item, step, Elsewhere(known.call_id, known.batch_key, known.age))
    item.asked[step.slug] = replace(asked, seen=known.call_id)
    decision = read_again(step, known)
    if decision is None or decision.status is not Status.COMPLETED or known.answered_at is None:
        return None
    return await _take(run, item, step, asked, known, decision)


async def _take(
    run: Run, item: LoadedItem, step: Step, asked: Asked, known: Known, decision: Decision
) -> Ending | None:
    """Commit the reuse; None: a call under this key has begun, and the ledger decides.

    Raises:
        ItemLost: the item was taken over, or its state had ended already; nothing was written.
    """
    decision, emission = with_children(run, item, step, decision)
    assert known.answered_at is not None and decision.outcome is not None  # noqa: S101
    applied = Applied(
        item_id=item.item_id,
        fence=item.fence,
        workflow_slug=step.slug,
        status=decision.status.value,
        provider=step.workflow.provider,
        outcome=decision.outcome.value,
        reason=_reason(known, decision)[:MAX_REASON],
        own_result=True,
        payload=decision.payload,
        fields=dump(decision.fields),
        rejected=dump(decision.rejected) if decision.rejected else None,
        cost=Decimal(0),
        attempts=item.states[step.slug].attempts,
        step_number=step.workflow.step,
        company_key=item.company_key,
        emission=emission,
    )
    record = Reused(
        applied=applied,
        call_key=asked.call_key,
        subject_key=subject_of(item, step),
        operation=step.workflow.operation,
        reused_from=known.call_id,
        answered_at=known.answered_at,
        saved=decision.cost or Decimal(0),
    )
    try:
        verdict = await run.writer.reuse(record)
    except RecordRefused:
        return None
    if not verdict.held:
        raise ItemLost(item.item_id)
    if verdict.call_id is None:
        return None
    note_move(run, item, step, applied, "reuse", decision.fields)
    return Ending(
        decision.status, applied.outcome, applied.reason, None, verdict.call_id, verdict.result_id, decision.fields
    )


def _reason(known: Known, decision: Decision) -> str:
    """Where the answer comes from, in words; what it says of a miss follows."""
    assert known.answered_at is not None  # noqa: S101
    when = known.answered_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    where = f"reused: batch {known.batch_key} asked the same, answered {when} UTC"
    return f"{where}; {decision.reason}" if decision.reason else where
