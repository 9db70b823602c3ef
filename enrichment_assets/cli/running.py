"""Running a batch in this process through Dagster, with a progress bar. Used by `enrich run` and `enrich demo`."""

from __future__ import annotations

import json
import logging
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from enrichment_assets.assets.enrichment import listening
from enrichment_assets.assets.extraction import model_key
from enrichment_assets.assets.instance import open_instance
from enrichment_assets.assets.jobs import ANALYTICS_JOB, BATCH_JOB
from enrichment_assets.assets.partitions import PARTITIONS_NAME
from enrichment_assets.assets.publication import PUBLISHED
from enrichment_assets.assets.selection import ALL_STEPS, WHERE_TAG, assets_of_run, tables_of_a_batch
from enrichment_assets.assets.steps import step_key
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.code_location import kept_definitions
from enrichment_assets.domain.errors import ConfigurationError, EnrichError
from enrichment_assets.engine.run.advance import Progress as EngineProgress
from enrichment_assets.services.batches.extracting import bring_up_to_date
from enrichment_assets.services.batches.status import BatchStatus, batch_row, status
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.inbox.callbacks import new_callbacks_by_batch
from enrichment_assets.store.states.groups import outlooks
from enrichment_assets.store.states.waiting_batches import batches_to_resume, waits_for_people
from enrichment_assets.warehouse import load_project

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster keeps the trace of what failed on the run's page; here one sentence says it."""

INTERRUPTED_EXIT_CODE = 130
"""What a shell gives a program that Ctrl-C ended."""

LOOK_SECONDS = 1.0
"""How often a waiting `run` looks for callbacks."""


class RunFailedError(EnrichError):
    """The Dagster run failed; its id and the first error are in the message."""

    default_code = "run.failed"


class RunInterruptedError(EnrichError):
    """Somebody stopped the run. Calls that were under way were finished and stored."""

    default_code = "run.interrupted"

    exit_code = INTERRUPTED_EXIT_CODE


def run_batch(
    hq: Hq,
    settings: Settings,
    batch_key: str,
    *,
    workflows: Sequence[str] | None,
    wait: bool,
    show: bool = True,
    where: Sequence[str] = (),
) -> None:
    """Run a batch in this process; with `wait`, again and again until nothing of it is open.

    Then what is asked across batches (`organisations`) is built too: without a daemon nobody else would.
    `where`: conditions that choose items, for one workflow alone (`services.batches.choosing`).

    Raises:
        NotFoundError: there is no such batch.
        ConfigurationError: a named workflow is not registered.
        RunFailedError: the run failed.
        RunInterruptedError: Ctrl-C, or SIGTERM.
    """
    status(hq, settings, batch_key)
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    definitions = kept_definitions(settings)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # who stops it politely is heard too
    try:
        _run_until_done(definitions, hq, settings, batch_key, workflows, wait=wait, show=show, where=where)
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        done = status(hq, settings, batch_key)
        raise RunInterruptedError(
            f"stopped, calls under way were finished: {_so_far(done)}. To go on: enrich run {batch_key}"
        ) from None


def _so_far(done: BatchStatus) -> str:
    """How far a stopped batch is; its rows are items only from the first step on."""
    return f"{done.done} of {done.items} items are done" if done.items else "nothing had been asked yet"


def _run_until_done(
    definitions: dg.Definitions,
    hq: Hq,
    settings: Settings,
    batch_key: str,
    workflows: Sequence[str] | None,
    *,
    wait: bool,
    show: bool,
    where: Sequence[str],
) -> None:
    with open_instance(settings, keep_output=False) as instance:
        instance.add_dynamic_partitions(PARTITIONS_NAME, [batch_key])
        tags = ALL_STEPS if workflows is None else {WHERE_TAG: json.dumps(list(where))} if where else {}
        while True:
            assets = _selected(definitions, hq, batch_key, workflows)
            with _Bars(settings, batch_key) if show else nullcontext():
                _run_once(definitions, instance, batch_key, assets, tags)
            if not wait or _is_over(hq, settings, batch_key) or not _wait_for_news(hq, settings, batch_key):
                break
        if workflows is None:
            if not status(hq, settings, batch_key).finished:
                bring_up_to_date(hq, settings, batch_key)
            elif PUBLISHED not in assets:
                _run_once(definitions, instance, batch_key, tables_of_a_batch(_system(hq, batch_key)), {})
            _build_organisations(definitions, instance, _system(hq, batch_key))


def _system(hq: Hq, batch_key: str) -> str | None:
    """The system of a batch, by its pipeline."""
    found: str | None = batch_row(hq, batch_key).blueprint.get("system")
    return found


