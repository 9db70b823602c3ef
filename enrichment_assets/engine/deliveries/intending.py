"""What a call about a delivery means to do, as its intent says it, and which request does it."""

from __future__ import annotations

from enrichment_assets.domain.delivery_courses import Action
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.statuses import CallState, Status
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.engine.decisions.decision import Decision
from enrichment_assets.engine.deliveries.delivering import next_course
from enrichment_assets.engine.deliveries.judging import judged
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.deliveries.standing import DeliveryIntent
from enrichment_assets.store.runs.contexts import LoadedItem


def intended(run: Run, item: LoadedItem, step: Step) -> DeliveryIntent | None:
    """What the next call about an item's lead does there; None: the step delivers nothing."""
    if step.delivering is None or (planned := item.planned.get(step.slug)) is None:
        return None
    course, there = next_course(step.delivering, planned), planned.there
    return DeliveryIntent(
        key=planned.key,
        generation=there.generation if there is not None else 0,
        destination=step.slug,
        target=planned.target,
        identity=planned.identity,
        identity_field=planned.identity_field,
        identities=planned.identities,
        fields=json_bytes(dict(course.fields)).decode(),
        content=planned.content.whole if course.is_last else None,
        read=planned.content.read if course.field is None else None,
        approvals=planned.approvals,
        version=step.version,
        actor=planned.actor,
        contacts=step.delivering.contacts,
        simulated=bool(run.batch.blueprint.simulated),
    )


def change(item: LoadedItem, step: Step) -> RequestRenderer:
    """What renders the request that is to be made about an item's lead now."""
    planned = item.planned.get(step.slug)
    renderer = step.renderer
    if step.delivering is not None and planned is not None:
        course = next_course(step.delivering, planned)
        renderer = step.delivering.requests.renders(course, planned.there) or renderer
    if renderer is None:
        raise ConfigurationError(f"{step.slug}: has no request", code="delivery.no_request")
    return renderer


def shares_request(item: LoadedItem, step: Step) -> bool:
    """Whether an item's call is the one that many share: that of a delivery where it creates, or updates as it does."""
    planned = item.planned.get(step.slug)
    if step.delivering is None or planned is None:
        return True
    course = next_course(step.delivering, planned)
    return course.action is Action.CREATE or step.delivering.requests.renders(course, planned.there) is None


def as_delivered(item: LoadedItem, step: Step, decision: Decision, status: int | None = None) -> Decision:
    """The decision about an item's delivery that an answer's decision is; of any other step as it is.

    `status`: of the answer; None: none came.
    """
    if step.delivering is None or (planned := item.planned.get(step.slug)) is None:
        return decision
    expects_id = step.workflow.response.external_id is not None
    return judged(step.delivering, planned, decision, expects_id=expects_id, status=status)


def is_part(decision: Decision) -> bool:
    """Whether a part of a lead was taken and another follows: no attempt of that one is used up."""
    return decision.status is Status.PENDING and decision.call_state is CallState.APPLIED
