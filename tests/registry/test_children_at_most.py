"""What the rows of a launch can become at most, and what all of that costs at most."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from enrichment_assets.domain.pipeline import Blueprint, PipelineDefinition, Target
from enrichment_assets.domain.planning import build_blueprint
from enrichment_assets.registry.loader import builtin_pipelines, builtin_workflows
from enrichment_assets.services.batches.children_at_most import children_at_most, cost_with_children
from enrichment_assets.services.batches.step_plans import StepPlan

FS = build_blueprint("acme", builtin_pipelines()["fs-prospecting"], builtin_workflows(), {})


def plan(blueprint: Blueprint, slug: str, calls: int, each: str) -> StepPlan:
    workflow = blueprint.step(slug).workflow
    cost = Decimal(each)
    return StepPlan(
        slug, "", "x", "x", workflow.mode, workflow.entity, (), (), calls, cost, cost * calls, "USD", False, ()
    )


def test_queries_become_companies_and_both_become_prospects_each_as_many_as_an_answer_may_hold() -> None:
    # 3 queries: 20 companies each; the queries (a list may hold companies) and these: 50 prospects each.
    assert children_at_most(FS, 3) == {"choose-companies": 60, "choose-prospects": 63 * 50}


def test_a_target_bounds_the_step_that_it_counts_and_no_other() -> None:
    bounded = FS.model_copy(update={"target": Target(of="choose-prospects", most=200)})
    assert children_at_most(bounded, 3) == {"choose-companies": 60, "choose-prospects": 200}
    assert children_at_most(bounded, 0) == {"choose-companies": 0, "choose-prospects": 0}


def test_each_step_is_counted_for_those_who_take_it() -> None:
    children = {"choose-companies": 60, "choose-prospects": 200}
    plans = [
        plan(FS, "search-companies-via-serper", 3, "0.001"),  # of rows alone
        plan(FS, "extract-staff", 3, "0.1"),  # of rows and companies: prospects share the answer
        plan(FS, "verify-email-via-zerobounce", 3, "0.01"),  # whoever comes so far
    ]
    expected = Decimal("0.003") + Decimal("0.1") * 63 + Decimal("0.01") * 263
    assert cost_with_children(FS, plans, children) == {"USD": expected}
    other = replace(plans[0], currency="EUR")
    assert cost_with_children(FS, [*plans, other], children)["EUR"] == Decimal("0.003")


def test_a_pipeline_that_emits_nothing_has_no_children() -> None:
    plain = PipelineDefinition(slug="p", steps=["normalise-name"])
    assert children_at_most(build_blueprint("acme", plain, builtin_workflows(), {}), 5) == {}
