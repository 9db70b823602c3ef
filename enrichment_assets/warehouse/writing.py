"""Writes the rows of a query to one Parquet file: in one go, or in parts where a whole batch is too much at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from enrichment_assets.warehouse.files import UNFINISHED_SUFFIX, quoted

ROW_GROUP_ROWS = 100_000


def write_query(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Write a query's rows, encoded by all of DuckDB's threads; returns the number of rows."""
    copied = connection.execute(
        f"copy ({query}) to {quoted(path)} "
        f"(format parquet, compression zstd, compression_level 1, row_group_size {ROW_GROUP_ROWS})"
    )
    return int(copied.fetchall()[0][0])


def write_parts(connection: duckdb.DuckDBPyConnection, query: str, parts: Iterable[object], path: Path) -> int:
    """Write the query's rows once per part into one file; returns the number of rows.

    `parts` changes what the query sees as it is iterated. DuckDB cannot append to a file, so each part has one of its
    own beside it until all are copied together.
    """
    stem = path.name.removesuffix(UNFINISHED_SUFFIX)
    written: list[Path] = []
    try:
        for number, _ in enumerate(parts):
            written.append(path.with_name(f"{stem}.part{number}{UNFINISHED_SUFFIX}"))
            write_query(connection, query, written[-1])
        listed = ", ".join(map(quoted, written))
        return write_query(connection, f"select * from read_parquet([{listed}], hive_partitioning = false)", path)
    finally:
        for part in written:
            part.unlink(missing_ok=True)
