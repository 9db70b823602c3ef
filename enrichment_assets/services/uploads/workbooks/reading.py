"""One reading of one sheet, with the names, keys, segments and positions of a delimited file's reading.

Row and line numbers are those of the sheet. Empty rows are no rows, as blank lines are none. The cells of a merged
range below its first one show that one's value: a company over three people is each one's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum, load_workbook

from enrichment_assets.domain.errors import UploadRefusedError
from enrichment_assets.services.uploads.csv_files.exact import Position
from enrichment_assets.services.uploads.csv_files.limits import ReadLimits
from enrichment_assets.services.uploads.csv_files.margins import footer_start, header_position
from enrichment_assets.services.uploads.csv_files.reader import LINE_NUMBER, RESERVED_KEYS, ROW_NUMBER, ExactSegment
from enrichment_assets.services.uploads.csv_files.rows import BELOW_THE_LIST, RAW_CHARS, Rejection, Row
from enrichment_assets.services.uploads.csv_files.shape import FileShape, unique_keys
from enrichment_assets.services.uploads.workbooks.cells import is_cut_number, text_of
from enrichment_assets.services.uploads.workbooks.formats import digit_formats, rendered, shown_numbers
from enrichment_assets.services.uploads.workbooks.package import Package

WORKBOOK = "xlsx"
"""What stands for the encoding of a workbook."""

_SEGMENT_ROWS = 4096
_ROWS_LOOKED_AT = 40


def find_sheet(path: Path, asked: str | None) -> FileShape:
    """The sheet that is asked for, else the first visible one that is not empty, and where its list begins and ends.

    Raises `UploadRefusedError` with the names of the sheets when there is none of that name, and for what is no
    workbook.
    """
    with Package(path) as package:
        package.refuse_oversized()
        members = package.sheets()
    name = _choose(path, list(members), asked)
    rows = [row for row, _ in _texts(path, name)]
    above = header_position(rows[:_ROWS_LOOKED_AT])
    if not any(cell.strip() for cell in rows[above]):
        raise UploadRefusedError(f"its sheet {name!r} is empty", code="upload.sheet_empty")
    below = len(rows) - footer_start(rows[above:]) - above
    return FileShape(WORKBOOK, "", above, below, name)


def _choose(path: Path, names: list[str], asked: str | None) -> str:
    known = ", ".join(repr(name) for name in names)
    if asked is not None:
        if asked not in names:
            raise UploadRefusedError(f"it has no sheet {asked!r}; its sheets: {known}", code="upload.sheet_not_found")
        return asked
    with _opened(path) as workbook:
        visible = [one.name for one in workbook.sheets_metadata if one.visible == SheetVisibleEnum.Visible]
    for name in visible:
        if name in names and any(True for _ in _texts(path, name)):
            return name
    raise UploadRefusedError("it is a workbook without a filled sheet", code="upload.workbook_empty")


class SheetReading:
    """A sheet opened for one reading. `names` are the header's cells, `keys` their unique keys."""

    def __init__(self, path: Path, shape: FileShape, limits: ReadLimits) -> None:
        self.position = Position()
        self.cut_numbers: set[int] = set()
        """Columns with whole numbers of more than 15 digits, seen so far."""
        self._shape = shape
        self._limits = limits
        self._rows = list(_texts(path, shape.sheet or ""))
        header = self._rows[shape.lines_above][0] if len(self._rows) > shape.lines_above else []
        while header and not header[-1].strip():
            header = header[:-1]
        if not header:
            raise UploadRefusedError("its sheet has no header", code="upload.sheet_without_header")
        if len(header) > limits.columns:
            raise UploadRefusedError(
                f"its header has {len(header):,} columns; at most {limits.columns:,} are read",
                code="upload.too_many_columns",
            )
        self.names = header
        self.keys = unique_keys(self.names, RESERVED_KEYS)

    @property
    def schema(self) -> pa.Schema:
        """Of the segments' batches: row_number, line_number, then a string column per key."""
        numbers = [pa.field(ROW_NUMBER, pa.int64()), pa.field(LINE_NUMBER, pa.int64())]
        return pa.schema([*numbers, *(pa.field(key, pa.string()) for key in self.keys)])

    def segments(self) -> Iterator[ExactSegment]:
        """All rows of the sheet below its header, in order."""
        found = self._found()
        while some := list(islice(found, _SEGMENT_ROWS)):
            rows = [one for one in some if isinstance(one, Row)]
            yield ExactSegment(rows, [one for one in some if isinstance(one, Rejection)])

    def first_rows(self, count: int) -> list[list[str]]:
        """The cells of the first rows. Takes the place of `segments()`: a reading is for one of them."""
        return [one.cells for one in islice((f for f in self._found() if isinstance(f, Row)), count)]

    def _found(self) -> Iterator[Row | Rejection]:
        last = len(self._rows) - self._shape.bytes_below
        for number, (cells, cut) in enumerate(self._rows):
            if number <= self._shape.lines_above:
                continue
            self.position.lines = number + 1
            if not any(cells):
                self.position.blank_lines += 1
                continue
            self.position.rows += 1
            reason = BELOW_THE_LIST if number >= last else self._reason(cells)
            if reason is None:
                self.cut_numbers.update(cut)
                yield Row(self.position.rows, number + 1, cells[: len(self.names)])
            else:
                raw = "\t".join(cells).rstrip("\t")[:RAW_CHARS].replace("\x00", "\\x00")
                yield Rejection(self.position.rows, number + 1, reason, raw)

    def _reason(self, cells: Sequence[str]) -> str | None:
        """Why a row cannot be kept as it is."""
        width = len(self.names)
        if any(cells[width:]):
            filled = max(n for n, cell in enumerate(cells, 1) if cell)
            return f"{filled} cells, but the header has {width}"
        for number, cell in enumerate(cells, 1):
            if "\x00" in cell:
                return f"cell {number} has a NUL character, which no text column can hold"
            if len(cell) > self._limits.cell_chars:
                return f"cell {number} is longer than {self._limits.cell_chars:,} characters"
        return None


