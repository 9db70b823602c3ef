"""What kind of table a file is: refuses what is none, finds the delimiter and the header.

Everything found here is stored with the upload, so that every later reading of the kept bytes is the same reading.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

from enrichment_assets.domain.errors import UploadRefusedError
from enrichment_assets.services.uploads.csv_files.encodings import bom_of
from enrichment_assets.services.uploads.csv_files.limits import ReadLimits
from enrichment_assets.services.uploads.csv_files.margins import lines_above

DELIMITERS = ",;\t|"
_EXCEL_HINT = re.compile(r"\ufeff?\"?sep=(.)\"?(\r\n|\n|\r)", re.IGNORECASE)
_CONTROL = bytes(sorted({*range(0x20), 0x7F} - {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1A, 0x1B}))
_SAMPLE_ROWS = 1000
_SAVE_AS = "save it as .xlsx or as CSV and upload that"
_SIGNATURES = (
    (b"PK\x05\x06", "it is an empty zip archive"),
    (b"\xd0\xcf\x11\xe0", f"it is an old Excel workbook: {_SAVE_AS}"),
    (b"%PDF", "it is a PDF"),
    (b"\x1f\x8b", "it is compressed (gzip): unpack it and upload the file inside"),
    (b"BZh", "it is compressed (bzip2): unpack it and upload the file inside"),
    (b"\xfd7zXZ", "it is compressed (xz): unpack it and upload the file inside"),
    (b"\x28\xb5\x2f\xfd", "it is compressed (zstd): unpack it and upload the file inside"),
    (b"7z\xbc\xaf", "it is a 7z archive: unpack it and upload the file inside"),
    (b"Rar!\x1a", "it is a rar archive: unpack it and upload the file inside"),
    (b"PAR1", "it is a Parquet file, not delimited text"),
    (b"SQLite format 3", "it is an SQLite database"),
    (b"\x89PNG", "it is a picture"),
    (b"\xff\xd8\xff", "it is a picture"),
    (b"GIF8", "it is a picture"),
    (b"\x7fELF", "it is a program"),
)
_MARKUP = (
    (re.compile(rb"\s*<(!doctype html|html|head|body)\b", re.I), "it is a web page (a login or error page, perhaps)"),
    (re.compile(rb"\s*<\?xml\b", re.I), "it is XML, not delimited text"),
    (re.compile(rb"\s*(\{\s*\"[^\"]*\"\s*:|\[\s*[\{\[]\s*\")"), "it is JSON, not delimited text"),
)


@dataclass(frozen=True, slots=True)
class FileShape:
    """How a file is to be read.

    Attributes:
        encoding: Python's name of it; `xlsx` for a workbook.
        delimiter: Between cells; empty for a workbook.
        lines_above: Lines (rows of a sheet) above the header, which are no rows.
        bytes_below: Bytes (rows of a sheet) below the last row: a footer, an end-of-file mark.
        sheet: The sheet of a workbook.
    """

    encoding: str
    delimiter: str
    lines_above: int = 0
    bytes_below: int = 0
    sheet: str | None = None


def find_shape(head: bytes, size: int, encoding: str, delimiter: str | None = None) -> FileShape:
    """Find header and delimiter (unless it is given) from the file's first bytes; what is below is not looked for.

    Raises `UploadRefusedError` for what is no table.
    """
    refuse_binary(head, size, encoding)
    text = _decoded(head, encoding)
    if not text.strip("\ufeff \t\r\n"):
        raise UploadRefusedError("it holds nothing but blank lines", code="upload.blank")
    if hint := _EXCEL_HINT.match(text):
        return FileShape(encoding, delimiter or hint.group(1))
    above = lines_above(text, delimiter or DELIMITERS)
    if delimiter is None:
        delimiter = guess_delimiter("".join(list(io.StringIO(text, newline=""))[above:]) if above else text)
    return FileShape(encoding, delimiter, above)


def refuse_binary(head: bytes, size: int, encoding: str) -> None:
    """Raise `UploadRefusedError` with one sentence when the file's first bytes are not text of a table."""
    if size == 0:
        raise UploadRefusedError("it is empty (0 bytes)", code="upload.empty")
    for signature, sentence in _SIGNATURES:
        if head.startswith(signature):
            raise UploadRefusedError(sentence, code="upload.not_a_table")
    if encoding.startswith(("utf-16", "utf-32")):
        head = _decoded(head, encoding).encode("utf-8", "surrogateescape")
    for pattern, sentence in _MARKUP:
        if pattern.match(head.removeprefix(codecs.BOM_UTF8)):
            raise UploadRefusedError(sentence, code="upload.not_a_table")
    if len(head) - len(head.translate(None, _CONTROL)) > 0.02 * len(head) + 8:
        raise UploadRefusedError("it is a binary file, not delimited text", code="upload.binary")


