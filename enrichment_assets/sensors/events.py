"""What comes back of deliveries is read within the sensor's tick, and services that are asked are asked."""

import dagster as dg

from enrichment_assets.assets.failures import texts_withheld
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.store.deliveries.sources import work

TICK_SECONDS = 20.0
"""After which no further message is begun, and nobody else is asked. Dagster gives a minute."""


@dg.sensor(
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reads what comes back of deliveries: replies, bounces, corrections, people who say no. Starts no run.",
)
@texts_withheld()
def event_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SkipReason:
    """Read for some seconds; the next tick goes on. Without anything to read or to ask: one statement."""
    with platform.open_hq() as hq:
        with hq.transaction() as connection:
            unread, due = work(connection)
        if not (unread or due):
            return dg.SkipReason("nothing came back, and nobody is to be asked")
        from enrichment_assets.services.deliveries.listening import listen

        done = listen(hq, platform.settings(), TICK_SECONDS)
    for name, trouble in done.troubles.items():
        context.log.warning(f"connection {name}: {trouble}")
    return dg.SkipReason(f"{done.read} messages read, {done.dead} dead, {done.taken.new} events")
