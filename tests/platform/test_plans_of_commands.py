"""No statement of a batch's way repeats work for each of its rows: launch, run, sensors, status, statistics.

Nothing is listed here: a relay before the database overhears the plan of every statement that real work asks, in a home
with a large batch that is analysed, another that is not, and one that is filled while the work goes on. Then the same
once more with fresh statistics of everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.sensors.callbacks import callback_sensor
from enrichment_assets.sensors.sequencer import sequencer_sensor
from enrichment_assets.services.batches import status
from enrichment_assets.services.batches.storing import store_results
from enrichment_assets.services.operations.failed_rows import list_failed
from enrichment_assets.services.operations.statistics import batch_statistics
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from tests.assets.test_sensors import tick
from tests.harness.batches import BatchHarness, async_step, company_step, people, step
from tests.harness.databases import PostgresServer
from tests.harness.handles import hq_of
from tests.platform.fresh_batch import ITEMS, OTHER_ITEMS, SLUGS, fill, heaviest
from tests.platform.plan_listener import PlanListener

ROWS = 300
MOST = 3 * (OTHER_ITEMS + ITEMS + ROWS) * len(SLUGS)
"""Rows that any node of a plan may touch: each row of the home a few times. Of a pair of all rows it is a hundredth."""


@pytest.fixture
def listener(postgres_server: PostgresServer, hq_template: str) -> Iterator[PlanListener]:
    name = postgres_server.create(hq_template)
    fill(postgres_server.url(name))
    with PlanListener(postgres_server.url(name)) as opened:
        yield opened
    postgres_server.drop(name)


def test_no_statement_of_a_batchs_way_does_more_than_linear_work(
    listener: PlanListener, settings: Settings, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    where = replace(settings, hq_database_url=listener.url, sandbox_url=sandbox.url)
    with connect(listener.url) as connection, dg.DagsterInstance.ephemeral() as instance:
        harness = BatchHarness(where, connection, sandbox, tmp_path)
        batch = harness.launch(
            people(ROWS, company_name="Acme"),
            step("first", limits={"per_second": 1_000}),
            company_step("second"),
            async_step("third"),
        )

        def looked_at() -> None:
            status.overview(hq_of(where), where)
            for key in (batch.key, "old", "fresh"):
                status.status(hq_of(where), where, key)
                batch_statistics(hq_of(where), key)
                list_failed(hq_of(where), key, 20)
            for sensor in (sequencer_sensor, callback_sensor):
                tick(sensor, instance, where)

        looked_at()
        batch.run()
        for call in batch.calls("third")[:50]:
            batch.call_back(call, {"found": True, "id": "x"})
        looked_at()
        batch.run()
        store_results(hq_of(where), batch.key)
        looked_at()
        with psycopg.connect(listener.url, autocommit=True) as other:
            other.execute("analyze")
        batch.run()
        looked_at()
    asked = {plan["Query Text"] for plan in listener.plans}
    for word in (
        "insert into provider_calls",
        "rate_queue",
        "item_leases",
        "step_times",
        "percentile_cont",
        "resume_at",
    ):
        assert any(word in query for query in asked), f"no statement with {word} was overheard"
    for plan in listener.plans:
        rows, node = heaviest(plan)
        assert rows <= MOST, f"{node} touched {rows:.0f} rows:\n{plan['Query Text']}"
