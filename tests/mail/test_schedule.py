"""When mails leave: working days, windows by the recipient's clocks, caps, ramps, turns, and the same in every run."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from enrichment_assets.domain.mail.mailboxes import Ramp
from enrichment_assets.domain.mail.schedule import Box, Day, Desk, Place, Wanted, moments, next_look, window_of
from enrichment_assets.domain.mail.working_days import is_working_day
from enrichment_assets.domain.mail.zones import zone_of

NINE_TO_FIVE = (time(9), time(17))
NEW_YORK = ZoneInfo("America/New_York")


def box(number: int = 1, **changes: Any) -> Box:
    whole = Box(number, f"ann{number}@acme.example", "America/New_York", "US", NINE_TO_FIVE, 20, 20, None, 0)
    return replace(whole, days={}, **changes)


def at(text: str, zone: str = "America/New_York") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def wanted(key: int, now: datetime, **changes: Any) -> Wanted:
    return replace(Wanted(key, f"d{key}.example", now), **changes)


def local(place: Place, zone: str = "America/New_York") -> datetime:
    return place.moment.astimezone(ZoneInfo(zone))


def placed(boxes: Sequence[Box], now: datetime, count: int, horizon: int = 30, **changes: Any) -> list[Place]:
    desk = Desk(boxes, now, horizon)
    found = [desk.place(wanted(key, now, **changes)) for key in range(count)]
    return [one for one in found if one is not None]


MONDAY = at("2026-11-30T08:00")


def test_a_mailbox_sends_its_cap_a_day_in_the_window_and_never_twice_at_one_time() -> None:
    places = placed([box()], MONDAY, 50)
    assert Counter(one.day for one in places) == {date(2026, 11, 30): 20, date(2026, 12, 1): 20, date(2026, 12, 2): 10}
    assert all(time(9) <= local(one).time() < time(17) for one in places)
    first = sorted(one.moment for one in places if one.day == date(2026, 11, 30))
    gaps = [later - earlier for earlier, later in itertools.pairwise(first)]
    assert min(gaps) >= timedelta(minutes=4) and len(set(gaps)) > 10
    assert placed([box()], MONDAY, 50) == places  # the same in every run
    assert placed([box(address="bob@acme.example")], MONDAY, 50) != places


def test_friday_is_followed_by_monday_and_a_holiday_by_the_day_behind_it() -> None:
    assert {one.day for one in placed([box(daily_cap=1)], at("2026-12-24T08:00"), 3)} == {
        date(2026, 12, 24), date(2026, 12, 28), date(2026, 12, 29)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("day", "country", "works"),
    [
        ("2026-07-03", "US", False),  # Independence Day is a Saturday, and kept on Friday (5 U.S.C. 6103)
        ("2026-07-04", "US", False),
        ("2026-07-06", "US", True),
        ("2027-12-24", "US", False),  # Christmas is a Saturday
        ("2026-12-28", "GB", False),  # Boxing Day is a Saturday: a substitute on Monday (gov.uk/bank-holidays)
        ("2026-04-06", "GB", False),  # Easter Monday: three of four nations (gov.uk/bank-holidays)
        ("2026-08-31", "GB", False),
        ("2026-10-12", "CA", False),  # Thanksgiving: most provinces
        ("2026-04-06", "CH", False),
        ("2026-06-04", "DE", True),  # Corpus Christi: six of sixteen states
        ("2026-11-27", "US", True),
        ("2027-12-31", "US", False),  # New Year's Day 2028 is a Saturday
        ("2026-12-28", "DE", True),  # Germany moves none
        ("2026-10-03", "DE", False),
        ("2026-05-01", "DE", False),
        ("2026-05-01", "US", True),
        ("2026-11-29", "IL", True),  # a Sunday is a working day in Israel, Friday is none
        ("2026-11-27", "IL", False),
        ("2026-11-27", "AE", True),  # Friday works in the Emirates since 2022
        ("2026-11-28", None, False),
        ("2026-12-25", None, True),  # whose holidays are not known has weekends
        ("2026-11-28", "XK", False),
        ("2026-11-30", "KP", True),
    ],
)
def test_a_working_day_is_that_of_the_country(day: str, country: str | None, works: bool) -> None:
    assert is_working_day(date.fromisoformat(day), country) is works


@pytest.mark.parametrize(
    ("day", "zone", "begins"),
    [
        ("2026-03-06", "America/New_York", "14:00"),
        ("2026-03-09", "America/New_York", "13:00"),  # clocks went forward on Sunday
        ("2026-11-02", "America/New_York", "14:00"),
        ("2026-03-27", "Europe/Berlin", "08:00"),
        ("2026-03-30", "Europe/Berlin", "07:00"),
        ("2026-11-30", "Asia/Kolkata", "03:30"),
        ("2026-11-30", "Asia/Kathmandu", "03:15"),
        ("2026-11-30", "Australia/Adelaide", "22:30"),  # half an hour, and summer there
        ("2026-04-06", "Australia/Adelaide", "23:30"),
        ("2026-04-06", "Australia/Lord_Howe", "22:30"),  # whose summer is half an hour
        ("2026-11-30", "America/St_Johns", "12:30"),
        ("2026-11-30", "Pacific/Kiritimati", "19:00"),
    ],
)
def test_nine_o_clock_is_nine_o_clock_there(day: str, zone: str, begins: str) -> None:
    begin, end = window_of(date.fromisoformat(day), zone, NINE_TO_FIVE)
    assert begin.strftime("%H:%M") == begins and end - begin == timedelta(hours=8)
    assert begin.astimezone(ZoneInfo(zone)).time() == time(9)


def test_a_window_on_the_day_of_the_change_has_the_hours_that_it_has() -> None:
    begin, end = window_of(date(2026, 3, 8), "America/New_York", (time(1), time(5)))  # 2:00 is 3:00
    assert end - begin == timedelta(hours=3)
    begin, end = window_of(date(2026, 11, 1), "America/New_York", (time(0), time(5)))
    assert end - begin == timedelta(hours=6)
    begin, end = window_of(date(2026, 3, 8), "America/New_York", (time(2, 15), time(2, 45)))  # no such half hour
    assert begin <= end
    assert all(begin <= one <= end for one in moments("a@b.example", date(2026, 3, 8), begin, end, 20))


def test_a_mail_waits_for_the_recipients_morning_and_counts_in_the_mailboxs_day() -> None:
    desk = Desk([box()], at("2026-11-30T08:00"), 5)
    tokyo = desk.place(wanted(1, MONDAY, zone="Asia/Tokyo", country="JP"))
    berlin = desk.place(wanted(2, MONDAY, zone="Europe/Berlin", country="DE"))
    assert tokyo is not None and berlin is not None
    assert local(tokyo, "Asia/Tokyo").date() == date(2026, 12, 1) and tokyo.day == date(2026, 11, 30)
    assert time(9) <= local(tokyo, "Asia/Tokyo").time() < time(17)
    assert local(berlin, "Europe/Berlin").date() == date(2026, 11, 30)
    assert time(14) <= local(berlin, "Europe/Berlin").time() < time(17)  # it is two in the afternoon there already


def test_recipients_of_all_zones_share_one_cap_and_no_moment() -> None:
    zones = ["Asia/Tokyo", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", None, "Pacific/Auckland"]
    desk = Desk([box(daily_cap=7)], MONDAY, 30)
    places = [desk.place(wanted(key, MONDAY, zone=zones[key % 6])) for key in range(60)]
    found = [one for one in places if one is not None]
    assert len(found) == 60 and max(Counter(one.day for one in found).values()) == 7
    for one in found:
        assert one.day == one.moment.astimezone(NEW_YORK).date()
    ordered = sorted(one.moment for one in found)
    assert min(later - earlier for earlier, later in itertools.pairwise(ordered)) >= timedelta(seconds=60)


def test_a_holiday_there_is_no_day_for_them_though_one_works_here() -> None:
    christmas_eve = at("2026-12-23T08:00")
    desk = Desk([box()], christmas_eve, 10)
    german = desk.place(wanted(1, christmas_eve, not_before=at("2026-12-25T00:00"), zone="Europe/Berlin", country="DE"))
    assert german is not None and local(german, "Europe/Berlin").date() == date(2026, 12, 28)
    british = desk.place(
        wanted(2, christmas_eve, not_before=at("2026-12-25T00:00"), zone="Europe/London", country="GB")
    )
    assert british is not None and local(british, "Europe/London").date() == date(2026, 12, 29)


def test_a_mailbox_that_comes_in_the_middle_of_a_day_sends_what_is_left_of_it() -> None:
    places = placed([box()], at("2026-11-30T13:00"), 30)
    today = [one for one in places if one.day == date(2026, 11, 30)]
    assert 9 <= len(today) <= 11 and min(local(one).time() for one in today) >= time(13)
    assert placed([box()], at("2026-11-30T17:00"), 1)[0].day == date(2026, 12, 1)


def test_several_mailboxes_take_turns() -> None:
    places = placed([box(1), box(2), box(3)], MONDAY, 30)
    assert Counter(one.mailbox for one in places) == {1: 10, 2: 10, 3: 10}
    assert {one.day for one in places} == {date(2026, 11, 30)}
    assert [one.mailbox for one in places[:6]] == [1, 2, 3, 1, 2, 3]


def test_a_person_hears_from_one_mailbox_and_waits_for_it() -> None:
    full = box(1, daily_cap=0)
    assert placed([full, box(2)], MONDAY, 1, horizon=1, mailbox=1) == []
    assert placed([box(1), box(2)], MONDAY, 1, mailbox=2)[0].mailbox == 2
    assert placed([box(1)], MONDAY, 1, mailbox=9) == []


def test_a_mailbox_that_grows_sends_more_on_each_day() -> None:
    places = placed([box(ramp=Ramp(2, 3), daily_cap=7)], MONDAY, 22)
    assert list(Counter(one.day for one in places).values()) == [2, 5, 7, 7, 1]
    assert list(Counter(one.day for one in placed([box(ramp=Ramp(2, 3), days_sent=1)], MONDAY, 8)).values()) == [5, 3]


def test_a_lower_cap_leaves_what_has_its_place_and_gives_no_more() -> None:
    one = box(daily_cap=3)
    day = date(2026, 11, 30)
    moment = at("2026-11-30T10:00").astimezone(UTC)
    one.days[day] = Day({slot: (moment + timedelta(hours=slot), "x.example") for slot in range(5)})
    assert {place.day for place in placed([one], MONDAY, 3)} == {date(2026, 12, 1)}


def test_one_receiving_domain_gets_few_a_day_and_not_one_after_the_other() -> None:
    many = placed([box(domain_cap=5)], MONDAY, 12, domain="big.example")
    assert list(Counter(one.day for one in many).values()) == [5, 5, 2]
    slots = sorted(one.slot for one in many if one.day == date(2026, 11, 30))
    assert all(later - earlier >= 2 for earlier, later in itertools.pairwise(slots))
    tight = placed([box(daily_cap=5, domain_cap=5)], MONDAY, 5, domain="big.example")
    assert len(tight) == 5 and {one.day for one in tight} == {date(2026, 11, 30)}  # beside each other before not at all


def test_places_are_given_for_today_and_tomorrow_only_so_that_follow_ups_come_first() -> None:
    assert len(placed([box()], MONDAY, 100, horizon=1)) == 40
    assert placed([box()], at("2026-12-04T18:00"), 5, horizon=1) == []  # Friday evening
    assert next_look("America/New_York", at("2026-10-31T18:00"), 2) == datetime(2026, 11, 2, 5, tzinfo=UTC)


def test_a_step_waits_before_it_looks_for_its_place() -> None:
    (place,) = placed([box()], MONDAY, 1, not_before=at("2026-12-03T12:00"))
    assert place.day == date(2026, 12, 3) and local(place).time() >= time(12)


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        (("Germany",), "Europe/Berlin"),  # Busingen keeps the same clock
        (("DE", None, "Munich"), "Europe/Berlin"),
        (("India",), "Asia/Kolkata"),
        (("GB",), "Europe/London"),
        (("Japan", None, None), "Asia/Tokyo"),
        (("US",), None),
        (("US", "TX"), None),  # El Paso keeps another clock than the rest
        (("US", "Texas", "Houston"), None),
        (("US", "California"), "America/Los_Angeles"),
        (("United States", "NY", "Buffalo"), "America/New_York"),
        (("US", None, "Detroit"), "America/Detroit"),
        (("US", None, "Chicago"), "America/Chicago"),
        (("US", "AZ"), "America/Phoenix"),
        (("US", "IN", "Indianapolis"), "America/Indiana/Indianapolis"),
        (("Canada",), None),
        (("Canada", "Alberta"), "America/Edmonton"),
        (("Canada", "BC", "Vancouver"), "America/Vancouver"),
        (("Australia", "NSW"), "Australia/Sydney"),
        (("Australia", None, "Perth"), "Australia/Perth"),
        (("Brazil",), None),
        (("Brazil", None, "São Paulo"), "America/Sao_Paulo"),
        (("Spain",), None),  # the Canary Islands
        (("Spain", None, "Madrid"), "Europe/Madrid"),
        (("Spain", "Madrid", "Getafe"), None),
        (("Portugal", None, "Porto"), None),
        (("Narnia",), None),
        ((None, "TX", "Houston"), None),
        (("", "", ""), None),
    ],
)
def test_a_zone_is_known_where_country_state_or_city_say_it(place: tuple[str | None, ...], zone: str | None) -> None:
    found = zone_of(*place)
    if zone is None or found is None:
        assert found is zone
        return
    # The locale data has older names of some zones, which keep the same clock (Asia/Calcutta).
    year = [datetime(2026, month, 15, tzinfo=UTC) for month in range(1, 13)]
    assert [one.astimezone(ZoneInfo(found)).utcoffset() for one in year] == [
        one.astimezone(ZoneInfo(zone)).utcoffset() for one in year
    ]
