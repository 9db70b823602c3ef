"""Writes the rows of a query to one Parquet file: in one go, or part by part where a whole batch is too much at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

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

    `parts` changes what the query sees as it is iterated. DuckDB cannot append to a file, so the rows pass as Arrow: one
    record batch is encoded while DuckDB makes the next.
    """
    written = 0
    with _writer(path) as write:
        for _ in parts:
            for batch in connection.execute(query).to_arrow_reader(_ROWS_A_BATCH):
                write(batch)
                written += len(batch)
    return written


@contextmanager
def _writer(path: Path) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """A function that takes record batches; at most one is being encoded and none is waiting beside it."""
    files: list[pq.ParquetWriter] = []
    under_way: list[Future[None]] = []

    def write(batch: pa.RecordBatch) -> None:
        if not files:
            files.append(pq.ParquetWriter(path, batch.schema, compression="zstd", compression_level=1))
        while under_way:
            under_way.pop().result()
        under_way.append(encoder.submit(files[0].write_batch, batch, ROW_GROUP_ROWS))

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="parquet") as encoder:
        try:
            yield write
            while under_way:
                under_way.pop().result()
        finally:
            for future in under_way:
                future.exception()
            for file in files:
                file.close()
