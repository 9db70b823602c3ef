"""A batch with a target has so many children of a step and no more, and asks for no more once it has them."""

from __future__ import annotations

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.pipeline import PipelineDefinition, with_target
from enrichment_assets.domain.planning import build_blueprint, validate_pipeline
from enrichment_assets.engine.run import reaching
from enrichment_assets.registry.loader import builtin_workflows
from tests.harness.batches import BatchHarness, Row, step

RULE = builtin_workflows()["choose-prospects"].model_copy(update={"uses": ["homepage_emails"]})
"""Its other inputs come from steps that are not in these pipelines."""

SCRAPE = step(
    "scrape",
    request={
        "url": "/echo",
        "headers": {"x-api-key": "scrape"},
        "body": {"emails": ["{{original.a}}", "{{original.b}}"]},
    },
    provides={"homepage_emails": {"from": "json.emails", "type": "list"}},
    response={"found_if": "json.emails"},
    limits={"concurrency": 1},
)
LATER = step("later", requires=["email"])
COMPANIES = [
    {"company_domain": f"c{n}.example", "a": f"ann.lee@c{n}.example", "b": f"bob.day@c{n}.example"} for n in range(8)
]


def test_a_target_is_met_exactly_and_the_pages_of_further_companies_are_not_asked_for(
    harness: BatchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "LOOK_SECONDS", 0.0)
    harness.sandbox.configure(latency="30ms")
    batch = harness.launch(COMPANIES, SCRAPE, RULE, LATER, target={"of": RULE.slug, "most": 3})
    assert batch.run().finished
    children = batch.rows("select email from batch_items where batch_id = %s and row_number = 0", batch.batch_id)
    assert len(children) == 3
    assert batch.asked("later") == 3
    assert 2 <= batch.asked("scrape") < len(COMPANIES)
    ends = {row["reason"] for row in batch.states("scrape") if row["status"] == "SKIPPED"}
    assert ends == {"target_reached: there are 3 of choose-prospects", "inherited: by choose-prospects"}
    # What has not been read leads nowhere: no company goes on as if it were a lead.
    parents = batch.rows(
        """select distinct s.reason from workflow_states s join batch_items i on i.id = s.item_id
           where i.batch_id = %s and i.row_number > 0 and s.workflow_slug = 'later'""",
        batch.batch_id,
    )
    assert parents == [{"reason": "fanned_out: by choose-prospects"}]


def test_without_a_target_there_are_as_many_as_the_pages_name(harness: BatchHarness) -> None:
    batch = harness.launch(COMPANIES[:2], SCRAPE, RULE, LATER)
    assert batch.run().finished
    assert batch.asked("later") == 4


def test_only_a_step_that_decides_here_can_be_counted_and_a_pipeline_that_counts_none_takes_no_target() -> None:
    known = {one.slug: one for one in (SCRAPE, RULE, LATER)}

    def pipeline(target: str | None, steps: tuple[str, ...] = ("scrape", RULE.slug, "later")) -> PipelineDefinition:
        return PipelineDefinition.model_validate({"slug": "p", "steps": list(steps), "target": target})

    assert validate_pipeline(pipeline(RULE.slug), known) == []
    assert validate_pipeline(pipeline("scrape"), known) == ["target: scrape is no local step that emits items"]
    assert validate_pipeline(pipeline("choose-prospect"), known) == [
        "target: 'choose-prospect' is no step of it; did you mean 'choose-prospects'?"
    ]
    plain = build_blueprint("acme", pipeline(None), known, {})
    with pytest.raises(ConfigurationError, match="takes no target"):
        with_target(plain, pipeline(None), 5)
    assert with_target(plain, pipeline(None), None) == plain
    counted: Row | None = with_target(plain, pipeline(RULE.slug), 5).model_dump()["target"]
    assert counted == {"of": RULE.slug, "most": 5}


def test_whom_the_client_has_already_is_none_that_it_looked_for(harness: BatchHarness) -> None:
    earlier = harness.launch([{"first_name": "Ann", "email": f"ann.lee@c{n}.example"} for n in range(2)], LATER)
    assert earlier.run().finished
    batch = harness.launch(COMPANIES[:3], SCRAPE, RULE, LATER, target={"of": RULE.slug, "most": 3}, known="skip")
    assert batch.run().finished
    known = [row for row in batch.states("later") if row["reason"] == f"known: in batch {earlier.key}"]
    children = batch.rows("select email from batch_items where batch_id = %s and row_number = 0", batch.batch_id)
    assert (len(known), len(children) - len(known), batch.asked("later")) == (2, 3, 5), "three new ones beside them"
