"""Sensors: what they ask for, and what they leave alone. Each is a query and a thin shell, tested through Dagster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import psycopg

from enrichment_assets.assets.partitions import PARTITIONS_NAME
from enrichment_assets.definitions import build_definitions
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.sensors.inbox import upload_sensor
from enrichment_assets.sensors.sequencer import callback_sensor, sequencer_sensor
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.operations.history import list_history
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.assets.conftest import drop, platform
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


def launched(settings: Settings, people: Path) -> str:
    upload = upload_file(hq_of(settings), settings, people, "acme", actor=TESTER)
    return launch(
        hq_of(settings),
        settings,
        upload.upload_id,
        "normalise-only",
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
    assert names(steps.asset_selection) == ["raw_apollo_uploads", "batch_items", "normalise_name", "normalise_domain"]
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


def test_a_batch_whose_steps_have_settled_asks_for_its_tables_alone(
    simulated: Settings, people: Path, instance: dg.DagsterInstance, hq: psycopg.Connection[dict[str, object]]
) -> None:
    batch = launched(simulated, people)
    hq.execute("update batches set resume_at = null, finished_at = now() - interval '1 second'")
    hq.commit()
    assert batches_asked_for(tick(sequencer_sensor, instance, simulated)) == []  # `enrich run` makes them itself
    hq.execute("update batches set finished_at = now() - interval '6 seconds'")
    hq.commit()
    result = tick(sequencer_sensor, instance, simulated)
    assert batches_asked_for(result) == [batch]
    (tables,) = result.run_requests or []
    selected = names(tables.asset_selection)
    assert {"enrichment_results", "lead_values", "final_leads", "workspace_tables"} <= set(selected)
    assert {"batch_items", "normalise_name", "lead_funnel"}.isdisjoint(selected)


def test_a_step_that_the_code_location_does_not_show_yet_is_worked_on_without_being_selected(
    simulated: Settings, people: Path, instance: dg.DagsterInstance
) -> None:
    launched(simulated, people)
    known = [workflow for slug, workflow in builtin_workflows().items() if slug != "normalise-domain"]
    (request,) = tick(sequencer_sensor, instance, simulated, known).run_requests or []
    assert names(request.asset_selection) == ["raw_apollo_uploads", "batch_items", "normalise_name"]
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
