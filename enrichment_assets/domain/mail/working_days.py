"""Days on which people of a country work, by the package `holidays`: weekends, holidays, and when these are kept."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

WEEKEND = frozenset({5, 6})
"""Saturday and Sunday, where nobody says otherwise."""


def is_working_day(day: date, country: str | None) -> bool:
    """Whether people work on a day.

    A holiday that falls on a weekend and is kept on a weekday is none of the weekday's working days: Independence Day
    2026 is a Saturday, and Friday is off. What a country makes up for on a Saturday is still a Saturday here.

    Args:
        day: Which.
        country: ISO 3166 code; None, or one whose holidays are not known: only weekends count.
    """
    known = None if country is None else _holidays(country)
    if known is None:
        return day.weekday() not in WEEKEND
    return day.weekday() not in known.weekend and day not in known


@lru_cache(maxsize=64)
def _holidays(country: str) -> HolidayBase | None:
    """The public holidays of a whole country; those of its parts are not among them."""
    from holidays import country_holidays  # 200 countries: loaded when mails get their days

    try:
        return country_holidays(country)
    except NotImplementedError:
        return None
