"""Prints rows as an aligned table: whole cells when there is room, cut ones when there is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from enrichment_assets.domain.visible import visible

MAX_CELL = 60


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, limit: int = 100, title: str = "") -> None:
    """Print at most `limit` rows, and say so when there are more. Numbers stand right, null is empty."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    waiting = iter(rows)
    shown = list(islice(waiting, limit))
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for place, name in enumerate(columns):
        numeric = any(isinstance(row[place], int | float | Decimal) for row in shown if row[place] is not None)
        table.add_column(Text(visible(name)), justify="right" if numeric else "left", overflow="fold")
    for row in shown:
        table.add_row(*(Text(_shown(value)) for value in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(200, 24 * len(columns)))
    console.print(table)
    more = sum(1 for _ in waiting)
    count = len(shown) + more
    console.print(f"{count} row{'' if count == 1 else 's'}" + (f", {more} not shown (--limit)" if more else ""))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    text = visible(" ".join(str(value).split()))
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"
