"""The kept bytes of uploads without a person: their row stays as a row that holds nobody, so that all counts stay true.

A file that names the person is written anew as a table of UTF-8 text, whatever it was: the other rows keep their cells,
their numbers and their lines, theirs has one cell, `[redacted]`. What could not be read stays a line that cannot be
read; its text is in `upload_rejections`.
"""

from __future__ import annotations

import csv
import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.person_traces import REDACTED, Needles
from enrichment_assets.domain.suppression import identities_of
from enrichment_assets.services.people.identifying import Whom
from enrichment_assets.services.uploads.file_readings import Reading, open_reading, shape_of
from enrichment_assets.services.uploads.identity_cells import IdentityReader
from enrichment_assets.services.uploads.kept_files import kept_bytes, put_bytes
from enrichment_assets.settings import Settings

_NUMBERS = 2
"""Row and line number stand before the cells."""

Row = tuple[int, int, list[str] | None]
"""Number, line and cells; no cells: it could not be read."""


@dataclass(frozen=True)
class Judge:
    """Which rows of an upload are a person's, and what is left of those that only name them.

    Attributes:
        whom: Whom it is about.
        needles: Their values.
        numbers: Rows that are known to be theirs.
    """

    whom: Whom
    needles: Needles
    numbers: frozenset[int] = field(default_factory=frozenset)

    def left_of(self, number: int, cells: list[str], fields: Mapping[str, Any]) -> list[str] | None:
        """The cells that are left; None: the row stays as it is.

        Args:
            number: The row's.
            cells: As they are.
            fields: The identity fields among them.
        """
        if number in self.numbers or (fields and self.whom.is_meant(identities_of([fields], fields, person=True))):
            left = [REDACTED, *[""] * (len(cells) - 1)]
        else:
            left = [self.needles.blacked_out(cell, names=True) for cell in cells]
        return None if left == cells else left


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A kept file that was written anew: its hash and size, and how many rows are without a person."""

    sha256: str
    size: int
    rows: int


def rows_meant(settings: Settings, upload: Mapping[str, Any], whom: Whom) -> Iterator[tuple[int, dict[str, Any], int]]:
    """(number, identity fields, cells) of each row of an upload that is one of those who are meant."""
    path = kept_bytes(settings, upload["client"], upload["sha256"])
    reading = open_reading(path, shape_of(upload))
    reader = IdentityReader(upload["columns"])
    for number, _, cells in _rows(reading):
        fields = {} if cells is None else fields_of(reader, cells, len(reading.names))
        if fields and cells is not None and whom.is_meant(identities_of([fields], fields, person=True)):
            yield number, fields, len(cells)


@dataclass(frozen=True, slots=True)
class NamingRow:
    """A row of an upload that is the person's or names them: its cells by column, and what is left of them."""

    number: int
    cells: dict[str, str]
    left: list[str]


def rows_that_name_them(settings: Settings, upload: Mapping[str, Any], judge: Judge) -> Iterator[NamingRow]:
    """Each row of an upload that is the person's or names them.

    Raises `InfrastructureError` where the bytes are gone.
    """
    path = kept_bytes(settings, upload["client"], upload["sha256"])
    reading = open_reading(path, shape_of(upload))
    reader = IdentityReader(upload["columns"])
    for number, _, cells in _rows(reading):
        if cells is None:
            continue
        left = judge.left_of(number, cells, fields_of(reader, cells, len(reading.names)))
        if left is not None:
            yield NamingRow(number, dict(zip(reading.keys, cells, strict=False)), left)


# opens files of ours: what it has just written beside the kept ones
# crash point: upload-is-rewritten
def rewrite(settings: Settings, upload: Mapping[str, Any], left: Mapping[int, list[str]]) -> Rewritten:
    """Keep an upload's bytes without these rows, beside the old ones: `forget_bytes` removes those after the commit."""
    path = kept_bytes(settings, upload["client"], upload["sha256"])
    reading = open_reading(path, shape_of(upload))
    with tempfile.TemporaryDirectory(prefix=".rewriting-", dir=path.parent) as folder:
        written = Path(folder) / "upload"
        with written.open("w", encoding="utf-8", newline="") as file:
            _write(file, reading, upload["reading"].get("lines_above", 0), left)
        with written.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = written.stat().st_size
        put_bytes(settings, upload["client"], sha256, written)
    return Rewritten(sha256, size, len(left))


def shape_of_rewritten(upload: Mapping[str, Any]) -> dict[str, Any]:
    """`uploads.reading` of a file that was written anew."""
    above = upload["reading"].get("lines_above", 0)
    return {"lines_above": above} if above else {}


def _write(file: TextIO, reading: Reading, above: int, left: Mapping[int, list[str]]) -> None:
    lines = _Lines(file)
    lines.pad(above)
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(reading.names)
    for number, line, cells in _rows(reading):
        lines.pad(line - 1)
        if cells is None:
            writer.writerow([REDACTED] * (len(reading.names) + 1))
        else:
            writer.writerow(left.get(number, cells))


class _Lines:
    """A text file that knows how many lines it has."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lines = 0

    def write(self, text: str) -> int:
        r"""As a file does; a lone `\r` ends a line for whoever reads it, too."""
        self._lines += text.count("\n") + text.count("\r") - text.count("\r\n")
        return self._file.write(text)

    def pad(self, lines: int) -> None:
        """Blank lines until there are so many: they are no rows, and rows keep the numbers of their lines."""
        if lines > self._lines:
            self.write("\n" * (lines - self._lines))


def _rows(reading: Reading) -> Iterator[Row]:
    """All rows in order, those that cannot be read among them."""
    schema = reading.schema
    for segment in reading.segments():
        found: list[Row] = [(one.row_number, one.line_number, None) for one in segment.rejections]
        if segment.rows:
            batch = segment.batch(schema)
            numbers, lines = batch.column(0).to_pylist(), batch.column(1).to_pylist()
            cells = zip(*(column.to_pylist() for column in batch.columns[_NUMBERS:]), strict=True)
            found += [
                (number, line, [cell for cell in row if cell is not None])
                for number, line, row in zip(numbers, lines, cells, strict=True)
            ]
            if segment.rejections:
                found.sort(key=lambda one: one[0])
        yield from found


def fields_of(reader: IdentityReader, cells: Sequence[str | None], width: int = 0) -> dict[str, Any]:
    """The identity fields of a row, with every further address in it; `width`: of the list, where a row is shorter."""
    whole = [*cells, *[None] * (width - len(cells))]
    read = reader.read(whole)
    fields = {name: value for name, value in zip(IDENTITY_FIELDS, read.cells, strict=True) if value is not None}
    more: Iterable[tuple[str, int]] = read.further.get("email", ())
    return {**fields, **{f"further_{at}_email": address for at, (address, _) in enumerate(more)}}
