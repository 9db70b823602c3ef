"""How a table is laid out on a terminal, so that it fits.

Text wraps between words; identifiers, dates, amounts and numbers are never folded. Where the columns do not fit side by
side, one cell of each row stands on a line of its own above the others (`match-person-via-apollo` above its counts).
Where that does not fit either, each row is a list of names and values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from enrichment_assets.cli.cells import NUMBERS, SUM, WHOLE, is_identifier, shown_column
from enrichment_assets.domain.visible import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

LONGEST_TEXT = 240
"""Characters of a text that are shown; a pipe gets them all."""

_GAP = 2
_INDENT = 2
_LONGEST_WORD = 40
"""A longer word of a text may be broken; an identifier never is."""


@dataclass(slots=True)
class Column:
    """One column: its name and the texts of its cells.

    `least`: the width that it cannot do without; `widest`: everything on one line; `width`: what it was given.
    """

    name: str
    texts: list[str]
    least: int
    widest: int
    right: bool
    width: int = 0

    @classmethod
    def of(cls, name: str, cells: Sequence[Any], sum_cells: Sequence[str] = ()) -> Column:
        """The column of these values, and of sums below them."""
        name = visible(" ".join(name.split()))
        texts = [*shown_column(cells), *sum_cells]
        identifiers = is_identifier(name)
        leasts = [max(map(cell_len, _parts(name))), cell_len(SUM) if sum_cells else 0]
        for number, text in enumerate(texts):
            if identifiers or number >= len(cells) or isinstance(cells[number], WHOLE):
                leasts.append(cell_len(text))
            else:
                texts[number] = text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
                leasts.append(min(max(map(cell_len, text.split()), default=0), _LONGEST_WORD))
        right = any(isinstance(cell, NUMBERS) and not isinstance(cell, bool) for cell in cells)
        return cls(name, texts, max(leasts), max(map(cell_len, [name, *texts])), right)


def print_grid(columns: Sequence[Column], width: int, *, brief: Sequence[str] = (), sums: int = 0) -> None:
    """Print columns in `width`: side by side, if need be only those named in `brief`; else stacked; else as records.

    The last `sums` rows are sums.
    """
    from rich.console import Console

    console = Console(width=width, highlight=False)
    short = [column for column in columns if column.name in brief]
    for tried in (columns, short):
        if tried and _fit(tried, width):
            _print_side_by_side(console, tried, sums)
            return
    for tried in (columns, short):
        head = next((column for column in tried if not column.right), columns[0])
        rest = [column for column in tried if column is not head]
        if rest and _fit(rest, width - _INDENT):
            _print_stacked(console, head, rest, sums)
            return
    _print_records(console, columns, sums)


def _fit(columns: Sequence[Column], width: int) -> bool:
    """Give each column its width; False where they do not fit. What is left over goes to who needs least more."""
    left = width - _GAP * (len(columns) - 1) - sum(column.least for column in columns)
    if left < 0:
        return False
    wanting = sorted(columns, key=lambda column: column.widest - column.least)
    for place, column in enumerate(wanting):
        more = min(column.widest - column.least, left // (len(wanting) - place))
        column.width = column.least + more
        left -= more
    return True


def _print_side_by_side(console: Console, columns: Sequence[Column], sums: int) -> None:
    _name_sums(columns[0], sums)
    table = _table(columns)
    rows = len(columns[0].texts)
    for number in range(rows):
        table.add_row(*_cells(columns, number), style="bold" if number >= rows - sums else "")
    console.print(table)


def _name_sums(column: Column, sums: int) -> None:
    """Say in a column what the last rows are, where it has no sum itself."""
    for number in range(len(column.texts) - sums, len(column.texts)):
        column.texts[number] = column.texts[number] or SUM


def _print_stacked(console: Console, head: Column, rest: Sequence[Column], sums: int) -> None:
    """One column's cell on a line of its own, the others indented below it; rows of one cell share its line."""
    from rich.padding import Padding
    from rich.text import Text

    _name_sums(head, sums)
    console.print(Text(head.name, style="bold"))
    console.print(Padding(_table(rest), (0, 0, 0, _INDENT), expand=False))
    for number, text in enumerate(head.texts):
        if number == 0 or text != head.texts[number - 1]:
            console.print(Text(text), soft_wrap=head.least > console.width)
        table = _table(rest, header=False)
        table.add_row(*_cells(rest, number))
        console.print(Padding(table, (0, 0, 0, _INDENT), expand=False))


def _print_records(console: Console, columns: Sequence[Column], sums: int) -> None:
    """Each row as a list of names and values; an identifier that is too long for that begins a line of its own."""
    from rich.text import Text

    _name_sums(columns[0], sums)
    names = min(max(cell_len(column.name) for column in columns), console.width // 2)
    room = console.width - names - _GAP
    for number in range(len(columns[0].texts)):
        if number:
            console.print()
        for column in columns:
            text = column.texts[number]
            if not text:
                continue
            name = Text(column.name, style="bold")
            name.truncate(names, overflow="ellipsis", pad=True)
            if min(cell_len(text), column.least) > max(room, _LONGEST_WORD):
                console.print(name)
                console.print(Text(text), soft_wrap=True)
                continue
            for line in Text(text).wrap(console, room, overflow="fold"):
                console.print(name + " " * _GAP + line)
                name = Text(" " * names)


def _table(columns: Sequence[Column], *, header: bool = True) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold", show_header=header)
    for column in columns:
        table.add_column(
            Text("\n".join(_lines(column.name, column.width))),
            justify="right" if column.right else "left",
            width=column.width,
            overflow="fold",
        )
    return table


def _cells(columns: Sequence[Column], number: int) -> list[Any]:
    from rich.text import Text

    return [Text(column.texts[number]) for column in columns]


def _parts(name: str) -> list[str]:
    """Where a column's name may be broken: after a space or an underscore."""
    return name.replace("_", "_ ").split() or [""]


def _lines(name: str, width: int) -> list[str]:
    """The name in lines of at most `width`."""
    lines = [""]
    for part in _parts(name):
        glue = "" if not lines[-1] or lines[-1].endswith("_") else " "
        if cell_len(lines[-1] + glue + part) <= width:
            lines[-1] += glue + part
        else:
            lines.append(part)
    return lines
