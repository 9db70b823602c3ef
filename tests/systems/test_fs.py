"""`enrich demo fs`: from a search plan to drafts, killed with calls under way, and every table has its rows."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from pytest import approx

from enrichment_assets.registry.loader import builtin_pipelines, get_system
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.insight.queries import ask, report_query
from enrichment_assets.services.people.warehouse_files import write_anew
from enrichment_assets.services.review.asked import Done, carry_out
from enrichment_assets.services.review.listing import Wanted, list_drafts
from enrichment_assets.settings import Settings
from tests.chaos.points import Point
from tests.harness.handles import hq_of
from tests.systems.demos import Shown, rows_by_reader, shown

IN_THE_MIDDLE = Point("call-is-concluded", hit=60)
"""Companies are being read and the first prospects are there; other calls are under way when the process dies."""

TARGET, QUERIES = get_system("fs").demo.options["target"], 4
COLUMNS = (
    "prospect_id email company_domain company_website industry status discovery_source enrichment_status discovered_at "
    "email_verified email_verification_status phone company_intelligence enriched_at "
    "linkedin_url linkedin_profile_data company_research intelligence_collected_at "
    "ai_qualification_score ai_qualification_grade ai_key_strengths ai_concerns qualified_at "
    "email_draft linkedin_draft pain_point_analysis recommended_approach ready_for_outreach personalized_at "
    "approved_for_send email_sent_at"
)
"""Those that the system's users know, in their order."""

TODAY = "select count(*) as n from fs_prospects where discovered_at >= current_date"
FUNNEL = """
    select status, count(*) as n, round(100.0 * count(*) / sum(count(*)) over (), 1) as share
    from fs_prospects group by status"""
WAITING = """
    select status, count(*) as n, avg(extract(epoch from now() - discovered_at) / 3600) as hours
    from fs_prospects where status <> 'contacted' group by status"""


@pytest.mark.crashes
def test_the_demo_survives_a_kill_with_calls_under_way_and_every_table_has_its_rows(
    settings: Settings, sandbox_process: SandboxProcess
) -> None:
    with shown("fs", settings, sandbox_process, killed_at=IN_THE_MIDDLE) as demo:
        items_and_steps_add_up(demo)
        prospects_have_what_their_users_know(demo)
        drafts_are_for_grades_a_and_b(demo)
        reports_and_queries_agree(demo)
        queries_have_their_yield(demo)
        nothing_was_paid_twice(demo)
        seen = rows_by_reader(demo, "harborlight")
        assert seen == dict.fromkeys(("fs_prospects", "fs.fs_prospects"), (0, TARGET, 0))
        assert f"fs_prospects: {TARGET} rows" in demo.printed
        assert "enrich report fs-hours-in-status" in demo.printed
        what_is_asked_by_sql_is_carried_out(demo)


def items_and_steps_add_up(demo: Shown) -> None:
    """Rows become companies, each host once, and these exactly as many prospects as were asked for."""
    items = demo.hq("select id, row_number, parent_item_id, origin_key, company_domain from batch_items order by id")
    origins = Counter(row["origin_key"].partition(":")[0] for row in items)
    assert (origins["row"], origins["choose-prospects"]) == (QUERIES, TARGET)
    assert len(items) == QUERIES + origins["choose-companies"] + TARGET
    hosts = [row["company_domain"] for row in items if row["origin_key"].startswith("choose-companies:")]
    assert len(hosts) == len(set(hosts)) > TARGET / 10
    assert not [
        host for host in hosts if re.search(r"yelp|linkedin|facebook|bbb|indeed|gazette|finder|association", host)
    ]
    states = demo.hq("select status, count(*) as n from workflow_states group by 1")
    by_status = {row["status"]: row["n"] for row in states}
    steps = len(builtin_pipelines()["fs-prospecting"].slugs())
    assert sum(by_status.values()) == steps * len(items)
    assert set(by_status) <= {"COMPLETED", "SKIPPED", "AMBIGUOUS"}, "what was under way at the kill has no known fate"
    assert [row["n"] for row in demo.workspace("select count(*) as n from final_leads")] == [len(items)]


def prospects_have_what_their_users_know(demo: Shown) -> None:
    for table in ("fs_prospects", "fs.fs_prospects"):
        rows = demo.workspace(f"select * from {table}")
        assert " ".join(rows[0]) == COLUMNS
        assert len(rows) == TARGET
    with ask(None, demo.settings, "select * from fs_prospects") as answer:
        assert " ".join(answer.columns) == COLUMNS
    assert len({row["prospect_id"] for row in rows}) == TARGET
    for row in rows:
        assert re.fullmatch(rf"{re.escape(row['company_domain'])}_\d+", row["prospect_id"])
        assert (row["industry"], row["discovery_source"]) == ("Wealth management", "web_search")
        assert row["discovered_at"] and row["approved_for_send"] is False and row["email_sent_at"] is None
        assert row["email_verified"] is (row["email_verification_status"] == "valid")
        assert (row["ai_qualification_score"] is None) is (row["ai_qualification_grade"] is None)
        times = [row[f"{stage}_at"] for stage in ("enriched", "intelligence_collected", "qualified", "personalized")]
        assert all(row["discovered_at"] <= at for at in times if at)
    keyed = demo.workspace("select client_slug, batch_key, item_id, discovery_query from fs_prospect_records")
    assert {(row["client_slug"], row["batch_key"]) for row in keyed} == {("harborlight", demo.batch)}
    assert all('"Boston, MA"' in row["discovery_query"] for row in keyed)


