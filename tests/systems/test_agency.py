"""`enrich demo agency`: people through the client's own Clay tables and n8n, killed while every answer is awaited."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.settings import Settings
from tests.chaos.points import Point
from tests.systems.demos import rows_by_reader, shown

WAITING = Point("batch-is-advanced")
"""All calls have left and none is under way; the answers come while no process of the batch lives."""

PEOPLE, COMPANIES = 12, 12
STEPS = ("normalise-name", "normalise-domain", "enrich-company-clay", "enrich-person-clay", "run-n8n-webhook")
COLUMNS = {
    "raw_apollo_uploads": "batch_item_id batch_id client_id upload_id row_number raw_data filename uploaded_at",
    "batch_items": "id batch_id client_id parent_item_id first_name last_name title email linkedin company_name "
    "company_domain industry original_data created_at",
    "workflow_states": "batch_item_id step_name status advanced_at batch_id client_id",
    "enrichment_results": "batch_item_id step_name outcome data fields created_at batch_id client_id",
    "client_workflow_configs": "id client_id client workflow_slug config updated_at",
    "enrichment_pipelines": "id client_id client name title workflow_slugs created_at",
}


@pytest.mark.crashes
def test_the_demo_survives_a_kill_and_every_table_has_its_rows(
    settings: Settings, sandbox_process: SandboxProcess
) -> None:
    with shown("agency", settings, sandbox_process, killed_at=WAITING) as demo:
        for table, wanted in COLUMNS.items():
            rows = demo.hq(f"select * from agency.{table} limit 1")
            assert " ".join(rows[0]) == wanted, table

        states = demo.hq("select step_name, status, advanced_at from agency.workflow_states")
        assert Counter((row["step_name"], row["status"]) for row in states) == {
            (step, "COMPLETED"): PEOPLE for step in ("split_raw", *STEPS)
        }
        assert all(row["advanced_at"] is not None for row in states)
        raw = demo.hq("select raw_data from agency.raw_apollo_uploads order by row_number")
        assert len(raw) == PEOPLE
        assert {len(row["raw_data"]) for row in raw} == {21}, "every column of the file"
        assert raw[0]["raw_data"]["Email"] == "email_not_unlocked@domain.com", "as it was uploaded"
        results = demo.hq("select step_name, data from agency.enrichment_results")
        assert Counter(row["step_name"] for row in results) == dict.fromkeys(STEPS, PEOPLE)

        configs = demo.hq("select workflow_slug, config from agency.client_workflow_configs")
        tables = {row["workflow_slug"]: row["config"]["settings"].get("parameters.table_url") for row in configs}
        assert tables["enrich-company-clay"] == "/tables/larkfield-companies/webhook"
        called = Counter(call["path"] for call in demo.sandbox.calls() if call["provider"] == "clay")
        assert called == {
            "/tables/larkfield-companies/webhook": COMPANIES,
            "/tables/larkfield-people/webhook": PEOPLE,
        }
        pipelines = demo.hq("select workflow_slugs from agency.enrichment_pipelines where name = 'agency'")
        assert [row["workflow_slugs"] for row in pipelines] == [list(STEPS)]

        assert demo.charged_twice() == []
        costs = demo.hq("select workflow_slug, sum(cost) as cost from provider_calls group by 1")
        assert {row["workflow_slug"]: row["cost"] for row in costs if row["cost"]} == {
            "enrich-company-clay": COMPANIES * Decimal("0.05"),
            "enrich-person-clay": PEOPLE * Decimal("0.10"),
        }
        leads = demo.workspace("select full_name, other_fields from final_leads where batch_key = %s", demo.batch)
        assert len(leads) == PEOPLE
        assert "Going on with batch larkfield-1-agency-1" in demo.printed
        assert "agency.workflow_states: 72 rows" in demo.printed

        seen = rows_by_reader(demo, "larkfield")
        assert seen.pop("agency.enrichment_pipelines") == (0, 0, 0)
        assert len(seen) == 5
        assert {name: rows for name, rows in seen.items() if not 0 < rows[0] == rows[1] or rows[2]} == {}
