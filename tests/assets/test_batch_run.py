"""A batch as a Dagster run: what is materialised, what is skipped, and what a second run costs (nothing)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from enrichment_assets.assets.jobs import ANALYTICS_JOB
from enrichment_assets.assets.steps import step_key
from enrichment_assets.code_location import build_definitions
from enrichment_assets.installation.databases import open_databases
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.batches.status import status
from enrichment_assets.services.catalog.configuration import add_pipeline, pipeline_from_steps
from enrichment_assets.services.uploads.options import UploadOptions
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.store.inbox.callbacks import new_callbacks_by_batch
from tests.actors import TESTER
from tests.assets.conftest import materialised, platform, run_batch_job
from tests.harness.handles import hq_of


def launched(settings: Settings, people: Path, *steps: str, mapping: Mapping[str, str] | None = None) -> str:
    add_pipeline(hq_of(settings), pipeline_from_steps("steps", ",".join(steps)), client="acme", actor=TESTER)
    upload = upload_file(
        hq_of(settings), settings, people, "acme", options=UploadOptions(mapping=mapping or {}), actor=TESTER
    )
    return launch(
        hq_of(settings),
        settings,
        upload.upload_id,
        "steps",
        client="acme",
        add_partition=lambda _key: None,
        actor=TESTER,
    ).batch_key


def test_a_synchronous_batch_is_published_in_one_run(
    simulated: Settings, people: Path, instance: dg.DagsterInstance
) -> None:
    batch = launched(simulated, people, "normalise-name", "match-person-via-apollo")
    made = materialised(run_batch_job(simulated, instance, batch))
    assert made["raw_apollo_uploads"]["dagster/row_count"] == 4
    schema = made["raw_apollo_uploads"]["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    assert [c.name for c in schema.columns][2:6] == ["row_number", "line_number", "First Name", "Last Name"]
    assert made["batch_items"]["dagster/row_count"] == 4
    assert made["match_person_via_apollo"]["dagster/row_count"] == 4
    assert made["match_person_via_apollo"]["calls"] == 4
    assert made["final_leads"]["dagster/row_count"] == 4
    with connect(open_databases(simulated).workspace) as workspace:
        assert len(workspace.execute("select * from final_leads").fetchall()) == 4
    assert status(hq_of(simulated), simulated, batch).extracted


def test_the_first_row_of_a_file_without_a_header_is_not_shown_as_column_names(
    simulated: Settings, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    path = tmp_path / "no_header.csv"
    path.write_text("Ada,Byron,ada@byron.example\nMary,Somerville,mary@somerville.example\n")
    batch = launched(simulated, path, "normalise-name", mapping={"Ada": "first_name"})
    made = materialised(run_batch_job(simulated, instance, batch, ["raw_apollo_uploads"]))
    schema = made["raw_apollo_uploads"]["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    assert [c.name for c in schema.columns][4:] == ["column_1", "column_2", "column_3"]


def test_a_step_that_is_not_in_the_blueprint_is_not_materialised_and_the_tables_are_built_all_the_same(
    simulated: Settings, people: Path, instance: dg.DagsterInstance
) -> None:
    batch = launched(simulated, people, "normalise-name", "normalise-contact")
    result = run_batch_job(simulated, instance, batch)
    made = materialised(result)
    steps = {step_key(slug).to_user_string() for slug in builtin_workflows()}
    assert made.keys() & steps == {"normalise_name", "normalise_contact"}
    assert made["final_leads"]["dagster/row_count"] == made["workspace_tables"]["rows_by_table"]["final_leads"] == 4
    skipped = [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_SKIPPED]
    assert skipped == []


def test_a_step_that_waits_for_callbacks_yields_nothing_and_what_is_downstream_is_skipped(
    simulated: Settings, people: Path, sandbox: SandboxProcess, instance: dg.DagsterInstance
) -> None:
    batch = launched(simulated, people, "normalise-name", "enrich-person-clay")
    with ReceiverProcess(simulated) as receiver:
        waiting = replace(simulated, receiver_url=receiver.url)
        first = run_batch_job(waiting, instance, batch)
        assert first.success
        assert "normalise_name" in materialised(first)
        assert {"enrich_person_clay", "enrichment_results", "final_leads"}.isdisjoint(materialised(first))
        counts = {w.slug: w for w in status(hq_of(waiting), waiting, batch).workflows}
        assert counts["enrich-person-clay"].in_progress == 4
        sandbox.flush_callbacks()
        with connect(open_databases(waiting).hq, autocommit=True) as hq:
            while sum(b.count for b in new_callbacks_by_batch(hq)) < 4:
                pass
        made = materialised(run_batch_job(waiting, instance, batch))
    assert made["enrich_person_clay"]["found"] == 4
    assert made["final_leads"]["dagster/row_count"] == 4


def test_running_a_finished_batch_again_calls_nobody(
    simulated: Settings, people: Path, sandbox: SandboxProcess, instance: dg.DagsterInstance
) -> None:
    batch = launched(simulated, people, "normalise-name", "match-person-via-apollo")
    run_batch_job(simulated, instance, batch)
    charged = sandbox.billing()["calls"]
    again = materialised(run_batch_job(simulated, instance, batch))
    assert sandbox.billing()["calls"] == charged == 4
    assert again["match_person_via_apollo"]["found"] == 4


def test_extraction_alone_can_be_repeated_without_a_call(
    simulated: Settings, people: Path, sandbox: SandboxProcess, instance: dg.DagsterInstance
) -> None:
    batch = launched(simulated, people, "match-person-via-apollo")
    run_batch_job(simulated, instance, batch)
    charged = sandbox.billing()["calls"]
    made = materialised(run_batch_job(simulated, instance, batch, ["enrichment_results", "stg_results", "final_leads"]))
    assert set(made) == {"enrichment_results", "stg_results", "final_leads"}
    assert sandbox.billing()["calls"] == charged


def test_every_check_of_a_good_batch_passes(simulated: Settings, people: Path, instance: dg.DagsterInstance) -> None:
    batch = launched(simulated, people, "normalise-name", "match-person-via-apollo")
    evaluations = run_batch_job(simulated, instance, batch).get_asset_check_evaluations()
    assert {e.check_name for e in evaluations} >= {"rows_in_are_rows_out", "items_leads"}
    assert [e.check_name for e in evaluations if not e.passed] == []


def test_what_is_made_from_a_table_whose_test_fails_is_not_reported_and_nothing_is_published(
    simulated: Settings, people: Path, instance: dg.DagsterInstance
) -> None:
    batch = launched(simulated, people, "normalise-name")
    run_batch_job(simulated, instance, batch)
    with connect(open_databases(simulated).hq) as hq:
        hq.execute(  # a child more than the rows of the upload and their children give
            "update batch_items set parent_item_id = (select min(id) from batch_items) "
            "where id = (select max(id) from batch_items)"
        )
        hq.commit()
    with connect(open_databases(simulated).workspace, autocommit=True) as workspace:
        workspace.execute("truncate final_leads")
        tables = ["enrichment_results", "final_leads", "companies", "workspace_tables"]
        result = run_batch_job(simulated, instance, batch, tables, raise_on_error=False)
        assert not result.success
        assert [key for key in materialised(result) if key in tables] == ["enrichment_results", "final_leads"]
        assert workspace.execute("select * from final_leads").fetchall() == []


def test_a_batch_that_does_not_exist_fails_its_run_by_name(simulated: Settings, instance: dg.DagsterInstance) -> None:
    with pytest.raises(dg.Failure, match="no-such-batch"):
        run_batch_job(simulated, instance, "no-such-batch")


def test_the_analytics_are_built_over_all_batches_and_organisations_reach_the_workspace(
    simulated: Settings, people: Path, instance: dg.DagsterInstance
) -> None:
    batch = launched(simulated, people, "normalise-name", "match-person-via-apollo")
    run_batch_job(simulated, instance, batch)
    job = build_definitions(platform=platform(simulated)).resolve_job_def(ANALYTICS_JOB)
    quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    result = job.execute_in_process(instance=instance, run_config=quiet)
    evaluations = result.get_asset_check_evaluations()
    assert evaluations
    assert [e.check_name for e in evaluations if not e.passed] == []
    with connect(open_databases(simulated).workspace) as workspace:
        published = workspace.execute("select count(*) as rows from organisations").fetchone()
    assert published == {"rows": materialised(result)["organisations"]["dagster/row_count"]}
    assert published["rows"] > 0
