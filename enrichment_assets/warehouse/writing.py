"""Writes the rows of a query to one Parquet file: in one go, or in parts where a whole batch is too much at once."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 100_000
_ROWS_A_BATCH = 50_000


def write_query(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Write a query's rows, encoded by all of DuckDB's threads; returns the number of rows."""
    quoted = str(path).replace("'", "''")
    copied = connection.execute(
        f"copy ({query}) to '{quoted}' "
        f"(format parquet, compression zstd, compression_level 1, row_group_size {ROW_GROUP_ROWS})"
    )
    return int(copied.fetchall()[0][0])


def write_parts(connection: duckdb.DuckDBPyConnection, query: str, parts: Iterable[object], path: Path) -> int:
    """Write the query's rows once per part into one file; returns the number of rows.

    `parts` changes what the query sees as it is iterated. DuckDB cannot append to a file, so the rows pass as Arrow:
    one record batch is encoded while DuckDB makes the next.
    """
    written = 0
    with ExitStack() as stack:
        encode: _Encoder | None = None
        for _ in parts:
            reader = connection.execute(query).to_arrow_reader(_ROWS_A_BATCH)
            encode = encode or stack.enter_context(_Encoder(path, reader.schema))
            for batch in reader:
                encode(batch)
                written += len(batch)
    return written


class _Encoder:
    """Encodes record batches in a thread of its own; at most one is under way, and none waits beside it."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = pq.ParquetWriter(path, schema, compression="zstd", compression_level=1)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="parquet")
        self._under_way: Future[None] | None = None

    def __call__(self, batch: pa.RecordBatch) -> None:
        self._finish()
        self._under_way = self._thread.submit(self._file.write_batch, batch, ROW_GROUP_ROWS)

    def _finish(self) -> None:
        if self._under_way is not None:
            waiting, self._under_way = self._under_way, None
            waiting.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._finish()
        finally:
            self._thread.shutdown()
            self._file.close()
