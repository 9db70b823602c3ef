"""How one value is written in a table, and which values are never folded or cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from enrichment_assets.domain.money import Money
from enrichment_assets.domain.visible import visible

WHOLE = (bool, int, float, Decimal, Money, date, time, timedelta, UUID)
"""Types whose text says something else when it is folded or cut."""

NUMBERS = (int, float, Decimal, Money)
"""Types that stand right in their column."""

_IDENTIFIERS = re.compile(
    r"(?:^|[ _])(?:id|key|slug|sha256|variable|batch|client|workflow|pipeline|upload|path|email|phone)$", re.IGNORECASE
)
"""Names of columns whose texts are copied into commands and addresses."""

SUM = "sum"
"""What a row of sums is called, in its first cell."""

_CLOCK = "%Y-%m-%d %H:%M:%S"
_FLOAT_PLACES = 4


def is_identifier(name: str) -> bool:
    """Whether a column of this name holds what is copied into commands and addresses: never folded, never cut."""
    return _IDENTIFIERS.search(name) is not None


def is_empty(value: Any) -> bool:
    """Whether a cell has nothing to show."""
    return value is None or value == ""


def shown_column(cells: Sequence[Any]) -> list[str]:
    """The texts of one column's cells; amounts of money get as many decimal places as the finest of them."""
    places = max((cell.places for cell in cells if isinstance(cell, Money)), default=None)
    return [cell.shown(places) if isinstance(cell, Money) else shown(cell) for cell in cells]


def shown(value: Any) -> str:
    """One line of text that does nothing to a terminal; null is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.strftime(_CLOCK)
    return visible(" ".join(str(value).split()))


def _float(value: float) -> str:
    """Four decimal places, or four digits of what is smaller: a measure, not an amount."""
    if value and abs(value) < 10**-_FLOAT_PLACES:
        return f"{value:.{_FLOAT_PLACES}g}"
    text = f"{value:.{_FLOAT_PLACES}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
