"""`enrichment_results`: what HQ knows about a batch, as Parquet for the models. Between the steps and the tables."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from enrichment_assets.assets.partitions import OWNERS, batches
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq

RESULTS = dg.AssetKey("enrichment_results")


def results_spec(last_steps: Sequence[dg.AssetKey]) -> dg.AssetSpec:
    """The asset after every step.

    It belongs to the steps' own op (`enrichment.py`): Dagster skips an op whose input was left out, and every batch
    leaves out the steps that it does not have.
    """
    return dg.AssetSpec(
        key=RESULTS,
        deps=last_steps,
        skippable=True,
        partitions_def=batches,
        group_name="extraction",
        owners=OWNERS,
        kinds={"parquet"},
        description="Items, states, results and calls of the batch as Parquet: the sources of the SQL models.",
    )


def export_results(hq: Hq, settings: Settings, batch_key: str) -> dg.MaterializeResult:
    """Export the batch from HQ to the warehouse in one snapshot; the uploaded rows too, where there are more by now."""
    from enrichment_assets.services.batches.extracting import add_raw_rows
    from enrichment_assets.services.review.standings import note_standings
    from enrichment_assets.warehouse import publish_batch_sources

    note_standings(hq, batch_key)
    add_raw_rows(hq, settings, batch_key)
    reports = publish_batch_sources(hq, settings, batch_key)
    rows = {report.name: report.rows for report in reports}
    return dg.MaterializeResult(
        asset_key=RESULTS,
        metadata={"dagster/row_count": rows.get("enrichment_results", 0), "rows_by_source": rows},
    )
