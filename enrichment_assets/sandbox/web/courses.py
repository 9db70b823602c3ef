"""Golf courses of one state: who there is, what is true of each, and how its association and its own site tell it.

A course's identity is its state and its name: any name is a course (`course_at`), so that a list of real ones can be
tried; `courses_in` are those that the association of a state lists by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from enrichment_assets.sandbox.companies import Company, Position, make_company, slug
from enrichment_assets.sandbox.seeded_random import SeededRandom
from enrichment_assets.sandbox.web.firms import different
from enrichment_assets.sandbox.web.states import STATES
from enrichment_assets.sandbox.web.styles import FIRST, STYLES, Style
from enrichment_assets.sandbox.words import FIRST_NAMES, LAST_NAMES

GOLF = "golf courses and country clubs"
"""The industry of every course."""

FEWEST, MOST = 24, 40
SITES = (*("good",) * 72, *("script-only",) * 8, *("none",) * 10, *("no-people",) * 6, *("parked",) * 4)
"""What a course's own site is, by share of a hundred."""

_FIRST = (
    *("Pine", "Oak", "Cedar", "Willow", "Eagle", "Heron", "Fox", "Stone", "Deer", "Hawk", "Maple", "Quail", "Raven"),
    *("Silver", "Timber", "Fairview", "Bear", "Otter", "Thistle", "Wolf", "Birch", "Laurel", "Copper"),
)
_SECOND = (
    *("Hills", "Ridge", "Creek", "Valley", "Run", "Meadows"),
    *("Point", "Hollow", "Lakes", "Bend", "Crossing", "Grove"),
)
_KINDS = ("Golf Club",) * 5 + ("Country Club",) * 3 + ("Golf Course",) * 2 + ("Golf Links", "Municipal Golf Course")
_TOWNS = ("Milford", "Ashland", "Clayton", "Fairmont", "Salem", "Newport", "Bristol", "Lexington", "Dover", "Hudson")
_ROADS = ("Club Drive", "Fairway Lane", "Golf Course Road", "Country Club Road", "Links Way")
_ARCHITECTS = ("Ellis Mayhew", "Roland Sayre", "Patrick Kiefer", "Dorothea Lund")
_ACCESS = ("public",) * 4 + ("private",) * 3 + ("semi-private",) * 2
_HOLES = {9: "a 9-hole", 18: "an 18-hole", 27: "a 27-hole", 36: "a 36-hole"}
_SMALL_WORDS = frozenset(["at", "of", "the", "and", "in", "on"])
_INITIALS = frozenset(["gc", "cc", "tpc", "usa", "ymca"])
_GOLF = re.compile(r"golf|country-club|links|-gc$|-cc$")
_PARTS = {"slug": r"(?P<slug>[a-z0-9-]+)", "state": r"(?P<state>[a-z]{2})"}
_HOSTS = [(style, re.compile(style.course.replace(".", r"\.").format(**_PARTS))) for style in STYLES.values()]

_TITLES = (
    ("Superintendent", "manager", "operations"),
    ("General Manager", "director", "operations"),
    ("Director of Golf", "director", "operations"),
    ("Assistant Golf Professional", "entry", "sales"),
    ("Food & Beverage Manager", "manager", "operations"),
    ("Membership Director", "director", "sales"),
)


@dataclass(frozen=True, slots=True)
class Course:
    """One golf course.

    Attributes:
        state: Its postal code.
        access: public, private, semi-private or municipal.
        fee: US dollars for 18 holes on a weekday; None where only members play.
        weekend_fee: The same on a Saturday.
        range_stations: Of the driving range; 0: it has none.
        site: One of `SITES`.
        staff: Who works there, the head professional first.
        written: How many of them have their address on the association's page.
        is_listed: Whether the association has a page for it.
    """

    slug: str
    name: str
    state: str
    city: str
    holes: int
    par: int
    yards: int
    access: str
    fee: int | None
    weekend_fee: int | None
    range_stations: int
    range_surface: str
    opened: int
    architect: str
    site: str
    layout: str
    mails: str
    staff: tuple[Position, ...]
    written: int
    is_listed: bool
    style: Style

    @property
    def host(self) -> str:
        """Where its site is, or would be, and its people's addresses."""
        return self.style.course.format(slug=self.slug, state=self.state.lower())

    @property
    def listing(self) -> str:
        """Its page at the association."""
        return f"https://www.{association_host(self.state, self.style)}{self.style.listing.format(slug=self.slug)}"


