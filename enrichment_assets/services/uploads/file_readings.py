"""Any file of a list, delimited text or a workbook: how it is to be read, and one reading of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from enrichment_assets.services.uploads.csv_files import FileReading, FileShape, ReadLimits, Segment, find_shape
from enrichment_assets.services.uploads.csv_files.encodings import EncodingScan
from enrichment_assets.services.uploads.csv_files.exact import Position
from enrichment_assets.services.uploads.csv_files.margins import footer_bytes
from enrichment_assets.services.uploads.options import UploadOptions
from enrichment_assets.services.uploads.workbooks import SheetReading, find_sheet, is_workbook


class Reading(Protocol):
    """A file opened for one reading. `names` are the header's cells, `keys` their unique keys."""

    names: list[str]
    keys: list[str]
    position: Position

    @property
    def schema(self) -> pa.Schema:
        """Of the segments' batches: row_number, line_number, then a string column per key."""
        ...

    def segments(self) -> Iterator[Segment]:
        """All rows in order."""
        ...

    def first_rows(self, count: int) -> list[list[str]]:
        """The cells of the first rows, instead of `segments()`."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """How a file is to be read; `rival`: another encoding that is nearly as likely and reads it otherwise."""

    shape: FileShape
    rival: str | None = None


def find_reading(path: Path, size: int, scan: EncodingScan, options: UploadOptions) -> Found:
    """Say how the file is to be read: what the options say, and the rest from its bytes.

    Raises `UploadRefusedError` when it is no list.
    """
    if is_workbook(scan.head):
        return Found(find_sheet(path, options.sheet))
    rival = None
    encoding = options.encoding
    if encoding is None:
        guess = scan.guess()
        encoding, rival = guess.encoding, guess.rival
    shape = find_shape(scan.head, size, encoding, options.delimiter)
    return Found(replace(shape, bytes_below=footer_bytes(path, encoding, shape.delimiter)), rival)


def open_reading(path: Path, shape: FileShape, limits: ReadLimits | None = None) -> Reading:
    """Open a file for one reading. Raises `UploadRefusedError` when its header cannot be read."""
    if shape.sheet is not None:
        return SheetReading(path, shape, limits or ReadLimits())
    return FileReading(path, shape, limits or ReadLimits())


def kept_shape(shape: FileShape) -> dict[str, Any]:
    """What of a shape is kept in `uploads.reading`; encoding and delimiter have columns of their own."""
    kept = {"lines_above": shape.lines_above, "bytes_below": shape.bytes_below, "sheet": shape.sheet}
    return {name: value for name, value in kept.items() if value}


def shape_of(upload: Mapping[str, Any]) -> FileShape:
    """The shape by which an upload was read, out of its row."""
    kept = upload["reading"]
    return FileShape(
        upload["encoding"],
        upload["delimiter"],
        kept.get("lines_above", 0),
        kept.get("bytes_below", 0),
        kept.get("sheet"),
    )
