"""`enrich demo homepage`: home pages, case studies and people of companies, kept where the configuration says."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.settings import Settings
from tests.chaos.points import Point
from tests.systems.demos import rows_by_reader, shown

WAITING = Point("batch-is-advanced")
"""Pages and people are there; the answers of n8n come while no process of the batch lives."""

DOMAINS = {
    "brindlehart.example",
    "copperline.example",
    "dovetail-analytics.example",
    "eastmoordental.example",
    "fallowfieldfoods.example",
    "garnetpeak.example",
}
"""Of the list; two of its rows are at one of them."""

BY_ITS_PEOPLE = "holliswharfcapital.com"
"""The eighth row has no website: its host is that of the addresses of its people."""

COMPANIES, ROWS = len(DOMAINS) + 1, 8
RENDERED = Decimal("0.025")
"""What ZenRows takes for a page with a browser behind a premium proxy: 25 times 0.001 USD."""

COLUMNS = {
    "hq": {
        "homepage.companies": "id name domain website linkedin_url industry client_id created_at",
        "homepage.enrichment_results_log": "id workflow_id workflow_slug company_id company_domain play_name "
        "step_number status result_table batch_id created_at client_id",
        "homepage.company_play_step_completions": "workflow_id workflow_slug company_id company_domain play_name "
        "step_number status result_table batch_id completed_at client_id",
    },
    "workspace": {
        "homepage.company_homepage_scrapes": "workflow_id company_domain homepage_url homepage_html scraped_at "
        "client_slug batch_key item_id",
        "homepage.company_case_studies": "workflow_id company_domain urls extracted_at client_slug batch_key item_id",
        "homepage.company_case_studies_page": "workflow_id company_domain urls extracted_at client_slug batch_key "
        "item_id",
    },
}


@pytest.mark.crashes
def test_the_demo_survives_a_kill_and_every_table_has_its_rows(
    settings: Settings, sandbox_process: SandboxProcess
) -> None:
    with shown("homepage", settings, sandbox_process, killed_at=WAITING) as demo:
        for database, tables in COLUMNS.items():
            for table, wanted in tables.items():
                rows = getattr(demo, database)(f"select * from {table} limit 1")
                assert " ".join(rows[0]) == wanted, table
        completed = demo.hq("select * from homepage.company_play_step_completions")
        assert {(row["status"], row["play_name"]) for row in completed} == {("COMPLETED", "homepage")}
        by_step = Counter((row["workflow_slug"], row["step_number"], row["result_table"]) for row in completed)
        assert by_step == {
            ("normalise-domain", 110, None): COMPANIES,
            ("scrape-homepage-via-zenrows", 200, "company_homepage_scrapes"): COMPANIES,
            ("extract-case-studies-via-n8n", 320, "company_case_studies"): COMPANIES,
            ("find-people-via-hunter", 300, None): COMPANIES,
        }
        log = demo.hq("select * from homepage.enrichment_results_log")
        attempts = {row["workflow_slug"]: row["status"] for row in log}
        assert set(attempts) == {slug for slug, _, _ in by_step}
        ids = {row["workflow_slug"]: row["workflow_id"] for row in (*completed, *log)}
        assert len(set(ids.values())) == len(ids)
        companies = demo.hq("select id, domain from homepage.companies")
        assert {row["company_id"] for row in completed} == {row["id"] for row in companies}
        assert {row["domain"] for row in companies} == {*DOMAINS, BY_ITS_PEOPLE}

        scrapes = demo.workspace(
            "select company_domain, homepage_html, scraped_at from homepage.company_homepage_scrapes"
        )
        assert {row["company_domain"] for row in scrapes} <= {*DOMAINS, BY_ITS_PEOPLE}
        assert all(row["homepage_html"].startswith("<!DOCTYPE html>") for row in scrapes)
        studies = demo.workspace("select company_domain, urls from homepage.company_case_studies")
        assert {row["company_domain"]: len(row["urls"]) for row in studies}.keys() <= {*DOMAINS, BY_ITS_PEOPLE}
        assert {row["company_domain"] for row in (*scrapes, *studies)} == {row["domain"] for row in companies}
        leads = demo.workspace("select parent_item_id from final_leads")
        assert Counter(row["parent_item_id"] is None for row in leads) == {True: ROWS, False: 2 * COMPANIES}

        assert demo.charged_twice() == []
        costs = demo.hq("select workflow_slug, sum(cost) as cost from provider_calls group by 1")
        assert {row["workflow_slug"]: row["cost"] for row in costs if row["cost"]} == {
            "scrape-homepage-via-zenrows": COMPANIES * RENDERED,
            "find-people-via-hunter": COMPANIES * Decimal("0.049"),
        }
        seen = rows_by_reader(demo, "brackenridge")
        assert seen.pop("homepage.db_driven_enrichment_workflows")[1:] == (0, 0), "the registry is the agency's"
        assert len(seen) == len(COLUMNS["hq"]) + len(COLUMNS["workspace"])
        assert {name: rows for name, rows in seen.items() if not 0 < rows[0] == rows[1] or rows[2]} == {}
