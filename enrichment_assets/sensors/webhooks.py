"""Clients' servers are told within the sensor's tick: of what was written into the outbox, and what is due again."""

import dagster as dg

from enrichment_assets.assets.failures import texts_withheld
from enrichment_assets.resources.platform import PlatformResource

TICK_SECONDS = 20.0
"""After which no further message is begun; one that is under way has some seconds more. Dagster gives a minute."""


@dg.sensor(
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends outgoing webhooks: what clients' servers are told of batches, budgets and leads. Starts no run.",
)
@texts_withheld()
def webhook_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SkipReason:
    """Send for some seconds; the next tick goes on."""
    from enrichment_assets.store.outgoing.messages import look

    with platform.open_hq() as hq:
        with hq.transaction() as connection:
            work = look(connection)
        if not (work.is_new or work.is_due):
            return dg.SkipReason("nobody is to be told of anything")
        from enrichment_assets.services.outgoing.sending import deliver

        done = deliver(hq, platform.settings(), TICK_SECONDS)
    for name, trouble in done.troubles.items():
        context.log.warning(f"webhook {name}: {trouble}")
    for name in done.disabled:
        context.log.error(f"webhook {name} is disabled: its messages do not arrive")
    return dg.SkipReason(f"{done.events} events, {done.arrived} messages arrived, {done.failed} attempts did not")
