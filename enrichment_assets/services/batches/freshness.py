"""Whether anything is left to do for a batch: its steps, its tables, or the files behind them.

Asked before a run is begun, so nothing here loads Dagster, and what reads HQ in bulk neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.services.batches.status import batch_row
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.inbox.callbacks import new_callbacks_by_batch
from enrichment_assets.store.results.destinations import has_unstored
from enrichment_assets.store.results.freshness import changed_at
from enrichment_assets.store.states.batch_states import BatchRow
from enrichment_assets.warehouse.copies import brought
from enrichment_assets.warehouse.files import RAW_UPLOADS, Layout
from enrichment_assets.warehouse.lead_columns import written_at
from enrichment_assets.warehouse.project import PROJECT_DIR, load_project

_COMMITTED_LATER = timedelta(seconds=5)
"""A state says when it moved, and is seen when its transaction has committed."""


def nothing_left(hq: Hq, settings: Settings, batch_key: str) -> bool:
    """Whether a run of the batch would change nothing: every step has settled and every table shows it.

    False as well where a file of the tables is gone, a model's SQL is newer, or workflows declare other columns. Raises
    `NotFoundError`.
    """
    row = batch_row(hq, batch_key)
    if row.finished_at is None or row.extracted_at is None or row.extracted_at < row.finished_at:
        return False
    stored = [step.slug for step in Blueprint.model_validate(row.blueprint).steps if step.workflow.destination]
    with hq.transaction() as connection:
        if any(waiting.batch_key == batch_key for waiting in new_callbacks_by_batch(connection)):
            return False
        if any(has_unstored(connection, row.batch_id, slug) for slug in stored):
            return False
    return not is_behind(hq, settings, row) and _is_whole(Layout.of(settings), row)


def is_behind(hq: Hq, settings: Settings, row: BatchRow) -> bool:
    """Whether the batch's files do not show what HQ knows of it, in the columns and by the SQL of now."""
    layout = brought(settings, batch_key=row.batch_key)
    read = _read_at(layout, row)
    if read is None or not all(path.exists() for path in _files_of_batch(layout, row)):
        return True
    columns = written_at(hq, layout)
    leads = layout.model("final_leads", row.client, row.batch_key).stat().st_mtime_ns
    if columns is None or leads < max(columns, sql_changed_at()):
        return True
    with hq.transaction() as connection:
        changed = changed_at(connection, row.batch_id)
    if changed is None:
        return False
    if row.finished_at is not None and changed <= row.finished_at <= read:
        return False  # what a batch finished with had been committed before it was finished
    return changed > read - _COMMITTED_LATER


def _files_of_batch(layout: Layout, row: BatchRow) -> Iterator[Path]:
    """What an extraction writes of a batch."""
    project = load_project().of_system(row.blueprint.get("system"))
    for name in project.sources.keys() - {RAW_UPLOADS}:
        yield layout.source(name, row.client, row.batch_key)
    for model in project.models.values():
        if model.partitioned and model.materialized == "table":
            yield layout.model(model.name, row.client, row.batch_key)


def _is_whole(layout: Layout, row: BatchRow) -> bool:
    """Whether the uploaded rows are there, and the published tables over all batches, newer than the batch's own."""
    leads = layout.model("final_leads", row.client, row.batch_key).stat().st_mtime_ns
    project = load_project().of_system(row.blueprint.get("system"))
    over_all = [m.name for m in project.models.values() if m.published and not m.partitioned and not m.on_demand]
    try:
        built = [layout.analytics(name).stat().st_mtime_ns for name in over_all]
    except OSError:
        return False
    raw = layout.source(RAW_UPLOADS, row.client, row.batch_key)
    return min(built) >= leads and raw.exists() and (not row.grows or _rows_in(raw) == row.rows - row.rejected)


def _rows_in(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


def sql_changed_at() -> int:
    """When a model, macro or seed was last changed (nanoseconds)."""
    files = (path for path in PROJECT_DIR.rglob("*") if path.is_file() and path.parent.name != "__pycache__")
    return max(path.stat().st_mtime_ns for path in files)


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
