"""Rows one by one, by Python's strict csv parser, with recovery: the way for everything that is not proven clean.

The csv module's strict mode keeps text exactly and refuses what it would otherwise have to guess. After a quoting
error only the physical line where the row started is given up, and reading resumes on the next one. Until a row with
exactly as many cells as there are columns has been found, what follows may be the rest of the broken row, so it is
rejected too, line by line: half an address must never become a lead that money is spent on.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from enrichment_assets.domain.errors import UploadRefusedError
from enrichment_assets.services.uploads.csv_files.limits import ReadLimits
from enrichment_assets.services.uploads.csv_files.lines import LineFeed, OverlongLine
from enrichment_assets.services.uploads.csv_files.rows import Rejection, Row, printable


class _OverlongLineError(csv.Error):
    """Thrown through the csv parser, which then forgets the record it was in."""


class Position:
    """Where reading stands: rows, physical lines and blank lines so far. Shared by both ways of reading."""

    def __init__(self) -> None:
        self.rows = 0
        self.lines = 0
        self.blank_lines = 0


class ExactReader:
    """Reads records from a `LineFeed`. `width` is the number of columns; None while the header is read."""

    def __init__(
        self, feed: LineFeed, delimiter: str, position: Position, limits: ReadLimits, width: int | None = None
    ) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), limits.cell_chars))
        self.width = width
        self._feed = feed
        self._position = position
        self._limits = limits
        self._taken: list[bytes] = []
        self._replayed = 0
        self._broken_at: int | None = None
        self._records = csv.reader(self, delimiter=delimiter, strict=True)

    @property
    def in_step(self) -> bool:
        """False after a quoting error, until a whole row has been found again."""
        return self._broken_at is None

    def read(self, size: int) -> Iterator[Row | Rejection]:
        """Rows and rejections of about the next `size` bytes, and on until the reader is in step again."""
        consumed = 0
        while consumed < size or not self.in_step or self._feed.holds_overlong:
            found, length = self._next()
            if length == 0:
                return
            consumed += length
            if found is not None:
                yield found

    def header(self) -> tuple[list[str], bytes] | None:
        """Cells and raw text of the first record that is not blank; None at the end. Raises `csv.Error`."""
        while True:
            self._taken.clear()
            cells = next(self._records, None)
            if cells is None:
                return None
            self._position.lines += len(self._taken)
            if cells:
                return cells, b"".join(self._taken)

    def __iter__(self) -> ExactReader:
        return self

    def __next__(self) -> str:
        """The next line, for the csv parser; lines of the current record are remembered for the way back."""
        line = self._feed.next_line()
        if line is None:
            raise StopIteration
        self._taken.append(line)
        if isinstance(line, OverlongLine):
            raise _OverlongLineError
        return line.decode("utf-8", "surrogateescape")

    def _next(self) -> tuple[Row | Rejection | None, int]:
        """The next row or rejection (None: a blank line) and how many bytes it took (0: the end of the file)."""
        self._taken.clear()
        try:
            cells = next(self._records)
        except StopIteration:
            return None, 0
        except _OverlongLineError:
            return self._overlong()
        except csv.Error as error:
            return self._quoting_error(str(error))
        if not cells:
            self._position.lines += 1
            self._position.blank_lines += 1
            return None, len(self._taken[0])
        if not self.in_step:
            if len(cells) < (self.width or 1) or any(cells[self.width :]):
                return self._give_up_line(f"follows the broken quoting of line {self._broken_at}, and is no whole row")
            self._broken_at = None
        return self._judge(cells)

    def _judge(self, cells: list[str]) -> tuple[Row | Rejection, int]:
        raw = self._taken[0] if len(self._taken) == 1 else b"".join(self._taken)
        reason = _unstorable(raw, cells)
        width = self.width or len(cells)
        if reason is None and len(cells) > width:
            if any(cells[width:]):
                reason = f"{len(cells)} cells, but the header has {width}"
            else:
                cells = cells[:width]
        if reason is None and len(raw) > self._limits.cell_chars:
            reason = self._overlong_cell(cells)
        self._position.rows += 1
        line = self._position.lines + 1
        self._position.lines += len(self._taken)
        if reason is None:
            return Row(self._position.rows, line, cells), len(raw)
        return Rejection(self._position.rows, line, reason, printable(raw)), len(raw)

    def _overlong_cell(self, cells: list[str]) -> str | None:
        bound = self._limits.cell_chars
        number = next((n for n, cell in enumerate(cells, 1) if len(cell) > bound), None)
        return None if number is None else f"cell {number} is longer than {bound:,} characters"

    def _quoting_error(self, message: str) -> tuple[Rejection, int]:
        line = self._position.lines + 1
        if "field larger" in message and len(self._taken) == 1:
            self._position.rows, self._position.lines = self._position.rows + 1, line
            reason = f"a cell is longer than {self._limits.cell_chars:,} characters"
            return Rejection(self._position.rows, line, reason, printable(self._taken[0])), len(self._taken[0])
        if not self._ends_with_its_line():
            self._broken_at = line
        if "expected after" in message:
            return self._give_up_line("broken quoting: text follows a closing quote, or a quote inside is not doubled")
        return self._give_up_line("broken quoting: a quote that opens in this row is never closed")

    def _ends_with_its_line(self) -> bool:
        """True when the broken row, read leniently, is a whole one: then the next line is not a part of it."""
        if len(self._taken) > 1:
            return False
        line = self._taken[0].decode("utf-8", "surrogateescape")
        lenient = csv.reader([line, "next"], delimiter=self._records.dialect.delimiter)
        return len(next(lenient)) == self.width and lenient.line_num == 1

    def _give_up_line(self, reason: str) -> tuple[Rejection, int]:
        """Reject the first physical line of what was taken and give the others back."""
        first, *rest = self._taken
        self._replayed += sum(map(len, rest))
        if self._replayed > self._limits.replay_bytes:
            raise UploadRefusedError(
                f"the quoting is broken from line {self._broken_at} on: quotes open that never close. "
                "Export the file again with quotes doubled inside quoted cells.",
                code="upload.quoting_broken",
            )
        self._feed.give_back(rest)
        self._position.rows += 1
        self._position.lines += 1
        return Rejection(self._position.rows, self._position.lines, reason, printable(first)), len(first)

    def _overlong(self) -> tuple[Rejection, int]:
        """A line beyond the bound; lines taken before it belong to a quote that never closed."""
        if len(self._taken) > 1:
            self._broken_at = self._position.lines + 1
            return self._give_up_line("broken quoting: a quote that opens in this row is never closed")
        self._position.rows += 1
        self._position.lines += 1
        reason = f"the line is longer than {self._limits.row_bytes:,} bytes"
        raw = self._taken[0]
        return Rejection(self._position.rows, self._position.lines, reason, printable(raw)), len(raw)


def _unstorable(raw: bytes, cells: list[str]) -> str | None:
    """Why Postgres could not hold this row unaltered, or None."""
    if b"\x00" in raw:
        number = next((n for n, cell in enumerate(cells, 1) if "\x00" in cell), 1)
        return f"cell {number} has a NUL character, which no text column can hold"
    if raw.isascii():
        return None
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        number = next((n for n, cell in enumerate(cells, 1) if not _encodable(cell)), 1)
        return f"cell {number} has bytes that do not fit the file's encoding"
    return None


def _encodable(cell: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in cell)
