"""The items, all enrichment workflows and the results of a batch: one subsettable multi-asset over the engine.

What a batch does not have yields nothing, and neither does a step with answers still to come: Dagster then skips the
tables by itself, and the callback sensor's run continues. Within one op nothing is skipped because of a neighbour, so
the results follow the steps that the batch has.

The engine is imported when a run works on steps: every process of Dagster loads this module.
"""

import json
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import dagster as dg

from enrichment_assets.assets.failures import values_withheld
from enrichment_assets.assets.family_looks import FamilyLooks
from enrichment_assets.assets.partitions import batches
from enrichment_assets.assets.progress import ProgressLog
from enrichment_assets.assets.results import RESULTS, export_results, results_spec
from enrichment_assets.assets.selection import ALL_STEPS, WHERE_TAG
from enrichment_assets.assets.standing import STANDING_CHECK, say_what_stands, standing_check, why_metadata
from enrichment_assets.assets.steps import StepGraph, step_graph, step_specs
from enrichment_assets.assets.terminations import pause_terminated
from enrichment_assets.assets.uploads import BATCH_ITEMS, ITEMS_CHECK, ITEMS_SPEC, lay_out
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.services.batches.status import blueprint_of, workflow_counts
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states.batch_states import WorkflowCounts
from enrichment_assets.store.states.waiting_batches import waits_for_people

if TYPE_CHECKING:
    from enrichment_assets.services.batches.storing import StoreReport

BEFORE_THE_TABLES = {"dagster/priority": "1"}
"""Of two ops that a run may start, Dagster's executor takes the one of higher priority: the results and a table that is
only indirectly made of them can be selected together."""
SETTLED_CHECK_SECONDS = 3.0
"""How often a run looks which steps have settled, to report them while others still work."""


