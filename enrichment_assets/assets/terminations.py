"""A run that a person ends in Dagster's pages pauses its batch: the sequencer would start the next run otherwise.

Who ended a run is told by what Dagster's storage holds of it. A person's "Terminate" writes that the run is being
canceled before anything happens, whether the run is queued, starting or at work; "force termination" writes that it was
marked from outside. Whoever shuts the platform down, deploys or dies writes neither. Dagster itself writes the first
when a run has lasted too long, with words of its own, and when a backfill fails.

A run at work looks by itself (`assets.enrichment`). One that was queued or had only begun to start never gets there,
and one that died before it was terminated neither: the sequencer looks for those before it starts anything.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import dagster as dg
from dagster._core.execution.backfill import BulkActionStatus
from dagster._core.storage.tags import BACKFILL_ID_TAG, PARTITION_NAME_TAG

from enrichment_assets.assets.selection import ALL_STEPS, tables_of_any_batch
from enrichment_assets.assets.uploads import RAW_UPLOADS
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.store.hq import Hq

TOO_LONG = "Canceling due to exceeding maximum runtime"
"""How Dagster's run monitoring begins its message (`dagster._daemon.monitoring.run_monitoring`)."""

FORCED = "forcibly marked as canceled"
"""What is written of a run that a person marks (`dagster_graphql.implementation.execution`)."""

_ENDINGS = {dg.DagsterEventType.RUN_CANCELING, dg.DagsterEventType.RUN_CANCELED}
_BROKEN = frozenset({BulkActionStatus.FAILING, BulkActionStatus.FAILED})
"""A backfill of these ends its runs itself."""


def terminated_at(instance: dg.DagsterInstance, run: dg.DagsterRun) -> datetime | None:
    """When a person ended the run, or the backfill that it is part of; None: nobody did."""
    backfill_id = run.tags.get(BACKFILL_ID_TAG)
    backfill = instance.get_backfill(backfill_id) if backfill_id else None
    if backfill is not None and backfill.status in _BROKEN:
        return None
    for record in instance.get_records_for_run(run.run_id, of_type=_ENDINGS).records:
        entry = record.event_log_entry
        event, message = entry.get_dagster_event(), entry.get_dagster_event().message or ""
        is_canceling = event.event_type is dg.DagsterEventType.RUN_CANCELING
        if (is_canceling and not message.startswith(TOO_LONG)) or FORCED in message:
            return datetime.fromtimestamp(entry.timestamp, UTC)
    return None


def pause_terminated(instance: dg.DagsterInstance, hq: Hq, run: dg.DagsterRun) -> None:
    """Pause the run's batch where a person ended the run, and nobody has decided about the batch since."""
    at = terminated_at(instance, run)
    batch_key = run.tags.get(PARTITION_NAME_TAG)
    if at is None or batch_key is None:
        return
    from enrichment_assets.services.operations.holding import pause_unless_decided

    with suppress(EnrichError):  # it was given up, archived or removed meanwhile
        actor, reason = Actor(ActorKind.DAGSTER, "terminate"), f"run {run.run_id[:8]} was terminated"
        pause_unless_decided(hq, batch_key, actor=actor, reason=reason, since=at)


def pause_terminated_since(instance: dg.DagsterInstance, hq: Hq, since: datetime) -> None:
    """`pause_terminated` for all runs that ended as canceled since then and were to work on steps of a batch."""
    canceled = dg.RunsFilter(statuses=[dg.DagsterRunStatus.CANCELED], updated_after=since)
    for run in instance.get_runs(filters=canceled):
        if PARTITION_NAME_TAG in run.tags and _works_on_steps(run):
            pause_terminated(instance, hq, run)


def _works_on_steps(run: dg.DagsterRun) -> bool:
    """Whether it was to work on steps: tables that are not made any more are no reason to stop calls."""
    if run.asset_selection is None or ALL_STEPS.items() <= run.tags.items():
        return True
    return bool(set(run.asset_selection) - {RAW_UPLOADS, *tables_of_any_batch()})
