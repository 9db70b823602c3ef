"""Dagster's daemon lets a sensor rest that has nothing to do, and evaluates it at its interval where it has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon import controller, sensor
from dagster._grpc import server_watcher

from enrichment_assets.code_location import build_definitions
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.sensors.daemon import change_dagster
from enrichment_assets.sensors.quiet import HAS_WORK, LONGEST_REST_SECONDS, UPLOADS, Quiet
from enrichment_assets.services.uploads.inbox_listing import TAKEN
from enrichment_assets.settings import Settings
from tests.assets.conftest import drop
from tests.assets.test_sensors import launched
from tests.harness.handles import hq_of

ALL = frozenset({*HAS_WORK, UPLOADS})

TWO_SENSORS = """
import dagster as dg

@dg.sensor(minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING, target="*")
def busy_sensor(context):
    return dg.SkipReason("looked")

@dg.sensor(minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING, target="*")
def idle_sensor(context):
    return dg.SkipReason("looked")

@dg.asset
def one(): ...

defs = dg.Definitions(assets=[one], sensors=[busy_sensor, idle_sensor])
"""


def quiet(settings: Settings) -> frozenset[str]:
    """What a daemon that starts now would let rest."""
    asked = Quiet(hq_of(settings), settings)
    return frozenset(name for name in ALL if asked.is_quiet(name))


def test_each_of_the_sensors_that_may_rest_is_a_sensor() -> None:
    shown = build_definitions(list(builtin_workflows().values())).sensors or []
    assert {one.name for one in shown} >= ALL


def test_a_launched_batch_wakes_the_sequencer_alone(simulated: Settings, people: Path) -> None:
    assert quiet(simulated) == ALL
    launched(simulated, people)
    assert quiet(simulated) == ALL - {"sequencer_sensor"}


def test_a_file_in_the_inbox_wakes_its_sensor_and_one_that_was_taken_does_not(simulated: Settings) -> None:
    path = drop(simulated, "normalise-only", "people.csv", b"First Name\nAda\n")
    assert quiet(simulated) == ALL - {UPLOADS}
    taken = path.parent / TAKEN
    taken.mkdir()
    path.rename(taken / path.name)
    assert quiet(simulated) == ALL


ROWS = {
    "callback_sensor": """
        insert into callback_inbox (client_id, batch_id, call_id, headers, body, body_sha256)
        select b.client_id, b.id, c.id, '{}', '{}', sha256('{}')
        from batches b join provider_calls c on c.batch_id = b.id
    """,
    "webhook_sensor": """
        insert into outgoing_events (client_id, batch_id, type, data, bytes)
        select client_id, id, 'batch.finished', '{}', 2 from batches
    """,
    "draft_sensor": """
        insert into workflow_drafts (workflow_slug, title, overall_step_number, provider, destination_db,
                                     destination_table_name, destination_field_mappings, drafted_by, status)
        values ('drafted', 'Drafted', 1, 'clay', 'workspace', 'drafted', '{}', 'somebody', 'draft')
    """,
}


def test_what_lies_in_a_table_wakes_the_sensor_that_reads_it(
    simulated: Settings, people: Path, hq: psycopg.Connection[dict[str, object]]
) -> None:
    launched(simulated, people)
    hq.execute("update batches set resume_at = null")
    hq.execute(
        "insert into provider_calls (call_key, client_id, batch_id, item_id, workflow_slug, subject_key, provider, "
        "operation, state, fence) select 'k', client_id, id, 1, 'enrich-person-clay', 'item:1', 'clay', 'enrich', "
        "'sent', 1 from batches"
    )
    hq.commit()
    assert quiet(simulated) == ALL
    for name, statement in ROWS.items():
        hq.execute(statement)  # type: ignore[call-overload]
        hq.commit()
        assert name not in quiet(simulated), name
    assert quiet(simulated) == ALL - set(ROWS)


def test_without_its_database_no_sensor_rests(simulated: Settings) -> None:
    away = replace(simulated, hq_database_url="postgresql://nobody@127.0.0.1:1/nothing")
    assert quiet(away) == frozenset()


@pytest.fixture
def dagster_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    for where, name in (
        (controller, "RELOAD_WORKSPACE_INTERVAL"),
        (server_watcher, "WATCH_INTERVAL"),
        (sensor, "is_under_min_interval"),
    ):
        monkeypatch.setattr(where, name, getattr(where, name))


@pytest.fixture
def turn(dagster_as_it_was: None, tmp_path: Path) -> Iterator[Callable[[float], dict[str, int]]]:
    """One look of the sensor daemon, so many seconds after the last ticks; the ticks of each sensor so far."""
    (tmp_path / "two_sensors.py").write_text(TWO_SENSORS)
    origin = InProcessCodeLocationOrigin(LoadableTargetOrigin(python_file=str(tmp_path / "two_sensors.py")))
    with (
        dg.DagsterInstance.local_temp(str(tmp_path)) as instance,
        WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origin)) as context,
    ):
        change_dagster(lambda name: name == "idle_sensor", LONGEST_REST_SECONDS)

        def look(seconds: float) -> dict[str, int]:
            for state in instance.all_instigator_state():
                data = state.instigator_data
                earlier = {
                    name: (getattr(data, name) or 0) - seconds
                    for name in ("last_tick_timestamp", "last_tick_start_timestamp")
                }
                instance.update_instigator_state(state.with_data(data._replace(**earlier)))  # type: ignore[union-attr, arg-type]
            list(sensor.execute_sensor_iteration(context, logging.getLogger(__name__), None, None))
            return {
                state.instigator_name: len(instance.get_ticks(state.instigator_origin_id, state.selector_id))
                for state in instance.all_instigator_state()
            }

        yield look


def test_dagsters_daemon_passes_over_a_sensor_that_rests_until_it_has_rested_long_enough(
    turn: Callable[[float], dict[str, int]],
) -> None:
    turn(0)
    assert turn(0) == {"busy_sensor": 1, "idle_sensor": 1}
    assert turn(10) == {"busy_sensor": 2, "idle_sensor": 1}
    assert turn(10 + LONGEST_REST_SECONDS) == {"busy_sensor": 3, "idle_sensor": 2}


def test_the_intervals_are_those_that_dagster_uses(turn: Callable[[float], dict[str, int]]) -> None:
    turn(0)
    assert controller.RELOAD_WORKSPACE_INTERVAL == 3_600
    assert "RELOAD_WORKSPACE_INTERVAL" in controller.DagsterDaemonController.check_workspace_freshness.__code__.co_names
    assert "WATCH_INTERVAL" in server_watcher.watch_grpc_server_thread.__code__.co_names
