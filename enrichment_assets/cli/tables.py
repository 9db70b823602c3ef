"""The one table printer of all commands.

On a terminal a table fits its width (`grids.py`), and columns that are empty everywhere are left out. In a pipe or a
file: a header line and one line per row, cells apart by one tab, all columns, nothing wrapped or cut.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import typer

from enrichment_assets.cli.cells import SUM, is_empty, shown, shown_column
from enrichment_assets.cli.sentences import on_terminal, say, terminal_width
from enrichment_assets.domain.money import Money, sums
from enrichment_assets.domain.visible import visible


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    title: str = "",
    empty: str = "",
    once: Sequence[str] = (),
    brief: Sequence[str] = (),
    total: Sequence[str] = (),
    limit: int | None = None,
) -> None:
    """Print rows as a table.

    Args:
        columns: Their names.
        rows: Values of any type; `Money` is shown with its currency, null and "" are nothing.
        title: A line above.
        empty: The sentence that is printed instead when there are no rows.
        once: Columns that a terminal is told of in the title where all rows say the same (client and batch).
        brief: Columns that a terminal is shown where all of them do not fit.
        total: Columns of `Money` that a last row sums up, one row per currency.
        limit: Rows that are printed at most; a note says how many there are.
    """
    waiting = iter(rows)
    found = list(islice(waiting, limit))
    if not found and empty:
        say(empty)
        return
    sum_rows = _sum_rows(columns, found, total)
    if on_terminal():
        _print_on_terminal(columns, found, sum_rows, title, once, brief)
    else:
        _print_plain(columns, found, sum_rows, title)
    if limit is not None:
        _note(len(found), sum(1 for _ in waiting))


def _note(printed: int, more: int) -> None:
    """Say how many rows there are: below a table for a person, beside it (on standard error) where a program reads."""
    count = printed + more
    text = f"{count} row{'' if count == 1 else 's'}" + (f", {more} not shown (--limit)" if more else "")
    say(text, err=not on_terminal())


def _sum_rows(columns: Sequence[str], rows: list[Sequence[Any]], total: Sequence[str]) -> list[list[str]]:
    """The cells of a row for each currency that occurs in the named columns."""
    places = range(len(columns))
    amounts = [
        [row[n] for row in rows if isinstance(row[n], Money)] if columns[n] in total else list[Money]() for n in places
    ]
    finest = [max((one.places for one in found), default=None) for found in amounts]
    by_currency = [{one.currency: one for one in sums(found)} for found in amounts]
    return [
        [by_currency[n][name].shown(finest[n]) if name in by_currency[n] else "" for n in places]
        for name in dict.fromkeys(name for found in by_currency for name in found)
    ]


def _print_plain(columns: Sequence[str], rows: list[Sequence[Any]], sum_rows: list[list[str]], title: str) -> None:
    if title:
        typer.echo(visible(title))
    texts = [shown_column([row[place] for row in rows]) for place in range(len(columns))]
    sum_lines = [[first or SUM, *others] for first, *others in sum_rows]
    lines = [[visible(" ".join(name.split())) for name in columns], *zip(*texts, strict=True), *sum_lines]
    sys.stdout.write("".join("\t".join(line) + "\n" for line in lines))


def _print_on_terminal(
    columns: Sequence[str],
    rows: list[Sequence[Any]],
    sum_rows: list[list[str]],
    title: str,
    once: Sequence[str],
    brief: Sequence[str],
) -> None:
    from enrichment_assets.cli.grids import Column, print_grid

    said = {name: shown(rows[0][columns.index(name)]) for name in once if _same(columns, rows, name)}
    heading = ", ".join(filter(None, [title, *(f"{_spoken(name)} {value}" for name, value in said.items() if value)]))
    if heading:
        say(heading, bold=True)
    kept = [
        Column.of(name, [row[place] for row in rows], [cells[place] for cells in sum_rows])
        for place, name in enumerate(columns)
        if name not in said and (not rows or any(not is_empty(row[place]) for row in rows))
    ]
    if kept:
        print_grid(kept, terminal_width(), brief=brief, sums=len(sum_rows))


def _same(columns: Sequence[str], rows: list[Sequence[Any]], name: str) -> bool:
    """Whether all rows say the same in this column."""
    return name in columns and len({shown(row[columns.index(name)]) for row in rows}) == 1


def _spoken(name: str) -> str:
    return name.removesuffix("_slug").removesuffix("_key").replace("_", " ")
