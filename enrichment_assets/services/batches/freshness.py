"""Whether anything is left to do for a batch: its steps, its tables, or the files behind them.

Asked before a run is begun, so nothing here loads Dagster, and what reads HQ in bulk neither.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.services.batches.status import batch_row
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.inbox.callbacks import new_callbacks_by_batch
from enrichment_assets.store.results.destinations import unstored_items
from enrichment_assets.store.results.freshness import changed_at
from enrichment_assets.store.states.batch_states import BatchRow
from enrichment_assets.warehouse.files import Layout
from enrichment_assets.warehouse.project import PROJECT_DIR

_COMMITTED_LATER = timedelta(seconds=5)
"""A state says when it moved, and is seen when its transaction has committed."""

_LAST_BUILT = "organisations"
"""The model over all batches that a run of a finished batch builds last."""


def nothing_left(hq: Hq, settings: Settings, batch_key: str) -> bool:
    """Whether a run of the batch would change nothing: every step has settled and every table shows it.

    False as well where a model's SQL is newer than the tables. Raises `NotFoundError`.
    """
    row = batch_row(hq, batch_key)
    if row.finished_at is None or row.extracted_at is None or row.extracted_at < row.finished_at:
        return False
    stored = [step.slug for step in Blueprint.model_validate(row.blueprint).steps if step.workflow.destination]
    with hq.transaction() as connection:
        if any(waiting.batch_key == batch_key for waiting in new_callbacks_by_batch(connection)):
            return False
        if any(unstored_items(connection, row.batch_id, slug) for slug in stored):
            return False
    return _is_last(Layout.of(settings), row) and not is_behind(hq, settings, row)


def is_behind(hq: Hq, settings: Settings, row: BatchRow) -> bool:
    """Whether HQ knows more of the batch than its files in the warehouse show, or there are none."""
    read = _read_at(Layout.of(settings), row)
    if read is None:
        return True
    with hq.transaction() as connection:
        changed = changed_at(connection, row.batch_id)
    if changed is None:
        return False
    if row.finished_at is not None and changed <= row.finished_at <= read:
        return False  # what a batch finished with had been committed before it was finished
    return changed > read - _COMMITTED_LATER


def _is_last(layout: Layout, row: BatchRow) -> bool:
    """Whether the tables are newer than the SQL that makes them, and those over all batches newer than the batch's."""
    try:
        leads = layout.model("final_leads", row.client, row.batch_key).stat().st_mtime_ns
        over_all = layout.analytics(_LAST_BUILT).stat().st_mtime_ns
    except OSError:
        return False
    newest = max(path.stat().st_mtime_ns for path in PROJECT_DIR.rglob("*") if path.is_file())
    return newest <= leads <= over_all


def _read_at(layout: Layout, row: BatchRow) -> datetime | None:
    """When HQ was read for the models that are there; None: they are not, or not of these sources."""
    source = layout.source("batches", row.client, row.batch_key)
    leads = layout.model("final_leads", row.client, row.batch_key)
    try:
        if leads.stat().st_mtime_ns < source.stat().st_mtime_ns:
            return None
        with pq.ParquetFile(source) as file:
            read = file.read(["read_at"])["read_at"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist()
    except (OSError, KeyError, pa.ArrowInvalid):
        return None
    # As a number: pyarrow loads pandas, if it is there, to make a time of Python out of one of its own.
    return datetime.fromtimestamp(read[0] / 1_000_000, UTC) if read and read[0] is not None else None
