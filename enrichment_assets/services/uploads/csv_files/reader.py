"""One reading of one file, from its first byte to its last: segments of rows, each read the fast or the exact way.

The two ways give the same rows and cells (a property test compares them); they share one position, so row and line
numbers run on. Blank lines are no rows. Memory is bounded by a block of a few MiB, whatever the size of the file.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from enrichment_assets.domain.errors import UploadRefusedError
from enrichment_assets.services.uploads.csv_files.encodings import utf8_blocks
from enrichment_assets.services.uploads.csv_files.exact import ExactReader, Position
from enrichment_assets.services.uploads.csv_files.limits import ReadLimits
from enrichment_assets.services.uploads.csv_files.lines import LineFeed
from enrichment_assets.services.uploads.csv_files.proven import ProvenBlock, parse, prove
from enrichment_assets.services.uploads.csv_files.rows import BELOW_THE_LIST, Rejection, Row, printable
from enrichment_assets.services.uploads.csv_files.shape import FileShape, check_header, is_excel_hint, unique_keys

ROW_NUMBER, LINE_NUMBER = "row_number", "line_number"
RESERVED_KEYS = (ROW_NUMBER, LINE_NUMBER, "client_slug", "batch_key", "item_id")
"""Names that stand beside the upload's own columns outside HQ, so no uploaded column may have them as its key."""

_EXACT_ROWS = 4096


class Segment(Protocol):
    """Some consecutive rows of a file."""

    @property
    def rows(self) -> int:
        """Readable rows in this segment."""
        ...

    @property
    def rejections(self) -> Sequence[Rejection]:
        """Rows that cannot be read."""
        ...

    def batch(self, schema: pa.Schema) -> pa.RecordBatch:
        """The readable rows: row and line number and one string column per key; an absent cell is null."""
        ...


@dataclass(frozen=True, slots=True)
class FastSegment:
    """A block that was proven clean."""

    block: ProvenBlock
    first_row: int
    first_line: int
    delimiter: str
    limits: ReadLimits
    rejections: Sequence[Rejection] = ()

    @property
    def rows(self) -> int:
        """Readable rows in this segment."""
        return self.block.rows

    def batch(self, schema: pa.Schema) -> pa.RecordBatch:
        """Parse the block; should Arrow disagree with the proof, read it the exact way."""
        columns = parse(self.block, schema.names[2:], self.delimiter)
        if columns is None:
            return self._exactly(schema)
        numbers = pa.array(np.arange(self.first_row, self.first_row + self.rows, dtype=np.int64))
        lines = pa.array(self.block.line_offsets + self.first_line)
        return pa.RecordBatch.from_arrays([numbers, lines, *columns], schema=schema)

    def _exactly(self, schema: pa.Schema) -> pa.RecordBatch:
        position = Position()
        position.rows, position.lines = self.first_row - 1, self.first_line - 1
        feed = LineFeed(iter([self.block.data]), self.limits.row_bytes)
        reader = ExactReader(feed, self.delimiter, position, self.limits, len(schema) - 2)
        rows = [found for found in reader.read(len(self.block.data)) if isinstance(found, Row)]
        return ExactSegment(rows).batch(schema)


