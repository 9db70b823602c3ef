"""Every table of a page as CSV: a link in its caption, and the page's own rows, read out of what the page would show.

`?csv=NAME` behind the address of a page gives the table of that name: the same handler, the same permissions, the same
template, with values written whole and as data. So no page has to do anything for it. What is no value (buttons, forms)
is left out, and no cell is one that a spreadsheet would run.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import urlencode

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.domain.spreadsheets import kept_as_text

PARAMETER = "csv"
"""Behind the address of a page: the name of the table that is wanted."""

_PASSING = ("said", PARAMETER)
_CAPTION = re.compile(r"<caption>(.*?)</caption>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_BYTE_ORDER_MARK = "\ufeff"
_CONTROLS = frozenset({"button", "form", "select", "textarea", "label", "svg", "script"})
_DONE = "do"
"""The head of a column of what can be done about a row."""
_APART = frozenset({"br", "small", "li", "p", "div", "dt", "dd"})


def with_links(page: str, query: Mapping[str, str] | None = None) -> str:
    """The page, with a link in the caption of each table that leads to it as CSV; `query`: of the page's address."""
    before = [pair for pair in (query or {}).items() if pair[0] not in _PASSING]
    names = _names(match[1] for match in _CAPTION.finditer(page))
    return _CAPTION.sub(
        lambda match: (
            f'<caption>{match[1]} <a data-csv href="?{escape(urlencode([*before, (PARAMETER, next(names))]))}" '
            'aria-label="This table as CSV">CSV</a></caption>'
        ),
        page,
    )


def table_as_csv(page: str, name: str) -> str:
    """The table of that name, as CSV with a byte order mark.

    Raises:
        NotFoundError: The page has no such table: what it shows has changed.
    """
    reader = _Reader()
    reader.feed(page)
    names = _names(table.caption for table in reader.tables)
    for table, known in zip(reader.tables, names, strict=True):
        if known == name or len(reader.tables) == 1:  # what a caption says may change with what is shown
            return _written(table)
    raise NotFoundError(f"this page has no table {name[:80]!r}", code="table.not_found")


def _names(captions: Iterator[str] | list[str]) -> Iterator[str]:
    """A name for each caption: its words without numbers, which change; with a number where it comes again."""
    seen: dict[str, int] = {}
    for caption in captions:
        words = re.sub(r"[^a-z]+", "-", unescape(_TAG.sub(" ", caption)).lower()).strip("-") or "table"
        seen[words] = seen.get(words, 0) + 1
        yield words if seen[words] == 1 else f"{words}-{seen[words]}"


@dataclass
class _Cell:
    text: str = ""
    has_control: bool = False


@dataclass
class _Table:
    caption: str = ""
    head: list[_Cell] = field(default_factory=list)
    rows: list[list[_Cell]] = field(default_factory=list)


class _Reader(HTMLParser):
    """The tables of a page of ours that have a caption for themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[_Table] = []
        self._table: _Table | None = None
        self._cell: _Cell | None = None
        self._row: list[_Cell] = []
        self._in_head = self._in_caption = self._is_note = False
        self._controls = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, row or cell; leave out what is no value."""
        if tag == "table":
            self._table = _Table()
        elif tag == "caption" and not attrs and self._table is not None:
            self._in_caption = True
            self.tables.append(self._table)
        elif tag in ("thead", "tbody"):
            self._in_head = tag == "thead"
        elif tag == "tr":
            self._row, self._is_note = [], False
        elif tag in ("td", "th"):
            self._cell = _Cell()
            self._row.append(self._cell)
            self._is_note = self._is_note or any(name == "colspan" for name, _ in attrs)
        elif self._cell is not None:
            if tag in _CONTROLS or tag == "input":
                self._cell.has_control = True
                self._controls += tag != "input"
            if tag in _APART:
                self._cell.text += " "

    def handle_endtag(self, tag: str) -> None:
        """End it."""
        if tag == "caption":
            self._in_caption = False
        elif tag in ("td", "th"):
            self._cell = None
        elif tag in _CONTROLS and self._controls:
            self._controls -= 1
        elif tag == "tr" and self._table is not None and not self._is_note:
            if self._in_head:
                self._table.head = self._row
            else:
                self._table.rows.append(self._row)

    def handle_data(self, data: str) -> None:
        """Text of a caption or cell."""
        if self._in_caption and self._table is not None:
            self._table.caption += data
        elif self._cell is not None and not self._controls:
            self._cell.text += data


def _written(table: _Table) -> str:
    """Without what can be done, and columns that have nothing but controls; a row with fewer cells is filled up."""
    width = max(len(table.head), *map(len, table.rows), 0) if table.rows else len(table.head)
    rows = [[*row, *[_Cell() for _ in range(width - len(row))]] for row in table.rows]
    head = [*table.head, *[_Cell() for _ in range(width - len(table.head))]]
    has_values = [not rows or any(row[n].text.strip() or not row[n].has_control for row in rows) for n in range(width)]
    kept = [n for n in range(width) if has_values[n] and head[n].text.strip() != _DONE]
    written = io.StringIO()
    writer = csv.writer(written)
    for row in (head, *rows):
        writer.writerow([kept_as_text(" ".join(row[n].text.split())) for n in kept])
    return _BYTE_ORDER_MARK + written.getvalue()
