"""A schedule for each phase of a system: it asks for a run of the phase for every batch that has come to it.

For batches that were launched to go phase by phase. Off until somebody switches one on: phases spend money.
"""

from __future__ import annotations

from datetime import datetime

import dagster as dg

from enrichment_assets.assets.phases import PhaseJob
from enrichment_assets.assets.run_queue import BATCH_TAG
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.sensors.sequencer import batches_under_way, places
from enrichment_assets.store.batches.urgency import urgency_of
from enrichment_assets.store.states.phases import batches_at_phase

CRON = "15 * * * *"


def phase_schedule(phase: PhaseJob) -> dg.ScheduleDefinition:
    """The schedule of one phase, by the name of its job."""

    @dg.schedule(
        name=f"{phase.job.name}_schedule",
        job=phase.job,
        cron_schedule=CRON,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Hourly, once it is switched on: this phase of batches that go by phase and have come to it.",
    )
    def evaluate(context: dg.ScheduleEvaluationContext, platform: PlatformResource) -> list[dg.RunRequest]:
        """One run for each batch that has come to the phase."""
        return runs_of_phase(phase, context.instance, platform, context.scheduled_execution_time)

    return evaluate


def runs_of_phase(
    phase: PhaseJob, instance: dg.DagsterInstance, platform: PlatformResource, at: datetime
) -> list[dg.RunRequest]:
    """One run of the phase's job for each batch that has come to it and has none under way.

    The same tick (`at`) asks for a batch's run once, however often it is evaluated.
    """
    busy = batches_under_way(instance)
    with platform.open_hq() as hq, hq.transaction() as connection:
        found = batches_at_phase(connection, phase.system, phase.steps, phase.before, takes_new=phase.is_first)
        waiting = [key for key in found if key not in busy]
        place = places(instance, urgency_of(connection, waiting))
    return [
        dg.RunRequest(
            run_key=f"{key}:{phase.job.name}:{at:%Y-%m-%dT%H:%M}",
            partition_key=key,
            tags={BATCH_TAG: key, "enrich/reason": "phase", **place[key]},
        )
        for key in waiting
    ]
