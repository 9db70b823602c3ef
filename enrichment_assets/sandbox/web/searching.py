"""What search engines find in the small web: `wealth management firms in "Boston, MA"`, page by page, to an honest end.

A third to a half of what comes is no firm's site: directories, social networks, articles, an association, businesses
that sell to firms. Which ones, and in which order, follows from the query's words: queries differ in their yield.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from enrichment_assets.sandbox.companies import host_of
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.seeded_random import SeededRandom
from enrichment_assets.sandbox.web.course_search import courses_found
from enrichment_assets.sandbox.web.firms import Firm, city_slug, company_of, firms_in
from enrichment_assets.sandbox.web.industries import INDUSTRIES, Industry
from enrichment_assets.sandbox.web.others import others_about
from enrichment_assets.sandbox.web.results import Found
from enrichment_assets.sandbox.web.states import STATE_WORD, state_code
from enrichment_assets.sandbox.web.styles import Style

_PLACE = re.compile(rf"(?P<city>[A-Z][\w.'-]*(?: [A-Z][\w.'-]*){{0,3}}),? +(?P<state>{STATE_WORD})\b")
_SITE = re.compile(r"(?<!\S)site:(\S+)")
_NARROW = re.compile(r"\b(?:boutique|best|independent|top)\b", re.IGNORECASE)


class Asked(NamedTuple):
    """A query for firms of one industry in one city."""

    industry: Industry
    city: str
    state: str
    is_narrow: bool


def asked_for(words: str) -> Asked | None:
    """The industry and city that a query means; None for a query of another kind."""
    plain = words.replace('"', " ").replace("  ", " ")
    places = list(_PLACE.finditer(plain))
    if not places:
        return None
    place = places[-1]
    lower = plain[: place.start()].casefold() + plain[place.end() :].casefold()
    hits = [(found.start(), one) for one in INDUSTRIES if (found := re.search(one.asked, lower))]
    if not hits:
        return None
    industry = min(hits, key=lambda hit: hit[0])[1]
    return Asked(industry, city_slug(place["city"]), state_code(place["state"]), bool(_NARROW.search(lower)))


def found_in_web(population: Population, words: str) -> list[Found] | None:
    """Everything that a query finds, best first; None for a query that is about nothing in the small web."""
    if "linkedin.com" in words:
        return None
    sites, rest = _SITE.findall(words), _SITE.sub(" ", words).strip()
    found = _about(population, rest)
    if found is None or not sites:
        return found
    return [one for one in found if any(host_of(one.link).endswith(host_of(site)) for site in sites)]


def _about(population: Population, words: str) -> list[Found] | None:
    asked = asked_for(words)
    if asked is not None:
        return _firms(population, words, asked)
    return courses_found(population.seed, words, population.style)


def _firms(population: Population, words: str, asked: Asked) -> list[Found]:
    ranked = [*_ranked(population.seed, words, asked, population.style)]
    return [found for _, found in sorted(ranked, key=lambda pair: pair[0])]


def _ranked(seed: int, words: str, asked: Asked, style: Style) -> Iterator[tuple[float, Found]]:
    key = " ".join(words.casefold().replace('"', "").split())
    for firm in firms_in(seed, asked.industry, asked.city, asked.state, style):
        rng = SeededRandom(seed, "rank", key, firm.host)
        if not firm.is_listed and not asked.is_narrow:
            continue
        rank = rng.roll()
        yield rank, _home(seed, firm, rng)
        if rng.chance(0.15) and firm.site not in {"moved", "parked", "gone"}:
            yield rank + 0.2, _inner(seed, firm)
    for found in others_about(seed, asked.industry, asked.city, asked.state, style):
        rng = SeededRandom(seed, "rank", key, found.link)
        if rng.chance(0.9 if asked.is_narrow else 0.7):
            yield rng.roll() * (0.7 if asked.is_narrow else 1.1), found


def _home(seed: int, firm: Firm, rng: SeededRandom) -> Found:
    company = company_of(seed, firm)
    title = f"{firm.name} | {firm.industry.label.title()} in {firm.city}, {firm.state}"
    www = "www." if rng.chance(0.7) else ""
    return Found(title, f"https://{www}{firm.found_at}/", company.description)


def _inner(seed: int, firm: Firm) -> Found:
    company = company_of(seed, firm)
    snippet = f"The people of {firm.name} in {firm.city}. Call {company.phone}."
    return Found(f"Our people | {firm.name}", f"https://www.{firm.host}{firm.team_path}", snippet)
