"""One lead's way to a destination: what stands there, what is to be done about it, and the calls that do it.

Every call goes the way of any other (`engine.calls.call`): intent, request, raw answer, decision. Its key is that of
the lead at the destination, and of how many calls about it have ended: of two batches with one lead one has the call,
and the other looks again when it is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from enrichment_assets.domain.deliveries import DeliveryState
from enrichment_assets.domain.delivery_answers import remote_id
from enrichment_assets.domain.delivery_courses import Action, Course, Left, left, theirs
from enrichment_assets.domain.delivery_requests import Asking
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.statuses import CallState, ErrorClass, Outcome, Status
from enrichment_assets.engine.calls.attempt import Attempt
from enrichment_assets.engine.calls.call import call
from enrichment_assets.engine.calls.subject import subject_of
from enrichment_assets.engine.decisions.decision import MAX_REASON, PUT_OFF, Decision, Ending
from enrichment_assets.engine.decisions.outcome import Move, conclude
from enrichment_assets.engine.deliveries.asking import Gone, Unanswered, document_of, looked_up
from enrichment_assets.engine.deliveries.delivering import Delivering, delivery_names, left_out, next_course
from enrichment_assets.engine.deliveries.judging import GONE, what_stayed
from enrichment_assets.engine.deliveries.verdicts import Moved
from enrichment_assets.engine.mail.turns import NotYet, begin_mail
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.engine.throttle.admission import NotNow
from enrichment_assets.engine.throttle.rates import Closed
from enrichment_assets.store.deliveries.planned import PlannedLead, load_planned
from enrichment_assets.store.deliveries.resolving import mark_deleted
from enrichment_assets.store.deliveries.standing import DeliveryEnd
from enrichment_assets.store.runs.contexts import LoadedItem

MOST_TURNS = 600
"""Calls about one lead in one run: more fields than a destination has. Beyond it the next run goes on."""

ASK_AGAIN = 60.0
"""Seconds until a destination is asked again whether it has what nobody knows about."""

UNKNOWN_BEFORE = 3600.0
"""Seconds until a step of a sequence is looked at again whose predecessor's fate nobody knows."""

LOOKS_AGAIN = 6 * 3600.0
"""Seconds until a lead that waits for what a person does is looked at; what comes back wakes it at once."""

PLANNED_AGAIN = 60.0
"""Seconds until a lead is looked at again that was corrected since it was planned: a plan comes before it."""

MOST_ASKED = 20
"""Times that it is asked before a person has to look."""


async def deliver(run: Run, item: LoadedItem, step: Step, delivering: Delivering) -> Ending:
    """Do what is to be done about a lead at this destination now."""
    for _ in range(MOST_TURNS):
        planned = item.planned.get(step.slug)
        if planned is None:
            return await _leave(run, item, step, left(Left.NOT_CHOSEN, "it was not planned"))
        if planned.corrected is not None:
            return await _corrected(run, item, step, planned)
        try:
            await looked_up(run, step, delivering)
            course = await _course(run, item, step, delivering, planned)
        except (NotNow, Closed) as error:
            if isinstance(error, Closed):
                run.rest(step, error)
            return PUT_OFF
        except Unanswered as error:
            return await _later(run, item, step, str(error), ASK_AGAIN)
        except ContractError as error:
            return await _leave(run, item, step, left(Left.INVALID, str(error)))
        if course.action is Action.LEAVE:
            return await _leave(run, item, step, course)
        if course.action is Action.CREATE and (ending := await _in_sequence(run, item, step, delivering, planned)):
            return ending
        if delivering.turns is not None and (ending := await _begun(run, item, step, delivering, planned)):
            return ending
        if course.action is Action.ASK:
            ending = await _ask(run, item, step, delivering, planned)
        else:
            ending = await _send(run, item, step)
        if ending is not None and not _goes_on(ending):
            return ending
        if run.stopping or step.stop is not None:
            return PUT_OFF
    return PUT_OFF


async def _corrected(run: Run, item: LoadedItem, step: Step, planned: PlannedLead) -> Ending:
    """What the lead would say is not true any more: it is planned again, or nobody will."""
    why = f"{planned.corrected} was corrected since it was planned"
    if planned.passed_over:
        return await _leave(run, item, step, left(Left.OUT_OF_DATE, why))
    return await _later(run, item, step, why, PLANNED_AGAIN)


