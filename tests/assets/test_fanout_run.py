"""A list of companies as a Dagster run: people come out, every value explained, everything adds up."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from enrichment_assets.installation.databases import open_databases
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.batches.launching import launch, plan_launch
from enrichment_assets.services.batches.status import status
from enrichment_assets.services.insight.explain import explain_lead
from enrichment_assets.services.insight.html_report import render_report
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.warehouse import build_models, open_warehouse, publish_batch_sources, reconcile, run_tests
from tests.actors import TESTER
from tests.assets.conftest import materialised, run_batch_job
from tests.harness.handles import hq_of

COURSES = (
    'Company,Website,"First Name","Last Name"\nPine Golf,https://www.pine-golf.example,,\nOak Golf,oak.example,,\n'
)
PERSON = "Elm Golf,elm.example,Ada,Byron\n"


@pytest.fixture
def courses(simulated: Settings, tmp_path: Path) -> str:
    path = tmp_path / "courses.csv"
    path.write_text(COURSES + PERSON)
    upload = upload_file(hq_of(simulated), simulated, path, "acme", actor=TESTER)
    plan = plan_launch(hq_of(simulated), simulated, upload.upload_id, "company-people", client="acme")
    assert [(step.slug, step.also_for) for step in plan.steps] == [
        ("normalise-name", ()),
        ("normalise-domain", ()),
        ("find-people-via-hunter", ()),
        ("match-person-via-apollo", (("find-people-via-hunter", 100),)),
        ("verify-email-via-hunter", (("find-people-via-hunter", 100),)),
    ]
    return launch(
        hq_of(simulated),
        simulated,
        upload.upload_id,
        "company-people",
        client="acme",
        add_partition=lambda _key: None,
        actor=TESTER,
    ).batch_key


def test_companies_become_people_in_one_run_and_everything_adds_up(
    simulated: Settings, courses: str, sandbox: SandboxProcess, instance: dg.DagsterInstance
) -> None:
    result = run_batch_job(simulated, instance, courses)
    made = materialised(result)
    one = status(hq_of(simulated), simulated, courses)
    assert one.children > 2
    assert (one.rows, one.rejected, one.items, one.done) == (3, 0, 3 + one.children, one.items)
    assert one.finished and one.extracted
    assert {made[name]["dagster/row_count"] for name in ("normalise_name", "match_person_via_apollo")} == {one.items}
    evaluations = result.get_asset_check_evaluations()
    assert {"rows_children_items", "items_equal_rows_and_children", "items_leads"} <= {
        e.check_name for e in evaluations
    }
    assert [e.check_name for e in evaluations if not e.passed] == []
    with connect(open_databases(simulated).workspace) as workspace:
        leads = workspace.execute("select * from final_leads order by item_id").fetchall()
    rows, people = leads[:3], leads[3:]
    assert {lead["parent_item_id"] for lead in people} == {row["item_id"] for row in rows[:2]}
    assert all(lead["email"] and lead["last_name"] and lead["email_status"] for lead in people)
    assert {(lead["row_number"], lead["steps_open"]) for lead in people} == {(0, 0)}
    assert {lead["company_domain"] for lead in people} == {"pine-golf.example", "oak.example"}
    assert (rows[2]["last_name"], rows[2]["apollo_person_id"] is not None) == ("Byron", True), (
        "a person's row passes by"
    )
    charged = sandbox.billing()["calls"]
    run_batch_job(simulated, instance, courses)
    verified = next(w for w in one.workflows if w.slug == "verify-email-via-hunter")
    assert verified.skipped > 1, "an address that its finder is sure of is not verified again"
    assert sandbox.billing()["calls"] == charged == 2 + one.children + 1 + verified.found + verified.not_found


def test_a_childs_values_name_the_workflow_that_emitted_them_or_its_parent(
    simulated: Settings, courses: str, instance: dg.DagsterInstance
) -> None:
    run_batch_job(simulated, instance, courses)
    warehouse = open_warehouse(simulated, client_slug="acme", batch_key=courses)
    try:
        (child,) = warehouse.execute(
            "select min(c.item_id) from final_leads c join final_leads p on p.item_id = c.parent_item_id "
            "where p.company_name = 'Pine Golf'"
        ).fetchall()[0]
        sources = warehouse.execute(
            "select field, source_kind, source_workflow, source_provider, position from stg_field_values "
            "where item_id = ? and field in ('email', 'first_name', 'company_name') order by field, position",
            [child],
        ).fetchall()
        uploaded = warehouse.execute("select count(*) from stg_field_values where source_kind = 'upload'").fetchall()
    finally:
        warehouse.close()
    hunter = ("workflow", "find-people-via-hunter", "hunter", 2)
    assert [(row[0], row[1:]) for row in sources if row[2] in (None, "find-people-via-hunter")] == [
        ("company_name", ("parent", None, None, -1)), ("email", hunter), ("first_name", hunter),
    ]  # fmt: skip
    assert uploaded == [(2 * 2 + 4,)], "cells of the upload's rows, and none of a child"
    (name,) = explain_lead(hq_of(simulated), simulated, courses, child, "company_name")
    assert (name.final, name.links[0].source) == ("Pine Golf", "parent")
    assert "find-people-via-hunter" in render_report(simulated, courses)


def test_a_child_that_has_lost_its_parent_shows_in_the_reconciliation(
    simulated: Settings, courses: str, instance: dg.DagsterInstance
) -> None:
    run_batch_job(simulated, instance, courses)
    with connect(open_databases(simulated).hq) as hq:
        hq.execute("update batch_items set parent_item_id = 0 where id = (select max(id) from batch_items)")
        hq.commit()
    publish_batch_sources(hq_of(simulated), simulated, courses)
    build_models(simulated, courses)
    (found,) = [r for r in reconcile(hq_of(simulated), simulated, courses) if r.name == "rows + children = items"]
    assert (found.passed, found.expected) == (False, found.actual - 1)
    failed = [
        report.name for report in run_tests(simulated, courses, ["final_leads"])["final_leads"] if not report.passed
    ]
    assert failed == ["items_equal_rows_and_children"]
