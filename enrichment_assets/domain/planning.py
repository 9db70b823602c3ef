"""From a pipeline to a blueprint: pure checks and merges, no database.

A pipeline is checked when it is saved (can this order work at all?); a blueprint is made when a batch is launched (this
pipeline, these workflow versions, this client's overrides) and is what the batch runs by, whatever changes later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import ValidationError

from enrichment_assets.domain.client_profiles import NAMES, PROFILE, ProfileVersion
from enrichment_assets.domain.emits import ChildStep
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.expressions import fields_named
from enrichment_assets.domain.families import family_faults
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.known_names import UPLOADED, given_by, vocabulary
from enrichment_assets.domain.model_errors import described
from enrichment_assets.domain.name_checks import pipeline_faults
from enrichment_assets.domain.pipeline import (
    Blueprint,
    BlueprintStep,
    ClientWorkflowConfig,
    PipelineDefinition,
    Waterfall,
)
from enrichment_assets.domain.prompts.checks import steered_faults
from enrichment_assets.domain.reads import reads_of
from enrichment_assets.domain.suggestions import did_you_mean, instead, misspelt
from enrichment_assets.domain.template_expressions import names_in
from enrichment_assets.domain.workflow import Entity, Mode, WorkflowDefinition

_FIXED_PATHS = ("slug", "mode", "entity", "provider")
"""What a client's config may not change: it would be another workflow."""

_NO_CONFIG = ClientWorkflowConfig()


def validate_pipeline(
    pipeline: PipelineDefinition,
    workflows: Mapping[str, WorkflowDefinition],
    upload_fields: Collection[str] = IDENTITY_FIELDS,
) -> list[str]:
    """Say why this order cannot work, one sentence a problem; an empty list: it can.

    A field that a step requires, or reads without saying under `uses` that it may be missing, has to be one that an
    upload can have or that an earlier step provides. Which rows really have it is known only at run time: a row
    without a required one is SKIPPED(missing_input) there.

    Args:
        pipeline: The order.
        workflows: The registry: also workflows that the pipeline does not have, for what they know.
        upload_fields: What an upload can have.
    """
    problems = []
    known = vocabulary(workflows.values())
    available = {*upload_fields, *UPLOADED}
    seen: set[str] = set()
    slugs = pipeline.slugs()
    for position, slug in enumerate(slugs):
        workflow = workflows.get(slug)
        if workflow is None:
            problems.append(f"step {position + 1}: there is no workflow {slug!r}{did_you_mean(slug, workflows)}")
            continue
        if slug in seen:
            problems.append(f"step {position + 1}, {slug}: stands twice in the pipeline")
        seen.add(slug)
        if workflow.delivery is not None:
            problems.append(f"step {position + 1}, {slug}: is a delivery and no step: name it under `deliver`")
            continue
        later = [workflows[name] for name in slugs[position + 1 :] if name in workflows]
        problems += [
            f"step {position + 1}, {slug}: {_missing(alternatives, later, known)}"
            for alternatives in _alternatives(workflow)
            if not available & set(alternatives)
        ]
        problems += [
            f"step {position + 1}, {slug}: {fault}" for fault in pipeline_faults(workflow, available, known, later)
        ]
        problems += [
            f"step {position + 1}, {slug}: {fault}"
            for fault in steered_faults(workflow, [workflows[name] for name in slugs[:position] if name in workflows])
        ]
        available |= given_by(workflow)
    if pipeline.families is not None:
        problems += family_faults(pipeline.families, available)
    return [*problems, *_target_faults(pipeline, workflows), *_delivery_faults(pipeline, workflows)]


def _delivery_faults(pipeline: PipelineDefinition, workflows: Mapping[str, WorkflowDefinition]) -> Iterator[str]:
    """Why leads cannot go where the pipeline says, or not in that order."""
    deliveries = [slug for slug, workflow in workflows.items() if workflow.delivery is not None]
    for number, slug in enumerate(pipeline.deliver):
        where, workflow = f"deliver {number + 1}", workflows.get(slug)
        if workflow is None:
            yield f"{where}: there is no delivery {slug!r}: {instead(slug, deliveries)}"
        elif workflow.delivery is None:
            yield f"{where}, {slug}: is no delivery but a step: it has no `phase: delivery`"
        elif slug in pipeline.deliver[:number]:
            yield f"{where}, {slug}: stands twice"
        elif (follows := workflow.delivery.follows) is not None and follows.delivery not in pipeline.deliver[:number]:
            yield f"{where}, {slug}: follows {follows.delivery}, which does not stand before it"


def _target_faults(pipeline: PipelineDefinition, workflows: Mapping[str, WorkflowDefinition]) -> list[str]:
    """Why a launch's target cannot count what the pipeline says: a rule decides whom a batch has, not an answer."""
    slug, slugs = pipeline.target, pipeline.slugs()
    if slug is None:
        return []
    if slug not in slugs:
        return [f"target: {slug!r} is no step of it{did_you_mean(slug, slugs)}"]
    step = workflows.get(slug)
    if step is not None and (step.emits is None or step.mode is not Mode.LOCAL):
        return [f"target: {slug} is no local step that emits items"]
    return []


