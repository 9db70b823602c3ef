"""One sheet of a spreadsheet: cells in rows, ranges in A1 notation, and where appended rows go.

developers.google.com/workspace/sheets/api (guides "Cell values", "A1 notation", reference). Appending looks for a
*table* in the range, an area of cells that touch each other, and writes under the last one, from that table's own
first column: a blank row ends a table, and a table whose first column is empty begins further right. A range that
begins outside of the grid is refused; one that ends outside of it is cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

LONGEST_CELL = 50_000
Cell = str | int | float | bool | None

_RANGE = re.compile(r"([A-Za-z]{0,3})(\d*)(?::([A-Za-z]{0,3})(\d*))?")
_NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")


class GridError(Exception):
    """A range or a value that Sheets refuses with a 400; the text is its message."""


@dataclass(frozen=True, slots=True)
class Formula:
    """What a cell computes. Nothing is computed here: it shows what Sheets shows for an unknown name."""

    text: str


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle, from 0, ends included; an end that is None is open."""

    top: int
    left: int
    bottom: int | None
    right: int | None


@dataclass(slots=True)
class Sheet:
    """A sheet. `rows` has no empty rows at its end; `filtered`: somebody hides rows by a filter."""

    id: int
    title: str
    row_count: int = 1000
    column_count: int = 26
    rows: list[list[Cell | Formula]] = field(default_factory=list)
    filtered: bool = False
    protected: list[dict[str, Any]] = field(default_factory=list)

    def cell(self, row: int, column: int) -> Cell | Formula:
        """What is in a cell; None: nothing."""
        if not 0 <= row < len(self.rows) or not 0 <= column < len(self.rows[row]):
            return None
        return self.rows[row][column]

    def area(self, text: str) -> Area:
        """A range within this sheet, as `A1`, `A2:C`, `B:B`, `2:5` or nothing. Raises `GridError`."""
        if not text:
            return Area(0, 0, None, None)
        found = _RANGE.fullmatch(text)
        if found is None or not (found[1] or found[2]):
            raise GridError(f"Unable to parse range: {text}")
        is_one = ":" not in text
        top, left = int(found[2] or 1) - 1, column_number(found[1]) if found[1] else 0
        bottom = int(found[4]) - 1 if found[4] else int(found[2]) - 1 if is_one and found[2] else None
        right = column_number(found[3]) if found[3] else column_number(found[1]) if is_one and found[1] else None
        if top >= self.row_count or left >= self.column_count:
            grid = f"Max rows: {self.row_count}, max columns: {self.column_count}"
            raise GridError(f"Range ({self.quoted}!{text}) exceeds grid limits. {grid}")
        return Area(top, left, bottom, right)

    @property
    def quoted(self) -> str:
        """The title as it stands in a range."""
        return self.title if re.fullmatch(r"\w+", self.title) else "'" + self.title.replace("'", "''") + "'"

    def name(self, area: Area) -> str:
        """A1 notation of an area, its open ends closed at the grid's."""
        bottom = min(self.row_count - 1 if area.bottom is None else area.bottom, self.row_count - 1)
        right = min(self.column_count - 1 if area.right is None else area.right, self.column_count - 1)
        one, two = (f"{column_letters(column)}{row + 1}" for column, row in ((area.left, area.top), (right, bottom)))
        return f"{self.quoted}!{one}" if one == two else f"{self.quoted}!{one}:{two}"

    def values(self, area: Area) -> list[list[Cell | Formula]]:
        """The cells of an area, without empty cells at the end of a row and empty rows at the end."""
        bottom = len(self.rows) - 1 if area.bottom is None else min(area.bottom, len(self.rows) - 1)
        end = None if area.right is None else area.right + 1
        rows = [_trimmed(self.rows[row][area.left : end]) for row in range(area.top, bottom + 1)]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def write(self, top: int, left: int, values: list[list[Any]], *, parse: bool) -> Area:
        """Put values into cells; null leaves one as it is. Raises `GridError` for what no cell takes."""
        read = [[_read(value, parse=parse) for value in row] for row in values]
        width = max((len(row) for row in read), default=0)
        if top + len(read) > self.row_count or left + width > self.column_count:
            name = self.name(Area(top, left, top + len(read) - 1, left + width - 1))
            grid = f"Max rows: {self.row_count}, max columns: {self.column_count}"
            raise GridError(f"Range ({name}) exceeds grid limits. {grid}")
        for down, row in enumerate(read):
            for across, value in enumerate(row):
                if value is not None:
                    self._set(top + down, left + across, value)
        self._trim()
        return Area(top, left, top + max(len(read), 1) - 1, left + max(width, 1) - 1)

    def append(self, within: Area, values: list[list[Any]], *, parse: bool, insert: bool) -> tuple[Area | None, Area]:
        """Write under the last table in a range: the table, and what was written."""
        table = self._table(within)
        top, left = (within.top, within.left) if table is None else (int(table.bottom or 0) + 1, table.left)
        if insert and top < len(self.rows):
            self.rows[top:top] = [[] for _ in values]
            self.row_count += len(values)
        self.row_count = max(self.row_count, top + len(values))
        self.column_count = max(self.column_count, left + max((len(row) for row in values), default=0))
        return table, self.write(top, left, values, parse=parse)

    def append_cells(self, values: list[list[Any]]) -> None:
        """Write after the last row that has anything, from the first column, whatever tables there are."""
        top = len(self.rows)
        self.row_count = max(self.row_count, top + len(values))
        self.write(top, 0, values, parse=False)

    def sort(self, column: int, first: int) -> None:
        """Sort the rows from `first` on by a column, as a person does it."""
        self.rows[first:] = sorted(self.rows[first:], key=lambda row: shown(row[column] if column < len(row) else None))

    def _table(self, within: Area) -> Area | None:
        """The last table that has cells in a range."""
        bottom = len(self.rows) - 1 if within.bottom is None else min(within.bottom, len(self.rows) - 1)
        for row in range(bottom, within.top - 1, -1):
            end = len(self.rows[row]) - 1 if within.right is None else within.right
            columns = [column for column in range(within.left, end + 1) if self.cell(row, column) not in (None, "")]
            if columns:
                return self._around(row, columns[-1])
        return None

    def _around(self, row: int, column: int) -> Area:
        """All that touches a cell, as a rectangle."""
        top = bottom = row
        left = right = column
        while True:
            before = (top, bottom, left, right)
            while top > 0 and self._has(top - 1, left - 1, right + 1):
                top -= 1
            while self._has(bottom + 1, left - 1, right + 1):
                bottom += 1
            while left > 0 and any(self.cell(one, left - 1) not in (None, "") for one in range(top, bottom + 1)):
                left -= 1
            while any(self.cell(one, right + 1) not in (None, "") for one in range(top, bottom + 1)):
                right += 1
            if before == (top, bottom, left, right):
                return Area(top, left, bottom, right)

    def _has(self, row: int, left: int, right: int) -> bool:
        return any(self.cell(row, column) not in (None, "") for column in range(max(left, 0), right + 1))

    def _set(self, row: int, column: int, value: Cell | Formula) -> None:
        while len(self.rows) <= row:
            self.rows.append([])
        line = self.rows[row]
        line.extend([None] * (column + 1 - len(line)))
        line[column] = None if value == "" else value

    def _trim(self) -> None:
        while self.rows and not _trimmed(self.rows[-1]):
            self.rows.pop()


