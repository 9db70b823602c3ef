"""Leads as one file: CSV, NDJSON or Parquet, the same bytes for the same leads. Pure.

A CSV is opened in a spreadsheet sooner or later, which runs a cell that begins with `=` and changes `007`: such cells
get an apostrophe in front, as our own exports do for spreadsheets. NDJSON and Parquet have types, and stay as they are.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from enrichment_assets.domain.crm.values import text_of
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.expressions import blank
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.spreadsheets import kept_as_text

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
"""Format, which is the file's ending too -> its media type."""

_PLACE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._=-]*[A-Za-z0-9_=-])?")


def file_of(rows: Sequence[Mapping[str, Any]], format: str, columns: Sequence[str] = ()) -> bytes:
    """All rows as one file.

    Args:
        rows: Column -> value, in the order of the file.
        format: One of `FORMATS`.
        columns: Those that come first, in this order, whether or not a row has them.

    Raises:
        ContractError: There is no such format.
    """
    names = list(dict.fromkeys([*columns, *(name for row in rows for name in row)]))
    if format == "csv":
        return _csv(rows, names)
    if format == "ndjson":
        return b"".join(json_bytes({name: _or_none(row.get(name)) for name in names}) + b"\n" for row in rows)
    if format == "parquet":
        return _parquet(rows, names)
    raise ContractError(f"there is no format {format!r}: {', '.join(FORMATS)}", code="file_drop.format_unknown")


def named(folder: str, content: bytes, format: str) -> str:
    """Where a file goes below the folder of all drops: named by its content, so that the same file is there once.

    Raises:
        ContractError: The folder is no relative one, or leads out of its own.
    """
    places = [place for place in folder.strip("/").split("/") if place]
    if not places or not all(_PLACE.fullmatch(place) for place in places):
        raise ContractError(
            "a file is dropped below the folder of all drops: letters, digits, spaces and ._=- between slashes",
            code="file_drop.folder_invalid",
        )
    return f"{'/'.join(places)}-{hashlib.sha256(content).hexdigest()[:16]}.{format}"


def _csv(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([kept_as_text(name) for name in names])
    writer.writerows([_csv_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue().encode()


def _csv_cell(value: Any) -> str:
    """Numbers and truth values are written as they are: nothing runs `-1.5`, and it stays a number."""
    if blank(value):
        return ""
    if isinstance(value, bool | int | float):
        return text_of(value)
    text = text_of(value) if not isinstance(value, Mapping) else json_bytes(value).decode()
    return kept_as_text(text)


def _parquet(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> bytes:
    """One column each; one whose values are of several kinds, or lists, is text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: _column([_or_none(row.get(name)) for row in rows]) for name in names}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="zstd")
    return sink.getvalue()


def _column(values: Sequence[Any]) -> Any:
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return pa.array([None if value is None else float(value) for value in values])
    if len(kinds) == 1 and kinds <= {bool, int, float}:
        return pa.array(values)
    return pa.array([None if value is None else text_of(value) for value in values], pa.string())


def _or_none(value: Any) -> Any:
    return None if blank(value) else value
