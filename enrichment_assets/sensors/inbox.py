"""Files dropped into the inbox become uploads and batches."""

import dagster as dg

from enrichment_assets.assets.failures import texts_withheld
from enrichment_assets.assets.jobs import batch_job
from enrichment_assets.assets.partitions import batches
from enrichment_assets.assets.selection import assets_of_run
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.sensors.sequencer import places, request_run, shown_assets
from enrichment_assets.store.batches.urgency import urgency_of
from enrichment_assets.store.states.groups import outlooks


@dg.sensor(
    job=batch_job,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Uploads and launches files dropped at inbox/<client>/<pipeline>/.",
)
@texts_withheld()
def upload_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult:
    """Take in every file that has arrived whole; a refused one is moved aside with the reason beside it."""
    from enrichment_assets.services.uploads.inbox_folder import take_in

    with platform.open_hq() as hq:
        taken = take_in(hq, platform.settings(), actor=Actor(ActorKind.SENSOR, "inbox"))
        for file in taken:
            context.log.info(file.sentence())
        keys = [file.batch_key for file in taken if file.batch_key is not None]
        with hq.transaction() as connection:
            found, urgencies = outlooks(connection, keys), urgency_of(connection, keys)
    shown, place = shown_assets(context), places(context.instance, urgencies)
    return dg.SensorResult(
        run_requests=[
            request_run(key, "upload", "first", assets_of_run(found[key], shown), place[key]) for key in keys
        ],
        dynamic_partitions_requests=[batches.build_add_request(keys)] if keys else [],
    )
