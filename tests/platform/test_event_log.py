"""What Dagster keeps of a run is the same whether its events are written one by one or together."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status
from dagster_postgres.event_log import PostgresEventLogStorage

from enrichment_assets.installation.databases import Databases
from enrichment_assets.resources import dagster_storage
from enrichment_assets.store.database import connect

BATCHES = dg.DynamicPartitionsDefinition(name="batches")
CHECKED = dg.AssetKey("checked")


@dg.multi_asset(
    specs=[dg.AssetSpec(key, partitions_def=BATCHES, skippable=True) for key in ("zebra", "checked", "left_out")],
    check_specs=[dg.AssetCheckSpec(f"check_{n}", asset=CHECKED) for n in range(3)],
    partitions_def=BATCHES,
    can_subset=True,
)
def makes(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult | dg.AssetObservation]:
    context.log.info("a line of the log")
    yield dg.MaterializeResult(asset_key="zebra", metadata={"rows": 1})
    results = [
        dg.AssetCheckResult(
            asset_key=CHECKED, check_name=f"check_{n}", passed=n != 1, severity=dg.AssetCheckSeverity.WARN
        )
        for n in range(3)
    ]
    yield dg.MaterializeResult(asset_key=CHECKED, check_results=results)


@dg.asset(partitions_def=BATCHES, deps=["zebra"])
def breaks() -> None:
    raise ValueError("as it was asked to")


@contextmanager
def _instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path), config_dir=str(Path.cwd()))) as instance:
        instance.add_dynamic_partitions("batches", ["one"])
        yield instance


def _run(tmp_path: Path) -> str:
    """Run both assets, of which one fails; the run's id."""
    with _instance(tmp_path) as instance:
        result = dg.materialize([makes, breaks], partition_key="one", instance=instance, raise_on_error=False)
        assert not result.success
        return result.run_id


def _kept(databases: Databases, run_id: str) -> dict[str, Any]:
    """What the tables say of a run: ids as the places of the events that they name.

    The run failed, so that its plans are there. Events that plan a check, and outputs, are left out: a planned check is
    its row among the executions of checks alone, and of the outputs those of assets are kept.
    """
    with connect(databases.hq) as connection:
        connection.execute("set search_path to dagster")
        events = connection.execute(
            "select id, dagster_event_type, step_key, asset_key, partition from event_logs "
            "where run_id = %s and coalesce(dagster_event_type, '') "
            "not in ('ASSET_CHECK_EVALUATION_PLANNED', 'STEP_OUTPUT') order by id",
            [run_id],
        ).fetchall()
        place = {event.pop("id"): number for number, event in enumerate(events)}
        checks = connection.execute(
            "select check_name, partition, execution_status, evaluation_event_storage_id as evaluation, "
            "materialization_event_storage_id as made from asset_check_executions "
            "where run_id = %s order by check_name",
            [run_id],
        ).fetchall()
        tags = connection.execute(
            "select asset_key, key, event_id from asset_event_tags where event_id = any(%s) order by 1, 2",
            [list(place)],
        ).fetchall()
        assets = connection.execute("select asset_key, last_run_id = %s as here from asset_keys order by 1", [run_id])
        return {
            "events": events,
            "checks": [{**c, "evaluation": place[c["evaluation"]], "made": place[c["made"]]} for c in checks],
            "tags": [{**tag, "event_id": place[tag["event_id"]]} for tag in tags],
            "assets": assets.fetchall(),
        }


