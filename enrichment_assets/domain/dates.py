"""Dates of careers as providers give them: a year, a month, a day, `Present`, or garbage that must not be lost."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Literal

Precision = Literal["year", "month", "day", "present", "unknown"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTH_NUMBERS = {
    name: number
    for names in (_MONTHS, _LONG_MONTHS, (*("",) * 8, "sept"))
    for number, name in enumerate(names, 1)
    if name
}
_PRESENT = frozenset({"present", "current", "currently", "now", "today", "ongoing", "to date", "heute", "actualidad"})
_ISO = re.compile(r"^(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?:[t ]\d{1,2}:\d{2}.*)?$", re.ASCII)
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})$", re.ASCII)
_MONTH_YEAR = re.compile(r"^(\d{1,2})[-/.](\d{4})$", re.ASCII)
_NAMED = re.compile(
    r"^(?:(\d{1,2})(?:st|nd|rd|th)?[ .-]+)?([a-z]+)\.?(?:[ -]+(\d{1,2})(?:st|nd|rd|th)?,)?[ ,-]+(\d{4})$", re.ASCII
)
_YEARS = range(1850, 2151)
_MAX_CHARS = 64


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date as far as it is known.

    Attributes:
        text: What was given, unaltered.
        start: First day it can mean; None where nothing is known or it is `present`.
        end: Last day it can mean.
        precision: `unknown` keeps its text and has no days; `present` has none either.
    """

    text: str
    start: date | None
    end: date | None
    precision: Precision


def parse_partial_date(text: str | None) -> PartialDate:
    """Read a year, month or day in ISO, `03/2019`, `Mar 2019` or `March 5, 2019` form; anything else is `unknown`.

    `05/06/2019` is unknown on purpose: it is May in one country and June in another. Day 0 and month 0 (`2019-00-00`)
    mean that only the year (or month) is known. Never raises.
    """
    given = text or ""
    folded = " ".join(given.split()).casefold() if len(given) <= _MAX_CHARS else ""
    if folded in _PRESENT:
        return PartialDate(given, None, None, "present")
    if (match := _ISO.match(folded)) or (match := _COMPACT.match(folded)):
        return _partial(given, *match.groups())
    if match := _MONTH_YEAR.match(folded):
        return _partial(given, match.group(2), match.group(1), None)
    if (match := _NAMED.match(folded)) and (month := _MONTH_NUMBERS.get(match.group(2))):
        if match.group(1) and match.group(3):
            return _unknown(given)
        return _partial(given, match.group(4), str(month), match.group(1) or match.group(3))
    return _unknown(given)


def _partial(text: str, year_text: str, month_text: str | None, day_text: str | None) -> PartialDate:
    year, month, day = int(year_text), int(month_text or 0), int(day_text or 0)
    if year not in _YEARS or month > 12 or (day and not month):
        return _unknown(text)
    if month == 0:
        return PartialDate(text, date(year, 1, 1), date(year, 12, 31), "year")
    last = monthrange(year, month)[1]
    if day > last:
        return _unknown(text)
    if day == 0:
        return PartialDate(text, date(year, month, 1), date(year, month, last), "month")
    return PartialDate(text, date(year, month, day), date(year, month, day), "day")


def _unknown(text: str) -> PartialDate:
    return PartialDate(text, None, None, "unknown")
