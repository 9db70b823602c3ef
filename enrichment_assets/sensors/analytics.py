"""When a batch was published, the models over all batches are out of date."""

import dagster as dg

from enrichment_assets.assets.jobs import analytics_job
from enrichment_assets.assets.publication import PUBLISHED


@dg.asset_sensor(
    asset_key=PUBLISHED,
    job=analytics_job,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Rebuilds the analytics models after batches were published (at most once a minute).",
)
def analytics_sensor(context: dg.SensorEvaluationContext, asset_event: dg.EventLogEntry) -> dg.RunRequest:
    """One run for the newest publication."""
    return dg.RunRequest(run_key=context.cursor)
