"""When each mail leaves: which mailbox, which day, and at what moment of its window. Pure.

A mailbox's day has as many places as it may send mails. The window is divided among them, and each place is somewhere
in its part, by chance that the mailbox's address and the day decide: the same in every run, even by nobody's clock.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from enrichment_assets.domain.mail.mailboxes import Ramp, cap_on
from enrichment_assets.domain.mail.working_days import is_working_day

LEAST_GAP = timedelta(seconds=60)
"""Between two mails of one mailbox, whatever zones their recipients live in."""

HORIZON = 1
"""Places are given out for today and so many days after: who follows up goes before who has not been written to."""

LONGEST_SEARCH = 400
"""Days in which a place is looked for at most."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mail that wants its place.

    Attributes:
        key: By which it is known, its item's number.
        domain: Where it goes.
        not_before: The earliest moment.
        zone: By whose clocks its recipient works; None: the mailbox's.
        country: Whose holidays count; None: the mailbox's.
        mailbox: The one that has written to the person before; None: any of the client's.
    """

    key: int
    domain: str
    not_before: datetime
    zone: str | None = None
    country: str | None = None
    mailbox: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail has its place: `day` is of the mailbox's zone, `slot` the number in that day, `moment` is UTC."""

    mailbox: int
    day: date
    slot: int
    moment: datetime


@dataclass(slots=True)
class Day:
    """What of a mailbox's day is taken: slot -> moment and receiving domain."""

    taken: dict[int, tuple[datetime, str]] = field(default_factory=dict)

    def to(self, domain: str) -> int:
        """How many of its mails go to a domain."""
        return sum(1 for _, other in self.taken.values() if other == domain)

    def is_near(self, moment: datetime) -> bool:
        """Whether another mail leaves at nearly the same moment."""
        return any(abs(moment - other) < LEAST_GAP for other, _ in self.taken.values())

    def is_beside(self, slot: int, domain: str) -> bool:
        """Whether the mail before or behind it goes to the same domain."""
        return any(slot + step in self.taken and self.taken[slot + step][1] == domain for step in (-1, 1))


@dataclass(slots=True)
class Box:
    """A mailbox as the schedule sees it.

    Attributes:
        id: Its number.
        address: Decides about its chances.
        zone: By whose clocks its days are.
        country: Whose holidays count where the recipient's country is not known.
        window: From when until when, by the recipient's clocks or its own.
        daily_cap: Mails a day.
        domain_cap: Mails a day to one receiving domain.
        ramp: How it comes to its cap.
        days_sent: Earlier days on which mail left.
        days: Day -> what is taken.
    """

    id: int
    address: str
    zone: str
    country: str | None
    window: tuple[time, time]
    daily_cap: int
    domain_cap: int
    ramp: Ramp | None
    days_sent: int
    days: dict[date, Day] = field(default_factory=dict)

    def cap(self, day: date, today: date) -> int:
        """How many may leave on a day; of a day to come as if mail left on each day before that has a place taken."""
        ahead = sum(1 for other, taken in self.days.items() if taken.taken and today <= other < day)
        return cap_on(self.daily_cap, self.ramp, self.days_sent + ahead)

    def today(self, now: datetime) -> date:
        """Which day it is there."""
        return now.astimezone(ZoneInfo(self.zone)).date()


class Desk:
    """A client's mailboxes, at which mails get their places one after another.

    Args:
        boxes: Those from which mail may leave, with what is taken.
        now: No place is earlier.
        horizon: For how many days after today places are given out.
    """

    def __init__(self, boxes: Iterable[Box], now: datetime, horizon: int = HORIZON) -> None:
        self._boxes = {box.id: box for box in boxes}
        self._now = now
        self._horizon = horizon

    def place(self, mail: Wanted) -> Place | None:
        """Give a mail its place, and take it; None: there is none within the horizon.

        Of several mailboxes the one that has it earliest, by days, and of those the one that sends least on that day.
        """
        allowed = self._boxes.values() if mail.mailbox is None else filter(None, [self._boxes.get(mail.mailbox)])
        found = [place for box in allowed if (place := self._earliest(box, mail)) is not None]
        if not found:
            return None
        best = min(found, key=lambda one: (one.day, len(self._day(one.mailbox, one.day).taken), one.mailbox))
        self._day(best.mailbox, best.day).taken[best.slot] = (best.moment, mail.domain)
        return best

    def _day(self, box: int, day: date) -> Day:
        return self._boxes[box].days.setdefault(day, Day())

    def _earliest(self, box: Box, mail: Wanted) -> Place | None:
        today = box.today(self._now)
        earliest = max(self._now, mail.not_before)
        for day in _days(earliest, mail.zone or box.zone, mail.country or box.country, self._horizon, self._now):
            if (place := _place_on(box, mail, day, today, earliest)) is not None:
                return place if place.day <= today + timedelta(days=self._horizon) else None
        return None


def _days(earliest: datetime, zone: str, country: str | None, horizon: int, now: datetime) -> Iterator[date]:
    """Working days of the recipient from the earliest moment to the horizon; a day more, for zones differ."""
    first = earliest.astimezone(ZoneInfo(zone)).date()
    last = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=min(horizon, LONGEST_SEARCH) + 1)
    while first <= last:
        if is_working_day(first, country):
            yield first
        first += timedelta(days=1)


def _place_on(box: Box, mail: Wanted, day: date, today: date, earliest: datetime) -> Place | None:
    """The first free place on a day of the recipient; beside a mail to the same domain only where no other is free."""
    begin, end = window_of(day, mail.zone or box.zone, box.window)
    here = ZoneInfo(box.zone)
    second: Place | None = None
    for own_day in dict.fromkeys((begin.astimezone(here).date(), end.astimezone(here).date())):
        taken, cap = box.days.get(own_day, Day()), box.cap(own_day, today)
        if len(taken.taken) >= cap or taken.to(mail.domain) >= box.domain_cap:
            continue
        for slot, moment in enumerate(moments(box.address, day, begin, end, cap)):
            is_free = slot not in taken.taken and moment >= earliest and moment.astimezone(here).date() == own_day
            if not is_free or taken.is_near(moment):
                continue
            place = Place(box.id, own_day, slot, moment)
            if not taken.is_beside(slot, mail.domain):
                return place
            second = second or place
    return second


def window_of(day: date, zone: str, window: tuple[time, time]) -> tuple[datetime, datetime]:
    """When a window of a day begins and ends, in UTC, whatever the clocks of the zone do on that day."""
    clock = ZoneInfo(zone)
    begin, end = (datetime.combine(day, at, clock).astimezone(UTC) for at in window)
    return begin, max(end, begin)


def moments(address: str, day: date, begin: datetime, end: datetime, cap: int) -> Sequence[datetime]:
    """The moments of a day's places: each by chance in the middle four fifths of its part of the window.

    The chance is decided by mailbox and day: the same in every run.
    """
    chance = random.Random(f"{address} {day.isoformat()} {cap}")  # noqa: S311 - nothing secret depends on it
    part = (end - begin) / max(cap, 1)
    return [(begin + part * (place + 0.1 + 0.8 * chance.random())).replace(microsecond=0) for place in range(cap)]


def next_look(box_zone: str, now: datetime, days: int = 1) -> datetime:
    """When whoever found no place looks again: as the day begins that is so many days after today, in UTC."""
    clock = ZoneInfo(box_zone)
    day = now.astimezone(clock).date() + timedelta(days=days)
    return datetime.combine(day, time(0), clock).astimezone(UTC)
