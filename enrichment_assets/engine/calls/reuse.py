"""Reuse (`reuse_for`): a question whose answer is there already is not asked again. Per client, never across clients.

Within a batch an identical question is one call, whoever asks it: the ledger's key is made of the question instead of
the item. Across batches an answer that is younger than `reuse_for` is taken from the ledger as bytes, and read by the
mapping of the batch that takes it (docs/adr/0013). A call that another batch has under way is waited for, with an end
(docs/adr/0015).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from decimal import Decimal

from enrichment_assets.domain.statuses import Status
from enrichment_assets.domain.workflow import Entity
from enrichment_assets.engine.calls.call import call
from enrichment_assets.engine.calls.single_flight import follow, single_flight, wait_for
from enrichment_assets.engine.calls.subject import Subject
from enrichment_assets.engine.commit.group_writer import RecordRefused
from enrichment_assets.engine.decisions.decision import Decision, Ending
from enrichment_assets.engine.decisions.fanout import with_children
from enrichment_assets.engine.decisions.outcome import ItemLost, Move, note, record_of
from enrichment_assets.engine.decisions.replay import read_again
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.calls.intents import IntentVerdict
from enrichment_assets.store.calls.questions import CallInFlight, KnownCall
from enrichment_assets.store.calls.reuse import Reused
from enrichment_assets.store.runs.contexts import LoadedItem


async def call_or_reuse(run: Run, item: LoadedItem, step: Step, subject: Subject) -> Ending:
    """Run a step whose answers may be reused: share the call under way, take a kept answer, or call.

    A company is asked about once, and then its question once: the outer flight is the company's, the inner one the
    question's. Whoever leads a question's flight waits for no flight, so nobody waits in a circle.
    """

    async def ask() -> Ending:
        found = await _kept(run, item, step, subject)  # guard: kept-answer-comes-first
        return await call(run, item, step, found) if isinstance(found, Subject) else found

    if subject.question is None or step.workflow.entity is not Entity.COMPANY:
        return await single_flight(run, item, step, subject.key, ask)
    question = f"question:{subject.question}"
    return await single_flight(run, item, step, subject.key, lambda: single_flight(run, item, step, question, ask))


async def _kept(run: Run, item: LoadedItem, step: Step, subject: Subject) -> Ending | Subject:
    """End the step by a call that asked the same. Where there is none, or its answer is of no use: what to ask now.

    A call of this batch (another company's) is followed, whatever its state: its fate may not be known yet. One that
    another batch has under way is waited for.
    """
    asked = subject.asked
    if asked is None:  # the call says what is wrong with it
        return subject
    known = await run.lookups.find(asked)
    if known is None:
        return subject
    if known.in_batch:
        verdict = IntentVerdict(known.call_id, False, known.state, error_class=known.error_class, error=known.error)
        return await follow(run, item, step, verdict)
    if not known.answered:
        return await wait_for(run, item, step, CallInFlight(known.call_id, known.batch_key, known.age))
    decision = read_again(step, known)
    ending = None
    if decision is not None and decision.status is Status.COMPLETED and known.answered_at is not None:
        ending = await _take(run, item, step, subject, known, decision)
    return ending or replace(subject, asked=replace(asked, seen=known.call_id))


# crash point: answer-is-reused
async def _take(
    run: Run, item: LoadedItem, step: Step, subject: Subject, known: KnownCall, decision: Decision
) -> Ending | None:
    """Commit the reuse; None: a call under this key has begun, and the ledger decides.

    Raises:
        ItemLost: the item was taken over, or its state had ended already; nothing was written.
    """
    assert known.answered_at is not None  # noqa: S101
    decision, emission = with_children(run, item, step, decision)
    taken = replace(decision, cost=Decimal(0), reason=_reason(known, decision))
    applied = record_of(item, step, taken, Move(), emission)
    record = Reused(
        applied=applied,
        call_key=subject.key,
        subject_key=subject.subject_key,
        operation=step.workflow.operation,
        reused_from=known.call_id,
        answered_at=known.answered_at,
        saved=decision.booked(_would_be_reserved(step, known)) or Decimal(0),
    )
    try:
        verdict = await run.writer.reuse(record)
    except RecordRefused:
        return None
    if not verdict.held:
        raise ItemLost(item.item_id)
    if verdict.call_id is None:
        return None
    note(run, item, step, applied, "reuse", taken.fields, fetched_at=known.answered_at)
    return Ending(taken, verdict.call_id, verdict.result_id, fetched_at=known.answered_at)


def _would_be_reserved(step: Step, known: KnownCall) -> Decimal:
    """What a call would be reserved for now: by today's price, of a model's call as that one was."""
    price = step.workflow.price
    return price.estimate if price.tokens is None else known.reserved


def _reason(known: KnownCall, decision: Decision) -> str:
    """Where the answer comes from, in words; what it says of a miss follows."""
    assert known.answered_at is not None  # noqa: S101
    when = known.answered_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    where = f"reused: batch {known.batch_key} asked the same, answered {when} UTC"
    return f"{where}; {decision.reason}" if decision.reason else where
