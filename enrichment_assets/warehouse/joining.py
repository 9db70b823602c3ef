"""Joins Parquet files of one schema into one file, without decoding a value: row groups are copied as they are.

DuckDB writes a part fast and cannot append to a file; writing all of it again to have one file would double the work.
A Parquet file is row groups and then a footer that says where each begins, so joining is copying the row groups behind
each other and one footer with the places moved. Format: https://parquet.apache.org/docs/file-format/metadata/
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Self

from enrichment_assets.warehouse.footers import MAGIC, Struct, encoded, footer_bytes, read_footer

_SCHEMA, _NUM_ROWS, _ROW_GROUPS = 2, 3, 4
"""Fields of FileMetaData."""
_COLUMNS, _GROUP_OFFSET, _ORDINAL = 1, 5, 7
"""Fields of RowGroup."""
_CHUNK_OFFSET, _CHUNK_META, _OFFSET_INDEX = 2, 3, 4
"""Fields of ColumnChunk. An offset index would hold places of its own; DuckDB writes none."""
_META_OFFSETS = (9, 10, 11, 14)
"""Fields of ColumnMetaData that are places: data, index and dictionary page, bloom filter."""


class JoinedFile:
    """One Parquet file, made by appending others; complete when the `with` block ends well."""

    # opens files of ours: the home's
    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._file = path.open("wb")
        self._footer: Struct | None = None
        self._groups: list[bytes] = []

    def append(self, part: Path) -> None:
        """Add the rows of a file.

        Raises:
            ValueError: It is no Parquet file, has an offset index, or has another schema than those before it.
        """
        with part.open("rb") as file:
            footer, end = read_footer(file)
            if self._footer is None:
                self._file.write(MAGIC)
            moved = self._file.tell() - len(MAGIC)
            file.seek(len(MAGIC))
            _copy(file, self._file, end - len(MAGIC))
        self._join(footer, moved)

    def _join(self, footer: Struct, moved: int) -> None:
        if self._footer is not None and footer[_SCHEMA] != self._footer[_SCHEMA]:
            raise ValueError("the files have different schemas")
        for group in footer[_ROW_GROUPS].content.members:
            _move(group, moved)
            if _ORDINAL in group:
                group[_ORDINAL].content = len(self._groups)
            self._groups.append(encoded(group))
        self.rows += footer[_NUM_ROWS].content
        self._footer = self._footer or footer
        self._footer[_NUM_ROWS].content = self.rows
        self._footer[_ROW_GROUPS].content.members = self._groups

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        with self._file:
            if error is None and self._footer is not None:
                self._file.write(footer_bytes(self._footer))


def _move(group: Struct, by: int) -> None:
    """Add to every place in a row group; zero stands for none."""
    places = [group[_GROUP_OFFSET]] if _GROUP_OFFSET in group else []
    chunk: Struct
    for chunk in group[_COLUMNS].content.members:
        if _OFFSET_INDEX in chunk:
            raise ValueError("the file has an offset index, which holds places of its own")
        meta: Struct = chunk[_CHUNK_META].content
        places += [chunk[_CHUNK_OFFSET]] + [meta[number] for number in _META_OFFSETS if number in meta]
    for place in places:
        if place.content:
            place.content += by


def _copy(source: io.BufferedReader, target: io.BufferedWriter, size: int) -> None:
    """Copy the next `size` bytes."""
    while size > 0:
        piece = source.read(min(size, 8 * 2**20))
        if not piece:
            raise ValueError("the file ends before its footer")
        target.write(piece)
        size -= len(piece)
