"""Apollo's searches: people without addresses or surnames, who are then matched by id, and companies.

docs.apollo.io/reference/people-api-search: free, no e-mail and no phone; `last_name_obfuscated`, `has_email`, and
`has_direct_phone` as a text. Whom a search listed is remembered (the last 20,000), so that a match by id finds them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from enrichment_assets.sandbox.companies import Company, invented_employer
from enrichment_assets.sandbox.exchange import Call, Question, json_reply
from enrichment_assets.sandbox.people import Person
from enrichment_assets.sandbox.providers import apollo_shapes as shapes

KEPT_PEOPLE = 20_000
MOST_PER_PAGE = 100
_STAFF_KNOWN = 60
_REFRESHED = "2026-10-05T11:20:31.456+00:00"


class ListedPeople:
    """People whom searches listed, by id."""

    def __init__(self) -> None:
        self._people: OrderedDict[str, Person] = OrderedDict()

    def get(self, person_id: str) -> Person | None:
        """The person whom a search listed under this id."""
        return self._people.get(person_id)

    def people(self, call: Call) -> Question:
        """One page of `mixed_people/api_search`."""
        asked = call.fields()
        page, size = _page(asked)

        def work() -> Any:
            found = [person for company in _companies(call, asked) for person in _staff(call, company, asked)]
            shown = found[(page - 1) * size : page * size]
            for person in shown:
                self._people[person.id] = person
                if len(self._people) > KEPT_PEOPLE:
                    self._people.popitem(last=False)
            body = {"total_entries": len(found), "people": [_listed(person) for person in shown]}
            return json_reply(200, body, outcome="found" if shown else "not_found")

        return Question("mixed_people/api_search", f"{call.query}|{call.body.decode('utf-8', 'replace')}", work)


def companies(call: Call) -> Question:
    """One page of `mixed_companies/search`; the account's own companies stand in `accounts`."""
    asked = call.fields()
    page, size = _page(asked)

    def work() -> Any:
        found = _companies(call, asked)
        shown = found[(page - 1) * size : page * size]
        pages = -(-len(found) // size)
        body = {
            "pagination": {"page": page, "per_page": size, "total_entries": len(found), "total_pages": pages},
            "accounts": [{"id": c.id, "name": c.name, "domain": c.domain, "primary_domain": c.domain} for c in shown],
            "organizations": [shapes.organization_json(company) for company in shown],
        }
        return json_reply(200, body, outcome="found" if shown else "not_found")

    return Question("mixed_companies/search", f"{call.query}|{call.body.decode('utf-8', 'replace')}", work)


def _page(asked: Mapping[str, Any]) -> tuple[int, int]:
    def whole(name: str, default: int) -> int:
        text = str(asked.get(name) or default)
        return max(1, int(text)) if text.isdigit() else default

    return whole("page", 1), min(whole("per_page", 10), MOST_PER_PAGE)


def _companies(call: Call, asked: Mapping[str, Any]) -> list[Company]:
    """The companies that the filters name, by domain or by words; made-up ones for filters of another kind."""
    domains = [str(domain) for domain in asked.get("q_organization_domains_list") or ()]
    names = [str(asked["q_organization_name"])] if asked.get("q_organization_name") else []
    names += [str(word) for word in asked.get("q_organization_keyword_tags") or ()]
    if domains or names:
        return [call.population.company(domain=one) for one in domains] or [
            call.population.company(one) for one in names
        ]
    rng = call.population.rng(
        "search", *sorted(f"{name}={value}" for name, value in asked.items() if "page" not in name)
    )
    return [call.population.company(invented_employer(rng)) for _ in range(3)]


def _staff(call: Call, company: Company, asked: Mapping[str, Any]) -> list[Person]:
    if call.misses(company.domain):
        return []
    known = [
        call.population.colleague(company, number) for number in range(min(company.employees // 4 + 1, _STAFF_KNOWN))
    ]
    titles = [str(title).casefold() for title in asked.get("person_titles") or ()]
    levels = [str(level) for level in asked.get("person_seniorities") or ()]
    return [
        person
        for person in known
        if (not titles or any(title in person.title.casefold() for title in titles))
        and (not levels or person.seniority in levels)
    ]


def _listed(person: Person) -> dict[str, Any]:
    last = person.last_name
    return {
        "id": person.id,
        "first_name": person.first_name,
        "last_name_obfuscated": f"{last[:2]}***{last[-1:]}",
        "title": person.title,
        "last_refreshed_at": _REFRESHED,
        "has_email": person.email_status != "unavailable",
        "has_city": True,
        "has_state": True,
        "has_country": True,
        "has_direct_phone": "Yes" if person.has_mobile else "Maybe: please request direct dial via people/bulk_match",
        "organization": {
            "name": person.company.name,
            "has_industry": True,
            "has_phone": True,
            "has_revenue": True,
            "has_employee_count": True,
        },
    }
