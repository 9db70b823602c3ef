"""Sensors: what they ask for, and what they leave alone. Each is a query and a thin shell, tested through Dagster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import dagster as dg
import psycopg

from enrichment_assets.assets.partitions import PARTITIONS_NAME
from enrichment_assets.code_location import build_definitions
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.installation.databases import open_databases
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.sensors.callbacks import callback_sensor
from enrichment_assets.sensors.inbox import upload_sensor
from enrichment_assets.sensors.sequencer import attempt_at, sequencer_sensor
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.batches.status import status
from enrichment_assets.services.catalog.configuration import add_pipeline, pipeline_from_steps
from enrichment_assets.services.operations.history import list_history
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.store.inbox.callbacks import new_callbacks_by_batch
from tests.actors import TESTER
from tests.assets.conftest import drop, materialised, platform, run_batch_job
from tests.harness.handles import hq_of


def tick(
    sensor: dg.SensorDefinition,
    instance: dg.DagsterInstance,
    settings: Settings,
    workflows: list[WorkflowDefinition] | None = None,
) -> dg.SensorResult:
    where = platform(settings)
    context = dg.build_sensor_context(
        instance=instance, definitions=build_definitions(workflows, where), resources={"platform": where}
    )
    result = sensor(context)
    assert isinstance(result, dg.SensorResult)
    return result


def batches_asked_for(result: dg.SensorResult) -> list[str | None]:
    return [request.partition_key for request in result.run_requests or []]


def names(keys: Sequence[dg.AssetKey] | None) -> list[str]:
    return [key.to_user_string() for key in keys or []]


def launched(settings: Settings, people: Path, pipeline: str = "normalise-only") -> str:
    upload = upload_file(hq_of(settings), settings, people, "acme", actor=TESTER)
    return launch(
        hq_of(settings),
        settings,
        upload.upload_id,
        pipeline,
        client="acme",
        add_partition=lambda _key: None,
        actor=TESTER,
    ).batch_key


def test_a_launched_batch_is_started_by_the_sequencer_which_adds_its_partition(
    simulated: Settings, people: Path, instance: dg.DagsterInstance
) -> None:
    batch = launched(simulated, people)
    result = tick(sequencer_sensor, instance, simulated)
    assert batches_asked_for(result) == [batch]
    (steps,) = result.run_requests or []
    first = ["raw_apollo_uploads", "batch_items", "normalise_name", "normalise_domain", "enrichment_results"]
    assert names(steps.asset_selection)[:5] == first  # nothing will be awaited: the same run makes the tables
    assert "workspace_tables" in names(steps.asset_selection)
    assert steps.tags["enrich/steps"] == "all"
    added = [key for request in result.dynamic_partitions_requests or [] for key in request.partition_keys]
    assert added == [batch]


def test_a_batch_with_a_run_under_way_is_left_alone(
    simulated: Settings, people: Path, instance: dg.DagsterInstance
) -> None:
    batch = launched(simulated, people)
    instance.add_dynamic_partitions(PARTITIONS_NAME, [batch])
    instance.add_run(
        dg.DagsterRun(job_name="enrich_batch", status=dg.DagsterRunStatus.STARTED, tags={"enrich/batch": batch})
    )
    assert batches_asked_for(tick(sequencer_sensor, instance, simulated)) == []


def test_a_batch_whose_steps_have_settled_asks_for_its_tables_and_tells_of_its_steps(
    simulated: Settings, people: Path, instance: dg.DagsterInstance, hq: psycopg.Connection[dict[str, object]]
) -> None:
    batch = launched(simulated, people)
    create_items(hq_of(simulated), simulated, batch)
    hq.execute("update workflow_states set status = 'SKIPPED'")
    hq.execute("update batches set resume_at = null, finished_at = now() - interval '1 second'")
    hq.commit()
    assert batches_asked_for(tick(sequencer_sensor, instance, simulated)) == []  # `enrich run` makes them itself
    hq.execute("update batches set finished_at = now() - interval '6 seconds'")
    hq.commit()
    result = tick(sequencer_sensor, instance, simulated)
    assert batches_asked_for(result) == [batch]
    (tables,) = result.run_requests or []
    selected = names(tables.asset_selection)
    assert {"normalise_name", "enrichment_results", "lead_values", "final_leads", "workspace_tables"} <= set(selected)
    assert {"raw_apollo_uploads", "batch_items", "lead_funnel"}.isdisjoint(selected)


def test_a_step_that_the_code_location_does_not_show_yet_is_worked_on_without_being_selected(
    simulated: Settings, people: Path, instance: dg.DagsterInstance
) -> None:
    launched(simulated, people)
    known = [workflow for slug, workflow in builtin_workflows().items() if slug != "normalise-domain"]
    (request,) = tick(sequencer_sensor, instance, simulated, known).run_requests or []
    assert names(request.asset_selection)[:3] == ["raw_apollo_uploads", "batch_items", "normalise_name"]
    assert "normalise_domain" not in names(request.asset_selection)
    assert request.tags["enrich/steps"] == "all"


def test_a_batch_whose_runner_died_is_continued(
    simulated: Settings, people: Path, instance: dg.DagsterInstance, hq: psycopg.Connection[dict[str, object]]
) -> None:
    batch = launched(simulated, people)
    hq.execute("update batches set resume_at = null")
    hq.commit()
    assert batches_asked_for(tick(sequencer_sensor, instance, simulated)) == []
    hq.execute(
        "insert into runners (batch_id, label, expires_at) select id, 'dead', now() - interval '1 minute' from batches"
    )
    hq.commit()
    assert batches_asked_for(tick(sequencer_sensor, instance, simulated)) == [batch]


def test_new_callbacks_ask_for_one_run_of_their_batch(
    simulated: Settings, people: Path, instance: dg.DagsterInstance, hq: psycopg.Connection[dict[str, object]]
) -> None:
    batch = launched(simulated, people)
    assert batches_asked_for(tick(callback_sensor, instance, simulated)) == []
    hq.execute(
        """
        insert into callback_inbox (client_id, batch_id, call_id, headers, body, body_sha256)
        select client_id, id, n, '{}', 'x', decode(md5(n::text), 'hex') from batches, generate_series(1, 3) n
        """
    )
    hq.commit()
    assert batches_asked_for(tick(callback_sensor, instance, simulated)) == [batch]


def test_callbacks_are_taken_in_by_the_tick_and_the_last_one_asks_for_one_run_to_the_tables(
    simulated: Settings, people: Path, sandbox: SandboxProcess, instance: dg.DagsterInstance
) -> None:
    add_pipeline(
        hq_of(simulated), pipeline_from_steps("clay", "normalise-name,enrich-person-clay"), client="acme", actor=TESTER
    )
    with ReceiverProcess(simulated) as receiver:
        settings = replace(simulated, receiver_url=receiver.url)
        batch = launched(settings, people, "clay")
        (first,) = tick(sequencer_sensor, instance, settings).run_requests or []
        asked = ["raw_apollo_uploads", "batch_items", "normalise_name", "enrich_person_clay"]
        assert names(first.asset_selection) == asked  # answers will be awaited: no table is planned
        run_batch_job(settings, instance, batch, asked)
        sandbox.flush_callbacks()
        with connect(open_databases(settings).hq, autocommit=True) as hq:
            while sum(b.count for b in new_callbacks_by_batch(hq)) < 4:
                pass
        (last,) = tick(callback_sensor, instance, settings).run_requests or []
        assert batches_asked_for(tick(callback_sensor, instance, settings)) == []
    selected = names(last.asset_selection)
    assert selected[:3] == ["normalise_name", "enrich_person_clay", "enrichment_results"]
    assert last.tags["enrich/reason"] == "callbacks"
    assert {w.slug: w.found for w in status(hq_of(settings), settings, batch).workflows}["enrich-person-clay"] == 4
    made = materialised(run_batch_job(settings, instance, batch, selected))
    assert made["enrich_person_clay"]["found"] == 4
    assert made["final_leads"]["dagster/row_count"] == 4
    assert status(hq_of(settings), settings, batch).extracted


def test_tables_that_cannot_be_made_are_tried_ever_more_rarely() -> None:
    minutes = [0, 4.9, 5, 9.9, 10, 19, 20, 39, 40, 79, 80, 1439, 1440, 2879, 2880, 4320]
    assert [attempt_at(60 * m) for m in minutes] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 9, 9, 9, 10, 11]


def test_a_batch_without_tables_is_asked_for_once_an_attempt(
    simulated: Settings, people: Path, instance: dg.DagsterInstance, hq: psycopg.Connection[dict[str, object]]
) -> None:
    batch = launched(simulated, people)
    create_items(hq_of(simulated), simulated, batch)

    def key_after(minutes: int) -> str | None:
        hq.execute("update batches set finished_at = now() - make_interval(mins => %s)", (minutes,))
        hq.commit()
        (request,) = tick(sequencer_sensor, instance, simulated).run_requests or []
        assert request.tags["enrich/reason"] == "not-extracted"
        return (request.run_key or "").rpartition(":")[2]

    assert [key_after(minutes) for minutes in (1, 6, 9, 11, 19, 21)] == ["0", "1", "1", "2", "2", "3"]


def test_a_file_dropped_into_the_inbox_is_uploaded_launched_and_moved(
    simulated: Settings, people: Path, instance: dg.DagsterInstance
) -> None:
    path = drop(simulated, "normalise-only", "list.csv", people.read_bytes())
    result = tick(upload_sensor, instance, simulated)
    assert batches_asked_for(result) == ["acme-1-normalise-only-1"]
    assert not path.exists()
    assert (path.parent / "taken" / "list.csv").read_bytes() == people.read_bytes()
    assert batches_asked_for(tick(upload_sensor, instance, simulated)) == []
    changes = [(row.actor, row.action) for row in list_history(hq_of(simulated), limit=2)]
    assert changes == [("sensor:inbox", "batch.launch"), ("sensor:inbox", "upload.add")]
