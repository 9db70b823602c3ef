"""Figures of Instantly in Dagster: what the assets fetch, for whom, and when the schedule asks for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from enrichment_assets.assets.instantly import (
    ACCOUNTS,
    CAMPAIGNS,
    DAYS,
    instantly_accounts_raw,
    instantly_campaigns_raw,
    instantly_daily_analytics_raw,
    instantly_schedule,
)
from enrichment_assets.resources.no_values import no_values
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.sandbox.outreach import today
from enrichment_assets.services.catalog.configuration import add_client
from enrichment_assets.services.pulls.connecting import connect
from enrichment_assets.services.pulls.figures import figures
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.assets.test_definitions import platform
from tests.harness.handles import hq_of

ASSETS = [instantly_campaigns_raw, instantly_accounts_raw, instantly_daily_analytics_raw]
PULL = "instantly"


def materialised(
    settings: Settings, selection: list[dg.AssetKey], *, days: tuple[str, str] | None = None
) -> dg.ExecuteInProcessResult:
    """A run of these assets; of the days, a range in one run, as a backfill makes it."""
    where = PlatformResource(**{**platform(settings).model_dump(), "sandbox_url": settings.sandbox_url})
    span = dict(
        zip(("dagster/asset_partition_range_start", "dagster/asset_partition_range_end"), days or (), strict=False)
    )
    return dg.materialize(
        ASSETS,
        selection=dg.AssetSelection.assets(*selection),
        resources={"platform": where, "io_manager": no_values()},
        tags=span or None,
        raise_on_error=False,
    )


def test_the_assets_fetch_for_all_clients_and_a_backfill_of_days_is_one_run(
    settings: Settings, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(settings, sandbox_url=sandbox.url)
    hq = hq_of(settings)
    for client in ("acme", "globex"):
        monkeypatch.setenv(f"{client.upper()}_INSTANTLY_KEY", f"key-of-{client}")
        add_client(hq, client, actor=TESTER)
        connect(hq, PULL, client, f"{client.upper()}_INSTANTLY_KEY", actor=TESTER)
    run = materialised(settings, [CAMPAIGNS, ACCOUNTS])
    assert run.success
    [event] = run.asset_materializations_for_node("instantly_campaigns_raw")
    assert (event.metadata["clients"].value, event.metadata["rows"].value) == (2, 2 * (10 + 8 + 1))

    first, last = today() - timedelta(days=9), today() - timedelta(days=3)
    run = materialised(settings, [DAYS], days=(first.isoformat(), last.isoformat()))
    assert run.success
    events = run.asset_materializations_for_node("instantly_daily_analytics_raw")
    assert [event.partition for event in events] == [(first + timedelta(days=n)).isoformat() for n in range(7)]
    fetched = {row["day"] for row in figures(hq, "day_totals", client="globex")}
    assert {first <= day <= last for day in fetched} == {True} and len(fetched) == 5, "five of seven are working days"

    monkeypatch.setenv("ACME_INSTANTLY_KEY", "invalid")
    run = materialised(settings, [ACCOUNTS])
    assert not run.success
    [failure] = [event for event in run.all_events if event.is_step_failure]
    said = failure.step_failure_data.user_failure_data
    assert said is not None and said.description == "not fetched: acme"
    assert {row["client_slug"] for row in figures(hq, "account_health")} == {"acme", "globex"}


@pytest.mark.parametrize(
    ("now", "days"),
    [
        (datetime(2026, 11, 29, 0, 10, tzinfo=UTC), ["2026-11-29", "2026-11-28", "2026-11-27"]),
        (datetime(2026, 11, 29, 1, 10, tzinfo=UTC), ["2026-11-29"]),
        (datetime(2026, 3, 1, 23, 10, tzinfo=UTC), ["2026-03-01"]),
        (datetime(2026, 3, 1, 0, 10, tzinfo=UTC), ["2026-03-01", "2026-02-28", "2026-02-27"]),
    ],
)
def test_the_schedule_asks_for_today_and_once_a_day_for_the_days_before(now: datetime, days: list[str]) -> None:
    asked = instantly_schedule(dg.build_schedule_context(scheduled_execution_time=now))
    assert isinstance(asked, list)
    assert [request.partition_key for request in asked] == days
    assert len({request.run_key for request in asked}) == len(days)
    assert instantly_schedule.default_status is dg.DefaultScheduleStatus.STOPPED
