"""The upload of a batch as a Parquet file in the warehouse: every row, every column, all text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from enrichment_assets.domain.headers import map_headers
from enrichment_assets.services.batches.status import batch_row
from enrichment_assets.services.uploads.upload import get_upload, read_rows
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states.batch_states import BatchRow
from enrichment_assets.warehouse.copies import published_as_one
from enrichment_assets.warehouse.files import RAW_UPLOADS, Layout, put_in_place
from enrichment_assets.warehouse.generations import Scope
from enrichment_assets.warehouse.locking import locked_batch

_OWN_COLUMNS = 4
"""`client_slug`, `batch_key`, `row_number` and `line_number` stand before the uploaded ones."""
GROUP_BYTES = 32 * 2**20
"""Of rows in memory that are written together: a group for each block read would be small, and larger on the disk."""


@dataclass(frozen=True, slots=True)
class RawUpload:
    """What was written: `columns` are the column keys in upload order, each with its type; `rows` the readable rows."""

    path: Path
    filename: str
    sha256: str
    rows: int
    rejected: int
    columns: tuple[tuple[str, str], ...]

    @property
    def columns_to_show(self) -> tuple[tuple[str, str], ...]:
        """The column keys with their types, fit for an event that is kept for good.

        A file may have no header: its first row is a person then. So the uploaded columns are numbered where none of
        their names is known.
        """
        own, uploaded = self.columns[:_OWN_COLUMNS], self.columns[_OWN_COLUMNS:]
        if any(map_headers([name for name, _ in uploaded])):
            return self.columns
        return (*own, *((f"column_{number}", kind) for number, (_, kind) in enumerate(uploaded, start=1)))


def write_raw_upload(hq: Hq, settings: Settings, batch_key: str) -> RawUpload:
    """Write the upload of a batch to the warehouse, streaming; an earlier file of the batch is replaced.

    Raises:
        NotFoundError: there is no such batch.
        InfrastructureError: the kept bytes are gone.
    """
    batch = batch_row(hq, batch_key)
    upload = get_upload(hq, batch.upload_id)
    layout = Layout.of(settings)
    path = layout.source(RAW_UPLOADS, batch.client, batch.batch_key)

    def write() -> RawUpload:
        written = _write(read_rows(hq, settings, batch.upload_id), path, batch)
        return RawUpload(path, upload.filename, upload.sha256, written[0], upload.rejected, written[1])

    with locked_batch(layout, batch_key):
        return published_as_one(layout, Scope(batch_key, batch.client), write)


def raw_rows(layout: Layout, client_slug: str, batch_key: str) -> int | None:
    """How many uploaded rows of a batch the warehouse has; None: nothing was written of them."""
    path = layout.source(RAW_UPLOADS, client_slug, batch_key)
    return int(pq.read_metadata(path).num_rows) if path.exists() else None


def _write(rows: Iterator[pa.RecordBatch], path: Path, batch: BatchRow) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Write the rows; how many there are, and the columns with their types."""
    with put_in_place(path) as unfinished:
        count, schema = write_rows((_keyed(part, batch.client, batch.batch_key) for part in rows), unfinished)
        if schema is None:
            numbers = [("row_number", pa.int64()), ("line_number", pa.int64())]
            schema = pa.schema([("client_slug", pa.string()), ("batch_key", pa.string()), *numbers])
            pq.write_table(schema.empty_table(), unfinished, compression="zstd")
    return count, _described(schema)


def write_rows(rows: Iterable[pa.RecordBatch], path: Path) -> tuple[int, pa.Schema | None]:
    """Write uploaded rows as Parquet, some thousand in a group; how many there are, and their schema (None: no rows).

    Without dictionaries: of what is compressed anyway they make a file three times as large, and take longer.
    """
    count, waiting, size = 0, list[pa.RecordBatch](), 0
    writer: pq.ParquetWriter | None = None
    try:
        for part in rows:
            if writer is None:
                writer = pq.ParquetWriter(path, part.schema, compression="zstd", use_dictionary=False)
            waiting.append(part)
            count, size = count + part.num_rows, size + part.nbytes
            if size >= GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting, size = [], 0
        if writer is not None and waiting:
            writer.write_table(pa.Table.from_batches(waiting))
    finally:
        if writer is not None:
            writer.close()
    return count, None if writer is None else writer.schema


def _keyed(rows: pa.RecordBatch, client_slug: str, batch_key: str) -> pa.RecordBatch:
    """The rows with the columns in front that name them outside HQ."""
    keys = [pa.repeat(pa.scalar(value, pa.string()), rows.num_rows) for value in (client_slug, batch_key)]
    schema = pa.schema([("client_slug", pa.string()), ("batch_key", pa.string()), *rows.schema])
    return pa.RecordBatch.from_arrays([*keys, *rows.columns], schema=schema)


def _described(schema: pa.Schema) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, str(field.type)) for field in schema)
