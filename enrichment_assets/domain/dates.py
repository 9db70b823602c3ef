"""Dates as people and providers write them, read as the days that they can mean.

`March 2015` is some day from the 1st to the 31st, `03/04/2015` one from 4 March to 3 April, `Present` none yet. What
cannot be read is None, never an error. The SQL models read dates by the same words, shapes and replacements
(`macros/dates.sql`); one test compares the two.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from enrichment_assets.domain.date_words import (
    BARE,
    FIRST_YEAR,
    LONGEST,
    OPEN_YEAR,
    PART,
    SHAPES,
    SHAPING,
    DateWord,
    date_words,
    make_plain,
    replaced,
)

_UNIT_MONTHS = {"quarter": 3, "half": 6}
_EPOCHS = ((r"-?[0-9]{9,10}", 1), (r"-?[0-9]{11,13}", 1_000), (r"-?[0-9]{16}", 1_000_000))
"""Digits of a number of seconds, milliseconds or microseconds since 1970, and how many of them a second has."""


@dataclass(frozen=True, slots=True)
class DateReading:
    """What a text means.

    Attributes:
        earliest: First day that it can mean; None for a word like `Present`.
        latest: Last day that it can mean.
        is_open: As an end, it says that there is none: such a word, or a year far ahead (`9999-12-31`).
    """

    earliest: date | None
    latest: date | None
    is_open: bool


def read_date(text: str) -> DateReading | None:
    """What a text means, or None where it is no date that can be read.

    A time of day does not count: the day is the one that is written, in the zone in which it is written; a number of
    seconds or milliseconds since 1970 is a day in UTC.
    """
    if len(text) > LONGEST:
        return None
    plain = make_plain(text)
    if plain in _words_of_kind("open"):
        return DateReading(None, None, True)
    found = list(_epoch_days(text.strip()) or _readings(replaced(plain, BARE)))
    if not found:
        return None
    earliest, latest = min(low for low, _ in found), max(high for _, high in found)
    return DateReading(earliest, latest, latest.year >= OPEN_YEAR)


def read_day(text: str) -> date | None:
    """The one day that a text means; None where it means several, or none."""
    reading = read_date(text)
    return reading.earliest if reading and reading.earliest == reading.latest else None


def _epoch_days(text: str) -> list[tuple[date, date]]:
    for pattern, per_second in _EPOCHS:
        if re.fullmatch(rf"{pattern}([.][0-9]+)?", text):
            seconds = int(text.partition(".")[0]) // per_second
            day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).date()
            return [(day, day)]
    return []


def _readings(bare: str) -> Iterator[tuple[date, date]]:
    shape = replaced(bare, SHAPING)
    tokens = re.findall(PART, bare)
    for known, roles in SHAPES:
        if known == shape:
            span = _span(dict(zip(roles, tokens, strict=True)))
            if span:
                yield span


def _span(parts: Mapping[str, str]) -> tuple[date, date] | None:
    """First and last day of these parts, by role; None where they are no date."""
    year = int(parts["y"])
    if year < FIRST_YEAR or ("x" in parts and parts["x"] not in _words_of_kind("weekday")):
        return None
    if "u" in parts:
        return _unit_span(year, parts)
    months = _months(parts.get("m"), with_day="d" in parts)
    if months is None:
        return None
    day = int(parts.get("d", "0"))
    if day == 0:
        return _month_span(year, *months)
    if months[0] != months[1]:  # a day of no month
        return None
    try:
        only = date(year, months[0], day)
    except ValueError:
        return None
    return only, only


def _months(text: str | None, *, with_day: bool) -> tuple[int, int] | None:
    """First and last month; month 0 of `2015-00-00` is any."""
    if text is None or text in ("0", "00"):
        return 1, 12
    if text.isdigit():
        month = int(text)
        return (month, month) if month <= 12 else None
    words = _words_of_kind("month") if with_day else {**_words_of_kind("season"), **_words_of_kind("month")}
    word = words.get(text)
    return (word.first, word.last) if word and word.first is not None and word.last is not None else None


def _unit_span(year: int, parts: Mapping[str, str]) -> tuple[date, date] | None:
    number = int(parts["n"])
    for unit, months in _UNIT_MONTHS.items():
        if parts["u"] in _words_of_kind(unit) and "k" not in parts and 1 <= number <= 12 // months:
            return _month_span(year, (number - 1) * months + 1, number * months)
    if parts["u"] in _words_of_kind("week"):
        try:
            first, last = (date.fromisocalendar(year, number, int(parts.get("k", k))) for k in ("1", "7"))
        except ValueError:
            return None
        return first, last
    return None


def _month_span(year: int, first: int, last: int) -> tuple[date, date] | None:
    """From the first of one month to the last of another, counted from the year's January as 1."""
    if year == date.max.year and last > 12:
        return None
    end = _first_of(year, last)
    return _first_of(year, first), end.replace(day=monthrange(end.year, end.month)[1])


def _first_of(year: int, month: int) -> date:
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


@lru_cache(maxsize=16)
def _words_of_kind(kind: str) -> Mapping[str, DateWord]:
    return {word.word: word for word in date_words() if word.kind == kind}
