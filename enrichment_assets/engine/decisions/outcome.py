"""What a decision does: the record of it, its commit, and what the run holds of it in memory, in this order.

What belongs here: the one place where a step's decision becomes a move of its state. How the decision is made is in
`engine.decisions.decision`, `engine.run.local` and `engine.calls.single_flight`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.emission import Emission
from enrichment_assets.domain.statuses import ErrorClass, InboxStatus, Status
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.engine.calls.attempt import Attempt
from enrichment_assets.engine.commit.group_writer import RecordRefused
from enrichment_assets.engine.decisions.decision import MAX_REASON, Decision, Ending, dump, failed
from enrichment_assets.engine.decisions.fanout import log_emission, with_children
from enrichment_assets.engine.deliveries.judging import end_of, judged, remember
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.event_log import log_event, log_move
from enrichment_assets.engine.run.guard import ACTOR as GUARD
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.calls.ledger import Applied
from enrichment_assets.store.deliveries.standing import DeliveryEnd
from enrichment_assets.store.runs.contexts import LoadedItem


class ItemLost(Exception):
    """Another runner holds this item now; drop it without writing."""


@dataclass(slots=True)
class Move:
    """Where a decision comes from, and when the state is looked at again.

    Attributes:
        attempt: The call of this item that it comes from, if any.
        shared: The ending of another item's call that it is taken from, if any.
        retry_in: Seconds until a PENDING state is due again.
        deadline_in: Seconds until an IN_PROGRESS state is overdue (default: the workflow's deadline; one that
            stands stays).
        attempts: Attempts so far, this one included (default: unchanged).
        reserved: Whether money is still reserved for the attempt.
        inbox_id, inbox_status: The callback that it comes from, and what becomes of that.
        end: Of a delivery, what becomes of what stands there (default: what follows from the decision).
    """

    attempt: Attempt | None = None
    shared: Ending | None = None
    retry_in: float | None = None
    deadline_in: float | None = None
    attempts: int | None = None
    reserved: bool = True
    inbox_id: int | None = None
    inbox_status: InboxStatus | None = None
    end: DeliveryEnd | None = None


# crash point: call-is-concluded
async def conclude(run: Run, item: LoadedItem, step: Step, decision: Decision, move: Move) -> Ending:
    """Commit what a decision of this item's own call, callback or computation does, in memory too.

    What the database refuses to keep is FAILED(contract).

    Raises:
        ItemLost: the item was taken over, or its state had ended already; nothing was written.
    """
    planned = item.planned.get(step.slug) if step.delivering is not None else None
    if step.delivering is not None and planned is not None:
        expects_id = step.workflow.response.external_id is not None
        decision = judged(step.delivering, planned, decision, expects_id=expects_id)
    decision, emission = with_children(run, item, step, decision)
    record = record_of(item, step, decision, move, emission)
    if planned is not None and move.attempt is not None:
        record.delivery = move.end or end_of(planned, decision)
    try:
        result_id = await commit(run, item, step, record)
    except RecordRefused as refused:
        if decision.error_class is ErrorClass.CONTRACT:
            raise  # nothing of the payload is left in this decision
        decision = failed(ErrorClass.CONTRACT, f"the database refuses the payload ({refused})")
        decision = replace(decision, as_reserved=move.attempt is not None)
        dead = InboxStatus.DEAD if move.inbox_status else None
        return await conclude(
            run, item, step, decision, replace(move, retry_in=None, deadline_in=None, inbox_status=dead)
        )
    attempt = move.attempt
    if step.delivering is not None and planned is not None and record.delivery is not None and attempt is not None:
        remember(step.delivering, planned, record.delivery, attempt)
    action = action_of(step, record, called=attempt is not None)
    note(run, item, step, record, action, decision.fields, attempt=attempt.number if attempt else None)
    return Ending(decision, record.call_id, result_id)


def record_of(
    item: LoadedItem, step: Step, decision: Decision, move: Move, emission: Emission | None = None
) -> Applied:
    """The move that a decision is, as the ledger applies it. Pure."""
    state = item.states[step.slug]
    attempt, shared, deadline_in = move.attempt, move.shared, move.deadline_in
    # What a destination answered says nothing of the lead: it is in the ledger, and in `deliveries`.
    own = decision.status is Status.COMPLETED and shared is None and step.delivering is None
    if deadline_in is None and decision.status is Status.IN_PROGRESS and state.status is not Status.IN_PROGRESS:
        deadline_in = step.workflow.overdue_after
    reserved = attempt.reserved if attempt else Decimal(0)
    cost = decision.booked(reserved)
    used = decision.used(step.workflow.price, cost) if attempt and step.workflow.prompt is not None else None
    return Applied(
        item_id=item.item_id,
        fence=item.fence,
        workflow_slug=step.slug,
        status=decision.status.value,
        provider=step.workflow.provider,
        outcome=decision.outcome and decision.outcome.value,
        reason=decision.reason and decision.reason[:MAX_REASON],
        error_class=decision.error_class and decision.error_class.value,
        call_id=attempt.call_id if attempt else shared.call_id if shared else None,
        call_state=decision.call_state.value if attempt else None,
        external_id=decision.external_id,
        own_result=own,
        payload=decision.payload if own else None,
        fields=dump(decision.fields) if own else "{}",
        rejected=dump(decision.rejected) if own and decision.rejected else None,
        citations=dump(decision.citations) if own and decision.citations else None,
        cost=cost,
        used=used.as_json() if used is not None else None,
        attempts=move.attempts if move.attempts is not None else state.attempts,
        http_status=attempt.http_status if attempt else None,
        duration_ms=attempt.duration_ms if attempt else None,
        retry_in=move.retry_in,
        deadline_in=deadline_in,
        poll_in=decision.poll_in,
        result_id=shared.result_id if shared else None,  # guard: shared-value-has-its-origin
        step_number=step.workflow.step,
        company_key=item.company_key,
        inbox_id=move.inbox_id,
        inbox_status=move.inbox_status and move.inbox_status.value,
        reserved=reserved if move.reserved and _ends_reservation(decision) else Decimal(0),
        emission=emission,
    )


def _ends_reservation(decision: Decision) -> bool:
    """A call of unknown fate, or one that will be answered later, may still cost what was reserved."""
    return decision.status not in (Status.AMBIGUOUS, Status.IN_PROGRESS)


async def commit(run: Run, item: LoadedItem, step: Step, record: Applied) -> int | None:
    """Apply a move; the id of its result row.

    Raises:
        RecordRefused: the database cannot keep what is in it.
        ItemLost: the item was taken over, or its state had ended already; nothing was written.
    """
    moved, result_id = await run.writer.apply(record)
    if not moved:
        log_event(run, "lost", step, item_id=item.item_id)
        raise ItemLost(item.item_id)
    return result_id


def action_of(step: Step, record: Applied, *, called: bool) -> str:
    """The log's word for a step's own move."""
    if record.inbox_id is not None:
        return "callback"
    if called:
        return "call"
    return "compute" if step.workflow.mode is Mode.LOCAL and record.status != Status.SKIPPED else "skip"


def note(
    run: Run,
    item: LoadedItem,
    step: Step,
    record: Applied,
    action: str,
    fields: Mapping[str, Any],
    *,
    attempt: int | None = None,
    fetched_at: datetime | None = None,
) -> None:
    """Note a committed move.

    Args:
        run: The run.
        item: The claimed item.
        step: The step that moved.
        record: How it moved.
        action: The word for it in the log.
        fields: What the step provides from now on.
        attempt: Number of the call's attempt, where there was a call.
        fetched_at: When the answer was first fetched; None: just now.
    """
    tell(run, record, action, attempt, item.parent_id)
    if record.emission is not None:
        log_emission(run, step, item, record.emission)
    hold(run, item, step, record, fields, fetched_at=fetched_at)


def tell(run: Run, record: Applied, action: str, attempt: int | None = None, parent: int | None = None) -> None:
    """Log and count a committed move; `action` is the log's word for it, `parent` the item that its item came from."""
    log_move(run, record, action, attempt, parent)
    run.moved[record.workflow_slug, record.outcome or record.status.lower()] += 1
    if run.guard is not None and action in _ENDED_CALLS and record.status in (Status.COMPLETED, Status.FAILED):
        failed = record.status == Status.FAILED
        if run.guard.saw(record.workflow_slug, failed=failed):
            run.hold_all(f"paused by {GUARD}: {run.guard.spoke}")


_ENDED_CALLS = ("call", "callback")
"""Moves that the guard of a batch counts: an answer that is shared or taken over says nothing new."""


def hold(
    run: Run,
    item: LoadedItem,
    step: Step,
    record: Applied,
    fields: Mapping[str, Any],
    *,
    fetched_at: datetime | None = None,
) -> None:
    """Have a move in memory: what the step provides (first fetched at `fetched_at`, None: now), and how it stands."""
    state = item.states[step.slug]
    state.status, state.outcome = Status(record.status), record.outcome
    state.attempts, state.due, state.overdue = record.attempts, record.retry_in is None, False
    state.polls = False
    if fields:
        item.take(run.sources.sources[step.slug], fields, fetched_at)
    elif state.status is Status.COMPLETED:
        item.lose(step.blueprint.position)
