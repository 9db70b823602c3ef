"""What each step of a launch would call, how often at most, and what keeps it from being called. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from enrichment_assets.domain.client_profiles import PROFILE, not_set
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep
from enrichment_assets.domain.planning import child_route, profile_names
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.workflow import Entity, Mode, WorkflowDefinition
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.call_costs import call_costs
from enrichment_assets.services.catalog.key_safety import KeyUse, key_uses, sent_secrets
from enrichment_assets.settings import Settings
from enrichment_assets.wire.addresses import address_of
from enrichment_assets.wire.secrets import missing_secrets, refuse_foreign_variable, secret_names
from enrichment_assets.wire.simulator import replaced_addresses

if TYPE_CHECKING:
    from enrichment_assets.services.batches.launch_plan import Draft


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step: how often it calls at most, and what that costs at most, in exact decimals of `currency`.

    Both are for the rows of the upload. `also_for`: (emitting step, children of one of its answers at most) whose
    child items take this step besides; how many there will be nobody can say. `reuse_for`: seconds that an answer of
    an earlier batch of the client may be old to be taken instead of a call. `keys`: which variables go to which host.
    `by_rows`: a prompt's costs are those of its rows, else of the largest request that it lets through.
    `simulated`: the simulator is called, instead of `replaced` where other addresses are configured (scheme and host).
    """

    slug: str
    title: str
    provider: str
    operation: str
    mode: Mode
    entity: Entity
    after: tuple[str, ...]
    fallback_of: tuple[str, ...]
    calls_at_most: int
    cost_each: Decimal
    cost_at_most: Decimal
    currency: str
    simulated: bool
    problems: tuple[str, ...]
    reuse_for: float | None = None
    also_for: tuple[tuple[str, int], ...] = ()
    keys: tuple[KeyUse, ...] = ()
    replaced: tuple[str, ...] = ()
    by_rows: bool = False


def step_plans(
    settings: Settings,
    draft: Draft,
    companies: int | None,
    environment: Mapping[str, str] | None,
    *,
    by_rows: bool = False,
) -> tuple[StepPlan, ...]:
    """The plan of every step.

    Args:
        settings: The installation.
        draft: What would be launched.
        companies: What a company step calls at most; None: not counted.
        environment: Where keys are looked for.
        by_rows: Read the rows to see what prompts about them cost at most.
    """
    providers = build_providers(settings.sandbox_url)
    children = _children(draft.blueprint)
    plans = [
        _step_plan(settings, step, draft, companies, providers, environment, by_rows=by_rows)
        for step in draft.blueprint.steps
    ]
    return tuple(replace(plan, also_for=tuple(children[plan.slug])) for plan in plans)


def _children(blueprint: Blueprint) -> dict[str, list[tuple[str, int]]]:
    """Step -> the emitting steps whose children may call it: a shared company answer is no further call."""
    found: dict[str, list[tuple[str, int]]] = {step.slug: [] for step in blueprint.steps}
    for emitter in blueprint.steps:
        if emitter.workflow.emits is not None:
            for child in child_route(blueprint, emitter.slug):
                if child.way == "runs" and blueprint.step(child.slug).workflow.mode is not Mode.LOCAL:
                    found[child.slug].append((emitter.slug, emitter.workflow.emits.at_most))
    return found


def _step_plan(
    settings: Settings,
    step: BlueprintStep,
    draft: Draft,
    companies: int | None,
    providers: Mapping[str, Provider],
    environment: Mapping[str, str] | None,
    *,
    by_rows: bool,
) -> StepPlan:
    workflow = step.workflow
    simulated = settings.sandbox_url is not None and workflow.mode is not Mode.LOCAL
    problems = [
        *readiness(workflow, providers, environment, simulated=simulated),
        *without_profile(step, draft.blueprint),
    ]
    asked = draft.items - draft.skipped
    subjects = asked
    if workflow.entity is Entity.COMPANY and companies is not None:
        subjects = min(companies, asked) if draft.skipped else companies
    calls = 0 if workflow.mode is Mode.LOCAL else subjects
    costs = call_costs(draft, step, providers.get(workflow.provider), calls, by_rows=by_rows)
    return StepPlan(
        slug=step.slug,
        title=workflow.title,
        provider=workflow.provider,
        operation=workflow.operation,
        mode=workflow.mode,
        entity=workflow.entity,
        after=tuple(step.after),
        fallback_of=tuple(step.fallback_of),
        calls_at_most=calls,
        cost_each=costs.each,
        cost_at_most=costs.total,
        by_rows=costs.by_rows,
        currency=workflow.price.currency,
        simulated=simulated,
        problems=tuple(problems),
        reuse_for=workflow.reuse_for,
        keys=() if problems else _key_uses(workflow, settings.sandbox_url),
        replaced=replaced_addresses(workflow, settings.sandbox_url) if settings.sandbox_url else (),
    )


def without_profile(step: BlueprintStep, blueprint: Blueprint) -> list[str]:
    """What a step reads of the client's profile and does not find there: a model would make something up."""
    told = blueprint.client_profile
    missing = not_set(None if told is None else told.profile, profile_names(step.workflow, needed=True))
    if not missing:
        return []
    read = ", ".join(f"{PROFILE}.{name}" for name in missing)
    return [f"workflow {step.slug} reads {read}, and the profile of client {blueprint.client} does not say it"]


def _key_uses(workflow: WorkflowDefinition, sandbox_url: str | None) -> tuple[KeyUse, ...]:
    """Which variable goes to which host: in a batch for the simulator all of them to it."""
    if sandbox_url is None:
        return key_uses(workflow)
    host = urlsplit(sandbox_url).netloc
    return tuple(KeyUse(purpose, name, host, False) for purpose, name in sent_secrets(workflow).items())


def readiness(
    workflow: WorkflowDefinition,
    providers: Mapping[str, Provider],
    environment: Mapping[str, str] | None,
    *,
    simulated: bool,
) -> Sequence[str]:
    """What keeps a workflow from being called at all, as sentences. The simulator needs no address and no key."""
    if workflow.mode is Mode.LOCAL:
        return ()
    try:
        for purpose, name in secret_names(workflow).items():
            refuse_foreign_variable(purpose, name, environment)
    except ConfigurationError as error:
        return (f"workflow {workflow.slug}: {error}",)
    if simulated:
        return ()
    try:
        address_of(workflow, providers[workflow.provider])
    except ConfigurationError as error:
        return (str(error),)
    return [
        f"workflow {workflow.slug} needs its secret {purpose!r}: the environment variable {name} is not set"
        for purpose, name in missing_secrets(workflow, environment).items()
    ]
