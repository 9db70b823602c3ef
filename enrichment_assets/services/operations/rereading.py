"""What the mending of a mapping does to a workflow and to a blueprint. Pure: no I/O.

How a stored answer reads with it is the engine's (`engine.decisions.replay`).
"""

from __future__ import annotations

from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep
from enrichment_assets.domain.planning import ends_parent, fields_read
from enrichment_assets.domain.workflow import CALLBACK_SECRET, WorkflowDefinition


def with_current_mapping(launched: WorkflowDefinition, current: WorkflowDefinition) -> WorkflowDefinition:
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
        "emails": current.emails,
        "phones": current.phones,
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
            bool(fields_read(step.workflow) & workflow.provided_fields) or ends_parent(workflow)
        )
        after = list(dict.fromkeys([*step.after, *([workflow.slug] if reads else [])]))
        steps.append(step.model_copy(update={"after": after}))
    return blueprint.model_copy(update={"steps": steps})
