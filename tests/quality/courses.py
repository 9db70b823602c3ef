"""Golf courses over the sandbox's webs: whether the right page is found, who works there, and how much water there is.

What the pipeline `golf` does with searches, pages and the map, without its engine: its own rules, prompts and mappings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import orjson

from enrichment_assets.domain.discovery import staff_page_found
from enrichment_assets.domain.mapping import ResponseReader
from enrichment_assets.domain.place_operations import page_found, staff_found
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.web.courses import Course, company_of_course, courses_in
from enrichment_assets.sandbox.web.maps import mapped
from enrichment_assets.sandbox.web.overpass_query import parse
from enrichment_assets.sandbox.web.overpass_run import run
from enrichment_assets.sandbox.web.searching import found_in_web
from enrichment_assets.sandbox.web.states import STATES
from tests.quality.cases import Case
from tests.quality.scores import Finds, Miss, Score
from tests.quality.webs import WEBS, asked, read

PLACES = ("TX", "VA")
GROUPS = ("listings", "staff", "water")


@cache
def measured() -> list[Score]:
    """A score for each web of listings (a page each), staff (people with no address but theirs) and water (counts)."""
    scores = {(web, group): Finds("courses", f"{web}, {group}") for web in WEBS for group in GROUPS}
    for web, (population, _) in WEBS.items():
        for course in [one for state in PLACES for one in courses_in(population.seed, state, population.style)]:
            listing, staff = _read(population, course)
            pages = {course.listing, f"https://www.{course.host}/"}  # the association's, or else its own
            found = {course.slug if listing in pages else listing} if listing else set()
            _count(scores[web, "listings"], web, {course.slug}, found)
            _count(scores[web, "staff"], web, {f"{one.first_name} {one.last_name}" for one in course.staff}, staff)
            _count(scores[web, "water"], web, *_water(population, course))
    return list(scores.values())


def _count(score: Finds, web: str, truth: set[str], found: set[str]) -> None:
    """Take what is there and what was found of one course."""
    score.cases += len(truth)
    for one, wrong in [*((one, False) for one in truth - found), *((one, True) for one in found - truth)]:
        said = {"found": one}
        case = Case(web, {}, {} if wrong else said, "enrichment_assets/sandbox/web", web)
        score.misses.append(Miss(case, said if wrong else {}, wrong))


def _read(population: Population, course: Course) -> tuple[str | None, set[str]]:
    """The page that is chosen for a course, and who is found there and on its site, a wrong address with the name."""
    state = STATES[course.state].name
    results = found_in_web(population, f'"{course.name}" {state} golf association') or []
    context: dict[str, Any] = {
        "company_name": course.name,
        "state": course.state,
        "course_page_results": [{"title": one.title, "url": one.link, "text": one.snippet} for one in results[:10]],
        "parameters": builtin_workflows()["find-course-listing"].parameters,
        "item": {"company_key": course.slug},
    }
    chosen = page_found(context)["listing_url"] or _choice(course, state, context["course_page_results"])
    page = read(population, chosen)[0] if chosen else None
    if page is None:
        return chosen, set()
    shown = {"course": course.name, "page": page.text, "links": "\n".join(page.links)}
    facts = asked(builtin_workflows()["extract-course-facts"], shown)
    home, url = read(population, facts["website"]) if facts["website"] else (None, "")
    pages = {"course": course.name, "listing": page.text, "home_page": home.text if home else ""}
    context |= {"listing_url": chosen, "listing_emails": list(page.emails), "company_domain": course.host}
    if home is not None:
        context |= {
            "homepage_links": list(home.links),
            "homepage_link_texts": list(home.link_texts),
            "homepage_url": url,
        }
        staff_url = staff_page_found(context)["company_staff_page_url"]
        staff = read(population, staff_url)[0] if staff_url else None
        pages["staff_page"] = staff.text if staff else ""
        context |= {"staff_page_emails": list(staff.emails) if staff else [], "homepage_emails": list(home.emails)}
    answer = asked(builtin_workflows()["extract-course-staff"], pages)
    return chosen, set(_staff(population, course, staff_found({**context, "people_on_pages": answer["people"]})))


def _choice(course: Course, state: str, results: list[dict[str, str]]) -> str | None:
    lines = "\n".join(f"{one['title']}\n{one['url']}" for one in results)
    answer = asked(
        builtin_workflows()["choose-course-listing"], {"course": course.name, "state": state, "results": lines}
    )
    return None if answer["url"] is None else str(answer["url"])


def _staff(population: Population, course: Course, found: Mapping[str, Any]) -> Iterator[str]:
    company = company_of_course(population.seed, course)
    addresses = {
        f"{one.first_name} {one.last_name}": company.email_for(one.first_name, one.last_name) for one in course.staff
    }
    names = {name.casefold(): name for name in addresses}
    for one in found["staff"]:
        name = names.get(str(one.get("full_name")).casefold(), str(one.get("full_name")))
        email = one.get("email")
        yield name if email in (None, addresses.get(name)) else f"{name} <{email}>"


def _water(population: Population, course: Course) -> tuple[set[str], set[str]]:
    """How many bodies of water are known to be there, as the map can say it, and how many were counted."""
    workflow = builtin_workflows()["count-water-hazards-via-overpass"]
    asked_for = {"company_name": course.name, "state_code": f"US-{course.state}", "parameters": workflow.parameters}
    request = RequestRenderer(workflow).render({**asked_for, "item": {"id": 1}, "original": {}})
    query = parse_qs((request.content or b"").decode())["data"][0]
    body = orjson.dumps({"elements": run(population, parse(query)), "osm3s": {}})
    reading = ResponseReader(workflow).read(Answer(200, {"content-type": "application/json"}, body))
    counted = reading.fields.get("water_hazard_count")
    there = mapped(population.seed, course)
    is_named = there.boundary is not None and there.boundary.tags["name"].removeprefix("The ") == course.name
    known = {str(there.ponds)} if is_named and there.mapping == "full" else set()
    known |= {str(there.mapped_ponds)} if is_named and there.mapping == "water" and there.mapped_ponds else set()
    return known, set() if counted is None else {str(counted)}
