"""By whose clocks somebody works: the time zone of a place, where it can be known.

A country whose zones keep the same clock has one (Germany); of another the state or the city says which. What they do
not say is not guessed: a mail then goes by the sender's clocks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.core import get_global

from enrichment_assets.domain.countries import region_of
from enrichment_assets.domain.places import state_code

_STATES = {
    "America/New_York": "US-CT US-DC US-DE US-GA US-MA US-MD US-ME US-NC US-NH US-NJ US-NY US-OH US-PA US-RI US-SC "
    "US-VA US-VT US-WV",
    "America/Chicago": "US-AL US-AR US-IA US-IL US-LA US-MN US-MO US-MS US-OK US-WI",
    "America/Denver": "US-CO US-MT US-NM US-UT US-WY",
    "America/Phoenix": "US-AZ",
    "America/Los_Angeles": "US-CA US-WA",
    "Pacific/Honolulu": "US-HI",
    "America/Toronto": "CA-QC",
    "America/Winnipeg": "CA-MB",
    "America/Regina": "CA-SK",
    "America/Edmonton": "CA-AB",
    "America/Halifax": "CA-NB CA-NS CA-PE",
    "America/Whitehorse": "CA-YT",
    "Australia/Sydney": "AU-NSW AU-ACT",
    "Australia/Melbourne": "AU-VIC",
    "Australia/Brisbane": "AU-QLD",
    "Australia/Adelaide": "AU-SA",
    "Australia/Hobart": "AU-TAS",
    "Australia/Darwin": "AU-NT",
    "Australia/Perth": "AU-WA",
}
"""States and provinces whose people live by one clock: 49 CFR 71 (ecfr.gov) and the comments of the tz database.

Not here are those that are divided: AK, FL, ID, IN, KS, KY, MI, ND, NE, NV, OR, SD, TN, TX, BC, NL, NT, NU, ON.
"""

_ZONE_OF_STATE = {state: zone for zone, states in _STATES.items() for state in states.split()}


def zone_of(country: str | None, state: str | None = None, city: str | None = None) -> str | None:
    """The zone of a place as `America/Chicago`; None: what is known of it does not say which.

    Args:
        country: As any list writes it.
        state: A state or province, likewise.
        city: Helps where the zone database names a zone after it (`Detroit`, `São Paulo`).
    """
    region = region_of(country)
    if region is None:
        return None
    zones = _zones_of(region)
    if (one := _the_same_clock(zones)) is not None:
        return one
    code = None if state is None else state_code(state, region)
    if code is not None and (found := _ZONE_OF_STATE.get(code)) is not None:
        return found
    return _named_after(city, zones)


@lru_cache(maxsize=512)
def _zones_of(region: str) -> tuple[str, ...]:
    """The zones of a country, by the Unicode locale data."""
    return tuple(sorted(zone for zone, territory in get_global("zone_territories").items() if territory == region))


@lru_cache(maxsize=512)
def _the_same_clock(zones: tuple[str, ...]) -> str | None:
    """The zone by which all of these can be told the time this year and next; None: they differ."""
    year = datetime.now(UTC).year
    moments = [datetime(y, month, 15, 12, tzinfo=UTC) for y in (year, year + 1) for month in range(1, 13)]
    clocks = {tuple(at.astimezone(ZoneInfo(zone)).utcoffset() for at in moments) for zone in zones}
    return zones[0] if len(clocks) == 1 else None


def _named_after(city: str | None, zones: tuple[str, ...]) -> str | None:
    if not city:
        return None
    wanted = _folded(city)
    return next((zone for zone in zones if _folded(zone.rpartition("/")[2].replace("_", " ")) == wanted), None)


def _folded(text: str) -> str:
    from enrichment_assets.domain.name_words import fold

    return " ".join(fold(text).casefold().replace(".", " ").split())
