"""What would keep steps of a batch from being called, whoever runs it next: said before a launch and after a retry.

Whoever runs it next is `enrich up`, if that runs for this home, and else this process. Nothing here calls a provider.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep
from enrichment_assets.domain.prompts.settlement import reserved_for
from enrichment_assets.domain.statuses import StopCause
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.installation.running_stack import running_stack
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.launch_plan import draft_launch
from enrichment_assets.services.batches.simulation import calls_simulator
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.operations.remedies import (
    ENRICH_UP,
    other_world,
    set_variable,
    stop_reason,
    stop_remedy,
)
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.money import budgets
from enrichment_assets.store.states.stops import stops_of
from enrichment_assets.wire.addresses import is_simulated
from enrichment_assets.wire.secrets import missing_secrets


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What would keep a workflow (None: the whole batch) from being called, and what to do about it."""

    workflow: str | None
    reason: str
    hints: tuple[Hint, ...]


@dataclass(frozen=True, slots=True)
class Runner:
    """The process that would run a batch: what it is called, the names of its variables, and the simulator it calls."""

    name: str
    variables: Mapping[str, str]
    sandbox_url: str | None


def next_runner(settings: Settings) -> Runner:
    """Who runs a batch of this home next."""
    stack = running_stack(settings)
    if stack is None:
        return Runner("this shell", os.environ, settings.sandbox_url)
    return Runner(ENRICH_UP, dict.fromkeys(stack.variables, "set"), stack.addresses["ENRICH_SANDBOX_URL"] or None)


def before_launch(hq: Hq, settings: Settings, upload: int | str, pipeline: str, client: str | None) -> list[Hindrance]:
    """What a running `enrich up` lacks for a batch that is about to be launched; raises as `plan_launch`.

    Without `enrich up` nothing is foreseen: what this process lacks, the launch itself refuses.
    """
    if running_stack(settings) is None:
        return []
    with registry(hq) as connection:
        blueprint = draft_launch(connection, upload, pipeline, client).blueprint
    launched = blueprint.model_copy(update={"simulated": calls_simulator(settings)})
    return lacking(next_runner(settings), launched, [step.slug for step in launched.steps])


def after_retry(
    connection: Connection, settings: Settings, batch_id: int, blueprint: Blueprint, waiting: Collection[str]
) -> list[Hindrance]:
    """Why the steps that have something PENDING (`waiting`) would stand still again."""
    runner = next_runner(settings)
    found = lacking(runner, blueprint, waiting)
    for slug, stop in stops_of(connection, batch_id).items():
        if slug in waiting and stop.cause in _STAYS and not stop.is_over:
            found.append(Hindrance(slug, stop_reason(stop), stop_remedy(stop, blueprint, os.environ)))
    return found + _without_money(connection, batch_id, blueprint, waiting)


_STAYS = frozenset({StopCause.DAY_LIMIT, StopCause.CONFIGURATION})
"""Stops that a retry does not lift, and that the environment does not tell of."""


def lacking(runner: Runner, blueprint: Blueprint, slugs: Collection[str]) -> list[Hindrance]:
    """What of these workflows a process could not call for want of a variable, or because it is for the other world."""
    steps = [s for s in blueprint.steps if s.workflow.mode is not Mode.LOCAL and s.slug in slugs]
    if steps and blueprint.simulated is not None and blueprint.simulated != (runner.sandbox_url is not None):
        wanted, given = ("the simulator", "real providers")[:: 1 if blueprint.simulated else -1]
        reason = f"the batch is for {wanted}, and {runner.name} calls {given}"
        return [Hindrance(None, reason, (other_world(blueprint.simulated, runner.name),))]
    return [hindrance for step in steps for hindrance in _missing(runner, blueprint, step)]


def _missing(runner: Runner, blueprint: Blueprint, step: BlueprintStep) -> list[Hindrance]:
    if blueprint.simulated or _goes_to_the_simulator(runner, step):
        return []
    return [
        Hindrance(
            step.slug,
            f"the environment variable {name} is not set in {runner.name}",
            (set_variable(name, runner.name, os.environ),),
        )
        for name in missing_secrets(step.workflow, runner.variables).values()
    ]


def _goes_to_the_simulator(runner: Runner, step: BlueprintStep) -> bool:
    provider = build_providers(runner.sandbox_url).get(step.workflow.provider)
    try:
        return provider is not None and is_simulated(step.workflow, provider, runner.sandbox_url)
    except ConfigurationError:  # it has no address: that is refused elsewhere
        return False


def _without_money(
    connection: Connection, batch_id: int, blueprint: Blueprint, waiting: Collection[str]
) -> list[Hindrance]:
    found = []
    lines = budgets.lines_of(connection, batch_id)
    for step in blueprint.steps:
        price, prompt = step.workflow.price, step.workflow.prompt
        estimate = price.estimate if prompt is None else reserved_for(price, prompt, 0)
        if step.slug not in waiting or step.workflow.mode is Mode.LOCAL or estimate <= Decimal(0):
            continue
        line = budgets.BudgetBook(lines).lacking(step.slug, estimate)
        if line is not None:
            found.append(Hindrance(step.slug, line.described, (Hint(Action.RAISE_THAT_BUDGET),)))
    return found
