"""What a run of one batch selects: only what the batch has, so that nothing else of the graph looks planned or done.

Steps and tables are two runs. A run of the tables is started when the last step has settled: tables that were planned
and then skipped because one batch waits would show their checks as skipped for every batch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import dagster as dg

from enrichment_assets.assets.publication import PUBLISHED
from enrichment_assets.assets.results import RESULTS
from enrichment_assets.assets.steps import step_key
from enrichment_assets.assets.uploads import BATCH_ITEMS, RAW_UPLOADS
from enrichment_assets.warehouse.project import load_project

ALL_STEPS = {"enrich/steps": "all"}
"""Tag of a run that works on every step of its batch, also on those that were added after the code location was loaded:
they have no asset that it could select."""


def steps_of(planned: Iterable[str], shown: Collection[dg.AssetKey]) -> list[dg.AssetKey]:
    """The upload, the items, and the steps of a batch.

    Args:
        planned: The workflows of the batch's blueprint.
        shown: The assets of the code location.
    """
    return [RAW_UPLOADS, BATCH_ITEMS, *(key for key in map(step_key, planned) if key in shown)]


def tables_of_a_batch() -> list[dg.AssetKey]:
    """The results, the models of a batch, and their publication."""
    models = [dg.AssetKey(m.name) for m in load_project().models.values() if m.partitioned]
    return [RESULTS, *models, PUBLISHED]
