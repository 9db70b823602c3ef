"""Writes the rows of a query to one Parquet file: in one go, or in parts where a whole batch is too much at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from enrichment_assets.warehouse.files import UNFINISHED_SUFFIX, quoted
from enrichment_assets.warehouse.joining import JoinedFile

ROW_GROUP_ROWS = 100_000
SHOWN_ROWS = 20_000
"""Rows that are written together of what a grid shows: of a few rows here and there, less is read besides."""

REPEATED_VALUES = 100
"""Values up to which a column of a file in passing becomes a dictionary: looking for more takes time."""


def write_query(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    path: Path,
    *,
    together: int = ROW_GROUP_ROWS,
    in_passing: bool = False,
) -> int:
    """Write a query's rows, encoded by all of DuckDB's threads, `together` in a group; returns the number of rows.

    `in_passing`: the file is read whole by what is built next; nobody looks for a value in it.
    """
    copied = connection.execute(
        f"copy ({query}) to {quoted(path)} "
        f"(format parquet, compression zstd, compression_level 1, row_group_size {together}"
        f"{f', dictionary_size_limit {REPEATED_VALUES}' if in_passing else ''})"
    )
    return int(copied.fetchall()[0][0])


def write_parts(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    parts: Iterable[object],
    path: Path,
    *,
    together: int = ROW_GROUP_ROWS,
    in_passing: bool = False,
) -> int:
    """Write the query's rows once per part into one file; returns the number of rows.

    `parts` changes what the query sees as it is iterated. Beside the file there is never more than one part of it.
    """
    part = path.with_name(path.name.removesuffix(UNFINISHED_SUFFIX) + f".part{UNFINISHED_SUFFIX}")
    try:
        with JoinedFile(path) as joined:
            for _ in parts:
                write_query(connection, query, part, together=together, in_passing=in_passing)
                joined.append(part)
        return joined.rows
    finally:
        part.unlink(missing_ok=True)
