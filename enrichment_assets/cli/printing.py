"""How commands print: aligned tables for people, JSON for programs. Money stays an exact decimal, as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import typer

from enrichment_assets.domain.visible import visible, visible_json

_PIPED_WIDTH = 500
"""Columns; what is not shown on a terminal is not wrapped."""


def print_json(value: Any) -> None:
    """Print dataclasses, lists and mappings as indented JSON."""
    typer.echo(visible_json(json.dumps(_plain(value), indent=2, ensure_ascii=False, default=_as_json)))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """Print an aligned table, or the sentence `empty`; nothing in a cell is taken for markup or acts on a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(visible(column)), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else visible(str(cell))) for cell in row))
    if table.row_count == 0:
        typer.echo(empty)
        return
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    console.print(table)


def money(amount: Decimal, currency: str) -> str:
    """`1.50 USD`: at least two places, no more than the amount has."""
    text = f"{amount.normalize():f}"
    places = len(text.partition(".")[2])
    return f"{amount:.2f} {currency}" if places < 2 else f"{text} {currency}"


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return [_plain(member) for member in value] if isinstance(value, list | tuple) else value


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    return str(value)
