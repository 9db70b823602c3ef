"""A few rows of a model for people who look at an asset, without anything that an upload, a provider or a person wrote.

A preview is kept in Dagster's event log for good, so it fails closed: a value is shown only where the column's entry in
`schema.yml` says `meta: {personal: false}`; every other one is masked inside the query and never reaches Python.
It is bounded in rows, columns and characters. What may be marked is said in docs/models.md.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from enrichment_assets.warehouse.project import Column, Model

if TYPE_CHECKING:
    import duckdb

PREVIEW_ROWS = 10
PREVIEW_COLUMNS = 60
CELL_CHARACTERS = 80
PREVIEW_ITEMS = 1_000
"""A view of a batch is computed for so many items, for its preview."""
MASK = "•••"
"""Stands in a row for any value that is not shown. Null stays null."""

PreviewRow = dict[str, str | None]

_MARKUP = re.compile(r"([\\`*_\[\]|~])")
_NUMERIC = ("BIGINT", "INTEGER", "DOUBLE", "DECIMAL")


def masked_preview(connection: duckdb.DuckDBPyConnection, model: Model) -> list[PreviewRow]:
    """Up to `PREVIEW_ROWS` rows of a model, column -> value as text cut to `CELL_CHARACTERS`, or `MASK`, or None."""
    columns = model.columns[:PREVIEW_COLUMNS]
    read = ", ".join(f'"{column.name}"' for column in columns)
    first = f'(select {read} from "{model.name}" limit {PREVIEW_ROWS})'
    return _named(columns, connection.execute(f"select {_masked(columns)} from {first}").fetchall())


def counted_preview(connection: duckdb.DuckDBPyConnection, model: Model) -> tuple[int, list[PreviewRow]]:
    """How many rows a model has, and its `masked_preview`. One query, because a view is computed when it is read."""
    columns = model.columns[:PREVIEW_COLUMNS]
    query = f'select {_masked(columns)}, count(*) over () from "{model.name}" limit {PREVIEW_ROWS}'
    rows = connection.execute(query).fetchall()
    return rows[0][-1] if rows else 0, _named(columns, [row[:-1] for row in rows])


def _named(columns: Sequence[Column], rows: Sequence[Sequence[str | None]]) -> list[PreviewRow]:
    names = [column.name for column in columns]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _masked(columns: Sequence[Column]) -> str:
    return ", ".join(f'{_shown(column)} as "{column.name}"' for column in columns)


def _shown(column: Column) -> str:
    """The SQL of a cell."""
    if column.personal:
        return f"""case when "{column.name}" is not null then '{MASK}' end"""
    text = f'cast("{column.name}" as varchar)'
    cut = f"left({text}, {CELL_CHARACTERS - 1}) || '…'"
    return f"case when length({text}) > {CELL_CHARACTERS} then {cut} else {text} end"


@dataclass(frozen=True, slots=True)
class Filled:
    """Of `rows` rows, how many have a value, by column. Columns whose values are shown are left out."""

    rows: int
    by_column: Mapping[str, int]


def filled_columns(connection: duckdb.DuckDBPyConnection, model: Model, file: Path | None) -> Filled | None:
    """How full the columns are whose values are not shown; None where there is no such column.

    Args:
        connection: A session in which the model can be read.
        model: The model.
        file: Its Parquet file: then nothing is read but the file's footer. None for a view, which is counted.
    """
    columns = [column.name for column in model.columns[:PREVIEW_COLUMNS] if column.personal]
    if not columns:
        return None
    if file is None:
        counts = ", ".join(f'count("{name}")' for name in columns)
        rows, *filled = connection.execute(f'select count(*), {counts} from "{model.name}"').fetchall()[0]
        return Filled(rows, dict(zip(columns, filled, strict=True)))
    found = connection.execute(
        "select path_in_schema, sum(num_values), sum(num_values - stats_null_count) from parquet_metadata(?) "
        "group by path_in_schema having count(*) = count(stats_null_count)",
        [str(file)],
    ).fetchall()
    by_column = {name: int(count) for name, _, count in found if name in columns}
    return Filled(
        max((int(rows) for _, rows, _ in found), default=0), {n: by_column[n] for n in columns if n in by_column}
    )


def preview_table(
    rows: Sequence[PreviewRow], columns: Sequence[Column], total: int, filled: Filled | None = None
) -> str:
    """A preview as Markdown: a line that says what is seen, a table of what may be shown, and words for the rest.

    Args:
        rows: What `masked_preview` gave.
        columns: All columns of the model.
        total: Number of rows the model has.
        filled: How full the other columns are.
    """
    if not rows:
        return f"{total:,} rows, none of them of the first {PREVIEW_ITEMS:,} items." if total else "No rows."
    seen = columns[:PREVIEW_COLUMNS]
    about = f"{len(rows)} of {total:,} rows"
    if len(columns) > len(seen):
        about += f", {len(seen)} of {len(columns)} columns"
    shown = [column for column in seen if not column.personal]
    parts = [about + "."]
    if shown:
        lines = [
            _line([_plain(column.name) for column in shown]),
            _line(["---:" if column.type.startswith(_NUMERIC) else "---" for column in shown]),
            *(_line([_plain(row[column.name] or "") for column in shown]) for row in rows),
        ]
        parts.append("\n".join(lines))
    if filled is not None and filled.rows:
        parts.append(_in_words(filled))
    return "\n\n".join(parts)


def _in_words(filled: Filled) -> str:
    """Which columns have a value in every row, in some, in none: their values can be personal and are not shown."""
    every = [_plain(name) for name, count in filled.by_column.items() if count >= filled.rows]
    none = [_plain(name) for name, count in filled.by_column.items() if count == 0]
    some = [
        f"{_plain(name)} in {count:,} ({_percent(count, filled.rows)} %)"
        for name, count in filled.by_column.items()
        if 0 < count < filled.rows
    ]
    groups = [("in every row", every), ("in some", some), ("in none", none)]
    listed = [f"- {where}: {', '.join(names)}" for where, names in groups if names]
    return "\n".join([f"Filled, and not shown because it can be personal (of {filled.rows:,} rows):", "", *listed])


def _percent(count: int, of: int) -> int:
    """Rounded, and never 0 or 100 for what is neither empty nor full."""
    return min(max(round(100 * count / of), 1), 99)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(text: str) -> str:
    """Text that stays text, on one line, in a cell of a Markdown table that a browser shows."""
    one_line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return _MARKUP.sub(r"\\\1", html.escape(one_line, quote=False))
