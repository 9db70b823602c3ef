"""Values of a sheet as text: what a person sees in the cell, in full."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

EXACT_BELOW = 10**15
"""A spreadsheet keeps 15 digits of a number: of a longer one the last digits are lost."""


def text_of(value: Any) -> str:
    """A cell's text: numbers in full and without exponent, dates as ISO 8601, booleans as Excel shows them.

    `14155550100.0` -> `14155550100`, `1.0E+21` -> 22 digits, `date(2015, 3, 1)` -> `2015-03-01`, `True` -> `TRUE`.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ", "seconds" if value.microsecond == 0 else "milliseconds")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return "" if value is None else str(value)


def is_cut_number(value: Any) -> bool:
    """True for a whole number of more than 15 digits: a long id that was typed or opened as a number."""
    return isinstance(value, float) and abs(value) >= EXACT_BELOW and value == int(value)


def _number(value: float) -> str:
    """At most 15 significant digits, as a spreadsheet keeps them, without exponent."""
    exact = Decimal(format(value, ".15g"))
    return format(exact, "f")
