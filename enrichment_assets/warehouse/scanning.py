"""The SELECT that reads a source or a model from its Parquet files, with the columns that it promises."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path

from enrichment_assets.warehouse.files import quoted
from enrichment_assets.warehouse.project import Column


def scan(columns: Sequence[Column], files: Sequence[Path], *, is_numbered: bool = False) -> str:
    """A SELECT of these columns from these files, or of no row when there is no file.

    `is_numbered`: of one file, which can be read; rows have their number in it, too: `file_row_number`.
    """
    if not files:
        return f"select {_cast(columns, ())} where false"
    if len(files) == 1 and (there := _columns_of(files[0])):
        # DuckDB opens it now and knows its size: it reads its row groups with all threads, and orders joins by it.
        shown, numbered = (", file_row_number", ", file_row_number = true") if is_numbered else ("", "")
        read = f"read_parquet({quoted(files[0])}, hive_partitioning = false{numbered})"
        return f"select {_cast(columns, there)}{shown} from {read}"
    listed = ", ".join(quoted(path) for path in files)
    schema = ", ".join(
        f"'{c.name}': {{'name': '{c.name}', 'type': '{c.type}', 'default_value': null}}" for c in columns
    )
    shown = ", ".join(f'"{c.name}"' for c in columns)
    return f"select {shown} from read_parquet([{listed}], schema = map {{{schema}}}, hive_partitioning = false)"


def _columns_of(path: Path) -> list[str]:
    """Names of a file's columns; none where it cannot be read, which is said when somebody reads it."""
    import pyarrow as pa  # a question to many batches needs none of it
    import pyarrow.parquet as pq

    try:
        names: list[str] = pq.read_schema(path).names
    except (OSError, pa.ArrowInvalid):
        return []
    return names


def _cast(columns: Sequence[Column], there: Container[str]) -> str:
    """The columns with their promised types; null where an earlier version of a model did not have them yet."""
    name = '"{}"'.format
    given = [(name(c.name), name(c.name) if c.name in there else "null", c.type) for c in columns]
    return ", ".join(f"cast({value} as {type_name}) as {column}" for column, value, type_name in given)
