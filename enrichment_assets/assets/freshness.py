"""Leads that were not verified for a while form a batch: an asset by month and client, and its monthly schedule.

What is made is a batch of the pipeline `freshness`, a partition like any other: the sequencer runs it.
"""

from datetime import UTC, datetime

import dagster as dg

from enrichment_assets.assets.failures import texts_withheld, values_withheld
from enrichment_assets.assets.partitions import OWNERS, batches
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.resources.platform import PlatformResource

FRESHNESS = dg.AssetKey("freshness_batches")
CLIENTS = "freshness_clients"
"""Name of the dynamic partitions: clients whose leads are, or were, asked about again."""

months_and_clients = dg.MultiPartitionsDefinition(
    {
        "client": dg.DynamicPartitionsDefinition(name=CLIENTS),
        "month": dg.MonthlyPartitionsDefinition(start_date="2026-01-01", end_offset=1),
    }
)


@dg.asset(
    key=FRESHNESS,
    partitions_def=months_and_clients,
    group_name="freshness",
    owners=OWNERS,
    kinds={"postgres"},
    description="The batch of a client's leads that nobody has verified for 30 days; one a month. It costs money.",
)
def freshness_batches(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    """Launch the batch of this month; the sequencer runs it."""
    from enrichment_assets.services.freshness.gathering import launch_freshness

    keys = context.partition_key
    assert isinstance(keys, dg.MultiPartitionKey)  # noqa: S101 - the definition has two dimensions
    client, month = keys.keys_by_dimension["client"], keys.keys_by_dimension["month"]
    today = datetime.now(UTC).date()

    def add(batch_key: str) -> None:
        context.instance.add_dynamic_partitions(batches.name or "", [batch_key])

    with values_withheld(), platform.open_hq() as hq:
        if month != today.replace(day=1).isoformat():
            raise ConfigurationError(
                f"a freshness batch is made in its month: {month} is not this one", code="freshness.another_month"
            )
        actor = Actor(ActorKind.SCHEDULE, "freshness")
        made = launch_freshness(hq, platform.settings(), client, today, actor=actor, add_partition=add)
    if made is None:
        return dg.MaterializeResult(metadata={"leads": 0})
    return dg.MaterializeResult(metadata={"leads": made.items, "batch": made.batch_key, "created": made.created})


freshness_job = dg.define_asset_job(
    "freshness", selection=dg.AssetSelection.assets(FRESHNESS), description="Makes the freshness batch of a client."
)


@dg.schedule(
    name="freshness_schedule",
    job=freshness_job,
    cron_schedule="20 5 1 * *",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="On the first of a month, once it is switched on: asks about old leads of every client, for money.",
)
@texts_withheld()
def freshness_schedule(context: dg.ScheduleEvaluationContext, platform: PlatformResource) -> list[dg.RunRequest]:
    """One run for each client."""
    from enrichment_assets.services.catalog.clients import list_clients

    month = context.scheduled_execution_time.astimezone(UTC).date().replace(day=1).isoformat()
    with platform.open_hq() as hq:
        clients = [client.slug for client in list_clients(hq)]
    context.instance.add_dynamic_partitions(CLIENTS, clients)
    keys = [dg.MultiPartitionKey({"client": client, "month": month}) for client in clients]
    return [dg.RunRequest(run_key=str(key), partition_key=key) for key in keys]
