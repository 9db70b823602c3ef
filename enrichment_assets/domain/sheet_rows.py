"""Rows of a sheet that are found by a key: where its columns are, where its rows are, and what is written where. Pure.

A row is never known by its number: people sort, filter and move rows. Its number is what the key column says in the
moment before it is written. Columns are found by their header, whatever spaces and case somebody gave it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from enrichment_assets.domain.expressions import blank

LONGEST_CELL = 50_000
"""Characters that a cell of Google Sheets holds."""

_SPACE = re.compile(r"[\s​﻿]+")


class SheetFault(Exception):
    """The sheet is not as the workflow says; the text says what to do, and goes to people."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One row that is to be there.

    Attributes:
        key: What the key column says.
        cells: Header -> value.
        if_empty: Headers that are written only where the cell is empty.
        only_new: Headers that are written only into a new row.
        is_new: Whether nothing of it was delivered before: a row that is gone is not made again.
    """

    key: str
    cells: Mapping[str, Any]
    if_empty: frozenset[str] = frozenset()
    only_new: frozenset[str] = frozenset()
    is_new: bool = True


@dataclass(slots=True)
class Sheet:
    """What is known of a sheet while it is read.

    Attributes:
        title: As it is written in ranges.
        number: Google's id of it.
        columns: Header, folded -> place from 0.
        rows: Key -> numbers of the rows that have it, from 1.
    """

    title: str
    number: int
    row_count: int
    columns: Mapping[str, int] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def column(self, header: str) -> int:
        """Where a column is; the header was looked for before (`columns_of`)."""
        return self.columns[folded(header)]

    def row(self, number: int) -> str:
        """The range of a whole row."""
        return f"{quoted(self.title)}!{number}:{number}"

    def a1(self, left: int, top: int, right: int | None = None, bottom: int | None = None) -> str:
        """A range of it; columns from 0, rows from 1."""
        end = "" if right is None else f":{letters(right)}{bottom or ''}"
        return f"{quoted(self.title)}!{letters(left)}{top}{end}"


def folded(header: object) -> str:
    """A header as it is compared: without spaces around it, other spaces as one, in small letters."""
    return _SPACE.sub(" ", str(header)).strip().casefold()


def columns_of(header: Sequence[Any], wanted: Iterable[str], title: str) -> dict[str, int]:
    """Where each wanted column is.

    Raises:
        SheetFault: One is not there, or is there twice.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, cell in enumerate(header):
        if folded(cell):
            places[folded(cell)].append(place)
    names = list(dict.fromkeys(wanted))
    missing = [name for name in names if folded(name) not in places]
    if missing:
        there = ", ".join(str(cell).strip() for cell in header if folded(cell)) or "nothing"
        raise SheetFault(
            f"the sheet {title!r} has no column {', '.join(map(repr, missing))}: write it into the header row, "
            f"which has {there}"
        )
    twice = next((name for name in names if len(places[folded(name)]) > 1), None)
    if twice is not None:
        raise SheetFault(f"the sheet {title!r} has two columns {twice!r}: rename one of them")
    return {folded(name): places[folded(name)][0] for name in names}


def note_keys(sheet: Sheet, first: int, column: Sequence[Sequence[Any]], asked: frozenset[str]) -> None:
    """Note where asked keys stand on one page of the key column, which begins at row `first`."""
    for number, cells in enumerate(column, first):
        key = str(cells[0]).strip() if cells else ""
        if key in asked:
            sheet.rows[key].append(number)


def cell_of(value: Any) -> str | int | float | bool:
    """A value as a cell has it under RAW: dates in ISO form, lists with commas, nothing as an empty cell."""
    if blank(value):
        return ""
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ", ".join(str(cell_of(one)) for one in value)
    return str(value)


def too_long(row: Wanted) -> str | None:
    """Why a row cannot be written at all; None: it can."""
    for header, value in row.cells.items():
        if len(str(cell_of(value))) > LONGEST_CELL:
            return f"{header} is longer than the {LONGEST_CELL} characters that a cell holds"
    return None


def updates(sheet: Sheet, row: Wanted, number: int, current: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is written into a row that is there, as Google's `ValueRange`s: one for each run of neighbouring cells.

    Args:
        sheet: With its columns.
        row: What is to be there.
        number: Where it stands now.
        current: Header -> what the cells of `if_empty` have now.
    """
    written = {
        sheet.column(header): cell_of(value)
        for header, value in row.cells.items()
        if header not in row.only_new and not (header in row.if_empty and not blank(current.get(header)))
    }
    runs: list[dict[str, Any]] = []
    for place in sorted(written):
        if runs and place - 1 in written:
            runs[-1]["values"][0].append(written[place])
        else:
            runs.append({"range": sheet.a1(place, number), "values": [[written[place]]]})
    return runs


def appended(sheet: Sheet, key_column: str, rows: Sequence[Wanted]) -> dict[str, Any]:
    """Google's request that writes new rows after the last one that has anything, from the first column on.

    A text is a text, whatever it begins with: `stringValue` is never read as a formula.
    """
    lines = []
    for row in rows:
        cells = {sheet.column(header): cell_of(value) for header, value in row.cells.items()}
        cells[sheet.column(key_column)] = row.key
        lines.append({"values": [_entered(cells.get(place, "")) for place in range(max(cells) + 1)]})
    told = {"sheetId": sheet.number, "fields": "userEnteredValue", "rows": lines}
    return {"requests": [{"appendCells": told}]}


def letters(place: int) -> str:
    """0 is `A`, 26 `AA`."""
    text, number = "", place + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def quoted(title: str) -> str:
    """A sheet's title as a range has it."""
    return "'" + title.replace("'", "''") + "'"


def _entered(value: str | int | float | bool) -> dict[str, Any]:
    if value == "":
        return {}
    kind = "boolValue" if isinstance(value, bool) else "stringValue" if isinstance(value, str) else "numberValue"
    return {"userEnteredValue": {kind: value}}
