"""Publishes what HQ knows about one batch as Parquet: the sources of every model.

Streaming: a source is never whole in memory, only the driver's current 16 MB. Publishing again replaces the files.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results.extraction import SOURCE_QUERIES, BatchReader, find_batch, open_batch
from enrichment_assets.warehouse.copies import published_as_one
from enrichment_assets.warehouse.files import Layout, put_in_place
from enrichment_assets.warehouse.generations import Scope
from enrichment_assets.warehouse.lead_columns import bring_lead_columns_up_to_date
from enrichment_assets.warehouse.locking import locked_batch
from enrichment_assets.warehouse.project import Column, load_project

_ARROW_TYPES = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    "DECIMAL(18,6)": pa.decimal128(18, 6),
}


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What was published of one source."""

    name: str
    rows: int
    seconds: float
    path: Path


# crash point: sources-are-extracted
def publish_batch_sources(
    hq: Hq, settings: Settings, batch_key: str, only: Collection[str] = SOURCE_QUERIES
) -> list[SourceReport]:
    """Read one batch from HQ in one snapshot and write its source files (or `only` some), each put in place whole.

    Raises:
        NotFoundError: There is no such batch.
        InfrastructureError: HQ cannot be read, or the disk is full.
    """
    layout = Layout.of(settings)
    declared = load_project().sources
    if "batch_steps" in only:
        bring_lead_columns_up_to_date(hq, settings)
    batch = find_batch(hq.url, batch_key)

    def read() -> list[SourceReport]:
        with open_batch(hq.url, batch) as reader:
            return [_publish(reader, name, declared[name].columns, layout) for name in only]

    with locked_batch(layout, batch_key):
        return published_as_one(layout, Scope(batch_key, batch.client_slug), read)


def _publish(reader: BatchReader, name: str, columns: tuple[Column, ...], layout: Layout) -> SourceReport:
    started = time.perf_counter()
    schema = pa.schema([(column.name, _ARROW_TYPES[column.type]) for column in columns])
    path = layout.source(name, reader.batch.client_slug, reader.batch.batch_key)
    rows = 0
    with (
        put_in_place(path) as unfinished,
        pq.ParquetWriter(unfinished, schema, compression="zstd", compression_level=1) as writer,
    ):
        for batch in reader.stream(name):
            rows += len(batch)
            writer.write_batch(batch.cast(schema))
    return SourceReport(name, rows, time.perf_counter() - started, path)