async def _in_sequence(
    run: Run, item: LoadedItem, step: Step, delivering: Delivering, planned: PlannedLead
) -> Ending | None:
    """Leave or put off a step of a sequence whose time has not come; None: it has, or it is no such step."""
    follows = delivering.requests.delivery.follows
    if follows is None:
        return None
    before = item.states.get(follows.delivery)
    if planned.followed_for is None and before is not None and before.status is Status.COMPLETED:
        await _look_again(run, item, step)  # it went in this run
        planned = item.planned.get(step.slug, planned)
    if planned.followed_for is None:
        if before is not None and before.status is Status.AMBIGUOUS:
            return await _later(run, item, step, f"nobody knows whether {follows.delivery} went", UNKNOWN_BEFORE)
        if follows.waits is not None:
            return await _later(run, item, step, f"{follows.delivery}: {follows.waits}", LOOKS_AGAIN)
        return await _leave(run, item, step, left(Left.OUT_OF_SEQUENCE, f"{follows.delivery} was not delivered"))
    if (seconds := follows.wait - planned.followed_for) > 0:
        return await _later(run, item, step, f"waits after {follows.delivery}", seconds)
    return None


def _goes_on(ending: Ending) -> bool:
    """Whether the lead's turn is not over: a part of it was taken, or nobody knows and the destination is asked."""
    decision = ending.decision
    return decision.status is Status.PENDING and decision.call_state in (CallState.APPLIED, CallState.AMBIGUOUS)


async def _begun(run: Run, item: LoadedItem, step: Step, delivering: Delivering, planned: PlannedLead) -> Ending | None:
    """Begin a mail at its place in its mailbox's day; how it is put off where that has not come."""
    assert delivering.turns is not None  # noqa: S101 - only mails are begun
    turn = await begin_mail(run.bodies.connection, item.item_id, step.slug, planned.key)
    if isinstance(turn, NotYet):
        return await _later(run, item, step, turn.reason, turn.seconds)
    delivering.turns[item.item_id] = turn
    return None


async def _send(run: Run, item: LoadedItem, step: Step) -> Ending | None:
    """Make the call; None: somebody else did something meanwhile, and what stands there is read again."""
    try:
        return await call(run, item, step, subject_of(run.batch, item, step))
    except Moved:
        await _look_again(run, item, step)
        return None


async def _look_again(run: Run, item: LoadedItem, step: Step) -> None:
    found = await load_planned(
        run.bodies.connection, [item.item_id], [step.slug], simulated=bool(run.batch.blueprint.simulated)
    )
    if (planned := found.get((item.item_id, step.slug))) is not None:
        item.planned[step.slug] = planned
    else:
        item.planned.pop(step.slug, None)


async def _course(run: Run, item: LoadedItem, step: Step, delivering: Delivering, planned: PlannedLead) -> Course:
    """What is to be done, after a look at what the destination has now where the delivery says how."""
    if planned.current is None:
        planned.left_out = left_out(delivering, planned)
    course, there, read = next_course(delivering, planned), planned.there, delivering.requests.read
    if course.action is Action.CREATE and planned.refused is not None and delivering.contacts:
        return left(Left.GATE, planned.refused)
    if course.action is not Action.UPDATE or read is None or planned.current is not None or there is None:
        return course
    try:
        document = await document_of(run, step, read, _names(run, item, step, delivering, planned, course))
    except Gone:
        return await _is_gone(run, item, step, planned)
    ours = {**dict.fromkeys(planned.content.fields), **there.written}
    planned.current = delivering.provider.current_fields(read.expressions["current"](document), ours)
    planned.kept = theirs(delivering.requests.delivery, planned.content.fields, there.written, planned.current)
    planned.left_out = left_out(delivering, planned)
    return next_course(delivering, planned)


async def _is_gone(run: Run, item: LoadedItem, step: Step, planned: PlannedLead) -> Course:
    """Note that somebody took it away there: found by looking, without a call."""
    assert planned.there is not None  # noqa: S101 - whoever is updated is there
    await mark_deleted(run.bodies.connection, planned.there.id, GONE)
    await _look_again(run, item, step)
    return left(Left.DELETED, GONE)


