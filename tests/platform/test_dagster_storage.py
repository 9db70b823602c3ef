"""Dagster's storage finds its database from any process, and its references hold no secret."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy
import yaml
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import serialize_value

from enrichment_assets.installation.databases import Databases, embedded_server, open_databases
from enrichment_assets.installation.stack import render_dagster_home
from enrichment_assets.resources.dagster_storage import LOOKED_FOR, EnrichPostgresStorage, dagster_url
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect

OTHER_PROCESS = """
import sys
import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import deserialize_value
with dg.DagsterInstance.from_ref(deserialize_value(sys.argv[1], InstanceRef)) as instance:
    print(instance.get_dynamic_partitions("batches"))
    instance.add_dynamic_partitions("batches", ["from-the-other"])
"""


def _in_another_process(instance: dg.DagsterInstance, environment: dict[str, str], cwd: Path) -> str:
    command = [sys.executable, "-c", OTHER_PROCESS, serialize_value(instance.get_ref())]
    return subprocess.run(
        command, env=environment, cwd=cwd, capture_output=True, text=True, check=True, timeout=120
    ).stdout.strip()


@pytest.fixture
def home(open_folder: Path) -> Iterator[Settings]:
    settings = Settings(home=open_folder / "home")
    yield settings
    embedded_server(settings).remove()


def test_an_instance_on_the_embedded_database_is_the_same_in_another_process(home: Settings, tmp_path: Path) -> None:
    folder = render_dagster_home(home).parent
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        instance.add_dynamic_partitions("batches", ["from-here"])
        assert _in_another_process(instance, dict(os.environ), tmp_path) == "['from-here']"
        assert sorted(instance.get_dynamic_partitions("batches")) == ["from-here", "from-the-other"]
    with connect(open_databases(home).dagster) as connection:
        rows = connection.execute("select partition from dynamic_partitions order by 1").fetchall()
    assert rows == [{"partition": "from-here"}, {"partition": "from-the-other"}]


def test_the_committed_file_works_as_it_is_with_an_external_database(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENRICH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HQ_DATABASE_URL", databases.hq.replace("postgres@", "postgres:hush-hush@"))
    ref = InstanceRef.from_dir(str(tmp_path), config_dir=str(Path.cwd()))
    with dg.DagsterInstance.from_ref(ref) as instance:
        instance.add_dynamic_partitions("batches", ["from-here"])
        assert _in_another_process(instance, dict(os.environ), tmp_path) == "['from-here']"
        assert "hush-hush" not in serialize_value(instance.get_ref())
    with connect(databases.hq) as connection:
        rows = connection.execute("select partition from dagster.dynamic_partitions order by 1").fetchall()
    assert rows == [{"partition": "from-here"}, {"partition": "from-the-other"}]
    assert not (tmp_path / "home" / "postgres").exists()


def test_the_web_servers_pooled_connections_keep_to_dagsters_schema(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HQ_DATABASE_URL", databases.hq)
    ref = InstanceRef.from_dir(str(tmp_path), config_dir=str(Path.cwd()))
    with dg.DagsterInstance.from_ref(ref) as instance:
        instance.add_dynamic_partitions("batches", ["one"])
        instance.optimize_for_webserver(statement_timeout=5000, pool_recycle=60, max_overflow=5)
        assert instance.get_dynamic_partitions("batches") == ["one"]


def test_a_dagster_database_that_is_named_needs_no_hq_database(databases: Databases, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", dagster_database_url=databases.workspace)
    assert dagster_url(settings) == databases.workspace.replace("postgresql://", "postgresql+psycopg2://")
    assert not settings.home.exists()


def test_the_rendered_file_keeps_a_users_changes(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    target = render_dagster_home(settings)
    rendered = yaml.safe_load(target.read_text())
    assert rendered["storage"]["custom"]["config"] == {"home": str(tmp_path)}
    assert rendered["telemetry"] == {"enabled": False}
    target.write_text(target.read_text().replace("max_retries: 2", "max_retries: 7"))
    render_dagster_home(settings)
    assert "max_retries: 2" in target.read_text()
    mine = target.read_text().partition("\n")[2].replace("max_retries: 2", "max_retries: 7")
    target.write_text(mine)
    render_dagster_home(settings)
    assert target.read_text() == mine


def again_job() -> dg.JobDefinition:
    """The job by its name in a module, as Dagster finds it in another process."""
    pair = dg.define_asset_job("pair", selection="*")
    made = dg.Definitions(assets=[made_first, made_second], jobs=[pair], executor=dg.in_process_executor)
    return made.resolve_job_def("pair")


@dg.multi_asset(
    specs=[dg.AssetSpec("first", skippable=True)],
    check_specs=[dg.AssetCheckSpec("holds", asset="first")],
    can_subset=True,
)
def made_first() -> Iterator[dg.MaterializeResult]:
    yield dg.MaterializeResult(
        asset_key="first",
        metadata={"rows": 48},
        check_results=[dg.AssetCheckResult(check_name="holds", passed=True, metadata={"failing": 0})],
    )


@dg.asset(deps=["first"])
def made_second() -> dg.MaterializeResult:
    if os.environ.get("SECOND_FAILS"):
        raise dg.Failure("not yet", allow_retries=False)
    return dg.MaterializeResult(metadata={"rows": 47})


def test_dagster_keeps_each_thing_once_and_executes_a_run_again_from_its_failure(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HQ_DATABASE_URL", databases.hq)
    monkeypatch.setenv("SECOND_FAILS", "1")
    job = again_job()
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path), config_dir=str(Path.cwd()))) as instance:
        failed = job.execute_in_process(instance=instance, raise_on_error=False)
        assert not failed.success
        (latest,) = instance.fetch_materializations(dg.AssetKey("first"), limit=1).records
        assert latest.asset_materialization is not None
        assert latest.asset_materialization.metadata["rows"].value == 48
        key = dg.AssetCheckKey(dg.AssetKey("first"), "holds")
        (check,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        assert (check.status.value, check.run_id) == ("SUCCEEDED", failed.run_id)
        monkeypatch.delenv("SECOND_FAILS")
        options = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
        with dg.execute_job(dg.reconstructable(again_job), instance=instance, reexecution_options=options) as again:
            assert again.success
            assert [e.step_key for e in again.all_events if e.is_step_success] == ["made_second"]
    with connect(databases.hq) as connection:
        rows = connection.execute(
            "select dagster_event_type as kind, event from dagster.event_logs where run_id = %s", (failed.run_id,)
        ).fetchall()
    kinds = [row["kind"] for row in rows]
    assert "ASSET_CHECK_EVALUATION_PLANNED" not in kinds
    assert {"ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "STEP_OUTPUT", "STEP_FAILURE"} <= set(kinds)
    told = [row["kind"] for row in rows if '"rows"' in row["event"]]
    assert told == ["ASSET_MATERIALIZATION"]


def test_the_schema_is_looked_at_once_and_runs_events_and_schedules_share_connections(databases: Databases) -> None:
    storage = EnrichPostgresStorage(dagster_url(Settings(home=Path("/nonexistent"), hq_database_url=databases.hq)))
    parts = (storage.run_storage, storage.schedule_storage, storage.event_log_storage)
    assert [name for name in LOOKED_FOR if not any(hasattr(part, name) for part in parts)] == []
    (engine,) = {part._engine for part in parts}
    asked: list[str] = []
    sqlalchemy.event.listen(engine, "before_cursor_execute", lambda *told: asked.append(str(told[2])))

    def listings() -> int:
        asked.clear()
        storage.run_storage.get_run_records(limit=1)
        storage.schedule_storage.all_instigator_state()
        return sum("pg_catalog" in query for query in asked)

    assert listings() > 0
    assert listings() == 0
    assert asked
    engine.dispose()
