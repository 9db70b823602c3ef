"""A few rows of a model for people who look at an asset, without anything that an upload, a provider or a person wrote.

A preview is kept in Dagster's event log for good, so it fails closed: a value is shown only where the column's entry in
`schema.yml` says `meta: {personal: false}`; every other one is masked inside the query and never reaches Python.
It is bounded in rows, columns and characters. What may be marked is said in docs/models.md.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
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
"""Stands for any value that is not shown: it tells that there is one, and nothing of it. Null stays null."""

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


def preview_table(rows: Sequence[PreviewRow], columns: Sequence[Column], total: int) -> str:
    """A preview as a Markdown table under one line that says what is seen.

    Args:
        rows: What `masked_preview` gave.
        columns: All columns of the model.
        total: Number of rows the model has.
    """
    if not rows:
        return f"{total:,} rows, none of them of the first {PREVIEW_ITEMS:,} items." if total else "No rows."
    seen = columns[:PREVIEW_COLUMNS]
    lines = [
        _line([_plain(column.name) for column in seen]),
        _line(["---:" if column.type.startswith(_NUMERIC) else "---" for column in seen]),
        *(_line([_plain(row[column.name] or "") for column in seen]) for row in rows),
    ]
    about = f"{len(rows)} of {total:,} rows"
    if len(columns) > len(seen):
        about += f", {len(seen)} of {len(columns)} columns"
    if any(MASK in row.values() for row in rows):
        about += f"; {MASK} stands for a value that is not shown"
    return f"{about}.\n\n" + "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(text: str) -> str:
    """Text that stays text, on one line, in a cell of a Markdown table that a browser shows."""
    one_line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return _MARKUP.sub(r"\\\1", html.escape(one_line, quote=False))