def build_enrichment_asset(workflows: Sequence[WorkflowDefinition]) -> dg.AssetsDefinition:
    """The multi-asset over the engine for these workflows: the items, a step per workflow, and the results."""
    graph = step_graph(workflows)

    @dg.multi_asset(
        name="enrichment_steps",
        specs=[ITEMS_SPEC, *step_specs(workflows), results_spec(graph.last)],
        check_specs=[ITEMS_CHECK, STANDING_CHECK],
        partitions_def=batches,
        can_subset=True,
        op_tags=BEFORE_THE_TABLES,
    )
    def enrichment_steps(
        context: dg.AssetExecutionContext, platform: PlatformResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        """Lay out the items, advance the batch through the selected steps and report each as it settles."""
        with values_withheld(), platform.open_hq() as hq:
            yield from _run(context, platform, hq, graph)

    return enrichment_steps


def _run(
    context: dg.AssetExecutionContext, platform: PlatformResource, hq: Hq, graph: StepGraph
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    settings, batch_key = platform.settings(), context.partition_key
    blueprint = blueprint_of(hq, batch_key)
    if BATCH_ITEMS in context.selected_asset_keys:
        checks = context.selected_asset_check_keys
        yield lay_out(hq, settings, batch_key, check=dg.AssetCheckKey(BATCH_ITEMS, ITEMS_CHECK.name) in checks)
    everything_settled = yield from _advance(context, platform, hq, graph, blueprint)
    for problem, families in FamilyLooks(hq, batch_key, blueprint, context.log.warning).last().items():
        context.log.warning(f"{families} families are kept and not written into their tables: {problem}")
    if STANDING_CHECK.key in context.selected_asset_check_keys:
        yield standing_check(hq, settings, batch_key)
    if RESULTS in context.selected_asset_keys and (everything_settled or _waits_for_people(hq, batch_key)):
        yield export_results(hq, settings, batch_key)


def _waits_for_people(hq: Hq, batch_key: str) -> bool:
    """Whether the tables are made although steps are open: nobody knows how long people take."""
    with hq.transaction() as connection:
        return waits_for_people(connection, batch_key)


def _advance(
    context: dg.AssetExecutionContext, platform: PlatformResource, hq: Hq, graph: StepGraph, blueprint: Blueprint
) -> Generator[dg.MaterializeResult, None, bool]:
    """Work on the selected steps; whether all that were worked on have settled, at the end."""
    from enrichment_assets.assets.engine_worker import EngineWorker
    from enrichment_assets.services.batches.storing import store_results

    settings, batch_key = platform.settings(), context.partition_key
    chosen, selected = _chosen(context, graph, blueprint)
    if not chosen:
        return True
    reporter = _Reporter(hq, settings, batch_key, graph, selected, blueprint)
    progress = ProgressLog(context.log.info, progress_listener())
    worker = EngineWorker(
        hq,
        settings,
        batch_key,
        platform,
        chosen,
        progress,
        was_stopped=lambda: _was_stopped(context),
        on_terminated=lambda: pause_terminated(context.instance, hq, context.run),
        only=_only(context, hq, settings, chosen),
    )
    looks = FamilyLooks(hq, batch_key, blueprint, context.log.warning)
    with worker:
        while not worker.wait(SETTLED_CHECK_SECONDS):
            progress.say()
            yield from reporter.settled()
            looks.look()
    report = worker.result()
    reporter.stored = store_results(hq, batch_key)
    for slug, stored in reporter.stored.items():
        if stored.problem:
            context.log.warning(f"{slug}: results are kept and not stored in their destination: {stored.problem}")
    yield from reporter.settled()
    say_what_stands(context, hq, settings, blueprint, chosen, report)
    counts = workflow_counts(hq, batch_key)
    return all(slug not in counts or counts[slug].settled for slug in chosen)


def _only(
    context: dg.AssetExecutionContext, hq: Hq, settings: Settings, chosen: Collection[str]
) -> frozenset[int] | None:
    """The items that a run for chosen ones is about, by its tag; None: it is about all."""
    if WHERE_TAG not in context.run.tags:
        return None
    from enrichment_assets.domain.conditions import parse_conditions
    from enrichment_assets.services.batches.choosing import choose

    if len(chosen) != 1:
        raise dg.Failure("a run for chosen items is of one step", allow_retries=False)
    (workflow,) = chosen
    conditions = parse_conditions(json.loads(context.run.tags[WHERE_TAG]))
    return choose(hq, settings, context.partition_key, workflow, conditions).items


def _chosen(
    context: dg.AssetExecutionContext, graph: StepGraph, blueprint: Blueprint
) -> tuple[set[str], list[dg.AssetKey]]:
    """The workflows that this run works on, and the assets of those that it reports.

    A step that the batch does not have is left out: it has nothing to show. A run of all steps also works on those that
    were registered after this code location was loaded: they have no asset yet.
    """
    planned = {step.slug for step in blueprint.steps}
    asked = [key for key in graph.parents if key in context.selected_asset_keys]
    selected = [key for key in asked if graph.slugs[key] in planned]
    if len(selected) < len(asked):
        context.log.info(f"{len(asked) - len(selected)} of the selected steps are not in this batch's blueprint")
    whole = len(asked) == len(graph.parents) or ALL_STEPS.items() <= context.run.tags.items()
    return planned if whole else {graph.slugs[key] for key in selected}, selected


class _Reporter:
    """Reports each selected step once, when it has settled and every selected step above it was reported.

    Dagster wants results in topological order; a step above that still waits for answers holds back those below it.
    So does a step that may still emit child items: they go through earlier steps too.
    """

    def __init__(
        self,
        hq: Hq,
        settings: Settings,
        batch_key: str,
        graph: StepGraph,
        selected: Sequence[dg.AssetKey],
        blueprint: Blueprint,
    ) -> None:
        self._hq = hq
        self._settings = settings
        self._batch_key = batch_key
        self._graph = graph
        self._selected = selected
        self._emitting = {step.slug for step in blueprint.steps if step.workflow.emits is not None}
        self._reported: set[dg.AssetKey] = set()
        self.stored: Mapping[str, StoreReport] = {}

    def settled(self) -> Iterator[dg.MaterializeResult]:
        """Results of the steps that may be reported now."""
        counts = workflow_counts(self._hq, self._batch_key)
        if not all(self._has_settled(slug, counts) for slug in self._emitting):
            return
        for key in self._selected:
            slug = self._graph.slugs[key]
            if key in self._reported or not self._above_reported(key) or not self._has_settled(slug, counts):
                continue
            self._reported.add(key)
            yield dg.MaterializeResult(asset_key=key, metadata=self._metadata(slug, counts.get(slug)))

    def _above_reported(self, key: dg.AssetKey) -> bool:
        return all(k in self._reported for k in self._graph.parents[key] if k in self._selected)

    def _has_settled(self, slug: str, counts: Mapping[str, WorkflowCounts]) -> bool:
        return slug not in counts or counts[slug].settled

    def _metadata(self, slug: str, count: WorkflowCounts | None) -> dict[str, Any]:
        metadata: dict[str, Any] = step_metadata(count) if count else {"dagster/row_count": 0}
        if slug in self.stored:
            stored = self.stored[slug]
            metadata |= {"destination": stored.table, "stored_rows": stored.rows}
            if stored.problem:
                metadata["not_stored"] = stored.problem
            if stored.unfit:
                metadata["values_that_did_not_fit"] = dict(stored.unfit)
        return metadata | why_metadata(self._hq, self._settings, self._batch_key, slug, count)


def _was_stopped(context: dg.AssetExecutionContext) -> bool:
    """Whether Dagster's storage says that the run is to end or has ended; a storage that fails stops nobody."""
    with suppress(Exception):
        run = context.instance.get_run_by_id(context.run_id)
        return run is not None and (run.is_finished or run.status is dg.DagsterRunStatus.CANCELING)
    return False


_listeners: list[Any] = []


def progress_listener() -> Any:
    """What the entry point that started this process's run wants to hear about progress; None: nothing."""
    return _listeners[-1] if _listeners else None


class listening:  # noqa: N801 - reads as a statement
    """`with listening(callback):` runs started in this process report their `Progress` to the callback."""

    def __init__(self, callback: Any) -> None:
        self._callback = callback

    def __enter__(self) -> None:
        _listeners.append(self._callback)

    def __exit__(self, *_: object) -> None:
        _listeners.remove(self._callback)


# crash point: step-is-reported
def step_metadata(count: WorkflowCounts) -> dict[str, Any]:
    """What the UI shows for one step of one batch."""
    metadata: dict[str, Any] = {
        "dagster/row_count": count.items,
        "found": count.found,
        "not_found": count.not_found,
        "skipped": count.skipped,
        "failed": count.failed,
        "ambiguous": count.ambiguous,
        **({"cancelled": count.cancelled} if count.cancelled else {}),
        "calls": count.calls,
        "cost": float(count.cost),
    }
    if count.p50_ms is not None and count.p95_ms is not None:
        metadata |= {"latency_p50_ms": round(count.p50_ms, 1), "latency_p95_ms": round(count.p95_ms, 1)}
    return metadata


__all__ = ["build_enrichment_asset", "listening", "step_metadata"]
