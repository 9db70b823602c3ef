"""Days on which people of a country work, by the package `holidays`: weekends, holidays, and when these are kept."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import lru_cache

WEEKEND = frozenset({5, 6})
"""Saturday and Sunday, where nobody says otherwise."""


def is_working_day(day: date, country: str | None) -> bool:
    """Whether most people of a country work on a day.

    A holiday that falls on a weekend and is kept on a weekday is none of the weekday's working days: Independence Day
    2026 is a Saturday, and Friday is off. What a country makes up for on a Saturday is still a Saturday here.

    A holiday of more than half of a country's parts counts for all of it: Easter Monday, which is none in Scotland, or
    Canada's Thanksgiving. One of fewer parts is not known: whose part a person lives in is not asked.

    Args:
        day: Which.
        country: ISO 3166 code; None, or one whose holidays are not known: only weekends count.
    """
    if country is None:
        return day.weekday() not in WEEKEND
    weekend, kept = _kept(country, day.year)
    return day.weekday() not in weekend and day not in kept


@lru_cache(maxsize=256)
def _kept(country: str, year: int) -> tuple[frozenset[int], frozenset[date]]:
    """The weekend of a country, and the days of a year on which all or most of it keeps a holiday."""
    from holidays import country_holidays  # 200 countries: loaded when mails get their days

    try:
        everywhere = country_holidays(country, years=year)
    except NotImplementedError:
        return WEEKEND, frozenset()
    parts = everywhere.subdivisions
    times = Counter(day for part in parts for day in country_holidays(country, subdiv=part, years=year))
    most = (day for day, kept_by in times.items() if 2 * kept_by > len(parts))
    return frozenset(everywhere.weekend), frozenset(everywhere) | frozenset(most)
