"""What a run says of steps that stand still: in its log, on their assets, and as a tag that the list of runs shows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from enrichment_assets.assets.uploads import BATCH_ITEMS
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.statuses import Status
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.services.batches.status import status
from enrichment_assets.services.operations.remedy_sentences import sentences
from enrichment_assets.services.operations.standing import Standing, is_stopped
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states.batch_states import WorkflowCounts

if TYPE_CHECKING:
    from enrichment_assets.engine.run.advance import RunReport

OUTCOME_TAG = "enrich/outcome"
"""Run tag: `blocked: <why>` where nothing could be called, `stands still: <why>` where some steps could not."""

STANDING_CHECK = dg.AssetCheckSpec(
    "nothing_stands_still",
    asset=BATCH_ITEMS,
    description="Every step of the batch can be called: a warning names what is stopped, why, and what to do.",
)

LONGEST_TAG = 200
"""Characters: a tag is read in a list."""


def why_metadata(hq: Hq, settings: Settings, batch_key: str, slug: str, count: WorkflowCounts | None) -> dict[str, Any]:
    """Why rows of a step were skipped or failed, for its materialisation; nothing where none was."""
    if count is None or not count.skipped + count.failed + count.ambiguous + count.cancelled:
        return {}
    done = (Status.SKIPPED, Status.FAILED, Status.AMBIGUOUS, Status.CANCELLED)
    return _told(
        [one for one in status(hq, settings, batch_key).reasons if one.workflow == slug and one.status in done]
    )


def say_what_stands(
    context: dg.AssetExecutionContext,
    hq: Hq,
    settings: Settings,
    blueprint: Blueprint,
    chosen: Collection[str],
    report: RunReport,
) -> None:
    """Say why steps of this run are not done: a warning for what is stopped, a line for what waits, and the tag."""
    batch_key = context.partition_key
    open_states = [
        one
        for one in status(hq, settings, batch_key).reasons
        if one.workflow in chosen and one.status in (Status.PENDING, Status.IN_PROGRESS)
    ]
    for one in open_states:
        say = context.log.warning if is_stopped(one) else context.log.info
        say(f"{one.workflow}: {one.states} {one.status}: {one.reason}. What to do: {sentences(one.hints)}")
    for slug in dict.fromkeys(one.workflow for one in open_states):
        key = dg.AssetKey(slug.replace("-", "_"))
        if key not in context.selected_asset_keys:
            continue  # registered after this code location was loaded: it has no asset yet
        context.log_event(
            dg.AssetObservation(
                key,
                partition=batch_key,
                description="not done yet: nothing is reported for this step, and what depends on it waits",
                metadata=_told([one for one in open_states if one.workflow == slug]),
            )
        )
    outcome = outcome_of(blueprint, open_states, report)
    if outcome is not None:
        context.instance.add_run_tags(context.run.run_id, {OUTCOME_TAG: outcome})


def standing_check(hq: Hq, settings: Settings, batch_key: str) -> dg.AssetCheckResult:
    """Whether no step of the batch is stopped; a warning where one is."""
    stopped = [one for one in status(hq, settings, batch_key).reasons if is_stopped(one)]
    return dg.AssetCheckResult(
        asset_key=BATCH_ITEMS,
        check_name=STANDING_CHECK.name,
        passed=not stopped,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{one.workflow}: {one.reason}" for one in stopped) or None,
        metadata=_told(stopped),
    )


def outcome_of(blueprint: Blueprint, open_states: Sequence[Standing], report: RunReport) -> str | None:
    """The run's tag; None: whatever could be called was."""
    stopped = [one for one in open_states if is_stopped(one)]
    if not stopped:
        return None
    called = {step.slug for step in blueprint.steps if step.workflow.mode is not Mode.LOCAL}
    got_somewhere = any(slug in called and ending not in ("pending", "skipped") for slug, ending in report.moved)
    word = "stands still" if got_somewhere else "blocked"
    more = f" (and {len(stopped) - 1} more)" if len(stopped) > 1 else ""
    text = f"{word}: {stopped[0].workflow}: {stopped[0].reason}"
    return text[: LONGEST_TAG - len(more)] + more


def _told(found: Sequence[Standing]) -> dict[str, Any]:
    if not found:
        return {}
    columns = [dg.TableColumn("states", "int"), *(dg.TableColumn(name) for name in ("status", "why", "what_to_do"))]
    records = [
        dg.TableRecord(
            {"states": one.states, "status": one.status, "why": one.reason, "what_to_do": sentences(one.hints)}
        )
        for one in found
    ]
    return {"reasons": dg.MetadataValue.table(records, dg.TableSchema(columns))}