def _names(
    run: Run, item: LoadedItem, step: Step, delivering: Delivering, planned: PlannedLead, course: Course
) -> dict[str, Any]:
    return {**run.batch.names_beside(item, step), **delivery_names(delivering, planned, course)}


async def _ask(run: Run, item: LoadedItem, step: Step, delivering: Delivering, planned: PlannedLead) -> Ending | None:
    """Ask the destination for our key after a call of unknown fate."""
    find, there, made = delivering.requests.find, planned.there, planned.call
    settles = delivering.requests.delivery.find.settles if delivering.requests.delivery.find is not None else 0.0
    if find is None or there is None or made is None:
        return await _leave(run, item, step, left(Left.UNKNOWN))
    attempt = Attempt(*made)
    try:
        external_id = await _found(run, step, find, _names(run, item, step, delivering, planned, Course(Action.ASK)))
    except Gone:
        external_id = None
    except (Unanswered, ContractError) as error:
        return await _asked_in_vain(run, item, step, attempt, str(error))
    except NotNow:
        return PUT_OFF
    except Closed as closed:
        run.rest(step, closed)
        return PUT_OFF
    if external_id is not None:
        reason = "; ".join(filter(None, ["found there by our key", what_stayed(planned)]))
        found = Decision(
            Status.COMPLETED, CallState.APPLIED, Outcome.FOUND, reason, external_id=external_id, as_reserved=True
        )
        return await conclude(run, item, step, found, Move(attempt, reserved=False))
    waited = (datetime.now(UTC) - there.since).total_seconds() if there.since is not None else settles
    if waited < settles:
        reason = "it is not found there yet; its index may lag"
        return await _later(run, item, step, reason, settles - waited)
    # The destination has nothing of our key: the call was not done, and its next attempt takes its row.
    again = Decision(Status.PENDING, CallState.READY, None, "the destination has nothing of our key")
    end = DeliveryEnd(planned.key, DeliveryState.REFUSED, ends=False)
    await conclude(run, item, step, again, Move(attempt, reserved=False, retry_in=0.0, end=end))
    await _look_again(run, item, step)
    return None


async def _found(run: Run, step: Step, find: Asking, names: Mapping[str, Any]) -> str | None:
    """The id of what carries our key, or None; raises as `document_of`."""
    for renderer in (find.renderer, find.or_else):
        if renderer is not None:
            document = await document_of(run, step, replace(find, renderer=renderer), names)
            if (external_id := remote_id(find.expressions["external_id"], document)) is not None:
                return external_id
    return None


async def _asked_in_vain(run: Run, item: LoadedItem, step: Step, attempt: Attempt, reason: str) -> Ending:
    """Ask again later; after many times a person has to look."""
    asked = item.states[step.slug].attempts + 1
    if asked < MOST_ASKED:
        decision = Decision(Status.PENDING, CallState.AMBIGUOUS, None, reason[:MAX_REASON], ErrorClass.AMBIGUOUS)
        ending = await conclude(run, item, step, decision, Move(attempt, retry_in=ASK_AGAIN, attempts=asked))
        return replace(ending, decision=PUT_OFF.decision, deferred=True)
    unknown = Decision(Status.AMBIGUOUS, CallState.AMBIGUOUS, None, reason[:MAX_REASON], ErrorClass.AMBIGUOUS)
    return await conclude(run, item, step, unknown, Move(attempt, attempts=asked))


async def _leave(run: Run, item: LoadedItem, step: Step, course: Course) -> Ending:
    decision = Decision(Status.SKIPPED, CallState.FAILED, reason=course.reason[:MAX_REASON])
    return await conclude(run, item, step, decision, Move())


async def _later(run: Run, item: LoadedItem, step: Step, reason: str, seconds: float) -> Ending:
    decision = Decision(Status.PENDING, CallState.READY, None, reason[:MAX_REASON])
    ending = await conclude(run, item, step, decision, Move(retry_in=seconds))
    return replace(ending, deferred=True, retry_in=seconds)
