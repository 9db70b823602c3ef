"""Writing rows as a workbook (.xlsx): text stays text, so that phones, long ids and dates are what they were."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.services.uploads.workbooks.cells import EXACT_BELOW

MAX_ROWS = 1_048_575
"""Of a sheet, below its header."""
MAX_CHARS = 32_767
"""Of a cell; longer text is cut, with an ellipsis at its end."""


def write_workbook(columns: Sequence[str], rows: Iterable[Sequence[Any]], path: Path) -> int:
    """Write one sheet with a header, row by row in constant memory; returns the number of rows.

    Numbers of at most 15 digits are numbers, truth values are truth values, everything else is text: a spreadsheet
    changes no text cell, neither when it opens nor when it saves.

    Raises:
        EnrichError: There are more rows than a sheet holds.
    """
    options = {"constant_memory": True, "tmpdir": str(path.parent), "in_memory": False}
    workbook = xlsxwriter.Workbook(str(path), options)
    sheet = workbook.add_worksheet("Sheet1")
    sheet.freeze_panes(1, 0)
    count = 0
    try:
        for column, name in enumerate(columns):
            sheet.write_string(0, column, name)
        for row in rows:
            count += 1
            if count > MAX_ROWS:
                raise EnrichError(
                    f"A sheet holds {MAX_ROWS:,} rows and there are more: use .csv or .parquet.",
                    code="export.too_many_rows",
                )
            for column, value in enumerate(row):
                _write(sheet, count, column, value)
    finally:
        workbook.close()
    return count


def _write(sheet: Any, row: int, column: int, value: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float | Decimal) and _is_exact(value):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, _text(value))


def _is_exact(value: float | Decimal) -> bool:
    """True for a number that a spreadsheet keeps whole: at most 15 digits."""
    exact = Decimal(str(value))
    return exact.is_finite() and abs(exact) < EXACT_BELOW and Decimal(format(exact, ".15g")) == exact


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        text = value.isoformat(" ")
    elif isinstance(value, dt.date | dt.time):
        text = value.isoformat()
    elif isinstance(value, list | dict | tuple):
        text = json.dumps(value, default=str, ensure_ascii=False)
    else:
        text = str(value)
    return text if len(text) <= MAX_CHARS else f"{text[: MAX_CHARS - 1]}…"
