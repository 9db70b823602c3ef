"""What moves a batch on by itself: callbacks that came, and work that is due, overdue or left by a dead run.

Each sensor is a query (`store`) and a thin shell that turns rows into run requests. Only batches without a run under
way are asked for, so a batch has one run at a time.
"""

import time
from collections.abc import Mapping, Sequence

import dagster as dg

from enrichment_assets.assets.failures import texts_withheld
from enrichment_assets.assets.jobs import batch_job
from enrichment_assets.assets.partitions import batches
from enrichment_assets.assets.results import RESULTS
from enrichment_assets.assets.run_queue import BATCH_TAG, UNDER_WAY, RunQueue
from enrichment_assets.assets.selection import ALL_STEPS, steps_of, tables_of_a_batch
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.store.batches.urgency import Urgency, urgency_of
from enrichment_assets.store.catalog.archiving import archived_and_done
from enrichment_assets.store.inbox.callbacks import new_callbacks_by_batch
from enrichment_assets.store.states.batch_states import NOT_EXTRACTED, batches_to_resume, planned_steps

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
        tags={BATCH_TAG: batch_key, "enrich/reason": reason, **place, **({} if RESULTS in assets else ALL_STEPS)},
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
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Continues batches whose providers have called back.",
)
@texts_withheld()
def callback_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult:
    """One run request, of the batch's steps, per batch with new callbacks in the inbox."""
    with platform.open_hq() as hq, hq.transaction() as connection:
        waiting = new_callbacks_by_batch(connection)
        planned = planned_steps(connection, [batch.batch_key for batch in waiting])
        urgencies = urgency_of(connection, planned)
    busy, shown = batches_under_way(context.instance), shown_assets(context)
    free = {batch.batch_key: batch for batch in waiting if batch.batch_key not in busy}
    place = places(context.instance, {key: urgencies[key] for key in free})
    return dg.SensorResult(
        run_requests=[
            request_run(key, "callbacks", str(batch.max_inbox_id), steps_of(planned[key], shown), place[key])
            for key, batch in free.items()
        ]
    )


@dg.sensor(
    job=batch_job,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Starts launched batches and continues what is due, overdue or left by a dead run; "
        "makes the tables of a batch whose steps have all settled."
    ),
)
@texts_withheld()
def sequencer_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult:
    """One run request per batch that wants attention: of its steps, or of its tables when only they are missing.

    The partitions of archived batches go once nothing of them is open.
    """
    known = set(context.instance.get_dynamic_partitions(batches.name or ""))
    with platform.open_hq() as hq, hq.transaction() as connection:
        waiting = batches_to_resume(connection)
        planned = planned_steps(connection, [batch.batch_key for batch in waiting])
        urgencies = urgency_of(connection, planned)
        put_away = archived_and_done(connection, sorted(known))
    busy, shown = batches_under_way(context.instance), shown_assets(context)
    wanted = {batch.batch_key: batch for batch in waiting if batch.batch_key not in busy}
    place = places(context.instance, {key: urgencies[key] for key in wanted})
    missing = sorted(set(wanted) - known)
    gone = sorted(set(put_away) - busy - set(wanted))
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    requests += [batches.build_add_request(missing)] if missing else []
    requests += [batches.build_delete_request(gone)] if gone else []
    return dg.SensorResult(
        run_requests=[
            request_run(
                b.batch_key,
                b.reason.replace(" ", "-"),
                b.mark,
                tables_of_a_batch() if b.reason == NOT_EXTRACTED else steps_of(planned[b.batch_key], shown),
                place[b.batch_key],
            )
            for b in wanted.values()
        ],
        dynamic_partitions_requests=requests,
    )
