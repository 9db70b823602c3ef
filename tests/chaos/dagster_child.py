"""`python -m tests.chaos.dagster_child`: a process that forks Dagster runs and ticks of the sensor daemon, to
be killed.

The code location is the package's own, loaded as a daemon loads it; runs are Dagster's in-process executor on an
instance of its own, in the folder that DAGSTER_HOME names. Orders are those of `server`:
`{"batch": key, "fault": ...}` is a run of the batch job, `{"tick": [sensor, ...], "crash": {sensor: point},
"fault": ...}` one look of the daemon with these sensors, which also executes the runs that it launches.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import Any

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.scheduler.instigation import SensorInstigatorData
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.sensor import execute_sensor_iteration

from enrichment_assets.assets.jobs import BATCH_JOB
from enrichment_assets.assets.partitions import PARTITIONS_NAME
from enrichment_assets.definitions import defs
from tests.chaos.faults import arm
from tests.harness.fork_server import serve

QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


def order_of(order: dict[str, Any]) -> int:
    """Do what is ordered; 0: it ended well, 2: the run failed."""
    if order.get("fault"):
        arm(order["fault"])
    with dg.DagsterInstance.from_config(os.environ["DAGSTER_HOME"]) as instance:
        if "tick" in order:
            return _tick(instance, order["tick"], order.get("crash") or {})
        return _run(instance, order["batch"])


def _run(instance: dg.DagsterInstance, batch: str) -> int:
    instance.add_dynamic_partitions(PARTITIONS_NAME, [batch])
    job = defs.resolve_job_def(BATCH_JOB)
    result = job.execute_in_process(partition_key=batch, instance=instance, raise_on_error=False, run_config=QUIET)
    return 0 if result.success else 2


def _tick(instance: dg.DagsterInstance, sensors: list[str], crash: dict[str, str]) -> int:
    target = LoadableTargetOrigin(
        executable_path=sys.executable, module_name="enrichment_assets.definitions", attribute="defs"
    )
    workspace = InProcessWorkspaceLoadTarget(InProcessCodeLocationOrigin(target))
    flags = {sensor: {point: signal.SIGKILL} for sensor, point in crash.items()}
    with WorkspaceProcessContext(instance, workspace) as context:
        _make_due(instance, context, sensors)
        list(execute_sensor_iteration(context, logging.getLogger("daemon"), None, None, debug_crash_flags=flags))
    return 0


def _make_due(instance: dg.DagsterInstance, context: WorkspaceProcessContext, names: list[str]) -> None:
    """Let these sensors look now, as if their interval were over, and no other; what else they remember stays."""
    known = {state.selector_id: state for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR)}
    for location in context.create_request_context().code_locations:
        for repository in location.get_repositories().values():
            for sensor in repository.get_sensors():
                if sensor.name not in names:
                    instance.stop_sensor(sensor.get_remote_origin_id(), sensor.selector_id, sensor)
                    continue
                state = instance.start_sensor(sensor) if sensor.selector_id in known else None
                if state is not None and isinstance(state.instigator_data, SensorInstigatorData):
                    due = state.instigator_data._replace(last_tick_timestamp=0.0, last_tick_start_timestamp=0.0)
                    instance.update_instigator_state(state.with_data(due))


if __name__ == "__main__":
    serve(order_of)
