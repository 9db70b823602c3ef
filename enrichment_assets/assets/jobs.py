"""The one job: everything that a batch is made of, from its upload to its published tables."""

from __future__ import annotations

import dagster as dg

from enrichment_assets.assets.partitions import batches

BATCH_JOB = "enrich_batch"

batch_job = dg.define_asset_job(
    BATCH_JOB,
    selection=dg.AssetSelection.groups("uploads", "enrichment", "extraction", "marts"),
    description="Everything of one batch: upload, items, enrichment steps, results, models, publication.",
)

__all__ = ["BATCH_JOB", "batch_job", "batches"]
