"""What the mending of a mapping does to a workflow and to a blueprint, and the step that reads by it. Pure: no I/O.

How a stored answer reads with it is the engine's (`engine.decisions.replay`).
"""

from __future__ import annotations

from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep
from enrichment_assets.domain.planning import ends_parent, fields_read
from enrichment_assets.domain.workflow import CALLBACK_SECRET, WorkflowDefinition
from enrichment_assets.engine.run.prepared_step import Step, prepare_steps
from enrichment_assets.providers import build_providers


def with_current_mapping(launched: WorkflowDefinition, current: WorkflowDefinition) -> WorkflowDefinition:
    """The workflow as it was launched, with the current way of reading and storing its answers.

    What a prompt's answer has to look like is asked for and read by: what is not asked yet is asked by the new schema.
    """
    poll = launched.poll
    if poll is not None and current.poll is not None:
        keys = ("pending_if", "pending_status", "payload")
        poll = poll.model_copy(update={key: getattr(current.poll, key) for key in keys})
    prompt = launched.prompt
    if prompt is not None and current.prompt is not None:
        read_by = ("answer", "grounded", "cites")
        prompt = prompt.model_copy(update={key: getattr(current.prompt, key) for key in read_by})
    verifying = {name: value for name, value in current.secrets.items() if name == CALLBACK_SECRET}
    update = {
        "secrets": {**launched.secrets, **verifying},
        "response": current.response,
        "callback": current.callback,
        "poll": poll,
        "prompt": prompt,
        "provides": current.provides,
        "emails": current.emails,
        "phones": current.phones,
        "types": current.types,
        "columns": current.columns,
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


def prepared_step(sandbox_url: str | None, blueprint: Blueprint, slug: str) -> Step:
    """A step as a run would have it, without what it calls through: for reading answers, and for looking at requests.

    Raises:
        ConfigurationError: A provider that does not exist, or a template or expression that does not compile.
    """
    providers = build_providers(sandbox_url)
    return prepare_steps(blueprint, providers, {slug}, lambda _key, _workflow: None, sandbox_url)[slug]