def apply_config(client: str, workflow: WorkflowDefinition, config: ClientWorkflowConfig) -> WorkflowDefinition:
    """The workflow with one client's overrides merged in and validated again.

    Raises:
        ConfigurationError: An override does not exist or does not fit; names client, workflow and path.
    """
    where = f"client {client}, workflow {workflow.slug}"
    merged = workflow.model_dump(mode="json", by_alias=True)
    for path, value in config.settings.items():
        if path.split(".")[0] in _FIXED_PATHS:
            raise ConfigurationError(
                f"{where}: {path!r} cannot be overridden; add a workflow of its own instead",
                code="client_config.not_overridable",
            )
        _set_path(merged, path, _added_regions(workflow, path, value), where)
    merged["secrets"] = {**merged["secrets"], **config.secrets}
    try:
        found = WorkflowDefinition.model_validate(merged)
    except ValidationError as error:
        place, message = described(error, WorkflowDefinition)[0]
        raise ConfigurationError(
            f"{where}: {'.'.join(map(str, place)) or 'settings'}: {message}", code="client_config.value_invalid"
        ) from None
    if workflow.not_for and workflow.not_for_unknown == "skip" != found.not_for_unknown:
        raise ConfigurationError(
            f"{where}: not_for_unknown: for every client the workflow skips who has no country: 'ask' would open it",
            code="client_config.opens_region",
        )
    return found


def _added_regions(workflow: WorkflowDefinition, path: str, value: Any) -> Any:
    """A client's `not_for` behind the workflow's own, which it cannot take away; any other value as it is."""
    if path != "not_for" or not isinstance(value, list):
        return value
    return [*workflow.not_for, *(region for region in value if region not in workflow.not_for)]


def build_blueprint(
    client: str,
    pipeline: PipelineDefinition,
    workflows: Mapping[str, WorkflowDefinition],
    configs: Mapping[str, ClientWorkflowConfig],
) -> Blueprint:
    """The snapshot that a batch runs by. A step that the client's config switches off is left out.

    Args:
        client: Slug of the client.
        pipeline: What to run.
        workflows: The registry, disabled workflows included.
        configs: The client's overrides by workflow slug.

    Raises:
        ConfigurationError: A step cannot run: unknown, disabled in the registry, in an order that cannot work, or
            overridden with something that does not fit. Names the step.
    """
    problems = validate_pipeline(pipeline, workflows)
    problems += [
        f"{slug}: is disabled" for slug in pipeline.slugs() if slug in workflows and not workflows[slug].enabled
    ]
    if problems:
        raise ConfigurationError(
            f"pipeline {pipeline.slug} cannot run: " + "; ".join(problems), code="pipeline.invalid"
        )
    kept = [slug for slug in pipeline.slugs() if configs.get(slug, _NO_CONFIG).enabled]
    if not kept:
        raise ConfigurationError(
            f"pipeline {pipeline.slug}: the client's config switches every step off", code="pipeline.all_switched_off"
        )
    merged = [apply_config(client, workflows[slug], configs.get(slug, _NO_CONFIG)) for slug in kept]
    changed = {**workflows, **{workflow.slug: workflow for workflow in merged}}
    if problems := validate_pipeline(pipeline, changed):
        raise ConfigurationError(
            f"pipeline {pipeline.slug} cannot run for {client}: " + "; ".join(problems),
            code="pipeline.invalid_for_client",
        )
    kept = [workflow.slug for workflow in merged if workflow.enabled]
    merged = [workflow for workflow in merged if workflow.enabled]
    if not merged:
        raise ConfigurationError(
            f"pipeline {pipeline.slug}: the client's config switches every step off", code="pipeline.all_switched_off"
        )
    fallbacks = _fallbacks(pipeline, kept)
    steps = [
        BlueprintStep(
            position=position,
            workflow=workflow,
            after=_after(workflow, merged[:position], fallbacks[workflow.slug]),
            fallback_of=fallbacks[workflow.slug],
            registry_version=workflows[workflow.slug].version(),
        )
        for position, workflow in enumerate(merged)
    ]
    return Blueprint(
        client=client,
        pipeline=pipeline.slug,
        company_identity=list(pipeline.company_identity),
        guard=pipeline.guard,
        system=pipeline.system,
        families=pipeline.families,
        known=pipeline.known,
        deliver=pipeline.deliver,
        steps=steps,
    )


def ends_parent(workflow: WorkflowDefinition) -> bool:
    """Whether an item that this workflow was asked about goes no further: its child items do."""
    return workflow.emits is not None and workflow.emits.parent == "stops"


