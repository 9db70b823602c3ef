"""All enrichment workflows as the specs of one subsettable multi-asset over the engine.

A spec per registered workflow; dependencies between specs come from `requires`/`provides`, so that the lineage in the
UI is the real one. A step with answers still to come yields nothing: Dagster then skips what is downstream by itself,
and the callback sensor's run continues.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import dagster as dg

from enrichment_assets.assets.failures import values_withheld
from enrichment_assets.assets.partitions import OWNERS, batches
from enrichment_assets.assets.progress import ProgressLog
from enrichment_assets.assets.uploads import BATCH_ITEMS
from enrichment_assets.domain.mapping import fields_named
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition
from enrichment_assets.engine.run import Interrupted, Progress, RunReport
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.services.batches import advance_batch, load_batch, workflow_counts
from enrichment_assets.services.storing import StoreReport, store_results
from enrichment_assets.settings import Settings
from enrichment_assets.store.states import WorkflowCounts

GROUP = "enrichment"
SETTLED_CHECK_SECONDS = 3.0
"""How often a run looks which steps have settled, to report them while others still work."""


def step_key(slug: str) -> dg.AssetKey:
    """The asset of a workflow: its slug with underscores (slugs have none of their own)."""
    return dg.AssetKey(slug.replace("-", "_"))


def step_specs(workflows: Sequence[WorkflowDefinition]) -> list[dg.AssetSpec]:
    """One spec per workflow; a workflow depends on the items and on earlier ones that provide what it reads."""
    ordered = sorted(workflows, key=lambda w: (w.step, w.slug))
    return [_spec(workflow, ordered[:place]) for place, workflow in enumerate(ordered)]


def _spec(workflow: WorkflowDefinition, earlier: Sequence[WorkflowDefinition]) -> dg.AssetSpec:
    reads = workflow.required_fields | set(workflow.uses)
    if workflow.run_if:
        reads |= fields_named(workflow.run_if)
    before = [w for w in earlier if w.step < workflow.step and reads & w.provided_fields]
    return dg.AssetSpec(
        key=step_key(workflow.slug),
        deps=[BATCH_ITEMS, *(step_key(w.slug) for w in before)],
        skippable=True,
        partitions_def=batches,
        group_name=GROUP,
        owners=OWNERS,
        kinds={workflow.provider, workflow.mode.value},
        description=_describe(workflow),
        tags={"enrich/mode": workflow.mode.value, "enrich/entity": workflow.entity.value},
        metadata={
            "workflow": workflow.slug,
            "provider": workflow.provider,
            "operation": workflow.operation,
            "overall_step_number": workflow.step,
            "requires": dg.MetadataValue.json(list(workflow.requires)),
            "price_estimate": f"{workflow.price.estimate} {workflow.price.currency}",
            "dagster/column_schema": dg.TableSchema(
                columns=[
                    dg.TableColumn(name, "json", description=f"JMESPath over the payload: {path}")
                    for name, path in workflow.provides.items()
                ]
            ),
        },
    )


def _describe(workflow: WorkflowDefinition) -> str:
    modes = {
        Mode.LOCAL: "computed here",
        Mode.SYNC: "answered in the response",
        Mode.ASYNC: "answered by a later callback",
    }
    lines = [f"**{workflow.title}** ({workflow.provider}, {modes[workflow.mode]})", "", workflow.description]
    if workflow.run_if:
        lines += ["", f"Runs only if `{workflow.run_if}`."]
    return "\n".join(lines)


def build_enrichment_asset(workflows: Sequence[WorkflowDefinition]) -> dg.AssetsDefinition:
    """The multi-asset over the engine for these workflows."""
    specs = step_specs(workflows)
    graph = _Graph(
        slugs={step_key(w.slug): w.slug for w in workflows},
        upstream={spec.key: [dep.asset_key for dep in spec.deps if dep.asset_key != BATCH_ITEMS] for spec in specs},
    )

    @dg.multi_asset(name="enrichment_steps", specs=specs, partitions_def=batches, can_subset=True)
    def enrichment_steps(
        context: dg.AssetExecutionContext, platform: PlatformResource
    ) -> Iterator[dg.MaterializeResult]:
        """Advance the batch through the selected steps and report each as it settles."""
        with values_withheld():
            yield from _advance(context, platform, graph)

    return enrichment_steps


@dataclass(frozen=True)
class _Graph:
    """The specs as the asset needs them: slug and upstream steps by key, in topological order."""

    slugs: Mapping[dg.AssetKey, str]
    upstream: Mapping[dg.AssetKey, Sequence[dg.AssetKey]]


def _advance(
    context: dg.AssetExecutionContext, platform: PlatformResource, graph: _Graph
) -> Iterator[dg.MaterializeResult]:
    settings, batch_key = platform.settings(), context.partition_key
    blueprint = load_batch(settings, batch_key).blueprint
    planned = {step.slug for step in blueprint.steps}
    emitting = {step.slug for step in blueprint.steps if step.workflow.emits is not None}
    selected = [key for key in graph.upstream if key in context.selected_asset_keys]
    # A whole run also works on steps that were registered after this code location was loaded: they have no asset yet.
    whole = len(selected) == len(graph.upstream)
    chosen = planned if whole else {graph.slugs[key] for key in selected} & planned
    reporter = _Reporter(settings, batch_key, graph, selected, planned, emitting)
    if not chosen:
        yield from reporter.settled()
        return
    progress = ProgressLog(context.log.info, progress_listener())
    worker = _Worker(settings, batch_key, platform, chosen, progress)
    with worker:
        while not worker.wait(SETTLED_CHECK_SECONDS):
            progress.say()
            yield from reporter.settled()
    report = worker.result()
    reporter.stored = store_results(settings, batch_key)
    for slug, stored in reporter.stored.items():
        if stored.problem:
            context.log.warning(f"{slug}: results are kept and not stored in their destination: {stored.problem}")
    yield from reporter.settled()
    _say_what_is_left(context, settings, batch_key, chosen, report)


class _Reporter:
    """Reports each selected step once, when it has settled and every selected step above it was reported.

    Dagster wants results in topological order; a step above that still waits for answers holds back those below it.
    So does a step that may still emit child items: they go through earlier steps too.
    """

    def __init__(
        self,
        settings: Settings,
        batch_key: str,
        graph: _Graph,
        selected: Sequence[dg.AssetKey],
        planned: set[str],
        emitting: set[str],
    ) -> None:
        self._settings = settings
        self._batch_key = batch_key
        self._graph = graph
        self._selected = selected
        self._planned = planned
        self._emitting = emitting
        self._reported: set[dg.AssetKey] = set()
        self.stored: Mapping[str, StoreReport] = {}

    def settled(self) -> Iterator[dg.MaterializeResult]:
        """Results of the steps that may be reported now."""
        counts = workflow_counts(self._settings, self._batch_key)
        if not all(self._has_settled(slug, counts) for slug in self._emitting):
            return
        for key in self._selected:
            slug = self._graph.slugs[key]
            if key in self._reported or not self._above_reported(key) or not self._has_settled(slug, counts):
                continue
            self._reported.add(key)
            yield dg.MaterializeResult(asset_key=key, metadata=self._metadata(slug, counts.get(slug)))

    def _above_reported(self, key: dg.AssetKey) -> bool:
        return all(k in self._reported for k in self._graph.upstream[key] if k in self._selected)

    def _has_settled(self, slug: str, counts: Mapping[str, WorkflowCounts]) -> bool:
        return slug not in self._planned or slug not in counts or counts[slug].settled

    def _metadata(self, slug: str, count: WorkflowCounts | None) -> dict[str, Any]:
        if slug not in self._planned:
            return {"dagster/row_count": 0, "note": "not in this batch's blueprint: nothing to do"}
        metadata: dict[str, Any] = step_metadata(count) if count else {"dagster/row_count": 0}
        if slug in self.stored:
            stored = self.stored[slug]
            metadata |= {"destination": stored.table, "stored_rows": stored.rows}
            if stored.problem:
                metadata["not_stored"] = stored.problem
            if stored.unfit:
                metadata["values_that_did_not_fit"] = dict(stored.unfit)
        return metadata


class _Worker:
    """The engine in a thread of its own, so that the asset can report steps while it works.

    Leaving the block early (the run was terminated) lets calls under way finish before it returns. The thread says
    itself that it is done: on Python 3.9 to 3.12 a `join` that a signal handler's exception interrupts makes
    `is_alive()` false for ever, and calls that were paid for would be lost with the process.
    """

    def __init__(
        self,
        settings: Settings,
        batch_key: str,
        platform: PlatformResource,
        selection: set[str],
        progress: ProgressLog,
    ) -> None:
        self._progress = progress
        self._stop = threading.Event()
        self._done = threading.Event()
        self._report: RunReport | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(
            target=self._work, args=(settings, batch_key, platform, selection), name=f"engine {batch_key}"
        )

    def _work(self, settings: Settings, batch_key: str, platform: PlatformResource, selection: set[str]) -> None:
        try:
            self._report = advance_batch(
                settings, batch_key, platform.providers(), selection, self._progress.listen, self._stop
            )
        except BaseException as error:
            self._error = error
        finally:
            self._done.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._done.wait()

    def wait(self, seconds: float) -> bool:
        """True when the engine is done."""
        return self._done.wait(seconds)

    def result(self) -> RunReport:
        """The engine's report; raises what it raised (an interruption is not retried)."""
        if isinstance(self._error, Interrupted):
            raise dg.Failure(str(self._error), allow_retries=False) from self._error
        if self._error is not None:
            raise self._error
        if self._report is None:
            raise dg.Failure("the engine ended without a report", allow_retries=False)
        return self._report


