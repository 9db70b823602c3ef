"""What rules watch is looked for, and told. Without a rule: one statement."""

import dagster as dg

from enrichment_assets.assets.failures import texts_withheld
from enrichment_assets.resources.platform import PlatformResource

TICK_SECONDS = 25.0
"""What is left to be told after this time waits for the next tick: Dagster gives a sensor a minute."""


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks for what alert rules watch, and tells their channels: once that it began, once that it is over.",
)
@texts_withheld()
def alert_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SkipReason:
    """One round of watching. It starts no run."""
    from enrichment_assets.services.alerts.watching import watch

    with platform.open_hq() as hq:
        done = watch(hq, platform.settings(), TICK_SECONDS)
    if done.sent or done.failed:
        context.log.info(f"{done.sent} messages taken by their channels, {done.failed} not")
    return dg.SkipReason("nothing was started: alerts are told from here")