@lru_cache(maxsize=200)
def courses_in(seed: int, state: str, style: Style = FIRST) -> tuple[Course, ...]:
    """The courses that a state's association lists."""
    rng = SeededRandom(seed, "courses", state)
    count, names = rng.between(FEWEST, MOST), dict[str, None]()
    taken: set[str] = set()
    while len(names) < count:
        stem = f"{rng.pick(_FIRST)} {rng.pick(_SECOND)}"
        if stem not in taken:
            taken.add(stem)
            names[slug(f"{stem} {rng.pick(_KINDS)}")] = None
    return tuple(replace(course_at(seed, state, name, style), is_listed=True) for name in names)


@lru_cache(maxsize=5_000)
def course_at(seed: int, state: str, name_slug: str, style: Style = FIRST) -> Course:
    """The course of that name in a state."""
    rng = SeededRandom(seed, "course", state, name_slug)
    access = "municipal" if "municipal" in name_slug else rng.pick(_ACCESS)
    fee = None if access == "private" else rng.between(24, 55) if access == "municipal" else rng.between(28, 140)
    holes = rng.pick((18,) * 8 + (9, 27, 36))
    count = rng.between(2, 5)
    titles = [("Head Golf Professional", "manager", "operations"), *different(rng, _TITLES, count - 1)]
    firsts, lasts = different(rng, FIRST_NAMES, count), different(rng, LAST_NAMES, count)
    return Course(
        slug=name_slug,
        name=name_of(name_slug),
        state=state,
        city=rng.pick(_TOWNS),
        holes=holes,
        par=36 if holes == 9 else rng.between(70, 72),
        yards=rng.between(2700, 3300) if holes == 9 else rng.between(6100, 7300),
        access=access,
        fee=fee,
        weekend_fee=None if fee is None else fee + rng.between(4, 25),
        range_stations=rng.between(8, 40) if rng.chance(0.75) else 0,
        range_surface=rng.pick(("grass", "mats", "grass and mats")),
        opened=rng.between(1904, 2012),
        architect=rng.pick(_ARCHITECTS),
        site=rng.pick(SITES),
        layout=rng.pick(style.layouts),
        mails=rng.pick(style.mails),
        staff=tuple(Position(a, b, *title) for a, b, title in zip(firsts, lasts, titles, strict=True)),
        written=rng.between(0, count),
        is_listed=not rng.chance(0.06),
        style=style,
    )


def course_of_host(seed: int, host: str) -> Course | None:
    """The course whose site is at a host."""
    for style, pattern in _HOSTS:
        found = pattern.fullmatch(host)
        if found is not None and found["state"].upper() in STATES and _GOLF.search(found["slug"]):
            return known_course(seed, found["state"].upper(), found["slug"], style)
    return None


def known_course(seed: int, state: str, name_slug: str, style: Style = FIRST) -> Course:
    """The course of that name, listed for certain where it is one of `courses_in`."""
    listed = {course.slug: course for course in courses_in(seed, state, style)}
    return listed.get(name_slug) or course_at(seed, state, name_slug, style)


def association_host(state: str, style: Style = FIRST) -> str:
    """The site of a state's golf association."""
    return style.association.format(state=slug(STATES[state].name))


def association_of(host: str) -> tuple[str, Style] | None:
    """The state whose association is at a host, and the style of its web; None for any other host."""
    return _ASSOCIATIONS.get(host)


_ASSOCIATIONS = {association_host(code, style): (code, style) for code in STATES for style in STYLES.values()}


def invented_club(rng: SeededRandom) -> str:
    """The name of a course that nobody asked for: where somebody worked before."""
    return f"{rng.pick(_FIRST)} {rng.pick(_SECOND)} {rng.pick(_KINDS)}"


def name_of(name_slug: str) -> str:
    """A course's name as its address says it: `club-at-pine-hills` is Club at Pine Hills."""
    words = name_slug.split("-")
    shown = [
        word.upper() if word in _INITIALS else word if word in _SMALL_WORDS and place else word.capitalize()
        for place, word in enumerate(words)
    ]
    return " ".join(shown)


def company_of_course(seed: int, course: Course) -> Company:
    """The course as every provider knows it."""
    state = STATES[course.state]
    rng = SeededRandom(seed, "course's place", course.host)
    return replace(
        make_company(seed, course.name, course.host),
        industry=GOLF,
        keywords=("golf", "events", "driving range" if course.range_stations else "lessons"),
        employees=4 * len(course.staff) + rng.between(0, 30),
        founded=course.opened,
        street=f"{rng.between(1, 990)} {rng.pick(_ROADS)}",
        city=course.city,
        state=state.name,
        country="United States",
        postal_code=f"{state.zip3}{rng.between(1, 99):02d}",
        phone=f"+1 {state.area}-555-01{rng.between(0, 99):02d}",
        technologies=(),
        funding=(),
        description=(
            f"{course.name} is {_HOLES[course.holes]} {course.access} golf course in {course.city}, {course.state}."
        ),
        roster=course.staff,
    )
