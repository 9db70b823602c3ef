"""Reads bytes through the reader under test, without a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enrichment_assets.services.uploads.csv_files import FileShape, ReadLimits
from enrichment_assets.services.uploads.csv_files.encodings import EncodingScan
from enrichment_assets.services.uploads.csv_files.rows import Rejection
from enrichment_assets.services.uploads.file_readings import find_reading, open_reading
from enrichment_assets.services.uploads.options import UploadOptions


@dataclass
class Read:
    """Everything that one reading gave."""

    shape: FileShape
    names: list[str]
    keys: list[str]
    rows: list[dict[str, Any]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    segments: list[str] = field(default_factory=list)
    blank_lines: int = 0

    @property
    def cells(self) -> list[list[str | None]]:
        return [[row[key] for key in self.keys] for row in self.rows]

    @property
    def rejected(self) -> list[tuple[int, str]]:
        return [(one.line_number, one.reason) for one in self.rejections]


def read_bytes(folder: Path, content: bytes, limits: ReadLimits | None = None) -> Read:
    path = folder / "read.csv"
    path.write_bytes(content)
    scan = EncodingScan()
    for start in range(0, len(content), 1000):
        scan.feed(content[start : start + 1000])
    shape = find_reading(path, len(content), scan, UploadOptions()).shape
    reading = open_reading(path, shape, limits or ReadLimits())
    read = Read(shape, reading.names, reading.keys)
    for segment in reading.segments():
        batch = segment.batch(reading.schema)
        assert batch.num_rows == segment.rows
        read.rows += batch.to_pylist()
        read.rejections += segment.rejections
        read.segments.append(type(segment).__name__)
    numbers = sorted([r["row_number"] for r in read.rows] + [r.row_number for r in read.rejections])
    assert numbers == list(range(1, reading.position.rows + 1))
    read.blank_lines = reading.position.blank_lines
    return read
