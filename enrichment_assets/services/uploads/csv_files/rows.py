"""What reading a file yields row by row: cells, or a rejection."""

from __future__ import annotations

from dataclasses import dataclass

RAW_CHARS = 10_000
BELOW_THE_LIST = "stands below the list (a report's footer), and is no row of it"


@dataclass(frozen=True, slots=True)
class Row:
    """One data row. `cells` may be fewer than the columns: the missing trailing cells are absent, not empty."""

    row_number: int
    line_number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that cannot be read, with the 1-based line where it starts and the reason, for people."""

    row_number: int
    line_number: int
    reason: str
    raw: str


def printable(raw: bytes) -> str:
    r"""The row's text for the rejection table, at most 10,000 characters; bytes that cannot be stored as `\xNN`."""
    text = raw[: RAW_CHARS * 4].decode("utf-8", "backslashreplace")
    return text.rstrip("\r\n").replace("\x00", "\\x00")[:RAW_CHARS]
