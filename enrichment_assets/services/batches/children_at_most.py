"""How many items the rows of a launch can become at most, and what the calls for all of them cost at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.planning import child_route
from enrichment_assets.services.batches.step_plans import StepPlan


def children_at_most(blueprint: Blueprint, rows: int) -> dict[str, int]:
    """Emitting step -> items that it can emit at most, each answer as many as it may; never more than the target.

    Items of an earlier step that emits take a later one too: queries become companies, companies become people.
    """
    found: dict[str, int] = {}
    for step in blueprint.steps:
        if step.workflow.emits is None:
            continue
        asked = rows + sum(count for emitter, count in found.items() if step.slug in _taken_by(blueprint, emitter))
        most = asked * step.workflow.emits.at_most
        target = blueprint.target
        found[step.slug] = min(most, target.most) if target is not None and target.of == step.slug else most
    return found


def cost_with_children(
    blueprint: Blueprint, plans: Sequence[StepPlan], children: Mapping[str, int]
) -> dict[str, Decimal]:
    """Currency -> what all steps cost at most for the rows and all that they can become."""
    taken = {emitter: _taken_by(blueprint, emitter) for emitter in children}
    found: dict[str, Decimal] = {}
    for plan in plans:
        calls = sum(count for emitter, count in children.items() if plan.slug in taken[emitter])
        cost = plan.cost_at_most + plan.cost_each * calls
        found[plan.currency] = found.get(plan.currency, Decimal(0)) + cost
    return found


def _taken_by(blueprint: Blueprint, emitter: str) -> set[str]:
    """Steps that the children of an emitting step take, but for those that they share with their parent."""
    return {child.slug for child in child_route(blueprint, emitter) if child.way == "runs"}
