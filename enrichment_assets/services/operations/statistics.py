"""Statistics of a batch, as `enrich stats` shows them."""

from __future__ import annotations

from dataclasses import replace

from enrichment_assets.services.batches.status import batch_row, currencies_of
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results.statistics import WorkflowStatistics, workflow_statistics


def batch_statistics(hq: Hq, batch_key: str) -> list[WorkflowStatistics]:
    """Statistics per workflow, blueprint order; raises `NotFoundError`."""
    row = batch_row(hq, batch_key)
    currencies = currencies_of(row.blueprint)
    with hq.transaction() as connection:
        found = workflow_statistics(connection, row.batch_id)
    return [replace(one, currency=currencies.get(one.workflow, "")) for one in found]
