"""What a search engine finds about golf: `"Pine Hills Golf Club" Texas golf association`, or the courses of a state."""

from __future__ import annotations

import re
from typing import NamedTuple

from enrichment_assets.sandbox.companies import slug
from enrichment_assets.sandbox.seeded_random import SeededRandom
from enrichment_assets.sandbox.web.courses import (
    Course,
    association_host,
    company_of_course,
    course_at,
    courses_in,
    known_course,
)
from enrichment_assets.sandbox.web.results import Found
from enrichment_assets.sandbox.web.states import STATE_WORD, STATES, state_code
from enrichment_assets.sandbox.web.styles import FIRST, Style

_STATE = re.compile(rf"\b{STATE_WORD}\b")
_QUOTED = re.compile(r'"([^"]+)"')
_IS_GOLF = re.compile(r"\bgolf\b|country club|\blinks\b", re.IGNORECASE)
_KIND = re.compile(r"\b(?:golf|club|course|links|country|gc|cc)\b", re.IGNORECASE)
_GENERIC = re.compile(
    r"\b(?:golf|country|courses?|clubs?|associations?|listings?|director(?:y|ies)|site|in|of|the|best|public|private|list)\b"
    r"|[^\w ]",
    re.IGNORECASE,
)


class AskedCourse(NamedTuple):
    """A query for a course, or with an empty name for the courses of a state."""

    name: str
    state: str


def asked_course(words: str) -> AskedCourse | None:
    """The course and state that a query means; None for a query of another kind."""
    if not _IS_GOLF.search(words):
        return None
    quoted = [text for text in _QUOTED.findall(words) if _KIND.search(text) or not state_code(text)]
    rest = words
    for text in quoted:
        rest = rest.replace(f'"{text}"', " ")
    states = list(_STATE.finditer(rest))
    if not states:
        return None
    state = state_code(states[-1].group())
    name = quoted[0] if quoted else rest[: states[-1].start()].strip(" ,-")
    return AskedCourse("" if not _GENERIC.sub(" ", name).strip() else name.strip(), state)


def courses_found(seed: int, words: str, style: Style = FIRST) -> list[Found] | None:
    """Everything that a query about golf finds, best first; None for a query of another kind."""
    asked = asked_course(words)
    if asked is None:
        return None
    if not asked.name:
        return _of_state(seed, asked.state, style)
    return _of_course(seed, words, known_course(seed, asked.state, slug(asked.name), style))


def _of_state(seed: int, state: str, style: Style) -> list[Found]:
    name, courses = STATES[state].name, courses_in(seed, state, style)
    listed = Found(
        f"Member courses | {name} Golf Association",
        f"https://www.{association_host(state, style)}/courses",
        f"{len(courses)} member courses in {name}.",
    )
    return [listed, *(_site(seed, course) for course in courses if course.site != "none")]


def _of_course(seed: int, words: str, course: Course) -> list[Found]:
    """The course's own pages among those about others: of its state, and of its name elsewhere."""
    rng = SeededRandom(seed, "rank", " ".join(words.casefold().split()))
    others = [code for code in STATES if code != course.state]
    elsewhere = course_at(seed, rng.pick(others), course.slug, course.style)
    neighbours = [one for one in courses_in(seed, course.state, course.style) if one.slug != course.slug]
    neighbour, other = neighbours[rng.between(0, 9)], neighbours[rng.between(10, 19)]
    found = [
        *([_listing(course)] if course.is_listed else []),
        *([_site(seed, course)] if course.site != "none" else []),
        _listing(neighbour),
        *([_listing(elsewhere)] if elsewhere.is_listed else []),
        Found(
            f"{course.name} - All You Need to Know - Tripadvisor",
            f"https://www.tripadvisor.com/Attraction_Review-{course.slug}-{course.state}",
            f"{course.name}, {course.city}: 41 reviews.",
        ),
        Found(
            f"{course.name} | Facebook",
            f"https://www.facebook.com/{course.slug}",
            f"{course.name}, {course.city}. 903 likes.",
        ),
        Found(
            f"{course.name} tee times",
            f"https://www.teetime-finder.com/{course.state.lower()}/{course.slug}",
            f"Book tee times at {course.name}.",
        ),
        _site(seed, other) if other.site != "none" else _listing(other),
    ]
    return sorted(found, key=lambda one: SeededRandom(seed, "rank", words.casefold(), one.link).roll())


def _listing(course: Course) -> Found:
    association = f"{STATES[course.state].name} Golf Association"
    snippet = f"{course.name}, {course.city}, {course.state}: {course.holes} holes, {course.access}."
    return Found(f"{course.name} | {association}", course.listing, snippet)


def _site(seed: int, course: Course) -> Found:
    company = company_of_course(seed, course)
    return Found(f"{course.name} | {course.city}, {course.state}", f"https://www.{course.host}/", company.description)