def _selected(
    definitions: dg.Definitions, hq: Hq, batch_key: str, workflows: Sequence[str] | None
) -> list[dg.AssetKey]:
    """What the next run makes: these steps, or what the daemon would have made: steps, and tables if it may finish."""
    shown = definitions.resolve_job_def(BATCH_JOB).asset_layer.executable_asset_keys
    if not workflows:
        with hq.transaction() as connection:
            return assets_of_run(outlooks(connection, [batch_key])[batch_key], set(shown))
    unknown = [slug for slug in workflows if step_key(slug) not in shown]
    if unknown:
        raise ConfigurationError(
            f"there is no workflow {', '.join(unknown)}; `enrich workflow list` shows them", code="workflow.not_found"
        )
    return [step_key(slug) for slug in workflows]


def _run_once(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    batch_key: str,
    assets: Sequence[dg.AssetKey],
    tags: Mapping[str, str],
) -> None:
    result = definitions.resolve_job_def(BATCH_JOB).execute_in_process(
        partition_key=batch_key,
        instance=instance,
        asset_selection=list(assets),
        tags={"enrich/batch": batch_key, "enrich/reason": "enrich run", **tags},
        run_config=_QUIET,
        raise_on_error=False,
    )
    if not result.success:
        if _was_interrupted(result):
            raise KeyboardInterrupt
        raise RunFailedError(f"the run {result.run_id} failed: {_first_error(result)}")


def _was_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether the run failed because this process was told to stop."""
    errors = [e.step_failure_data.error for e in result.all_events if e.is_failure and e.is_step_event]
    return any(error is not None and error.cls_name == "DagsterExecutionInterruptedError" for error in errors)


def _build_organisations(definitions: dg.Definitions, instance: dg.DagsterInstance, system: str | None) -> None:
    """Build and publish the tables over all batches, as the daemon does when a batch of this system is extracted."""
    models = load_project().of_system(system).models.values()
    published = [m.name for m in models if m.published and not m.partitioned and not m.on_demand]
    result = definitions.resolve_job_def(ANALYTICS_JOB).execute_in_process(
        instance=instance,
        asset_selection=[model_key(name) for name in published],
        tags={"enrich/reason": "enrich run"},
        run_config=_QUIET,
        raise_on_error=False,
    )
    if not result.success:
        raise RunFailedError(f"the run {result.run_id} failed: {_first_error(result)}")


def _first_error(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_failure and event.is_step_event:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None:
                return error.message.strip().splitlines()[0]
    return "see `enrich up` and the run's page"


def _is_over(hq: Hq, settings: Settings, batch_key: str) -> bool:
    """Whether nothing is left to wait for but people, who take their time."""
    with hq.transaction() as connection:
        return waits_for_people(connection, batch_key) or status(hq, settings, batch_key).finished


def _wait_for_news(hq: Hq, settings: Settings, batch_key: str) -> bool:
    """True when the batch has callbacks in the inbox or something of it is due; False when another run finished it."""
    with connect(hq.url, autocommit=True) as connection:
        while True:
            time.sleep(LOOK_SECONDS)
            if any(b.batch_key == batch_key for b in new_callbacks_by_batch(connection)):
                return True
            if any(b.batch_key == batch_key for b in batches_to_resume(connection)):
                return True
            if status(hq, settings, batch_key).extracted:
                return False


class _Bars:
    """A progress bar for each step of the batch, fed by the engine."""

    def __init__(self, settings: Settings, batch_key: str) -> None:
        self._settings = settings
        self._batch_key = batch_key
        self._bars: dict[str, tuple[TaskID, int]] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._listening = listening(self._show)

    def __enter__(self) -> None:
        self._progress.start()
        self._listening.__enter__()

    def __exit__(self, *exit_info: object) -> None:
        self._listening.__exit__(*exit_info)
        self._progress.stop()

    def _show(self, progress: EngineProgress) -> None:
        hq = opened_hq()
        if not self._bars:
            for row in status(hq, self._settings, self._batch_key).workflows:
                before = row.items - row.pending - row.in_progress
                self._bars[row.slug] = (self._progress.add_task(row.slug, total=row.items), before)
        done: dict[str, int] = {}
        for (slug, ending), states in progress.moved.items():
            if ending not in ("pending", "in_progress"):
                done[slug] = done.get(slug, 0) + states
        for slug, (bar, before) in self._bars.items():
            completed = before + done.get(slug, 0)
            total = self._progress.tasks[bar].total or 0
            self._progress.update(bar, completed=completed, total=max(total, completed))  # child items came meanwhile
