"""What is said of an upload: what was counted, which column is what, what is doubtful, what no step will use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from enrichment_assets.domain.field_types import FieldType, type_of
from enrichment_assets.domain.no_value import is_no_value
from enrichment_assets.services.uploads.csv_files.shape import FileShape
from enrichment_assets.services.uploads.file_readings import shape_of

LOOKED_AT = 5_000
"""Rows in which cells without a value are counted, so that a large file is not read twice for it."""

_CELLS_SHOWN = 3
_SHOWN_CHARS = 60

Rows = Sequence[Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class Column:
    """One uploaded column: header cell, unique key, and the identity field it feeds (`rank` 0 is asked first)."""

    name: str
    key: str
    field: str | None
    rank: int


@dataclass(frozen=True, slots=True)
class Look:
    """What the first rows show.

    Attributes:
        letters: Up to three cells with letters beyond ASCII, as they were read.
        no_value: Field -> how many of its cells hold a placeholder (`N/A`, `-`) and no value, in the first 5,000 rows.
        cut_numbers: Columns with whole numbers of which a spreadsheet has kept the first digits only (1.23E+18).
    """

    letters: tuple[str, ...] = ()
    no_value: Mapping[str, int] = field(default_factory=dict)
    cut_numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadReport:
    """What an upload came to. `rows` counts all data rows, `rejected` those of them that could not be read.

    `already_known`: the client had uploaded these bytes before, with the same options; then `blank_lines` is None,
    nothing was read again. `lines_above`: lines above the header, which are no rows. `rival`: an encoding that would
    read the file otherwise and is nearly as likely as `encoding`.
    """

    upload_id: int
    client: str
    filename: str
    sha256: str
    rows: int
    rejected: int
    columns: tuple[Column, ...]
    already_known: bool
    encoding: str
    delimiter: str
    size_bytes: int
    source: str
    created_at: datetime
    blank_lines: int | None = None
    sheet: str | None = None
    lines_above: int = 0
    rival: str | None = None
    look: Look = Look()

    @property
    def items(self) -> int:
        """Rows that become batch items."""
        return self.rows - self.rejected

    @property
    def recognised(self) -> bool:
        """True when at least one column is an identity field: a batch can be launched."""
        return any(column.field for column in self.columns)

    @property
    def unused(self) -> tuple[str, ...]:
        """Columns that are kept and that no built-in step asks for."""
        return tuple(column.key for column in self.columns if column.field is None)

    def warnings(self) -> Iterator[str]:
        """What a person should look at before anything is paid for, a sentence each."""
        if not self.recognised:
            yield "no column was recognised: say which is which with --map COLUMN=field, or nothing can be launched"
        if self.rival is not None:
            yield f"the encoding is a guess: it could be {self.rival} too; look at the letters, or give --encoding"
        for name in self.look.cut_numbers:
            yield f"column {name!r} has long numbers that a spreadsheet cut to 15 digits: they are not what they were"
        for name, count in self.look.no_value.items():
            yield f"{name}: {count:,} cells of the first {LOOKED_AT:,} rows hold no value (N/A, - and the like)"


def make_report(
    row: Mapping[str, Any],
    *,
    already_known: bool,
    blank_lines: int | None = None,
    rival: str | None = None,
    look: Look | None = None,
) -> UploadReport:
    """The report of an upload's row."""
    shape: FileShape = shape_of(row)
    return UploadReport(
        upload_id=row["id"],
        client=row["client"],
        filename=row["filename"],
        sha256=row["sha256"],
        rows=row["row_count"],
        rejected=row["rejected_count"],
        columns=columns_of(row["columns"]),
        already_known=already_known,
        encoding=row["encoding"],
        delimiter=row["delimiter"],
        size_bytes=row["size_bytes"],
        source=row["source"],
        created_at=row["created_at"],
        blank_lines=blank_lines,
        sheet=shape.sheet,
        lines_above=shape.lines_above,
        rival=rival,
        look=look or Look(),
    )


def columns_of(kept: Iterable[Mapping[str, Any]]) -> tuple[Column, ...]:
    """The columns as they are kept with an upload."""
    return tuple(Column(c["name"], c["key"], c["field"], c.get("rank", 0)) for c in kept)


def look_at(columns: Sequence[Column], rows: Rows, numbers_cut: Iterable[int] = ()) -> Look:
    """What the first rows show; `numbers_cut`: columns of a sheet that hold numbers cut to 15 digits."""
    counts: dict[str, int] = {}
    cut = set(numbers_cut)
    for position, column in enumerate(columns):
        cells = [row[position] for row in rows if position < len(row)]
        if any(cell and "+" in cell and _is_cut(cell) for cell in cells):
            cut.add(position)
        if column.field is not None:
            kind = type_of(column.field)
            if count := sum(1 for cell in cells if cell and _says_nothing(cell, kind)):
                counts[column.field] = counts.get(column.field, 0) + count
    letters = tuple(_letters(rows))
    return Look(letters, counts, tuple(columns[n].key for n in sorted(cut)))


def _says_nothing(cell: str, kind: FieldType) -> bool:
    """Whether a cell is a placeholder. No address is one, and there are as many different ones as rows."""
    if "@" in cell or "://" in cell or cell.isspace():
        return False
    return is_no_value(cell, kind)


def _letters(rows: Rows) -> Iterator[str]:
    """Cells with a letter or sign beyond ASCII, the first of each."""
    shown: set[str] = set()
    for row in rows:
        for cell in row:
            if cell and not cell.isascii() and cell not in shown:
                shown.add(cell)
                yield cell if len(cell) <= _SHOWN_CHARS else f"{cell[: _SHOWN_CHARS - 1]}…"
                if len(shown) == _CELLS_SHOWN:
                    return


def _is_cut(cell: str) -> bool:
    """`1.23E+18`, `1,4155E+10`: the first digits of a long whole number, as a spreadsheet saves what it shows."""
    mantissa, sign, exponent = cell.strip().upper().partition("E+")
    if not sign or not exponent.isdecimal() or len(exponent) > 3:
        return False
    digits = mantissa.replace(",", ".", 1)
    whole, _, decimals = digits.partition(".")
    return whole.lstrip("-").isdecimal() and (not decimals or decimals.isdecimal()) and int(exponent) > len(decimals)
