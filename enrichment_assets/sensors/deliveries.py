"""Leads that are due somewhere get a run: of a pipeline that says `deliver`, of a sequence, or to be tried again."""

import time

import dagster as dg

from enrichment_assets.assets.delivery import DELIVERY_JOB
from enrichment_assets.assets.failures import texts_withheld
from enrichment_assets.assets.partitions import batches
from enrichment_assets.assets.run_queue import BATCH_TAG
from enrichment_assets.assets.steps import step_key
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.sensors.sequencer import REPEAT_SECONDS, batches_under_way, places, shown_assets
from enrichment_assets.store.batches.urgency import urgency_of
from enrichment_assets.store.deliveries.batches import due_deliveries


@dg.sensor(
    job_name=DELIVERY_JOB,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes leads where they belong that are due: approved ones, next steps of sequences, retries.",
)
@texts_withheld()
def delivery_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult | dg.SkipReason:
    """One run for each batch of which something is due and that has none; without any, one statement."""
    with platform.open_hq() as hq, hq.transaction() as connection:
        due = due_deliveries(connection)
        urgencies = urgency_of(connection, {one.batch_key for one in due}) if due else {}
    if not due:
        return dg.SkipReason("nothing is due at any destination")
    busy, shown = batches_under_way(context.instance), shown_assets(context)
    wanted: dict[str, list[dg.AssetKey]] = {}
    for one in due:
        if one.batch_key not in busy and step_key(one.workflow_slug) in shown:
            wanted.setdefault(one.batch_key, []).append(step_key(one.workflow_slug))
    since = {one.batch_key: one.since for one in reversed(due)}
    place = places(context.instance, {key: urgencies[key] for key in wanted})
    name = batches.name or ""
    missing = [key for key in wanted if not context.instance.has_dynamic_partition(name, key)]
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=f"{key}:deliver:{since[key].isoformat()}:{int(time.time() // REPEAT_SECONDS)}",
                partition_key=key,
                tags={BATCH_TAG: key, "enrich/reason": "deliver", **place[key]},
                asset_selection=assets,
            )
            for key, assets in wanted.items()
        ],
        dynamic_partitions_requests=[batches.build_add_request(missing)] if missing else [],
    )
