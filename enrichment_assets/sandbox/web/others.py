"""Whatever a search for firms finds besides firms: directories, social networks, articles, an association, suppliers.

Half of the directories are at hosts that everybody knows, the others at invented ones, which no list has: what they are
is said by their pages alone (`other_pages`).
"""

from __future__ import annotations

import re
from urllib.parse import quote_plus

from enrichment_assets.sandbox.companies import slug
from enrichment_assets.sandbox.seeded_random import SeededRandom
from enrichment_assets.sandbox.web.firms import city_name, firms_in
from enrichment_assets.sandbox.web.industries import BY_TAG, Industry
from enrichment_assets.sandbox.web.results import Found
from enrichment_assets.sandbox.web.second_others import second_hosts
from enrichment_assets.sandbox.web.states import STATES
from enrichment_assets.sandbox.web.styles import FIRST, Style

FINDER, GAZETTE, CHAMBER, SUPPLIER = "finder", "gazette", "chamber", "supplier"

_TAGS = "|".join(BY_TAG)
OTHER_HOSTS: dict[str, re.Pattern[str]] = {
    FINDER: re.compile(rf"(?P<tag>{_TAGS})-firm-finder\.com"),
    GAZETTE: re.compile(r"(?P<city>[a-z0-9-]+)-(?P<state>[a-z]{2})-gazette\.com"),
    CHAMBER: re.compile(rf"(?P<state>[a-z]{{2}})-(?P<tag>{_TAGS})-association\.org"),
    SUPPLIER: re.compile(rf"(?P<stem>[a-z]+)-software-for-(?P<tag>{_TAGS})\.com"),
}
"""Kind -> the hosts of it."""


def supplier_host(seed: int, industry: Industry) -> str:
    """A business that sells to firms of an industry."""
    stem = SeededRandom(seed, "supplier", industry.slug).pick(("ledgerline", "bookwise", "clientloop"))
    return f"{stem}-software-for-{industry.tag}.com"


def others_about(seed: int, industry: Industry, city: str, state: str, style: Style = FIRST) -> list[Found]:
    """Every page about firms of an industry in a city that is no firm's own."""
    firms = firms_in(seed, industry, city, state, style)
    pages = _known_hosts(industry, city, state, len(firms))
    pages += _invented_hosts(seed, industry, city, state) if style is FIRST else second_hosts(industry, city, state)
    for firm in firms[: 2 + len(firms) // 6]:
        name, place = slug(firm.name), f"{firm.city}, {firm.state}"
        pages += [
            Found(
                f"{firm.name} - {place} - Yelp", f"https://www.yelp.com/biz/{name}-{city}", f"{firm.name} in {place}."
            ),
            Found(
                f"{firm.name} | LinkedIn",
                f"https://www.linkedin.com/company/{name}",
                f"{firm.name} | 412 followers on LinkedIn.",
            ),
        ]
    return pages + [
        Found(f"{firm.name} | Facebook", f"https://www.facebook.com/{slug(firm.name)}", f"{firm.name}. 118 likes.")
        for firm in firms[-2:]
    ]


def _known_hosts(industry: Industry, city: str, state: str, count: int) -> list[Found]:
    place, label = f"{city_name(city)}, {state}", industry.label
    asked, at = quote_plus(f"{label} {place}"), f"{city}-{state.lower()}"
    return [
        Found(
            f"TOP 10 BEST {label.title()} in {place}",
            f"https://www.yelp.com/search?find_desc={asked}",
            f"{count} firms.",
        ),
        Found(
            f"{label.title()} in {place}",
            f"https://www.yellowpages.com/{at}/{slug(label)}",
            f"Reviews and phone numbers of {label} firms.",
        ),
        Found(
            f"{label.title()} near {place} | BBB",
            f"https://www.bbb.org/us/{state.lower()}/{city}/category/{slug(label)}",
            "BBB start with trust.",
        ),
        Found(
            f"{label.title()} jobs in {place}",
            f"https://www.indeed.com/q-{slug(label)}-l-{at}-jobs.html",
            f"{count * 3} {label} jobs available.",
        ),
        Found(
            f"r/{slug(city_name(city))} on Reddit: who does your {label}?",
            f"https://www.reddit.com/r/{city.replace('-', '')}/comments/{slug(label)}",
            "27 votes, 41 comments.",
        ),
    ]


def _invented_hosts(seed: int, industry: Industry, city: str, state: str) -> list[Found]:
    place, label, at = f"{city_name(city)}, {state}", industry.label, f"{city}-{state.lower()}"
    best = f"The best {label} firms in {place}"
    return [
        Found(best, f"https://www.{industry.tag}-firm-finder.com/{state.lower()}/{city}", f"Compare {label} firms."),
        Found(
            f"How {city_name(city)} firms see the year ahead",
            f"https://www.{at}-gazette.com/business/{slug(label)}-outlook",
            f"We asked {label} firms in {city_name(city)} what they expect.",
            "Mar 4, 2026",
        ),
        Found(
            f"{STATES[state].name} {label.title()} Association",
            f"https://{state.lower()}-{industry.tag}-association.org/",
            f"The professional association of {label} firms in {STATES[state].name}.",
        ),
        Found(
            f"Software for {label} firms",
            f"https://www.{supplier_host(seed, industry)}/",
            f"The platform that {label} firms in {place} run on.",
        ),
    ]
