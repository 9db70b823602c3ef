"""A list of companies to graded leads and drafts, through the engine and the sandbox, and the page about it."""

from __future__ import annotations

import json
import re

import dagster as dg
import pytest
from markupsafe import escape

from enrichment_assets.cli.demo import PROFILE, SAMPLES, WRITING
from enrichment_assets.installation.databases import open_databases
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.batches.status import status
from enrichment_assets.services.catalog.clients import set_client_config
from enrichment_assets.services.catalog.profiles import set_profile
from enrichment_assets.services.insight.html_report import render_report
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from tests.actors import TESTER
from tests.assets.conftest import run_batch_job
from tests.harness.handles import hq_of

PEOPLE = 2
GRADE_FROM = {"A": 80, "B": 65, "C": 50, "D": 35, "F": 0}
"""Grade -> its lowest score, as `qualify-lead` and docs/shipped.md have it."""


@pytest.fixture
def written(simulated: Settings, instance: dg.DagsterInstance) -> str:
    """The batch of the demo's companies, run."""
    hq = hq_of(simulated)
    set_profile(hq, "acme", file=PROFILE, actor=TESTER)
    few = {"parameters.limit": PEOPLE}
    set_client_config(hq, simulated, "acme", "find-people-via-hunter", set_values=few, actor=TESTER)
    upload = upload_file(hq, simulated, SAMPLES[WRITING], "acme", actor=TESTER)
    key = launch(
        hq, simulated, upload.upload_id, WRITING, client="acme", add_partition=lambda _key: None, actor=TESTER
    ).batch_key
    run_batch_job(simulated, instance, key)
    return key


def grade_of(score: int) -> str:
    return next(grade for grade, lowest in GRADE_FROM.items() if score >= lowest)


def test_companies_become_graded_leads_and_drafts_that_rest_on_facts(simulated: Settings, written: str) -> None:
    one = status(hq_of(simulated), simulated, written)
    assert one.finished and one.children == PEOPLE * one.rows == 8
    assert [workflow.slug for workflow in one.workflows if workflow.failed or workflow.ambiguous] == []
    with connect(open_databases(simulated).workspace) as workspace:
        leads = workspace.execute("select * from final_leads where parent_item_id is not null").fetchall()
        tables = ("company_intelligence", "linkedin_profile_data")
        stored = {table: workspace.execute(f"select * from {table}").fetchall() for table in tables}
    assert {len(rows) > 0 for rows in stored.values()} == {True}
    for lead in leads:
        assert lead["lead_grade"] == grade_of(lead["lead_score"])
        others = json.loads(lead["other_fields"])
        facts = json.loads(others["facts"])
        is_written = lead["lead_grade"] in ("A", "B")
        assert is_written is (lead["draft_body"] is not None) is (lead["linkedin_message"] is not None)
        for used in ("draft_facts", "linkedin_message_facts") if is_written else ():
            assert set(json.loads(others[used])) <= set(range(1, len(facts) + 1))
    assert sum(lead["draft_body"] is not None for lead in leads) >= 2

    page = render_report(simulated, written)
    shown = page.partition("What was written for them")[2]
    assert len(re.findall(r'class="draft"', shown)) == 2
    best = max(leads, key=lambda lead: lead["lead_score"])
    for text in (best["qualification_reason"], best["draft_subject"], best["draft_body"]):
        assert _as_shown(text) in page
    for number in json.loads(json.loads(best["other_fields"])["draft_facts"]):
        fact = json.loads(json.loads(best["other_fields"])["facts"])[number - 1]
        assert f"<b>{number}</b>{_as_shown(fact)}" in shown
    assert not re.search(r"(src|href)=|@import|url\(|<script", page)


def _as_shown(text: str) -> str:
    return str(escape(text))