_listeners: list[Any] = []


def progress_listener() -> Any:
    """What the door that started this process's run wants to hear about progress; None: nothing."""
    return _listeners[-1] if _listeners else None


class listening:  # noqa: N801 - reads as a statement
    """`with listening(callback):` runs started in this process report their `Progress` to the callback."""

    def __init__(self, callback: Any) -> None:
        self._callback = callback

    def __enter__(self) -> None:
        _listeners.append(self._callback)

    def __exit__(self, *_: object) -> None:
        _listeners.remove(self._callback)


def step_metadata(count: WorkflowCounts) -> dict[str, Any]:
    """What the UI shows for one step of one batch."""
    metadata: dict[str, Any] = {
        "dagster/row_count": count.items,
        "found": count.found,
        "not_found": count.not_found,
        "skipped": count.skipped,
        "failed": count.failed,
        "ambiguous": count.ambiguous,
        "calls": count.calls,
        "cost": float(count.cost),
    }
    if count.p50_ms is not None and count.p95_ms is not None:
        metadata |= {"latency_p50_ms": round(count.p50_ms, 1), "latency_p95_ms": round(count.p95_ms, 1)}
    return metadata


def _say_what_is_left(
    context: dg.AssetExecutionContext, settings: Settings, batch_key: str, chosen: set[str], report: RunReport
) -> None:
    for slug, reason in report.stopped.items():
        context.log.warning(f"{slug}: items stay PENDING: {reason}")
    counts = workflow_counts(settings, batch_key)
    for slug, count in counts.items():
        if slug in chosen and not count.settled:
            context.log.info(
                f"{slug}: {count.in_progress} items wait for a callback, {count.pending} for their turn; "
                "nothing is reported for this step yet, and what depends on it is skipped in this run"
            )


__all__ = ["Progress", "build_enrichment_asset", "listening", "step_key", "step_metadata", "step_specs"]
