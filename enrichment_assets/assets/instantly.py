"""Figures of connected clients at Instantly: campaigns, sending accounts, and days, a day a partition.

All three go through the service that the command line and the API use (`services.pulls.syncing`). One client that is
refused holds up no other: the run fails at its end, and says which.
"""

import warnings
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from enrichment_assets.assets.failures import values_withheld
from enrichment_assets.assets.partitions import OWNERS
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.registry.loader import pulls
from enrichment_assets.resources.platform import PlatformResource

PULL = "instantly"
GROUP = "instantly"
CAMPAIGNS, ACCOUNTS, DAYS = (
    dg.AssetKey("instantly_campaigns_raw"),
    dg.AssetKey("instantly_accounts_raw"),
    dg.AssetKey("instantly_daily_analytics_raw"),
)

instantly_days = dg.DailyPartitionsDefinition(start_date="2025-01-01", end_offset=1)
"""Days in UTC, as Instantly counts them, today's among them."""

JOB = "instantly_sync"
AGAIN_DAYS = 2
"""Days before today that are fetched again once a day: replies come late, and count for the day of the mail."""


def _table(name: str) -> dict[str, Any]:
    table = pulls()[PULL].tables[name]
    columns = [("client_slug", "text"), ("pulled_at", "timestamptz"), ("raw", "jsonb"), *table.columns.items()]
    return {"dagster/column_schema": dg.TableSchema(columns=[dg.TableColumn(name, kind) for name, kind in columns])}


@dg.asset(
    key=CAMPAIGNS,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"postgres"},
    metadata=_table("instantly_campaigns_raw"),
    description="Campaigns of all connected clients at Instantly, with their figures since they began.",
)
def instantly_campaigns_raw(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    """Ask for campaigns, their figures and the overview."""
    return _synced(context, platform, {"campaigns", "campaign_analytics", "overview"})


@dg.asset(
    key=ACCOUNTS,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"postgres"},
    metadata=_table("instantly_accounts_raw"),
    description="Sending accounts of all connected clients at Instantly, with their status and warm-up score.",
)
def instantly_accounts_raw(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    """Ask for accounts."""
    return _synced(context, platform, {"accounts"})


def _days_asset() -> dg.AssetsDefinition:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # one run for a backfill: no news for who loads the location

        @dg.asset(
            key=DAYS,
            deps=[CAMPAIGNS, ACCOUNTS],
            partitions_def=instantly_days,
            backfill_policy=dg.BackfillPolicy.single_run(),
            group_name=GROUP,
            owners=OWNERS,
            kinds={"postgres"},
            metadata=_table("instantly_daily_analytics_raw"),
            description="Figures by day of each campaign and each sending account; a backfill of many days is one run.",
        )
        def instantly_daily_analytics_raw(
            context: dg.AssetExecutionContext, platform: PlatformResource
        ) -> dg.MaterializeResult:
            """Ask for the days of the partitions."""
            days = sorted(context.partition_keys)
            return _synced(context, platform, {"campaign_days", "account_days"}, days[0], days[-1])

    return instantly_daily_analytics_raw


instantly_daily_analytics_raw = _days_asset()


def _synced(
    context: dg.AssetExecutionContext,
    platform: PlatformResource,
    streams: Collection[str],
    first: str | None = None,
    last: str | None = None,
) -> dg.MaterializeResult:
    from datetime import date

    from enrichment_assets.services.pulls.connecting import list_connected
    from enrichment_assets.services.pulls.syncing import sync

    rows, refused = Counter[str](), dict[str, str]()
    today = datetime.now(UTC).date()
    since, until = date.fromisoformat(first) if first else today, date.fromisoformat(last) if last else today
    with values_withheld(), platform.open_hq() as hq:
        clients = [one.client for one in list_connected(hq, PULL)]
        for client in clients:
            try:
                done = sync(hq, platform.settings(), PULL, client, since=since, until=until, streams=streams)
            except EnrichError as error:
                refused[client] = error.what
                continue
            rows += Counter(done.rows)
    for client, why in refused.items():
        context.log.error(f"{client}: {why}")
    if refused:
        raise dg.Failure(f"not fetched: {', '.join(refused)}", metadata={"refused": refused}, allow_retries=True)
    return dg.MaterializeResult(metadata={"clients": len(clients), "rows": sum(rows.values()), "tables": dict(rows)})


instantly_job = dg.define_asset_job(
    JOB,
    selection=dg.AssetSelection.assets(CAMPAIGNS, ACCOUNTS, DAYS),
    description="Campaigns and accounts as they are now, and the figures of a day, of all connected clients.",
)


@dg.schedule(
    name="instantly_schedule",
    job=instantly_job,
    cron_schedule="10 * * * *",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Hourly, once it is switched on: it asks an outside service with clients' keys.",
)
def instantly_schedule(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
    """Today's figures; in the first hour of a day also those of the days before, which may have changed."""
    now = context.scheduled_execution_time.astimezone(UTC)
    back = AGAIN_DAYS if now.hour == 0 else 0
    days = [(now.date() - timedelta(days=number)).isoformat() for number in range(back + 1)]
    return [dg.RunRequest(run_key=f"{now:%Y-%m-%dT%H}:{day}", partition_key=day) for day in days]
