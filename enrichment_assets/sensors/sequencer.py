"""What moves a batch on by itself: work that is due, overdue or left by a dead run.

A query (`store`) and a thin shell that turns rows into run requests. Only batches without a run under way are asked
for, so a batch has one run at a time.
"""

import math
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from enrichment_assets.assets.failures import texts_withheld
from enrichment_assets.assets.jobs import batch_job
from enrichment_assets.assets.partitions import batches
from enrichment_assets.assets.run_queue import BATCH_TAG, UNDER_WAY, RunQueue
from enrichment_assets.assets.selection import ALL_STEPS, assets_of_run
from enrichment_assets.assets.terminations import pause_terminated_since
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.store.batches.urgency import Urgency, urgency_of
from enrichment_assets.store.catalog.archiving import archived_and_done
from enrichment_assets.store.states.groups import Outlook, outlooks
from enrichment_assets.store.states.waiting_batches import NOT_EXTRACTED, WaitingBatch, batches_to_resume

SWEEP_SECONDS = 600
"""How often all partitions are read, to see which archived batches still have one: there may be tens of thousands."""

REPEAT_SECONDS = 300
"""The same reason may start another run after this long: a run that died must not silence its batch for ever."""

CLOCKS = timedelta(minutes=1)
"""How far the clocks of Dagster's processes may be apart; a run that is seen twice pauses its batch once."""

LONGEST_PAUSE_SECONDS = 86_400
"""Tables that cannot be made are tried again after twice the time each, and after this at the latest."""


def batches_under_way(instance: dg.DagsterInstance) -> set[str]:
    """Keys of the batches that have a run queued or working."""
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=UNDER_WAY))
    return {run.tags[BATCH_TAG] for run in runs if BATCH_TAG in run.tags} | {
        run.tags["dagster/partition"] for run in runs if "dagster/partition" in run.tags
    }


def request_run(
    batch_key: str,
    reason: str,
    mark: str,
    assets: Sequence[dg.AssetKey],
    place: Mapping[str, str],
    attempt: int | None = None,
) -> dg.RunRequest:
    """A run of these assets of the batch; the same reason, mark and attempt start only one run.

    `place`: the tags that say when the run queue takes it. `attempt`: without it, one each `REPEAT_SECONDS`.
    """
    number = int(time.time() // REPEAT_SECONDS) if attempt is None else attempt
    return dg.RunRequest(
        run_key=f"{batch_key}:{reason}:{mark}:{number}",
        partition_key=batch_key,
        tags={BATCH_TAG: batch_key, "enrich/reason": reason, **place, **ALL_STEPS},
        asset_selection=list(assets),
    )


def attempt_at(seconds: float) -> int:
    """Which attempt to make tables it is, so long after a batch has finished: at once, after 5, 10, 20, 40 minutes ...

    A run whose blocking test fails would fail again every five minutes, each time with the whole history of a run.
    """
    waits = min(seconds, LONGEST_PAUSE_SECONDS) / REPEAT_SECONDS
    doublings = int(math.log2(waits)) + 1 if waits >= 1 else 0
    return doublings + int(max(seconds - LONGEST_PAUSE_SECONDS, 0) // LONGEST_PAUSE_SECONDS)


def _request(waiting: WaitingBatch, assets: Sequence[dg.AssetKey], place: Mapping[str, str]) -> dg.RunRequest:
    """The run that a batch waits for; tables that could not be made are tried at once when their SQL was changed."""
    reason, mark = waiting.reason.replace(" ", "-"), waiting.mark
    if waiting.seconds is None:
        return request_run(waiting.batch_key, reason, mark, assets, place)
    from enrichment_assets.services.batches.freshness import sql_changed_at

    attempt = attempt_at(waiting.seconds)
    return request_run(waiting.batch_key, reason, f"{mark}-{sql_changed_at()}", assets, place, attempt)


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

    Before that the batches of runs are paused that a person has ended before they began. The partitions of archived
    batches go once nothing of them is open.
    """
    name, looked = batches.name or "", time.time()
    swept, seen = _cursor(context.cursor, looked)
    sweeps = looked - swept >= SWEEP_SECONDS
    known = sorted(context.instance.get_dynamic_partitions(name)) if sweeps else []
    with platform.open_hq() as hq:
        pause_terminated_since(context.instance, hq, datetime.fromtimestamp(seen, UTC) - CLOCKS)
    with platform.open_hq() as hq, hq.transaction() as connection:
        waiting = batches_to_resume(connection)
        found = outlooks(connection, [batch.batch_key for batch in waiting])
        urgencies = urgency_of(connection, found)
        put_away = archived_and_done(connection, known)
    busy = batches_under_way(context.instance) if waiting or put_away else set()
    wanted = {one.batch_key: one for one in waiting if one.batch_key not in busy and _goes_on(one, found)}
    place = places(context.instance, {key: urgencies[key] for key in wanted}) if wanted else {}
    missing = sorted(key for key in wanted if not context.instance.has_dynamic_partition(name, key))
    gone = sorted(set(put_away) - busy - set(wanted))
    shown = shown_assets(context) if wanted else set()
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    requests += [batches.build_add_request(missing)] if missing else []
    requests += [batches.build_delete_request(gone)] if gone else []
    return dg.SensorResult(
        run_requests=[_request(batch, assets_of_run(found[key], shown), place[key]) for key, batch in wanted.items()],
        dynamic_partitions_requests=requests,
        cursor=f"{looked if sweeps else swept} {looked}",
    )


def _goes_on(waiting: WaitingBatch, found: Mapping[str, Outlook]) -> bool:
    """Whether a batch goes on by itself: one that goes phase by phase does not, but its tables are made at the end."""
    return waiting.reason == NOT_EXTRACTED or not found[waiting.batch_key].by_phase


def _cursor(kept: str | None, now: float) -> tuple[float, float]:
    """When the partitions were read last, and until when runs that were ended have been seen."""
    swept, _, seen = (kept or "0").partition(" ")
    return float(swept), float(seen or now)
