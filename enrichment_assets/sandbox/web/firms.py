"""Firms of one industry in one city: who there is, what kind of site each has, who works there, how that is written.

The host says industry, city and state (`cedarharbor-wealth-boston-ma.com`), so that any page of it can be made from its
address alone. A firm that moved has its old site at `.net`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from enrichment_assets.sandbox.companies import Company, Position, make_company, slug
from enrichment_assets.sandbox.seeded_random import SeededRandom
from enrichment_assets.sandbox.web.industries import BY_TAG, Industry
from enrichment_assets.sandbox.web.states import STATES
from enrichment_assets.sandbox.web.styles import FIRST, STYLES, Style
from enrichment_assets.sandbox.words import COMPANY_STEMS, FIRST_NAMES, LAST_NAMES, STREETS

T = TypeVar("T")

FEWEST, MOST = 16, 28
"""Firms of one industry in one city."""

SITE_KINDS = (
    *("good",) * 60,
    *("script-only",) * 10,
    *("slow",) * 5,
    *("moved",) * 5,
    *("no-people",) * 6,
    *("image-only",) * 3,
    *("consent-wall",) * 4,
    *("parked",) * 4,
    *("gone",) * 3,
)
"""What a firm's site is, by share of a hundred."""

READABLE = frozenset(["good", "script-only", "slow", "moved"])
"""Kinds of sites whose people can be read, some of them with a browser only."""

_PARTS = {
    "stems": r"(?P<stems>[a-z]+)",
    "tag": rf"(?P<tag>{'|'.join(BY_TAG)})",
    "city": r"(?P<city>[a-z0-9-]+)",
    "state": r"(?P<state>[a-z]{2})",
}
_HOSTS = [
    (style, re.compile(pattern.replace(".", r"\.").format(**_PARTS)))
    for style in STYLES.values()
    for pattern in (style.firm, style.moved)
]


@dataclass(frozen=True, slots=True)
class Firm:
    """One firm and its site.

    Attributes:
        host: Where its site is, and its people's addresses.
        site: One of `SITE_KINDS`.
        found_at: The host that search engines know: where it was, if it has moved.
        layout, mails: How its people are laid out, and their addresses written, as the style has them.
        team_path: Where its people are.
        language: Of its menus and headings.
        staff: Who works there, the owner first.
        written: How many of the staff, from the first, have their address written on the site.
        is_listed: Whether the usual query finds it; else only one that says `boutique`, `best`, `independent` or `top`.
    """

    host: str
    name: str
    industry: Industry
    city: str
    state: str
    site: str
    layout: str
    mails: str
    team_path: str
    staff: tuple[Position, ...]
    written: int
    is_listed: bool
    found_at: str
    language: str


@lru_cache(maxsize=2_000)
def firms_in(seed: int, industry: Industry, city_slug: str, state: str, style: Style = FIRST) -> tuple[Firm, ...]:
    """Every firm of an industry in a city."""
    rng = SeededRandom(seed, "firms", industry.slug, city_slug, state)
    count = rng.between(FEWEST, MOST)
    stems: dict[str, str] = {}
    while len(stems) < count:
        first, second = rng.pick(COMPANY_STEMS), rng.pick(COMPANY_STEMS)
        if first != second:
            stems.setdefault(f"{first}{second}".lower(), f"{first} {second}")
    named = [
        ({"stems": one, "tag": industry.tag, "city": city_slug, "state": state.lower()}, stems[one]) for one in stems
    ]
    return tuple(_firm(seed, industry, style, parts, name) for parts, name in named)


def firm_at(seed: int, host: str) -> Firm | None:
    """The firm whose site, or old site, is at a host."""
    for style, pattern in _HOSTS:
        found = pattern.fullmatch(host)
        if found is not None and found["state"].upper() in STATES:
            known = firms_in(seed, BY_TAG[found["tag"]], found["city"], found["state"].upper(), style)
            now = style.firm.format(**found.groupdict())
            return next((firm for firm in known if firm.host == now), None)
    return None


def city_slug(city: str) -> str:
    """A city in hosts: `Winston-Salem` is `winston-salem`, `St. Louis` is `st-louis`."""
    return slug(city)


def city_name(of_host: str) -> str:
    """A city as its host says it: `st-louis` is `St Louis`."""
    return " ".join(word.capitalize() for word in of_host.split("-"))


def company_of(seed: int, firm: Firm) -> Company:
    """The firm as every provider knows it."""
    state = STATES[firm.state]
    rng = SeededRandom(seed, "firm's place", firm.host)
    kind = firm.industry
    return replace(
        make_company(seed, firm.name, firm.host),
        industry=kind.label,
        keywords=kind.services[:3],
        employees=4 * len(firm.staff) + rng.between(0, 3),
        revenue=len(firm.staff) * rng.between(200, 900) * 1000,
        street=f"{rng.between(1, 990)} {rng.pick(STREETS)}",
        city=firm.city,
        state=state.name,
        country="United States",
        postal_code=f"{state.zip3}{rng.between(1, 99):02d}",
        phone=f"+1 {state.area}-555-01{rng.between(0, 99):02d}",
        description=(
            f"{firm.name} is an independent {kind.label} firm in {firm.city}, {firm.state}. "
            f"We help {rng.pick(kind.clients)} with {kind.services[0]} and {rng.pick(kind.services[1:])}."
        ),
        roster=firm.staff,
    )


def _firm(seed: int, industry: Industry, style: Style, parts: dict[str, str], name: str) -> Firm:
    host = style.firm.format(**parts)
    rng = SeededRandom(seed, "firm", host)
    staff = _staff(rng, industry)
    return Firm(
        host=host,
        name=f"{name} {rng.pick(industry.kinds)}",
        industry=industry,
        city=city_name(parts["city"]),
        state=parts["state"].upper(),
        site=(site := rng.pick(SITE_KINDS)),
        layout=rng.pick(style.layouts),
        mails=rng.pick(style.mails),
        team_path=rng.pick(style.team_paths),
        staff=staff,
        written=len(staff) - (rng.between(0, 1) if len(staff) > 2 else 0),
        is_listed=not rng.chance(0.05),
        found_at=style.moved.format(**parts) if site == "moved" else host,
        language=rng.pick(style.languages),
    )


def _staff(rng: SeededRandom, industry: Industry) -> tuple[Position, ...]:
    """Two to seven people; no two of one first or last name, so that every pattern of addresses tells them apart."""
    count = rng.between(2, 7)
    firsts, lasts = different(rng, FIRST_NAMES, count), different(rng, LAST_NAMES, count)
    titles = [(rng.pick(industry.leaders), "founder", "c_suite"), *different(rng, industry.titles, count - 1)]
    return tuple(Position(first, last, *title) for first, last, title in zip(firsts, lasts, titles, strict=True))


def different(rng: SeededRandom, options: Sequence[T], count: int) -> list[T]:
    """So many different options in any order; there have to be as many."""
    drawn: dict[T, None] = {}
    while len(drawn) < count:
        drawn[rng.pick(options)] = None
    return list(drawn)
