"""Time zones for a service that takes a closed list of them: the one that keeps the same offsets, or none.

Instantly's list has neither America/New_York nor Europe/London, and no zone that keeps Pacific time: America/Dawson did
until 2020, and has been at UTC-7 all year since. A zone of the list stands for another one if their offsets from UTC
agree at every noon of the years to come; of several the one whose offsets agreed for longest in the past, so that it is
right by an older time zone table, too; then one of the same region.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from enrichment_assets.domain.errors import ConfigurationError

_LISTED = """
    Etc/GMT+12 Etc/GMT+11 Etc/GMT+10 America/Anchorage America/Dawson America/Creston America/Chihuahua America/Boise
    America/Belize America/Chicago America/Bahia_Banderas America/Regina America/Bogota America/Detroit
    America/Indiana/Marengo America/Caracas America/Asuncion America/Glace_Bay America/Campo_Grande America/Anguilla
    America/Santiago America/St_Johns America/Sao_Paulo America/Argentina/La_Rioja America/Araguaina America/Godthab
    America/Montevideo America/Bahia America/Noronha America/Scoresbysund Atlantic/Cape_Verde Africa/Casablanca
    America/Danmarkshavn Europe/Isle_of_Man Atlantic/Canary Africa/Abidjan Arctic/Longyearbyen Europe/Belgrade
    Africa/Ceuta Europe/Sarajevo Africa/Algiers Africa/Windhoek Asia/Nicosia Asia/Beirut Africa/Cairo Asia/Damascus
    Europe/Bucharest Africa/Blantyre Europe/Helsinki Europe/Istanbul Asia/Jerusalem Africa/Tripoli Asia/Amman
    Asia/Baghdad Europe/Kaliningrad Asia/Aden Africa/Addis_Ababa Europe/Kirov Europe/Astrakhan Asia/Tehran Asia/Dubai
    Asia/Baku Indian/Mahe Asia/Tbilisi Asia/Yerevan Asia/Kabul Antarctica/Mawson Asia/Yekaterinburg Asia/Karachi
    Asia/Kolkata Asia/Colombo Asia/Kathmandu Antarctica/Vostok Asia/Dhaka Asia/Rangoon Antarctica/Davis
    Asia/Novokuznetsk Asia/Hong_Kong Asia/Krasnoyarsk Asia/Brunei Australia/Perth Asia/Taipei Asia/Choibalsan
    Asia/Irkutsk Asia/Dili Asia/Pyongyang Australia/Adelaide Australia/Darwin Australia/Brisbane Australia/Melbourne
    Antarctica/DumontDUrville Australia/Currie Asia/Chita Antarctica/Macquarie Asia/Sakhalin Pacific/Auckland
    Etc/GMT-12 Pacific/Fiji Asia/Anadyr Asia/Kamchatka Etc/GMT-13 Pacific/Apia
"""
INSTANTLY_ZONES = frozenset(_LISTED.split())
"""What Instantly takes as `campaign_schedule.schedules[].timezone`: the enumeration of its OpenAPI."""

YEARS_AHEAD = 2
_YEARS_BACK = 30


@dataclass(frozen=True, slots=True)
class ZoneChoice:
    """The zone of a list that stands for another.

    Attributes:
        asked: The zone that was asked for.
        zone: The one of the list.
        rule: Their common offsets in words, as `UTC-5, in summer UTC-4`.
    """

    asked: str
    zone: str
    rule: str

    @property
    def warning(self) -> str | None:
        """What a person should know; None: the list has the zone itself."""
        if self.asked == self.zone:
            return None
        return (
            f"{self.asked} is not in the service's list: {self.zone} is sent, which keeps the same clock ({self.rule})"
        )


def choose_zone(asked: str, allowed: Collection[str], today: date) -> ZoneChoice:
    """The zone of a closed list that keeps the same clock.

    Args:
        asked: An IANA name, such as `America/New_York`.
        allowed: The names that the service takes.
        today: From when on the clocks have to agree, for two years.

    Raises:
        ConfigurationError: There is no such zone, or none of the list keeps its clock; names the nearest ones.
    """
    wanted = _offsets(asked, today, YEARS_AHEAD)
    if wanted is None:
        raise ConfigurationError(f"there is no time zone {asked!r}", code="campaign.zone_unknown")
    rule = _in_words(wanted)
    if asked in allowed:
        return ZoneChoice(asked, asked, rule)
    offsets = {name: found for name in sorted(allowed) if (found := _offsets(name, today, YEARS_AHEAD)) is not None}
    same = [name for name, found in offsets.items() if found == wanted]
    if same:
        region = asked.partition("/")[0]
        best = max(same, key=lambda name: (_agreed_days(asked, name, today), name.startswith(f"{region}/")))
        return ZoneChoice(asked, best, rule)
    agreeing = sorted(offsets, key=lambda name: -sum(a == b for a, b in zip(offsets[name], wanted, strict=True)))
    near = ", ".join(f"{name} ({_in_words(offsets[name])})" for name in agreeing[:3])
    raise ConfigurationError(
        f"no time zone of the service's list keeps the clock of {asked} ({rule}); name one of the list instead, "
        f"such as {near}",
        code="campaign.zone_not_in_list",
    )


@lru_cache(maxsize=256)
def _offsets(name: str, first: date, years: int) -> tuple[timedelta, ...] | None:
    """The offset from UTC at each noon (UTC) of so many years; None: there is no such zone."""
    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
    noon = datetime.combine(first, time(12), UTC)
    return tuple((noon + timedelta(days=day)).astimezone(zone).utcoffset() or timedelta() for day in range(years * 365))


def _agreed_days(one: str, other: str, today: date) -> int:
    """For how many days before today two zones have had the same offset, 30 years at most."""
    noon, zones = datetime.combine(today, time(12), UTC), (ZoneInfo(one), ZoneInfo(other))
    for day in range(_YEARS_BACK * 365):
        first, second = ((noon - timedelta(days=day)).astimezone(zone).utcoffset() for zone in zones)
        if first != second:
            return day
    return _YEARS_BACK * 365


def _in_words(offsets: tuple[timedelta, ...]) -> str:
    """`UTC-5, in summer UTC-4`; in the south summer is at the turn of the year, which the words do not hide."""
    kinds = sorted(set(offsets))
    if len(kinds) == 1:
        return f"{_utc(kinds[0])} all year"
    if len(kinds) == 2:
        return f"{_utc(kinds[0])}, in summer {_utc(kinds[1])}"
    return ", ".join(map(_utc, kinds))


def _utc(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"
