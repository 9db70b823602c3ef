"""What an answer means where something is delivered: it is there, it is gone there, it was refused, or nobody knows.

Pure. An answer is decided as any other (`engine.decisions.decision`); here that decision becomes one about a delivery.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from enrichment_assets.domain.deliveries import DeliveryState
from enrichment_assets.domain.delivery_courses import Action, Left, There, after_success
from enrichment_assets.domain.statuses import CallState, ErrorClass, Outcome, SkipReason, Status
from enrichment_assets.engine.calls.attempt import Attempt
from enrichment_assets.engine.decisions.decision import MAX_REASON, Decision, failed
from enrichment_assets.engine.deliveries.delivering import Delivering, next_course
from enrichment_assets.store.deliveries.planned import PlannedLead
from enrichment_assets.store.deliveries.standing import DeliveryEnd

NO_ID = "it was taken, and the answer does not say what id it has there"
GONE = "the destination does not know it any more"
NO_PLACE = "the destination does not know the place that is meant"
NOT_TAKEN = "the answer does not say that it was taken"


def judged(
    delivering: Delivering, planned: PlannedLead, decision: Decision, *, expects_id: bool, status: int | None = None
) -> Decision:
    """The decision about a delivery that an answer's decision is; one that is such already stays as it is.

    A server that failed (5xx) may have made it before it did: where it can be asked, it is, before it is made again.
    """
    creating = planned.there is None or planned.there.is_new
    failed_there = status is not None and status >= 500 and decision.again_in is not None
    if creating and failed_there and delivering.requests.find is not None:
        return _unknown(delivering, decision, creating=True)
    if decision.status is Status.COMPLETED:
        return _taken(delivering, planned, decision, creating=creating, expects_id=expects_id)
    if decision.status is Status.AMBIGUOUS:
        return _unknown(delivering, decision, creating=creating)
    return _refused(decision)


def _refused(decision: Decision) -> Decision:
    """A lead that the destination would not have has failed there, and is no row that was left out; others stay."""
    word, _, said = (decision.reason or "").partition(": ")
    if decision.status is not Status.SKIPPED or word != SkipReason.INVALID_INPUT or decision.error_class is not None:
        return decision
    if decision.call_state is not CallState.APPLIED:
        return decision
    return failed(ErrorClass.INVALID_INPUT, said or word, decision.cost)


def _taken(
    delivering: Delivering, planned: PlannedLead, decision: Decision, *, creating: bool, expects_id: bool
) -> Decision:
    if decision.outcome is Outcome.NOT_FOUND:
        if decision.reading is not None:
            return replace(failed(ErrorClass.CONTRACT, NOT_TAKEN, decision.cost), as_reserved=decision.as_reserved)
        if creating:
            return failed(ErrorClass.CONTRACT, f"{NO_PLACE} ({decision.reason})", decision.cost)
        reason = f"{Left.DELETED.value}: {GONE}"
        return Decision(Status.SKIPPED, CallState.FAILED, reason=reason, cost=decision.cost)
    external_id = decision.external_id or (None if decision.reading is None else decision.reading.external_id)
    if creating and expects_id and external_id is None:
        unknown = Decision(Status.AMBIGUOUS, CallState.AMBIGUOUS, None, NO_ID, ErrorClass.AMBIGUOUS)
        return _unknown(delivering, unknown, creating=True)
    course = next_course(delivering, planned)
    if course.action is Action.UPDATE and not course.is_last:
        # What is left is said by a request of its own, which is another call.
        return replace(decision, status=Status.PENDING, outcome=None, reading=None, external_id=external_id)
    return replace(decision, external_id=external_id, reason=decision.reason or what_stayed(planned))


def what_stayed(planned: PlannedLead) -> str | None:
    """Which fields were not written though the lead says them, and why; None: all were."""
    said = [f"left out: {why}" for why in planned.left_out.values()]
    said += [f"left as it is there: {', '.join(planned.kept)}"] if planned.kept else []
    return "; ".join(said)[:MAX_REASON] or None


def _unknown(delivering: Delivering, decision: Decision, *, creating: bool) -> Decision:
    """A call of unknown fate: what says the same twice is said again, what can be asked for is asked for."""
    delivery = delivering.requests.delivery
    if not creating or delivery.upsert:
        return Decision(
            Status.PENDING,
            CallState.READY,
            None,
            decision.reason,
            ErrorClass.RETRYABLE,
            again_in=0.0,
            may_be_billed=True,
        )
    if delivery.find is None:
        return decision
    return Decision(Status.PENDING, CallState.AMBIGUOUS, None, decision.reason, ErrorClass.AMBIGUOUS)


def end_of(planned: PlannedLead, decision: Decision) -> DeliveryEnd | None:
    """What becomes of the row of `deliveries` by a decision about a call of it; None: nothing, it is under way."""
    key, creating = planned.key, planned.there is None or planned.there.is_new
    if decision.status is Status.COMPLETED or (
        decision.status is Status.PENDING and decision.call_state is CallState.APPLIED
    ):
        return DeliveryEnd(key, DeliveryState.DELIVERED, success=True, external_id=decision.external_id)
    if decision.call_state is CallState.AMBIGUOUS:
        return DeliveryEnd(key, DeliveryState.UNKNOWN, ends=False, reason=decision.reason)
    if decision.status in (Status.PENDING, Status.IN_PROGRESS):
        return None
    reason = (decision.reason or "")[:MAX_REASON] or None
    if decision.status is Status.SKIPPED and (reason or "").startswith(Left.DELETED.value):
        return DeliveryEnd(key, DeliveryState.DELETED, reason=(reason or "").partition(": ")[2])
    return DeliveryEnd(key, DeliveryState.REFUSED if creating else DeliveryState.DELIVERED, reason=reason)


def remember(delivering: Delivering, planned: PlannedLead, end: DeliveryEnd, attempt: Attempt) -> None:
    """Have in memory what was committed about a planned lead."""
    course = next_course(delivering, planned)
    before = planned.there or There(0, planned.key, DeliveryState.INTENDED, None, 0, is_new=True)
    if end.success:
        planned.there = after_success(before, course, planned.content, end.external_id)
    else:
        planned.there = replace(
            before,
            state=end.state,
            reason=end.reason,
            since=datetime.now(UTC),
            generation=before.generation + (1 if end.ends else 0),
        )
    planned.call = (attempt.call_id, attempt.number, attempt.reserved)
