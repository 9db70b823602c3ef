"""What a launch foresees of a prompt's costs: from the rows where they tell, else from what the prompt lets through."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.prompts.settlement import reserved_for
from enrichment_assets.services.batches.launching import plan_launch
from enrichment_assets.services.catalog import configuration
from enrichment_assets.services.catalog.profiles import set_profile
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.harness.models import prompt_step

KEYS = {"OPENAI_API_KEY": "x", "ZENROWS_API_KEY": "z"}
SITE = "pumps.example"
ROWS = [("Pumps", SITE, "We build pumps."), ("Pumps", SITE, "We build pumps. " * 40), ("", "", "")]


def reading(slug: str, page: str, **fields: Any) -> Any:
    inputs = {"page": page, "name": "{{ company_name }}"}
    return prompt_step(slug, prompt={"inputs": inputs}, provides={f"{slug}_score": "score"}, types={}, **fields)


@pytest.fixture
def upload(settings: Settings, tmp_path: Path) -> int:
    hq = hq_of(settings)
    configuration.add_client(hq, "acme", "Acme", actor=TESTER)
    set_profile(hq, "acme", actor=TESTER, values={"offer": "Sensors"})
    per_call = {"estimate": "0.02"}
    for workflow in (
        reading("rows", "{{ original.Page }}"),
        reading("firm", "{{ original.Page }}", entity="company"),
        reading("scraped", "{{ homepage_text }}"),
        reading("flat", "{{ original.Page }}", price=per_call),
    ):
        configuration.add_workflow(hq, settings, workflow, actor=TESTER)
    steps = ["rows", "firm", "scrape-homepage-via-zenrows", "scraped", "flat"]
    configuration.add_pipeline(hq, PipelineDefinition(slug="p", steps=steps), actor=TESTER)
    file = tmp_path / "firms.csv"
    lines = [f'"{name}","{site}","{page}"' for name, site, page in ROWS]
    file.write_text("\n".join(["Company,Website,Page", *lines]) + "\n")
    return upload_file(hq, settings, file, "acme", actor=TESTER).upload_id


def test_rows_tell_what_a_prompt_about_them_costs_at_most_and_pages_to_come_are_bounded(
    settings: Settings, upload: int
) -> None:
    plan = plan_launch(hq_of(settings), settings, upload, "p", environment=KEYS)
    assert plan.problems == ()
    steps = {step.slug: step for step in plan.steps}
    rows, firms, scraped, flat = steps["rows"], steps["firm"], steps["scraped"], steps["flat"]

    # Two rows can be asked about, one with a page forty times as long; each may be asked twice.
    price, prompt = prompt_step("x").price, prompt_step("x").prompt
    assert prompt is not None
    output = 2 * reserved_for(price, prompt, 0)
    assert rows.by_rows and output < rows.cost_each < rows.cost_at_most < 2 * rows.cost_each
    # Of one company the dearest of its rows; it is one call.
    assert firms.by_rows and firms.cost_at_most == firms.cost_each == rows.cost_each
    # A page that an earlier step brings is not here yet: 20,000 tokens of input are let through.
    assert not scraped.by_rows
    assert scraped.cost_each > Decimal("0.24")
    assert scraped.cost_at_most == scraped.calls_at_most * scraped.cost_each
    # Without a price by tokens: its estimate, for the answer and for one more ask.
    assert not flat.by_rows
    assert (flat.cost_each, flat.cost_at_most) == (Decimal("0.04"), flat.calls_at_most * Decimal("0.04"))
