"""Discovery over the sandbox's webs: what the platform's own rules and prompts make of searches and pages.

A search plan is asked, companies are chosen, pages are read as two scrapers bring them (one without scripts, one with),
the model is asked what `extract-staff` asks, and prospects are chosen: what the pipeline `fs-prospecting` does, without
its engine. The truth (`truth_of`) is the web's own; the platform is never told it. Precision is the share of prospects
that are people of firms of that industry in that place, each with no address but their own; recall the share of all
whom readable sites name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from enrichment_assets.domain.discovery import companies_found, prospects_found, staff_page_found
from enrichment_assets.domain.pages.page import Page as ReadPage
from enrichment_assets.domain.pages.reading import page_of_text
from enrichment_assets.domain.prompts.fencing import fenced
from enrichment_assets.domain.prompts.grounding import ground
from enrichment_assets.domain.search_plans import plan_searches
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.registry.loader import builtin_searches, builtin_workflows
from enrichment_assets.sandbox.language.material import material
from enrichment_assets.sandbox.language.quoting import QuotingMaker
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.seeded_random import SeededRandom
from enrichment_assets.sandbox.web.firms import READABLE, city_slug, company_of, firms_in
from enrichment_assets.sandbox.web.industries import BY_SLUG, INDUSTRIES
from enrichment_assets.sandbox.web.searching import found_in_web
from enrichment_assets.sandbox.web.sites import fetched
from enrichment_assets.sandbox.web.styles import FIRST, SECOND
from enrichment_assets.sandbox.web.writing import html_of, markdown_of
from tests.quality.cases import Case
from tests.quality.scores import Finds, Miss, Score

WEBS: Mapping[str, tuple[Population, tuple[tuple[str, str], ...]]] = {
    "first web": (Population(7, FIRST), (("Boston", "MA"), ("St. Louis", "MO"))),
    "second web": (Population(11, SECOND), (("Denver", "CO"), ("Winston-Salem", "NC"))),
}
"""Worlds, and the places in them that are looked at: another seed, other hosts, layouts, writings and languages."""

TARGET = 2_000
"""Prospects of a plan: more than a region has, so that every page of results is asked for."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """One prospect: where, who, and the address; empty where it is not known."""

    host: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Truth:
    """The people of a place by host and name, with their addresses, and mailboxes of firms whose pages name nobody."""

    people: Mapping[tuple[str, str], str]
    mailboxes: frozenset[str]

    def has(self, one: Discovered) -> bool:
        """Whether a prospect is one of them."""
        if not one.name:
            return one.email in self.mailboxes or one.email in self.people.values()
        address = self.people.get((one.host, one.name.casefold()))
        return address is not None and one.email in ("", address)


def truth_of(population: Population, industry: str, city: str, state: str) -> Truth:
    """Whom a reader of all sites of a place would find, those that no usual query leads to among them."""
    people: dict[tuple[str, str], str] = {}
    mailboxes = set()
    for firm in firms_in(population.seed, BY_SLUG[industry], city_slug(city), state, population.style):
        company = company_of(population.seed, firm)
        if firm.site in READABLE:
            for one in firm.staff:
                name = f"{one.first_name} {one.last_name}".casefold()
                people[firm.host, name] = company.email_for(one.first_name, one.last_name)
        elif firm.site in {"no-people", "image-only"}:
            mailboxes.add(f"info@{firm.host}")
    return Truth(people, frozenset(mailboxes))


@cache
def measured() -> list[Score]:
    """A score for each web and industry: cases are people, `wrong` are prospects who are none of them."""
    return [_score(name, industry.slug) for name in WEBS for industry in INDUSTRIES]


def _score(web: str, industry: str) -> Score:
    score = Finds("prospects", f"{web}, {industry}")
    population, places = WEBS[web]
    for city, state in places:
        truth = truth_of(population, industry, city, state)
        prospects = discovered(population, industry, f"{city}, {state}")
        found = {(one.host, one.name.casefold()) for one in prospects if truth.has(one)}
        score.cases += len(truth.people)
        for key in truth.people.keys() - found:
            score.misses.append(_miss(web, {"person": " at ".join(reversed(key))}, {}, wrong=False))
        for one in [one for one in prospects if not truth.has(one)]:
            score.misses.append(_miss(web, {}, {"prospect": f"{one.name} <{one.email}> at {one.host}"}, wrong=True))
    return score


def _miss(web: str, expected: Mapping[str, str], answer: Mapping[str, str], *, wrong: bool) -> Miss:
    case = Case(web, {}, expected, "enrichment_assets/sandbox/web", web)
    return Miss(case, answer, wrong)


def discovered(population: Population, industry: str, region: str) -> list[Discovered]:
    """The prospects of an industry in a region, each once."""
    rows = plan_searches(builtin_searches()["fs"], [industry], [region], TARGET)
    sites: dict[str, str] = {}
    for row in rows:
        results = (found_in_web(population, row.query) or [])[(row.page - 1) * 10 : row.page * 10]
        context = {"web_results": [{"title": one.title, "url": one.link, "text": one.snippet} for one in results]}
        for company in companies_found({**context, "original": {"query": row.query, "region": row.region}})[
            "companies"
        ]:
            sites.setdefault(company["company_domain"], company["company_website"])
    found = [one for host, website in sites.items() for one in _prospects(population, host, website, industry)]
    return list(dict.fromkeys(found))


def _prospects(population: Population, host: str, website: str, industry: str) -> Iterator[Discovered]:
    home, url = read(population, website)
    if home is None:
        return
    context: dict[str, Any] = {"company_domain": host, "homepage_url": url, "homepage_links": list(home.links)}
    context["homepage_link_texts"] = list(home.link_texts)
    staff_url = staff_page_found(context)["company_staff_page_url"]
    staff, _ = read(population, staff_url) if staff_url else (None, "")
    answer = asked(
        builtin_workflows()["extract-staff"],
        {"host": host, "searched_for": industry, "staff_page": staff.text if staff else "", "home_page": home.text},
    )
    context |= {"site_kind": answer["site"]}
    context |= {"homepage_emails": list(home.emails), "staff_page_emails": list(staff.emails) if staff else []}
    for one in prospects_found({**context, "people_on_site": answer["people"]})["prospects"]:
        yield Discovered(one["key"].partition("/")[0], one.get("full_name") or "", one.get("email") or "")


def read(population: Population, url: str) -> tuple[ReadPage | None, str]:
    """A page as a scraper without a browser brings it, else as one with; None: neither finds content."""
    met = fetched(population, url)
    if met is None or met.status != 200:
        return None, url
    plain = page_of_text(html_of(met.page, has_run_scripts=False), met.url, is_html=True)
    rendered = page_of_text(markdown_of(met.page), met.url) if plain.fault else plain
    return (None if rendered.fault else rendered), met.url


def asked(workflow: WorkflowDefinition, values: Mapping[str, str]) -> Any:
    """What the sandbox's model answers to a workflow's prompt, without what does not stand in the inputs."""
    prompt = workflow.prompt
    assert prompt is not None
    shown = fenced({name: values.get(name, "") for name in prompt.inputs}, prompt.max_input_tokens)
    maker = QuotingMaker(prompt.answer, SeededRandom(7), material(shown.text))
    return ground(maker.value(prompt.answer, 0), prompt.grounded, shown.inputs).answer
