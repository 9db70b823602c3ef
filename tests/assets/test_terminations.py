"""Who ended a run is told by what Dagster stores: a person's "Terminate" pauses the batch, whatever the run was at."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import (
    BulkActionStatus,
    PartitionBackfill,
    cancel_backfill_runs_and_cancellation_complete,
)
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.utils import make_new_run_id
from dagster._daemon.monitoring import run_monitoring
from dagster_graphql.implementation import execution as mutations

from enrichment_assets.assets import terminations
from enrichment_assets.assets.instance import open_instance
from enrichment_assets.assets.jobs import BATCH_JOB
from enrichment_assets.sensors.sequencer import sequencer_sensor
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.operations.holding import resume
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.holds import Hold, read_holds
from tests.actors import TESTER
from tests.assets.test_sensors import batches_asked_for, tick
from tests.harness.handles import hq_of

QUEUED, STARTED = dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED
ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("enrichment_assets"), "__repository__"), BATCH_JOB
)
"""Where the job of a queued run is found."""
STEP, TABLE = "normalise_name", "final_leads"


@pytest.fixture
def instance(simulated: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The installation's own instance: its Postgres storage, its queue, its launcher."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.delenv("DAGSTER_DATABASE_URL", raising=False)
    monkeypatch.setenv("HQ_DATABASE_URL", simulated.hq_database_url or "")
    with open_instance(simulated) as made:
        yield made


@dataclass(frozen=True)
class Ending:
    """How a run of a batch ended.

    Attributes:
        end: What ends it, as Dagster or a person does.
        pauses: Whether its batch is paused for that.
        status: What the run was at.
        asset: What it was to make.
        backfill: What state the backfill is in whose run it is.
    """

    end: Callable[[dg.DagsterInstance, dg.DagsterRun], object]
    pauses: bool
    status: dg.DagsterRunStatus = QUEUED
    asset: str = STEP
    backfill: BulkActionStatus | None = None


def by_the_button(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """What the mutation `terminateRun` does."""
    assert instance.run_coordinator is not None
    assert instance.run_coordinator.cancel_run(run.run_id)


def with_its_backfill(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """What the daemon does for a backfill that is to end."""
    log = logging.getLogger("backfill")
    cancel_backfill_runs_and_cancellation_complete(instance, run.tags["dagster/backfill"], log)


def by_force(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """What `terminateRun` does with the policy MARK_AS_CANCELED_IMMEDIATELY where no process answers."""
    mutations._force_mark_as_canceled(instance, run.run_id)


def interrupted(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """What the run's process writes when it is told to end: `enrich down`, a deployment, Ctrl-C."""
    instance.report_run_canceled(run)


def too_long(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """What run monitoring writes of a run that lasts too long, whose process then says that it was interrupted."""
    instance.report_run_canceling(run, message="Canceling due to exceeding maximum runtime of 86400 seconds.")
    instance.report_run_canceled(run)


def died(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """What is written of a run whose process is gone, or never came."""
    instance.report_run_failed(run, "the run's process was ended by signal 9")


def told_while_starting(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """What the launcher and the run's process write where it is terminated before the first step."""
    instance.report_run_canceling(run)
    instance.report_run_canceled(run)


ENDINGS = {
    "queued": Ending(by_the_button, True),
    "queued-by-hand-for-all": Ending(by_the_button, True, asset="batch_items"),
    "starting": Ending(told_while_starting, True, status=dg.DagsterRunStatus.STARTING),
    "dead-and-marked": Ending(by_force, True, status=STARTED),
    "backfill-canceled": Ending(with_its_backfill, True, backfill=BulkActionStatus.CANCELING),
    "backfill-failed": Ending(with_its_backfill, False, backfill=BulkActionStatus.FAILING),
    "shut-down": Ending(interrupted, False, status=STARTED),
    "too-long": Ending(too_long, False, status=STARTED),
    "died": Ending(died, False, status=STARTED),
    "never-came": Ending(died, False, status=dg.DagsterRunStatus.STARTING),
    "a-table": Ending(by_the_button, False, asset=TABLE),
}


def test_the_batch_of_a_run_that_a_person_ended_is_paused_before_anything_of_it_is_started_and_no_other(
    simulated: Settings, people: Path, instance: dg.DagsterInstance
) -> None:
    hq = hq_of(simulated)
    upload = upload_file(hq, simulated, people, "acme", actor=TESTER).upload_id
    runs: dict[str, str] = {}
    for key, ending in ENDINGS.items():
        launch(
            hq, simulated, upload, "normalise-only", client="acme", batch_key=key,
            add_partition=lambda _key: None, actor=TESTER,
        )  # fmt: skip
        run = _run(instance, key, ending)
        runs[key] = run.run_id
        ending.end(instance, run)
        assert (found := instance.get_run_by_id(run.run_id)) is not None and found.is_finished, key
    wanted = {key for key, ending in ENDINGS.items() if ending.pauses}
    assert set(batches_asked_for(tick(sequencer_sensor, instance, simulated))) == set(ENDINGS) - wanted
    held = _holds(simulated)
    assert {key: (hold.kind, hold.actor, hold.reason) for key, hold in held.items()} == {
        key: ("paused", "dagster:terminate", f"run {runs[key][:8]} was terminated") for key in wanted
    }
    for key in wanted:
        resume(hq, key, actor=TESTER)
    assert set(batches_asked_for(tick(sequencer_sensor, instance, simulated))) == set(ENDINGS)
    assert _holds(simulated) == {}, "who resumed it has decided since"


def test_dagster_still_says_it_in_the_words_that_are_looked_for() -> None:
    assert terminations.TOO_LONG in inspect.getsource(run_monitoring.check_run_timeout)
    assert terminations.FORCED in inspect.getsource(mutations._force_mark_as_canceled)


def _run(instance: dg.DagsterInstance, batch: str, ending: Ending) -> dg.DagsterRun:
    """A run of the batch, stored as Dagster stores it."""
    tags = {"dagster/partition": batch}
    if ending.backfill is not None:
        tags["dagster/backfill"] = f"bf-{batch}"
        made = {"from_failure": False, "tags": {}, "backfill_timestamp": time.time()}
        instance.add_backfill(PartitionBackfill(tags["dagster/backfill"], ending.backfill, **made))
    run = dg.DagsterRun(
        BATCH_JOB,
        run_id=make_new_run_id(),
        status=ending.status,
        tags=tags,
        asset_selection=frozenset({dg.AssetKey(ending.asset)}),
        remote_job_origin=ORIGIN,
    )
    return instance.add_run(run)


def _holds(settings: Settings) -> dict[str, Hold]:
    """Batch key -> what holds all of it."""
    with hq_of(settings).transaction() as connection:
        rows = connection.execute("select batch_key, holds from batches where holds <> '{}'").fetchall()
    return {row["batch_key"]: read_holds(row["holds"])["*"] for row in rows}
