"""Statistics of a batch, as `enrich stats` shows them."""

from __future__ import annotations

from dataclasses import replace

from enrichment_assets.services.batches.advancing import batch_row, currencies_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect, open_databases
from enrichment_assets.store.results.statistics import WorkflowStatistics, workflow_statistics


def batch_statistics(settings: Settings, batch_key: str) -> list[WorkflowStatistics]:
    """Statistics per workflow, blueprint order; raises `NotFoundError`."""
    row = batch_row(settings, batch_key)
    currencies = currencies_of(row.blueprint)
    with connect(open_databases(settings).hq) as connection:
        found = workflow_statistics(connection, row.batch_id)
    return [replace(one, currency=currencies.get(one.workflow, "")) for one in found]