def _texts(path: Path, name: str) -> Iterator[tuple[list[str], list[int]]]:
    """The rows of a sheet from its first one: texts from column A on, and which cells are numbers cut to 15 digits.

    Raises `UploadRefusedError` when the workbook cannot be read or is too large.
    """
    with Package(path) as package:
        formats = digit_formats(package.read("xl/styles.xml"))
        content = package.look_at(package.sheets().get(name, ""), frozenset(formats))
    shown = shown_numbers(content.styled, formats)
    with _opened(path) as workbook:
        try:
            sheet = workbook.get_sheet_by_name(name)
            if sheet.start is None:
                return
            first = sheet.start[1]
            over = _merged(sheet)
            above: dict[int, str] = {}
            for number, values in enumerate(sheet.iter_rows()):
                cells = [""] * first + [text_of(value) for value in values]
                cut = [first + n for n, value in enumerate(values) if is_cut_number(value)]
                if shown:
                    for n, value in enumerate(values):
                        if isinstance(value, float) and (code := shown.get((number, first + n))):
                            cells[first + n] = rendered(value, code) or cells[first + n]
                for column in over.get(number, ()):
                    cells[column] = cells[column] or above.get(column, "")
                if over:
                    above = dict(enumerate(cells))
                yield cells, cut
        except CalamineError as error:
            raise UploadRefusedError(
                f"its sheet {name!r} cannot be read: {error}", code="upload.sheet_unreadable"
            ) from None


def _merged(sheet: CalamineSheet) -> dict[int, list[int]]:
    """Row -> the columns in which it shows the value of the row above, by a merged range."""
    over: dict[int, list[int]] = {}
    for (first_row, column), (last_row, _) in sheet.merged_cell_ranges or ():
        for row in range(first_row + 1, last_row + 1):
            over.setdefault(row, []).append(column)
    return over


def _opened(path: Path) -> CalamineWorkbook:
    try:
        return load_workbook(str(path))
    except (CalamineError, OSError) as error:
        raise UploadRefusedError(
            f"it is a damaged workbook ({type(error).__name__})", code="upload.workbook_damaged"
        ) from None