def is_excel_hint(raw: bytes) -> bool:
    """True for the line `sep=;` that Excel writes and reads before the header."""
    return _EXCEL_HINT.fullmatch(raw.decode("utf-8", "replace").rstrip("\r\n") + "\n") is not None


def guess_delimiter(text: str) -> str:
    """The delimiter by which most rows have as many cells as the header; a comma when none splits the header.

    A cell with an odd number of quotes in it speaks against a delimiter: it cuts through quoted text.
    """
    lines = list(io.StringIO(text, newline=""))  # not `splitlines`: to CSV, U+2028 and \x1e are no ends of lines
    whole = lines[:-1] if len(lines) > 1 else lines  # the last one may be cut off
    best, best_score = ",", (-1.0, 1)
    for delimiter in DELIMITERS:
        rows = _sample(whole, delimiter)
        if not rows or len(rows[0]) < 2:
            continue
        matching = sum(len(row) == len(rows[0]) for row in rows)
        cut = sum(any(cell.count('"') % 2 for cell in row) for row in rows)
        if (score := (round((matching - cut) / len(rows), 2), len(rows[0]))) > best_score:
            best, best_score = delimiter, score
    return best


def unique_keys(names: Iterable[str], reserved: Iterable[str]) -> list[str]:
    """One key per header cell: the cell itself; `Phone (2)` for a repeated one, `column_7` for a blank one.

    Keys differ in more than case, because DuckDB's column names do not know case; `reserved` names get a number.
    """
    used = {name.casefold() for name in reserved}
    keys = []
    for number, name in enumerate(names, 1):
        stem = name if name.strip("\ufeff \t\r\n\xa0") else f"column_{number}"
        key, repeat = stem, 1
        while key.casefold() in used:
            repeat += 1
            key = f"{stem} ({repeat})"
        used.add(key.casefold())
        keys.append(key)
    return keys


def check_header(cells: list[str], raw: bytes, limits: ReadLimits) -> None:
    """Raise `UploadRefusedError` when the header itself cannot be kept as it is."""
    if len(cells) > limits.columns:
        raise UploadRefusedError(
            f"its header has {len(cells):,} columns; at most {limits.columns:,} are read",
            code="upload.too_many_columns",
        )
    if b"\x00" in raw:
        raise UploadRefusedError("its header has a NUL character", code="upload.header_with_nul")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        raise UploadRefusedError(
            "its header has bytes that do not fit the file's encoding", code="upload.header_encoding"
        ) from None


def _sample(lines: list[str], delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for cells in csv.reader(lines, delimiter=delimiter):
            if cells:
                rows.append(cells)
            if len(rows) >= _SAMPLE_ROWS:
                break
    except csv.Error:  # a broken row ends the sample, not the guess
        pass
    return rows


def _decoded(head: bytes, encoding: str) -> str:
    marked = bom_of(head)
    if marked and marked[1] == encoding:
        head = head[len(marked[0]) :]
    return codecs.getincrementaldecoder(encoding)("enrich-undecodable").decode(head)