def shown(value: Cell | Formula) -> str:
    """A cell as Sheets shows it."""
    if value is None:
        return ""
    if isinstance(value, Formula):
        return "#NAME?"
    if isinstance(value, bool):
        return str(value).upper()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def rendered(value: Cell | Formula, option: str) -> Any:
    """A cell as a `valueRenderOption` asks for it; an empty one is an empty text."""
    if option == "FORMULA" and isinstance(value, Formula):
        return value.text
    if option in ("UNFORMATTED_VALUE", "FORMULA") and not isinstance(value, Formula):
        return "" if value is None else value
    return shown(value)


def column_number(letters: str) -> int:
    """`A` is 0, `AA` 26."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def column_letters(number: int) -> str:
    """0 is `A`, 26 `AA`."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _trimmed(row: list[Cell | Formula]) -> list[Cell | Formula]:
    end = len(row)
    while end and row[end - 1] in (None, ""):
        end -= 1
    return row[:end]


def _read(value: Any, *, parse: bool) -> Cell | Formula:
    """A value as it is kept: as it came, or (`parse`) as if a person had typed it."""
    if isinstance(value, dict | list):
        raise GridError("Invalid values: list_value and struct_value are no value of a cell")
    if isinstance(value, str) and len(value) > LONGEST_CELL:
        most = f"more than the maximum of {LONGEST_CELL} characters in a single cell"
        raise GridError(f"Your input contains {most}.")
    if not isinstance(value, str) or not parse:
        return value  # type: ignore[no-any-return]
    if value.startswith("'"):
        return value[1:]
    if value.startswith(("=", "+", "@")) and len(value) > 1 and not _NUMBER.fullmatch(value):
        return Formula(value)
    if value.upper() in ("TRUE", "FALSE"):
        return value.upper() == "TRUE"
    if _NUMBER.fullmatch(value.strip()):
        number = float(value.replace(",", ""))
        return int(number) if number.is_integer() else number
    return value
