"""What moves a batch on by itself: work that is due, overdue or left by a dead run.

A query (`store`) and a thin shell that turns rows into run requests. Only batches without a run under way are asked
for, so a batch has one run at a time.
"""

import time
from collections.abc import Mapping, Sequence

import dagster as dg

from enrichment_assets.assets.failures import texts_withheld
from enrichment_assets.assets.jobs import batch_job
from enrichment_assets.assets.partitions import batches
from enrichment_assets.assets.run_queue import BATCH_TAG, UNDER_WAY, RunQueue
from enrichment_assets.assets.selection import ALL_STEPS, assets_of_run
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.store.batches.urgency import Urgency, urgency_of
from enrichment_assets.store.catalog.archiving import archived_and_done
from enrichment_assets.store.states.batch_states import batches_to_resume
from enrichment_assets.store.states.groups import outlooks

SWEEP_SECONDS = 600
"""How often all partitions are read, to see which archived batches still have one: there may be tens of thousands."""

REPEAT_SECONDS = 300
"""The same reason may start another run after this long: a run that died must not silence its batch for ever."""


def batches_under_way(instance: dg.DagsterInstance) -> set[str]:
    """Keys of the batches that have a run queued or working."""
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=UNDER_WAY))
    return {run.tags[BATCH_TAG] for run in runs if BATCH_TAG in run.tags} | {
        run.tags["dagster/partition"] for run in runs if "dagster/partition" in run.tags
    }


def request_run(
    batch_key: str, reason: str, mark: str, assets: Sequence[dg.AssetKey], place: Mapping[str, str]
) -> dg.RunRequest:
    """A run of these assets of the batch; the same reason and mark start only one run within `REPEAT_SECONDS`.

    `place`: the tags that say when the run queue takes it.
    """
    bucket = int(time.time() // REPEAT_SECONDS)
    return dg.RunRequest(
        run_key=f"{batch_key}:{reason}:{mark}:{bucket}",
        partition_key=batch_key,
        tags={BATCH_TAG: batch_key, "enrich/reason": reason, **place, **ALL_STEPS},
        asset_selection=list(assets),
    )


def places(instance: dg.DagsterInstance, urgencies: Mapping[str, Urgency]) -> dict[str, dict[str, str]]:
    """Batch key -> tags that say when the run queue takes its run, for these batches together."""
    queue = RunQueue.of(instance) if urgencies else RunQueue(())
    by_rank = sorted(urgencies, key=lambda batch: -urgencies[batch].rank)
    return {batch: queue.enter(urgencies[batch]) for batch in by_rank}


def shown_assets(context: dg.SensorEvaluationContext) -> set[dg.AssetKey]:
    """The assets of the code location that the sensor belongs to."""
    repository = context.repository_def
    if repository is None:
        raise dg.DagsterInvariantViolationError("a sensor that selects assets is evaluated with its definitions")
    return set(repository.asset_graph.executable_asset_keys)


@dg.sensor(
    job=batch_job,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Starts launched batches and continues what is due, overdue or left by a dead run; "
        "makes the tables of a batch whose steps have all settled."
    ),
)
@texts_withheld()
def sequencer_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult:
    """One run request per batch that wants attention: of what is open, and of its tables when it may come to them.

    The partitions of archived batches go once nothing of them is open.
    """
    name, looked = batches.name or "", time.time()
    sweeps = looked - float(context.cursor or 0) >= SWEEP_SECONDS
    known = sorted(context.instance.get_dynamic_partitions(name)) if sweeps else []
    with platform.open_hq() as hq, hq.transaction() as connection:
        waiting = batches_to_resume(connection)
        found = outlooks(connection, [batch.batch_key for batch in waiting])
        urgencies = urgency_of(connection, found)
        put_away = archived_and_done(connection, known)
    busy = batches_under_way(context.instance) if waiting or put_away else set()
    wanted = {batch.batch_key: batch for batch in waiting if batch.batch_key not in busy}
    place = places(context.instance, {key: urgencies[key] for key in wanted}) if wanted else {}
    missing = sorted(key for key in wanted if not context.instance.has_dynamic_partition(name, key))
    gone = sorted(set(put_away) - busy - set(wanted))
    shown = shown_assets(context) if wanted else set()
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    requests += [batches.build_add_request(missing)] if missing else []
    requests += [batches.build_delete_request(gone)] if gone else []
    return dg.SensorResult(
        run_requests=[
            request_run(key, b.reason.replace(" ", "-"), b.mark, assets_of_run(found[key], shown), place[key])
            for key, b in wanted.items()
        ],
        dynamic_partitions_requests=requests,
        cursor=str(looked) if sweeps else None,
    )
