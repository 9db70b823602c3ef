"""What search engines find in the simulated world: pages about a company, LinkedIn profiles of people of one name.

A query with a quoted name is understood: `site:linkedin.com/in "Jane Doe" "Acme"` finds Jane Doe of Acme among others
of her name, and for one in eight only the others; `"Acme" news` finds pages about Acme. What is about the small web
finds what is in it (`web/searching.py`). Any other finds whatever.
"""

from __future__ import annotations

import re

from enrichment_assets.sandbox.companies import Company, invented_employer
from enrichment_assets.sandbox.exchange import Call
from enrichment_assets.sandbox.people import Person
from enrichment_assets.sandbox.seeded_random import SeededRandom
from enrichment_assets.sandbox.web.results import Found
from enrichment_assets.sandbox.web.searching import found_in_web

_QUOTED = re.compile(r'"([^"]+)"')
_STRANGERS = 3
_UNLISTED = 0.125


def found_for(call: Call, words: str, count: int, page: int = 1) -> list[Found]:
    """Up to `count` results of a query's `page` (from 1), the same every time; none behind the last one."""
    in_web = found_in_web(call.population, words)
    if in_web is not None:
        return in_web[(page - 1) * count : page * count]
    return _found_elsewhere(call, words, count) if page == 1 else []


def _found_elsewhere(call: Call, words: str, count: int) -> list[Found]:
    quoted = _QUOTED.findall(words)
    rng = call.population.rng("search", words.casefold())
    if "linkedin.com" in words:
        return _namesakes(call, rng, quoted, count) if quoted else _profiles(call, rng, count)
    return _about(call.population.company(quoted[0]), count) if quoted else _companies(call, rng, count)


def _namesakes(call: Call, rng: SeededRandom, quoted: list[str], count: int) -> list[Found]:
    """The person who was asked for, and strangers of the same name, in any order."""
    name, company = quoted[0], quoted[1] if len(quoted) > 1 else ""
    first, _, last = name.partition(" ")
    employers = [invented_employer(rng) for _ in range(_STRANGERS)]
    if not rng.chance(_UNLISTED):
        employers.insert(rng.between(0, _STRANGERS), company)
    people = [call.population.person(first=first, last=last, company=employer) for employer in employers]
    return [_profile(person) for person in people][:count]


def _profiles(call: Call, rng: SeededRandom, count: int) -> list[Found]:
    companies = [call.population.company(invented_employer(rng)) for _ in range(count)]
    return [_profile(call.population.colleague(company, place)) for place, company in enumerate(companies, 1)]


def _profile(person: Person) -> Found:
    company, city = person.company, person.city
    school = next((job.organization_name for job in person.jobs if job.kind is not None), None)
    parts = [
        f"{person.title} at {company.name}",
        f"Experience: {company.name}",
        *([f"Education: {school}"] if school else []),
        f"Location: {city}",
        "500+ connections on LinkedIn",
    ]
    title = f"{person.name} - {person.title} - {company.name} | LinkedIn"
    return Found(title, person.linkedin_url.replace("http://", "https://"), " · ".join(parts))


def _about(company: Company, count: int) -> list[Found]:
    """Pages about one company: its own, and what others wrote."""
    home = f"https://www.{company.domain}"
    news = f"https://news.example/{company.slug}"
    pages = [
        Found(f"{company.name} | {company.industry}", f"{home}/", company.description),
        Found(
            f"About {company.name}",
            f"{home}/about",
            f"Founded in {company.founded}, {company.name} has {company.employees} employees in {company.city}.",
        ),
        *(
            Found(
                f"{company.name} raises ${event.amount:,}",
                f"{news}/{event.kind.lower().replace(' ', '-')}",
                f"{company.name} closed a {event.kind} round of ${event.amount:,} led by {event.investors}.",
                event.date,
            )
            for event in company.funding
        ),
        Found(
            f"{company.name} opens an office in {company.city}",
            f"{news}/office",
            f"{company.name}, known for {company.keywords[0]}, is hiring for {company.keywords[-1]} in {company.city}.",
            "3 weeks ago",
        ),
    ]
    return pages[:count]


def _companies(call: Call, rng: SeededRandom, count: int) -> list[Found]:
    companies = [call.population.company(invented_employer(rng)) for _ in range(count)]
    return [Found(f"{one.name} | {one.industry}", f"https://www.{one.domain}/", one.description) for one in companies]
