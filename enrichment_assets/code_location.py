"""What Dagster is shown of this installation: `build_definitions(...)` makes it from parts that a test may replace.

The enrichment assets come from the registry table: a workflow added there is an asset after the location reloads. When
the database cannot be reached, the built-in workflows are shown instead, and the log says so. Nothing is read before it
is called: a process can have this module loaded, and fork (`installation.warm_processes`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import dagster as dg

from enrichment_assets.assets.delivery import build_delivery_assets, delivery_jobs
from enrichment_assets.assets.enrichment import build_enrichment_asset
from enrichment_assets.assets.extraction import build_model_assets
from enrichment_assets.assets.freshness import freshness_batches, freshness_job, freshness_schedule
from enrichment_assets.assets.instantly import (
    instantly_accounts_raw,
    instantly_campaigns_raw,
    instantly_daily_analytics_raw,
    instantly_job,
    instantly_schedule,
)
from enrichment_assets.assets.jobs import analytics_job, batch_job
from enrichment_assets.assets.phases import phase_jobs, whole_jobs
from enrichment_assets.assets.uploads import raw_apollo_uploads
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.resources.no_values import no_values
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.resources.providers import provider_resources
from enrichment_assets.sensors.alerts import alert_sensor
from enrichment_assets.sensors.analytics import analytics_sensor
from enrichment_assets.sensors.asked import asked_changes_sensor
from enrichment_assets.sensors.callbacks import callback_sensor
from enrichment_assets.sensors.deliveries import delivery_sensor
from enrichment_assets.sensors.drafts import draft_sensor
from enrichment_assets.sensors.erasures import erasure_sensor
from enrichment_assets.sensors.events import event_sensor
from enrichment_assets.sensors.inbox import upload_sensor
from enrichment_assets.sensors.phases import phase_schedule
from enrichment_assets.sensors.retention import retention_job, retention_schedule
from enrichment_assets.sensors.sequencer import sequencer_sensor
from enrichment_assets.sensors.sources import source_sensor
from enrichment_assets.sensors.webhooks import webhook_sensor
from enrichment_assets.services.catalog.configuration import list_workflows
from enrichment_assets.settings import Settings

log = logging.getLogger("enrichment_assets.code_location")


def registered_workflows(settings: Settings) -> list[WorkflowDefinition]:
    """The enabled workflows of the registry table, or the built-in ones when the database is down."""
    try:
        with open_hq(settings) as hq:
            return [row.definition for row in list_workflows(hq, needed=True) if row.definition.enabled]
    except EnrichError as error:
        log.warning("The registry cannot be read, so the built-in workflows are shown: %s", error)
        return list(builtin_workflows().values())


_kept: list[tuple[Settings, list[WorkflowDefinition], dg.Definitions]] = []
"""What was built last, of what; and with it what Dagster has made of it since: its jobs."""


def kept_definitions(settings: Settings, workflows: Sequence[WorkflowDefinition] | None = None) -> dg.Definitions:
    """As `build_definitions`, but what was built last is given again where it is of the same settings and workflows.

    A process that is a copy of another has what that one built.
    """
    shown = registered_workflows(settings) if workflows is None else list(workflows)
    if not _kept or _kept[0][:2] != (settings, shown):
        _kept[:] = [(settings, shown, build_definitions(shown))]
    return _kept[0][2]


def build_definitions(
    workflows: Sequence[WorkflowDefinition] | None = None, platform: PlatformResource | None = None
) -> dg.Definitions:
    """The whole code location.

    Args:
        workflows: The workflows to show as assets (default: those of the registry).
        platform: Where the installation is (default: the environment says).
    """
    where = platform or PlatformResource()
    shown = registered_workflows(where.settings()) if workflows is None else list(workflows)
    steps = [workflow for workflow in shown if workflow.delivery is None]
    deliveries = [workflow for workflow in shown if workflow.delivery is not None]
    slugs = {workflow.slug for workflow in steps}
    phases = phase_jobs(slugs)
    return dg.Definitions(
        assets=[
            raw_apollo_uploads,
            build_enrichment_asset(steps),
            *build_model_assets(),
            instantly_campaigns_raw,
            instantly_accounts_raw,
            instantly_daily_analytics_raw,
            freshness_batches,
            *build_delivery_assets(deliveries),
        ],
        jobs=[
            batch_job,
            analytics_job,
            retention_job,
            instantly_job,
            freshness_job,
            *delivery_jobs(deliveries),
            *(phase.job for phase in phases),
            *whole_jobs(slugs),
        ],
        schedules=[retention_schedule, instantly_schedule, freshness_schedule, *map(phase_schedule, phases)],
        sensors=[
            upload_sensor,
            callback_sensor,
            sequencer_sensor,
            analytics_sensor,
            alert_sensor,
            webhook_sensor,
            event_sensor,
            draft_sensor,
            source_sensor,
            erasure_sensor,
            asked_changes_sensor,
            *([delivery_sensor] if deliveries else []),
        ],
        resources={
            "platform": where,
            **provider_resources(where.settings().sandbox_url, shown),
            "io_manager": no_values(),
        },
        executor=dg.in_process_executor,
    )
