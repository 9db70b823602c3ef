"""How a stored answer reads with a mended mapping, and what the mending does to a blueprint. Pure: no I/O.

The reading itself is the engine's (`engine.answers`), so that a replay and a live answer can never differ.
"""

from __future__ import annotations

from enrichment_assets.domain.mapping import ContractError
from enrichment_assets.domain.planning import ends_parent, fields_read
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import ErrorClass, Status
from enrichment_assets.domain.workflow import CALLBACK_SECRET, Blueprint, BlueprintStep, Mode, WorkflowDefinition
from enrichment_assets.engine.answers import Decision, completed, decide, decide_callback, failed
from enrichment_assets.engine.steps import Step
from enrichment_assets.store.replaying import StoredAnswer


def mended(launched: WorkflowDefinition, current: WorkflowDefinition) -> WorkflowDefinition:
    """The workflow as it was launched, with the current way of reading and storing its answers."""
    poll = launched.poll
    if poll is not None and current.poll is not None:
        keys = ("pending_if", "pending_status", "payload")
        poll = poll.model_copy(update={key: getattr(current.poll, key) for key in keys})
    verifying = {name: value for name, value in current.secrets.items() if name == CALLBACK_SECRET}
    update = {
        "secrets": {**launched.secrets, **verifying},
        "response": current.response,
        "callback": current.callback,
        "poll": poll,
        "provides": current.provides,
        "destination": current.destination,
        "emits": current.emits,
    }
    return launched.model_copy(update=update)


def with_step(blueprint: Blueprint, workflow: WorkflowDefinition) -> Blueprint:
    """The blueprint with this workflow in its step; later steps that read what it provides now come after it.

    Where it now ends its item's way, all later ones do.
    """
    steps: list[BlueprintStep] = []
    position = blueprint.step(workflow.slug).position
    for step in blueprint.steps:
        if step.slug == workflow.slug:
            steps.append(step.model_copy(update={"workflow": workflow}))
            continue
        reads = step.position > position and (
            bool(fields_read(step.workflow) & set(workflow.provides)) or ends_parent(workflow)
        )
        after = list(dict.fromkeys([*step.after, *([workflow.slug] if reads else [])]))
        steps.append(step.model_copy(update={"after": after}))
    return blueprint.model_copy(update={"steps": steps})


def read_again(step: Step, stored: StoredAnswer) -> Decision | None:
    """How a stored answer reads now, as it would live; None: it completes nothing and fails no contract."""
    if stored.callback is not None:
        decision: Decision | None = decide_callback(step, stored.callback, stored.callback_encoding)[0]
    elif step.workflow.mode is Mode.ASYNC and step.workflow.poll is not None and stored.external_id:
        decision = _read_poll(step, _answer(stored))
    else:
        decision = decide(step, _answer(stored))
    if decision is None or decision.status is Status.COMPLETED:
        return decision
    return decision if decision.error_class is ErrorClass.CONTRACT else None


def _read_poll(step: Step, answer: Answer) -> Decision | None:
    try:
        reading = step.reader.read_poll(answer)
    except ContractError as error:
        return failed(ErrorClass.CONTRACT, str(error))
    return None if reading is None else completed(step.workflow.price, reading)


def _answer(stored: StoredAnswer) -> Answer:
    return Answer(stored.http_status or 0, stored.headers, stored.body or b"")
