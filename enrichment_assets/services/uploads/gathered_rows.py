"""The rows of an upload that came one after another: they are in HQ, and no file is kept of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.services.uploads.csv_files.reader import LINE_NUMBER, ROW_NUMBER
from enrichment_assets.store.database import Connection
from enrichment_assets.store.sources.gathering import rows_of


def read_gathered(connection: Connection, upload: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
    """The readable rows, as `services.uploads.upload.read_rows` gives those of a file; a row is its own line.

    Raises `InfrastructureError` when they were taken out, being old.
    """
    if upload["bytes_removed_at"] is not None:
        raise InfrastructureError(
            f"the rows of upload {upload['id']} were taken out, being old", code="upload.rows_gone"
        )
    keys = [column["key"] for column in upload["columns"]]
    numbers = [(ROW_NUMBER, pa.int64()), (LINE_NUMBER, pa.int64())]
    schema = pa.schema([*numbers, *((key, pa.string()) for key in keys)])
    for rows in rows_of(connection, upload["id"]):
        at = pa.array([row["row_number"] for row in rows], pa.int64())
        cells = [pa.array([row["cells"].get(key) for row in rows], pa.string()) for key in keys]
        yield pa.RecordBatch.from_arrays([at, at, *cells], schema=schema)
