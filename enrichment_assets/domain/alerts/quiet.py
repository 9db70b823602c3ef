"""Quiet hours: `22:00-07:00` in a time zone. What begins meanwhile is said when they end, unless it is over by then."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from enrichment_assets.domain.errors import ConfigurationError

_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` until before `end`, by the clocks of `zone`; over midnight where `end` is the earlier one."""

    start: time
    end: time
    zone: str = "UTC"

    @classmethod
    def parse(cls, text: str, zone: str = "UTC") -> QuietHours:
        """Read `22:00-07:00`.

        Raises:
            ConfigurationError: It is no such span, is empty, or there is no such time zone.
        """
        match = _HOURS.fullmatch(text.strip())
        hours = [int(group) for group in match.groups()] if match else []
        if not hours or hours[:2] == hours[2:]:
            raise ConfigurationError(f"quiet hours are written as 22:00-07:00, and not {text!r}", code="alert.quiet")
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigurationError(
                f"there is no time zone {zone!r}: one is Europe/Berlin", code="alert.time_zone"
            ) from None
        return cls(time(hours[0], hours[1]), time(hours[2], hours[3]), zone)

    def over_at(self, moment: datetime) -> datetime:
        """When they end, if `moment` (with a zone) lies in them; else the moment itself.

        By the clock on the wall, so that a night in which clocks change is an hour shorter or longer.
        """
        zone = ZoneInfo(self.zone)
        there = moment.astimezone(zone)
        clock = there.time().replace(tzinfo=None)
        over_midnight = self.end < self.start
        inside = clock >= self.start or clock < self.end if over_midnight else self.start <= clock < self.end
        if not inside:
            return moment
        day = there.date() + timedelta(days=1 if over_midnight and clock >= self.start else 0)
        return datetime.combine(day, self.end, zone).astimezone(UTC)

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M} {self.zone}"
