"""Runs start in warm processes where `enrich up` offers them, else as Dagster's own launcher starts them (ADR 0025).

A process per run that imports everything again takes three CPU seconds before its first step, for a list of 48 rows
more than the run itself. The command that a warm process runs is the one that Dagster gives to launchers for containers
(`dagster api execute_run`); what the code location holds is read anew by each run.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.storage.tags import HIDDEN_TAG_PREFIX
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import deserialize_value, serialize_value

from enrichment_assets.installation.warm_processes import WARM_PROCESSES, ask

WORKER_TAG = f"{HIDDEN_TAG_PREFIX}enrich/warm-process"
"""Run tag: the socket of the program whose child the run is; empty: Dagster's own launcher started it after all."""

log = logging.getLogger("enrichment_assets.run_launcher")


class WarmRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher, with warm processes where there are some."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Have the run started; raises what Dagster's launcher raises."""
        if not self._started_warm(context):
            super().launch_run(context)

    def _started_warm(self, context: LaunchRunContext) -> bool:
        path, run, origin = os.environ.get(WARM_PROCESSES), context.dagster_run, context.job_code_origin
        if not path or origin is None:
            return False
        arguments = ExecuteRunArgs(job_origin=origin, run_id=run.run_id, instance_ref=self._instance.get_ref())
        buried = [__name__, serialize_value(self._instance.get_ref()), run.run_id]
        command = ["api", "execute_run", serialize_value(arguments)]
        self._instance.add_run_tags(run.run_id, {WORKER_TAG: path})
        order = {"start": run.run_id, "module": "dagster", "arguments": command, "if_it_dies": buried}
        if _asked(path, order):
            return True
        self._instance.add_run_tags(run.run_id, {WORKER_TAG: ""})
        return False

    def terminate(self, run_id: str) -> bool:
        """Interrupt the run's process, as Ctrl-C does; False: there is none."""
        run = self._instance.get_run_by_id(run_id)
        path = run.tags.get(WORKER_TAG) if run is not None else None
        if run is None or run.is_finished or not path or not _asked(path, {"look": run_id}):
            return bool(super().terminate(run_id))  # type: ignore[no-untyped-call]
        self._instance.report_run_canceling(run)
        return _asked(path, {"interrupt": run_id})

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether a run still has its process can be asked."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the run's process lives; of a run that Dagster's launcher started, its code server sees to that."""
        path = run.tags.get(WORKER_TAG)
        if not path or _asked(path, {"look": run.run_id}):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "the run's process is gone")


def _asked(path: str, order: Mapping[str, Any]) -> bool:
    try:
        return bool(ask(path, dict(order)).get("done"))
    except (OSError, ValueError) as error:
        log.warning("The warm processes do not answer (%s).", error)
        return False


def report_died(instance_ref: str, run_id: str, exit_code: int) -> None:
    """Say in Dagster's history that a run's process ended by itself; the run has failed unless it had ended before."""
    with dg.DagsterInstance.from_ref(deserialize_value(instance_ref, InstanceRef)) as instance:
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return
        how = f"was ended by signal {-exit_code}" if exit_code < 0 else f"ended with exit code {exit_code}"
        instance.report_engine_event(f"The run's process {how}.", run, cls=WarmRunLauncher)
        instance.report_run_failed(run)


if __name__ == "__main__":
    report_died(sys.argv[1], sys.argv[2], int(sys.argv[3]))