@dataclass(frozen=True, slots=True)
class ExactSegment:
    """Rows that were read one by one, with those that could not be."""

    found: list[Row] = field(default_factory=list)
    rejections: Sequence[Rejection] = ()

    @property
    def rows(self) -> int:
        """Readable rows in this segment."""
        return len(self.found)

    def batch(self, schema: pa.Schema) -> pa.RecordBatch:
        """The rows as Arrow; the missing trailing cells of a short row are null."""
        width = len(schema) - 2
        columns = list(zip_longest(*(row.cells for row in self.found)))
        columns += [(None,) * len(self.found)] * (width - len(columns))
        arrays = [
            pa.array([r.row_number for r in self.found], pa.int64()),
            pa.array([r.line_number for r in self.found], pa.int64()),
            *(pa.array(cells, pa.string()) for cells in columns),
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


class FileReading:
    """A file opened for one reading. `names` are the header's cells, `keys` their unique keys."""

    def __init__(self, path: Path, shape: FileShape, limits: ReadLimits) -> None:
        self.position = Position()
        self._shape = shape
        self._limits = limits
        self._path = path
        blocks = utf8_blocks(path, shape.encoding, limits.block_bytes, shape.bytes_below)
        self._feed = LineFeed(blocks, limits.row_bytes)
        self._exact = ExactReader(self._feed, shape.delimiter, self.position, limits)
        self.names = self._read_header()
        self.keys = unique_keys(self.names, RESERVED_KEYS)
        self._exact.width = len(self.names)

    @property
    def schema(self) -> pa.Schema:
        """Of the segments' batches: row_number, line_number, then a string column per key."""
        numbers = [pa.field(ROW_NUMBER, pa.int64()), pa.field(LINE_NUMBER, pa.int64())]
        return pa.schema([*numbers, *(pa.field(key, pa.string()) for key in self.keys)])

    def segments(self) -> Iterator[Segment]:
        """All rows of the file, in order. Raises `UploadRefusedError` when its quoting is broken throughout."""
        while True:
            buffer, ended = self._feed.buffer(self._limits.block_bytes)
            if not buffer:
                break
            limits = self._limits
            block = prove(buffer, ended, self._shape.delimiter, len(self.names), limits.cell_chars)
            if block is None:
                yield from self._exact_segments(len(buffer))
            else:
                yield self._fast_segment(block)
        if self._shape.bytes_below:
            yield ExactSegment(rejections=self._footer())

    def first_rows(self, count: int) -> list[list[str]]:
        """The cells of the first rows, read one by one: Arrow's parser takes longer to load than they do to read.

        Takes the place of `segments()`: a reading is for one of them.
        """
        rows: list[list[str]] = []
        while len(rows) < count and (some := list(self._exact.read(self._limits.block_bytes))):
            rows += [one.cells for one in some if isinstance(one, Row)]
        return rows[:count]

    # opens files of others: kept uploads, which were looked at when they came
    def _footer(self) -> list[Rejection]:
        """The lines below the list, which are no rows of it; end-of-file marks and blank lines say nothing."""
        with self._path.open("rb") as file:
            file.seek(-self._shape.bytes_below, os.SEEK_END)
            text = file.read().decode(self._shape.encoding)
        found = []
        for line in text.splitlines():
            self.position.lines += 1
            if line.strip("\x00\x1a \t"):
                self.position.rows += 1
                raw = printable(line.encode())
                found.append(Rejection(self.position.rows, self.position.lines, BELOW_THE_LIST, raw))
        return found

    def _fast_segment(self, block: ProvenBlock) -> FastSegment:
        position = self.position
        segment = FastSegment(block, position.rows + 1, position.lines + 1, self._shape.delimiter, self._limits)
        position.rows += block.rows
        position.lines += block.lines
        position.blank_lines += block.blank_lines
        self._feed.take(len(block.data))
        return segment

    def _exact_segments(self, size: int) -> Iterator[ExactSegment]:
        found = self._exact.read(size)
        while some := list(islice(found, _EXACT_ROWS)):
            rows = [one for one in some if isinstance(one, Row)]
            yield ExactSegment(rows, [one for one in some if isinstance(one, Rejection)])

    def _read_header(self) -> list[str]:
        try:
            for _ in range(self._shape.lines_above):
                self._feed.next_line()
                self.position.lines += 1
            header = self._exact.header()
            if header and is_excel_hint(header[1]):
                header = self._exact.header()
        except csv.Error as error:
            raise UploadRefusedError(
                f"its header cannot be read ({error}): a quote is not closed, perhaps", code="upload.header_unreadable"
            ) from None
        if header is None:
            raise UploadRefusedError("it has no header", code="upload.no_header")
        check_header(*header, self._limits)
        return header[0]