def child_route(blueprint: Blueprint, emitter: str) -> tuple[ChildStep, ...]:
    """How child items of an emitting step take each step of the blueprint.

    They run what stands behind it, and before it what is computed here. A company step before it is shared with the
    parent where both are at one company. The emitting step, its waterfall and the rest before it are inherited: a step
    that emits never runs for children of a later one, so that fan-out always ends.
    """
    own = blueprint.step(emitter)

    def way(step: BlueprintStep) -> Literal["runs", "shares", "inherited"]:
        if step.slug == emitter or emitter in step.fallback_of or step.slug in own.fallback_of:
            return "inherited"
        if step.position > own.position:
            return "runs"
        if step.workflow.emits is not None:
            return "inherited"
        if step.workflow.mode is Mode.LOCAL:
            return "runs"
        return "shares" if step.workflow.entity is Entity.COMPANY else "inherited"

    return tuple(ChildStep(step.position, step.slug, way(step)) for step in blueprint.steps)


def switched_off(pipeline: PipelineDefinition, configs: Mapping[str, ClientWorkflowConfig]) -> list[str]:
    """Steps of a pipeline that the client's config leaves out of the blueprint."""
    return [
        slug
        for slug in pipeline.slugs()
        if not (config := configs.get(slug, _NO_CONFIG)).enabled or config.settings.get("enabled") is False
    ]


def fields_read(workflow: WorkflowDefinition) -> set[str]:
    """Every field that decides whether or with what a workflow is called."""
    named = fields_named(workflow.run_if) if workflow.run_if else set()
    asked = names_in(workflow.request.model_dump()) if workflow.request is not None else set()
    if workflow.prompt is not None:
        asked |= names_in([workflow.prompt.instructions, workflow.prompt.inputs])
    closing = {country_field(workflow)} if workflow.not_for else set()
    return set(workflow.required_fields) | set(workflow.uses) | named | asked | closing


def country_field(workflow: WorkflowDefinition) -> str:
    """The field whose country decides whether a closed workflow asks: the person's, or the company's it asks about."""
    return "country" if workflow.entity is Entity.PERSON else "company_country"


def _after(
    workflow: WorkflowDefinition, earlier: Sequence[WorkflowDefinition], fallback_of: Iterable[str]
) -> list[str]:
    read = fields_read(workflow)
    fallback = set(fallback_of)
    return [step.slug for step in earlier if read & step.provided_fields or step.slug in fallback or ends_parent(step)]


def _fallbacks(pipeline: PipelineDefinition, kept: Sequence[str]) -> dict[str, list[str]]:
    """Slug -> the members of its waterfall that are asked before it."""
    fallbacks: dict[str, list[str]] = {slug: [] for slug in kept}
    for step in pipeline.steps:
        if isinstance(step, Waterfall):
            members = [slug for slug in step.waterfall if slug in fallbacks]
            for number, slug in enumerate(members):
                fallbacks[slug] = members[:number]
    return fallbacks


def _alternatives(workflow: WorkflowDefinition) -> list[list[str]]:
    return [[requirement] if isinstance(requirement, str) else list(requirement) for requirement in workflow.requires]


def _missing(alternatives: Sequence[str], later: Iterable[WorkflowDefinition], known: Collection[str]) -> str:
    names = " or ".join(alternatives)
    providers = [step.slug for step in later if set(alternatives) & step.provided_fields]
    if providers:
        return f"needs the field {names}, which {providers[0]} provides only after it: move that step before this one"
    guesses = [f"; did you mean {near!r}?" for name in alternatives if (near := misspelt(name, known))]
    return f"needs the field {names}, which no upload and no earlier step provides{''.join(guesses[:1])}"


def _set_path(target: dict[str, Any], path: str, value: Any, where: str) -> None:
    """Set a dotted path; the parts before the last have to be objects (missing or null ones are made)."""
    *parents, last = path.split(".")
    if not all([*parents, last]):
        raise ConfigurationError(
            f"{where}: {path!r} is not a path such as limits.per_second", code="client_config.path_invalid"
        )
    node: Any = target
    for number, name in enumerate(parents):
        if node.get(name) is None:
            node[name] = {}
        node = node[name]
        if not isinstance(node, dict):
            raise ConfigurationError(
                f"{where}: {'.'.join(parents[: number + 1])} has no parts, so {path!r} does not exist",
                code="client_config.path_unknown",
            )
    node[last] = value


def profile_names(workflow: WorkflowDefinition, *, needed: bool = False) -> list[str]:
    """What a workflow reads of the client's profile, in order; all names where it reads the whole.

    `needed`: without those that a template can do without (`client_profile.tone | default(none)`).
    """
    reads = [read for read in reads_of(workflow) if read.head == PROFILE and not (needed and read.optional)]
    members = [read.member for read in reads]
    return list(NAMES) if None in members else list(dict.fromkeys(member for member in members if member))


def with_profile(blueprint: Blueprint, current: ProfileVersion | None) -> Blueprint:
    """The blueprint with the client's profile as it is now, where a step reads it."""
    reading = {step.slug for step in blueprint.steps if profile_names(step.workflow)}
    if current is None or not reading:
        return blueprint
    steps = [
        step.model_copy(update={"profile": current.version}) if step.slug in reading else step
        for step in blueprint.steps
    ]
    return blueprint.model_copy(update={"client_profile": current, "steps": steps})
