"""The stages of the funnel: said by the workflow, else told by its slug."""

from __future__ import annotations

from enrichment_assets.domain.workflow import WorkflowDefinition
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead


def funnel(build: Build, *leads: Lead) -> dict[str, int]:
    warehouse = build(leads)
    return dict(warehouse.sql("select stage, leads from lead_funnel order by stage_number").fetchall())


def lead(*answers: Answer) -> Lead:
    return Lead({"full_name": "Ada Byron"}, answers)


def test_a_workflow_that_names_its_stage_is_counted_there_whatever_its_slug(build: Build) -> None:
    by_stage = funnel(build, lead(Answer("research-42", {"a": 1}, stage="qualified")), lead())
    assert by_stage == {
        "discovered": 2, "enriched": 1, "researched": 0, "qualified": 1, "personalised": 0, "contacted": 0,
    }  # fmt: skip


def test_a_workflow_without_stage_is_placed_by_its_slug(build: Build) -> None:
    by_stage = funnel(
        build, lead(Answer("scrape-homepage", {"a": 1})), lead(Answer("scrape-homepage", outcome="not_found"))
    )
    assert (by_stage["enriched"], by_stage["researched"], by_stage["qualified"]) == (1, 1, 0)


def test_a_local_workflow_counts_only_where_it_says_so(build: Build) -> None:
    by_stage = funnel(
        build,
        lead(Answer("score-by-rule", {"a": 1}, provider="local", stage="qualified")),
        lead(Answer("research-by-rule", {"a": 1}, provider="local")),
    )
    assert (by_stage["enriched"], by_stage["researched"], by_stage["qualified"]) == (0, 0, 1)


def test_a_stage_changes_no_version_so_that_no_call_is_made_again() -> None:
    plain = {"slug": "s", "title": "S", "step": 1, "provider": "local", "operation": "o", "mode": "local"}
    staged = WorkflowDefinition.model_validate({**plain, "stage": "qualified"})
    assert staged.version() == WorkflowDefinition.model_validate(plain).version()
    assert staged.model_dump(mode="json")["stage"] == "qualified"
