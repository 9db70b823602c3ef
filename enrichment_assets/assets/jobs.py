"""The jobs: everything that a batch is made of, and the analytics over all batches."""

from __future__ import annotations

import dagster as dg

BATCH_JOB = "enrich_batch"
ANALYTICS_JOB = "build_analytics"

batch_job = dg.define_asset_job(
    BATCH_JOB,
    selection=dg.AssetSelection.groups("uploads", "enrichment", "extraction", "marts"),
    description="Everything of one batch: upload, items, enrichment steps, results, models, publication.",
)

analytics_job = dg.define_asset_job(
    ANALYTICS_JOB,
    selection=dg.AssetSelection.groups("analytics"),
    description="The models over all batches.",
)
