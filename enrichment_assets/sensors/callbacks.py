"""What providers called back is taken in within the sensor's tick; a run is asked for when a group can go on.

Dagster's history then tells of progress and not of each callback. What a tick has applied is committed with the same
fences as in a run; whatever it was killed at, the next one goes on. A batch whose callbacks cannot be taken in here is
given a run, which says why.
"""

import time
from collections.abc import Iterator, Mapping

import dagster as dg

from enrichment_assets.assets.failures import texts_withheld
from enrichment_assets.assets.jobs import batch_job
from enrichment_assets.assets.selection import assets_of_run
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.provider import Provider
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.sensors.sequencer import batches_under_way, places, request_run, shown_assets
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.urgency import urgency_of
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.inbox.callbacks import WaitingBatch, new_callbacks_by_batch
from enrichment_assets.store.states.groups import outlooks

TICK_SECONDS = 25.0
"""What is left after this time waits for the next tick: Dagster gives a sensor a minute."""


@dg.sensor(
    job=batch_job,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes in what providers have called back, and continues batches of which enough rows can go on.",
)
@texts_withheld()
def callback_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult:
    """Take in the callbacks of batches without a run under way; one run request per batch that goes on."""
    with platform.open_hq() as hq:
        with hq.transaction() as connection:
            waiting = new_callbacks_by_batch(connection)
        if not waiting:
            return dg.SensorResult(run_requests=[])
        busy, shown = batches_under_way(context.instance), shown_assets(context)
        free = [batch for batch in waiting if batch.batch_key not in busy]
        taken_in = _taken_in(context, hq, platform.settings(), platform.providers(), free)
        going_on = {batch.batch_key: batch for batch in taken_in}
        with hq.transaction() as connection:
            found = outlooks(connection, going_on)
            urgencies = urgency_of(connection, found)
    place = places(context.instance, urgencies) if urgencies else {}
    return dg.SensorResult(
        run_requests=[
            request_run(key, "callbacks", str(batch.max_inbox_id), assets_of_run(found[key], shown), place[key])
            for key, batch in going_on.items()
            if not found[key].by_phase
        ]
    )


def _taken_in(
    context: dg.SensorEvaluationContext,
    hq: Hq,
    settings: Settings,
    providers: Mapping[str, Provider],
    waiting: list[WaitingBatch],
) -> Iterator[WaitingBatch]:
    """Take in what waits, the longest waiting batch first; those batches that want a run."""
    from enrichment_assets.services.batches.taking import take_in_callbacks

    until = time.monotonic() + TICK_SECONDS
    for batch in waiting:
        left = until - time.monotonic()
        if left <= 0:
            return
        try:
            taken = take_in_callbacks(hq, settings, batch.batch_key, providers, left)
        except ConfigurationError as error:
            context.log.warning(f"{batch.batch_key}: its callbacks wait for a run: {error}")
            if not batch.is_try:
                yield batch
            continue
        context.log.info(f"{batch.batch_key}: callbacks of {taken.items} items are taken in")
        if not batch.is_try and (taken.settled.goes_on or not taken.items):
            yield batch