def test_events_and_all_that_follows_from_them_are_those_of_dagsters_own_storage(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HQ_DATABASE_URL", databases.hq)
    ours = _kept(databases, _run(tmp_path))
    monkeypatch.setattr(dagster_storage, "EventLogSaidOnce", PostgresEventLogStorage)
    theirs = _kept(databases, _run(tmp_path))
    assert ours == theirs
    assert [check["execution_status"] for check in ours["checks"]] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert {ours["events"][check["made"]]["dagster_event_type"] for check in ours["checks"]} == {
        "ASSET_MATERIALIZATION"
    }
    assert {tag["key"] for tag in ours["tags"]} == {"dagster/data_version"}
    assert ours["events"][-1]["dagster_event_type"] == "PIPELINE_FAILURE"


def test_what_is_written_short_is_read_by_dagster_as_it_was(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HQ_DATABASE_URL", databases.hq)
    run_id = _run(tmp_path)
    with _instance(tmp_path) as instance:
        entries = [entry for entry in instance.all_logs(run_id) if entry.dagster_event is not None]
        told = [entry.get_dagster_event() for entry in entries]
        history = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(CHECKED, "check_1"), 1)
    of_steps = [event for event in told if event.node_handle is not None]
    assert {(event.step_handle.to_key(), event.step_key) for event in of_steps if event.step_handle} == {
        ("makes", "makes"),
        ("breaks", "breaks"),
    }
    assert all(event.step_handle for event in of_steps)
    assert all(event.message for event in told if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    (execution,) = history
    assert (execution.run_id, execution.status.value, execution.partition) == (run_id, "FAILED", None)
    assert execution.event is not None
    assert (execution.event.step_key, execution.event.timestamp) in {(e.step_key, e.timestamp) for e in entries}
    evaluation = execution.event.get_dagster_event().asset_check_evaluation_data
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert evaluation.target_materialization_data is not None


@dg.asset
def first() -> None:
    pass


@dg.asset
def value() -> int:
    return 7


@dg.asset(deps=[first])
def second(value: int) -> None:
    assert value == 7


def two_steps() -> dg.JobDefinition:
    """A job of the steps above, as another process finds it."""
    job = dg.define_asset_job("two_steps", executor_def=dg.in_process_executor)
    return dg.Definitions(assets=[first, value, second], jobs=[job]).resolve_job_def("two_steps")


def test_a_check_is_read_with_its_event_also_when_its_run_is_deleted(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HQ_DATABASE_URL", databases.hq)
    keys = [dg.AssetCheckKey(CHECKED, f"check_{n}") for n in range(3)]
    earlier, run_id = _run(tmp_path), _run(tmp_path)
    with _instance(tmp_path) as instance:
        log = instance.event_log_storage
        newest = log.get_latest_asset_check_execution_by_key([*keys, dg.AssetCheckKey(CHECKED, "unheard_of")])
        assert [(newest[key].run_id, newest[key].status.value) for key in keys] == [
            (run_id, status) for status in ("SUCCEEDED", "FAILED", "SUCCEEDED")
        ]
        both = log.get_asset_check_execution_history(keys[1], 10)
        assert [one.run_id for one in both] == [run_id, earlier]
        assert log.get_asset_check_execution_history(keys[1], 10, cursor=both[0].id) == both[1:]
        assert log.get_asset_check_execution_history(keys[1], 10, status={Status.FAILED}) == both
        assert log.get_asset_check_execution_history(keys[1], 10, status={Status.PLANNED}) == []
        no_partition = PartitionKeyFilter(key=None)
        assert log.get_asset_check_execution_history(keys[1], 10, partition_filter=no_partition) == both
        assert log.get_latest_asset_check_execution_by_key(keys, PartitionKeyFilter(key="another")) == {}
        with connect(databases.hq) as connection:
            copies = connection.execute("select from dagster.asset_check_executions where evaluation_event is not null")
            assert copies.fetchall() == []
        instance.delete_run(run_id)
        assert instance.all_logs(run_id) == []
        assert log.get_asset_check_execution_history(keys[1], 10) == both
        assert log.get_latest_asset_check_execution_by_key(keys) == newest


def test_the_plans_of_a_run_that_succeeded_go_and_what_it_made_says_that_it_was_the_latest(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HQ_DATABASE_URL", databases.hq)
    failed = _run(tmp_path)
    with _instance(tmp_path) as instance:
        log = instance.event_log_storage
        broken, left_out = dg.AssetKey("breaks"), dg.AssetKey("left_out")
        for asset in (CHECKED, broken, left_out):
            planned = log.get_latest_planned_materialization_info(asset, "one")
            assert planned is not None
            assert planned.run_id == failed
        assert set(log.get_latest_asset_partition_materialization_attempts_without_materializations(broken)) == {"one"}
        succeeded = dg.materialize([makes], partition_key="one", instance=instance).run_id
        of_assets = (dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, dg.DagsterEventType.ASSET_MATERIALIZATION)
        for run_id, plans in ((failed, {"zebra", "checked", "left_out", "breaks"}), (succeeded, {"left_out"})):
            told, made = (
                {entry.get_dagster_event().asset_key for entry in instance.all_logs(run_id, of_type=kind)}
                for kind in of_assets
            )
            assert told == {dg.AssetKey(key) for key in plans}
            assert made == {dg.AssetKey("zebra"), CHECKED}
        for asset, latest in ((CHECKED, succeeded), (left_out, succeeded), (broken, failed)):
            planned = log.get_latest_planned_materialization_info(asset, "one")
            assert planned is not None
            assert planned.run_id == latest
            assert log.get_latest_planned_materialization_info(asset) == planned
            assert log.get_latest_planned_materialization_info(asset, "another") is None
        assert log.get_latest_asset_partition_materialization_attempts_without_materializations(CHECKED) == {}


def test_one_step_of_a_run_that_succeeded_is_executed_again(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HQ_DATABASE_URL", databases.hq)
    job = dg.reconstructable(two_steps)
    with _instance(tmp_path) as instance:
        with dg.execute_job(job, instance=instance) as result:
            assert result.success
        told = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.STEP_OUTPUT)
        assert [entry.step_key for entry in told] == ["value"], "what hands a value on stays"
        chosen = dg.ReexecutionOptions(parent_run_id=result.run_id, step_selection=["second"])
        with dg.execute_job(job, instance=instance, reexecution_options=chosen) as again:
            assert again.success
            assert [event.step_key for event in again.get_step_success_events()] == ["second"]


def test_what_a_long_step_says_is_seen_by_others_before_it_ends(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HQ_DATABASE_URL", databases.hq)
    seen = []

    @dg.asset
    def speaks(context: dg.AssetExecutionContext) -> None:
        context.log.info("are you there?")
        with connect(databases.hq, autocommit=True) as other:
            for _ in range(100):
                found = other.execute(
                    "select count(*) as n from dagster.event_logs where event like '%%are you there?%%'"
                ).fetchone()
                if found and found["n"]:
                    seen.append(found["n"])
                    return
                time.sleep(0.1)

    with _instance(tmp_path) as instance:
        assert dg.materialize([speaks], instance=instance).success
    assert seen == [1]


def test_a_step_reads_in_its_own_log_what_it_has_just_said(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HQ_DATABASE_URL", databases.hq)

    @dg.asset
    def reads(context: dg.AssetExecutionContext) -> None:
        context.log.info("found at once")
        said = [entry.user_message for entry in context.instance.all_logs(context.run.run_id)]
        assert "found at once" in said

    with _instance(tmp_path) as instance:
        assert dg.materialize([reads], instance=instance).success
