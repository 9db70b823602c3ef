"""People: everything about one follows from the seed, the name and the company's domain."""

from __future__ import annotations

from typing import NamedTuple

from enrichment_assets.sandbox.careers import Job, make_career
from enrichment_assets.sandbox.companies import Company, ascii_letters
from enrichment_assets.sandbox.seeded_random import SeededRandom, hex_id
from enrichment_assets.sandbox.words import CITIES, DEPARTMENTS, FIRST_NAMES, FOUNDER_TITLES, LAST_NAMES, SENIORITIES

_AT = "-at-"
"""Between name and company in the profile of somebody on a roster, so that the profile alone says where they work."""

EMAIL_STATUSES = ("verified",) * 14 + ("guessed",) * 2 + ("unavailable",) * 3 + ("placeholder",)


class Person(NamedTuple):
    """What the simulated world knows of one person.

    `email_status` is verified, guessed, unavailable (no address is known) or placeholder (known, not revealed).
    """

    id: str
    first_name: str
    last_name: str
    title: str
    seniority: str
    department: str
    company: Company
    city: str
    state: str
    country: str
    linkedin_url: str
    email: str
    email_status: str
    mobile: str
    has_mobile: bool
    photo_url: str
    jobs: tuple[Job, ...]

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


def make_person(seed: int, first: str, last: str, company: Company, *, linkedin_url: str = "") -> Person:
    """The person of that name at that company; names and LinkedIn address are echoed as they were asked."""
    plain_first, plain_last = ascii_letters(first), ascii_letters(last)
    identity = (plain_first, plain_last, company.domain)
    rng = SeededRandom(seed, "person", *identity)
    title, seniority, department = _known_position(company, plain_first, plain_last) or _position(rng, company)
    city, state, country, _, area = rng.pick(CITIES)
    if company.roster:  # a firm of one city: its people live there
        city, state, country, area = company.city, company.state, company.country, company.phone[3:6]
    handle = f"{f'{plain_first}-{plain_last}'.strip('-') or 'someone'}-{rng.between(0x100000, 0xFFFFFF):x}"
    if _known_position(company, plain_first, plain_last):
        handle = f"{plain_first}-{plain_last}{_AT}{company.domain.replace('.', '-')}"
    return Person(
        id=hex_id(seed, "person", *identity),
        first_name=first,
        last_name=last,
        title=title,
        seniority=seniority,
        department=department,
        company=company,
        city=city,
        state=state,
        country=country,
        linkedin_url=linkedin_url or f"http://www.linkedin.com/in/{handle}",
        email=company.email_for(plain_first, plain_last),
        email_status=rng.pick(EMAIL_STATUSES),
        mobile=f"+1 {area}-555-01{rng.between(0, 99):02d}",
        has_mobile=rng.chance(0.6),
        photo_url=f"https://static.example.com/photos/{handle}.jpg",
        jobs=make_career(seed, rng, identity, title, company),
    )


def host_in_profile(linkedin_url: str) -> str:
    """The host of the company that the profile of somebody on its roster names; empty for any other profile."""
    handle = linkedin_url.partition("/in/")[2].partition("?")[0].strip("/")
    host, _, ending = handle.partition(_AT)[2].rpartition("-")
    return f"{host}.{ending}" if host else ""


def invented_name(rng: SeededRandom) -> tuple[str, str]:
    """First and last name of somebody who was not asked for by name."""
    return rng.pick(FIRST_NAMES), rng.pick(LAST_NAMES)


def _known_position(company: Company, plain_first: str, plain_last: str) -> tuple[str, str, str] | None:
    """What somebody on the company's roster is."""
    for one in company.roster:
        if (ascii_letters(one.first_name), ascii_letters(one.last_name)) == (plain_first, plain_last):
            return one.title, one.seniority, one.department
    return None


def _position(rng: SeededRandom, company: Company) -> tuple[str, str, str]:
    if rng.chance(0.12 if company.employees > 100 else 0.4):
        return rng.pick(FOUNDER_TITLES), "founder", "c_suite"
    department = rng.pick(DEPARTMENTS)
    level = rng.between(0, 3)
    return department[1 + level], SENIORITIES[level], department[0]