def drafts_are_for_grades_a_and_b(demo: Shown) -> None:
    rows = demo.workspace("select * from fs_prospects")
    written = [row for row in rows if row["status"] == "personalized"]
    assert written
    for row in rows:
        assert (row["email_draft"] is not None) is (row["personalized_at"] is not None) is (row in written)
        assert row["ready_for_outreach"] is (row in written and row["email_verified"])
    for row in written:
        assert row["ai_qualification_grade"] in {"A", "B"}
        assert set(row["email_draft"]) == {"subject_line", "email_body", "ps_line"}
        assert row["linkedin_draft"] and row["pain_point_analysis"] and row["recommended_approach"]
        assert isinstance(row["ai_key_strengths"] or [], list)
    called = demo.hq("select count(*) as n from provider_calls where workflow_slug = 'personalise-prospect'")
    assert called[0]["n"] <= len([row for row in rows if row["ai_qualification_grade"] in {"A", "B"}])


def reports_and_queries_agree(demo: Shown) -> None:
    """The three queries run as written in Postgres; the shipped reports say the same."""
    assert demo.workspace(TODAY)[0]["n"] == TARGET
    funnel = demo.workspace(FUNNEL)
    counts = {row["status"]: row["n"] for row in funnel}
    assert sum(row["share"] for row in funnel) == 100
    assert {row["status"]: row["n"] for row in demo.workspace(WAITING)} == counts
    shares = report(demo, "fs-funnel")
    assert {row["status"]: row["prospects"] for row in shares if row["prospects"]} == counts
    assert round(sum(row["share"] for row in shares), 9) == 1
    assert [row["reached"] for row in shares] == sorted((row["reached"] for row in shares), reverse=True)
    hours = report(demo, "fs-hours-in-status")
    assert {row["status"]: row["prospects"] for row in hours} == counts
    assert all(0 <= row["average_hours_in_status"] <= row["average_hours_since_discovery"] < 1 for row in hours)
    assert sum(row["prospects"] for row in report(demo, "fs-discovered-today")) == TARGET


def report(demo: Shown, name: str) -> list[dict[str, Any]]:
    query, parameters = report_query(name, demo.batch)
    with ask(None, demo.settings, query, parameters) as answer:
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows()]


def nothing_was_paid_twice(demo: Shown) -> None:
    assert demo.charged_twice() == []
    costs = demo.hq("select workflow_slug, sum(cost) as cost, count(*) as n from provider_calls group by 1")
    by_step = {row["workflow_slug"]: row for row in costs}
    assert by_step["search-companies-via-serper"]["cost"] == QUERIES * Decimal("0.001")
    assert by_step["verify-email-via-zerobounce"]["cost"] <= TARGET * Decimal("0.008")
    assert by_step["qualify-lead"]["n"] <= TARGET


def queries_have_their_yield(demo: Shown) -> None:
    """Every company, prospect and amount belongs to the query that led to it, and to no other."""
    yields = report(demo, "query-yield")
    asked = demo.hq("select distinct original_data ->> 'query' as query from batch_items where row_number > 0")
    assert {row["query"] for row in yields} == {row["query"] for row in asked}
    companies = demo.hq("select count(*) as n from batch_items where origin_key like 'choose-companies:%%'")
    assert (sum(row["companies"] for row in yields), sum(row["prospects"] for row in yields)) == (
        companies[0]["n"],
        TARGET,
    )
    grades = Counter(row["ai_qualification_grade"] for row in demo.workspace("select * from fs_prospects"))
    assert (sum(row["grade_a"] for row in yields), sum(row["grade_b"] for row in yields)) == (grades["A"], grades["B"])
    assert sum(row["cost"] for row in yields) == demo.hq("select sum(cost) as cost from workflow_states")[0]["cost"]
    for row in yields:
        qualified = row["grade_a"] + row["grade_b"]
        each = None if not qualified else float(row["cost"]) / qualified
        assert row["cost_per_qualified"] == (None if each is None else approx(each, abs=1e-6))


def what_is_asked_by_sql_is_carried_out(demo: Shown) -> None:
    """Approved as the table shows it: the approval is of the draft's exact bytes, in the role's name."""
    update = """
        update fs_prospects set status = 'contacted', approved_for_send = true where status = 'personalized'
        returning prospect_id"""
    asked = demo.workspace(update)
    assert asked and carry_out(hq_of(demo.settings)) == Done(done=2 * len(asked), refused=0)
    drafts = list_drafts(hq_of(demo.settings), Wanted(batch=demo.batch))
    assert {one.standing.value for one in drafts} == {"approved"}
    assert {one.draft.item_id for one in drafts} == {int(row["prospect_id"].rpartition("_")[2]) for row in asked}
    assert all(one.approval is not None and one.approval.actor.startswith("sql:") for one in drafts)
    # Tables that are made anew say so too, also where somebody's erasure has them made.
    write_anew(hq_of(demo.settings), demo.settings, [demo.batch], {}, str)
    told = demo.workspace("select status, approved_for_send from fs_prospect_records where email_draft is not null")
    assert told == [{"status": "contacted", "approved_for_send": True}] * len(asked)
