"""The simulated world: finds the person or company that a request means, from whatever it names.

Nothing is stored: asking again makes the same answer again. A small cache keeps companies: many people share one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from enrichment_assets.sandbox.companies import Company, ascii_letters, host_of, make_company
from enrichment_assets.sandbox.people import Person, host_in_profile, invented_name, make_person
from enrichment_assets.sandbox.seeded_random import SeededRandom
from enrichment_assets.sandbox.web.courses import known_course
from enrichment_assets.sandbox.web.maps import MappedCourse
from enrichment_assets.sandbox.web.styles import FIRST, Style
from enrichment_assets.sandbox.web.whose import known_company

KEPT_COMPANIES = KEPT_COURSES = 20_000


class Population:
    """Everything that follows from one seed; `style`: how its small web is written."""

    def __init__(self, seed: int, style: Style = FIRST) -> None:
        self.seed = seed
        self.style = style
        self._company = lru_cache(maxsize=20_000)(self._make_company)
        self.mapped: dict[tuple[str, int], MappedCourse] = {}
        """Courses that a map query went through, by their boundary, so that a set of them is known again."""
        self.met_courses: dict[tuple[str, str], None] = {}
        """State and slug of courses that were asked for by name: a map is searched for them, too."""
        self._hosts: dict[str, str] = {}
        """Name -> host of companies of the small web that somebody met: by their name alone they are found again."""
        self._person = lru_cache(maxsize=5_000)(self._make_person)  # a person is asked for by one step after another

    def rng(self, *identity: object) -> SeededRandom:
        """Draws for one identity in this world."""
        return SeededRandom(self.seed, *identity)

    def company(self, name: str = "", domain: str = "") -> Company:
        """The company of that name or domain (or URL), echoed as it was asked."""
        name = name.strip()
        return self._company(name, host_of(domain) or self._hosts.get(name.casefold(), ""))

    def person(
        self,
        *,
        first: str = "",
        last: str = "",
        name: str = "",
        email: str = "",
        company: str = "",
        domain: str = "",
        linkedin_url: str = "",
        person_id: str = "",
    ) -> Person:
        """The person that these details mean; what is not said is made up from what is."""
        return self._person(first.strip(), last.strip(), name, email, company, domain, linkedin_url, person_id)

    def _make_company(self, name: str, domain: str) -> Company:
        known = known_company(self.seed, domain) if domain else None
        if known is None:
            return make_company(self.seed, name, domain)
        self._hosts[known.name.casefold()] = known.domain
        if len(self._hosts) > KEPT_COMPANIES:
            del self._hosts[next(iter(self._hosts))]
        return replace(known, name=name) if name else known

    def _make_person(
        self, first: str, last: str, name: str, email: str, company: str, domain: str, linkedin_url: str, person_id: str
    ) -> Person:
        if not (company.strip() or host_of(domain) or host_of(email)):
            domain = host_in_profile(linkedin_url)
        if not (first or last):
            known = None if name.strip() else self._on_roster(email, linkedin_url)
            first, last = known or self._name(name, email, linkedin_url, person_id)
        if not (company.strip() or host_of(domain) or host_of(email)):
            employer = self.rng("employer of", first, last, linkedin_url, person_id)
            company = f"{employer.pick(_EMPLOYERS)} {employer.pick(_KINDS)}"
        at = self.company(company, domain or host_of(email))
        return make_person(self.seed, first, last, at, linkedin_url=linkedin_url)

    def meet_course(self, state: str, name: str) -> None:
        """Remember that somebody asked for a course (the last ones; what is lost is found by its whole name alone)."""
        self.met_courses[state, name] = None
        self.company(domain=known_course(self.seed, state, name, self.style).host)
        if len(self.met_courses) > KEPT_COURSES:
            del self.met_courses[next(iter(self.met_courses))]

    def mapped_course(self, course: MappedCourse) -> MappedCourse:
        """Remember a course by its boundary."""
        if course.boundary is not None:
            self.mapped[course.boundary.kind, course.boundary.id] = course
        return course

    def colleague(self, company: Company, number: int) -> Person:
        """The `number`-th person who works at a company."""
        if number < len(company.roster):
            first, last = company.roster[number][:2]
        else:
            first, last = invented_name(self.rng("colleague", company.domain, number))
        return make_person(self.seed, first, last, company)

    def _on_roster(self, email: str, linkedin_url: str) -> tuple[str, str] | None:
        """Whose address or profile this is, where the company's people are known."""
        host = host_of(email) or host_in_profile(linkedin_url)
        company = self.company(domain=host) if host else None
        handle = linkedin_url.partition("/in/")[2]
        for one in company.roster if company is not None else ():
            plain = f"{ascii_letters(one.first_name)}-{ascii_letters(one.last_name)}-"
            if company is not None and company.email_for(one.first_name, one.last_name) == email.strip().lower():
                return one.first_name, one.last_name
            if not email and handle.startswith(plain):
                return one.first_name, one.last_name
        return None

    def _name(self, name: str, email: str, linkedin_url: str, person_id: str) -> tuple[str, str]:
        words = name.split()
        if not words and "/in/" in linkedin_url:
            handle = linkedin_url.split("/in/", 1)[1].strip("/").split("?")[0]
            words = [word.capitalize() for word in handle.split("-") if word.isalpha()]
        if not words and "@" in email:
            local = email.partition("@")[0].replace("_", ".")
            words = [word.capitalize() for word in local.split(".") if word.isalpha()]
        if not words:
            return invented_name(self.rng("name of", person_id, email, linkedin_url))
        return words[0], " ".join(words[1:])


_EMPLOYERS = ("Cedar", "Harbor", "Granite", "Meridian", "Osprey", "Summit", "Willow", "Forge")
_KINDS = ("Analytics", "Logistics", "Software", "Health", "Foods", "Energy", "Consulting", "Labs")
