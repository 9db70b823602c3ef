"""Hunter's enrichment: who an address or a LinkedIn handle is, what a company is, and both at once.

hunter.io/api-documentation/v2#email-enrichment, #company-enrichment, #combined-enrichment: 404 for who is not known,
billed when found only. The members are the most used ones.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from enrichment_assets.sandbox.companies import Company, host_of
from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, found_reply, json_reply, missed_reply
from enrichment_assets.sandbox.people import Person

PRICE = Decimal("0.2")
_BANDS = ((10, "1-10"), (50, "11-50"), (200, "51-200"), (500, "201-500"), (1000, "501-1000"), (5000, "1001-5000"))


def person_found(call: Call) -> Question:
    """`GET people/find` by `email` or `linkedin_handle`."""
    email, handle = call.query.get("email", "").strip(), call.query.get("linkedin_handle", "").strip().strip("/")
    if "@" not in email and not handle:
        raise _wrong("You are missing the email or linkedin_handle parameter.")
    person = call.population.person(email=email, linkedin_url=f"https://www.linkedin.com/in/{handle}" if handle else "")
    return _question(call, "people/find", (email or handle).lower(), _person(person, email or person.email))


def company_found(call: Call) -> Question:
    """`GET companies/find` by `domain`."""
    domain = host_of(call.query.get("domain", ""))
    if not domain:
        raise _wrong("You are missing the domain parameter.")
    return _question(call, "companies/find", domain, _company(call.population.company(domain=domain)))


def both_found(call: Call) -> Question:
    """`GET combined/find` by `email`."""
    email = call.query.get("email", "").strip()
    if "@" not in email:
        raise _wrong("You are missing the email parameter.")
    person = call.population.person(email=email)
    data = {"person": _person(person, email), "company": _company(person.company)}
    return _question(call, "combined/find", email.lower(), data)


def _question(call: Call, operation: str, identity: str, data: dict[str, Any]) -> Question:
    def work() -> Reply:
        if call.misses(identity):
            error = {"id": "not_found", "code": 404, "details": "No data was found."}
            return missed_reply({"errors": [error]}, identity, status=404)
        return found_reply({"data": data, "meta": {}}, identity, PRICE)

    return Question(operation, identity, work)


def _person(person: Person, email: str) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": {"fullName": person.name, "givenName": person.first_name, "familyName": person.last_name},
        "email": email,
        "location": f"{person.city}, {person.state}, {person.country}",
        "geo": {"city": person.city, "state": person.state, "country": person.country},
        "employment": {
            "domain": person.company.domain,
            "name": person.company.name,
            "title": person.title,
            "role": person.department,
            "seniority": person.seniority,
        },
        "linkedin": {"handle": person.linkedin_url.rstrip("/").rpartition("/")[2]},
        "phone": None,
    }


def _company(company: Company) -> dict[str, Any]:
    band = next((band for highest, band in _BANDS if company.employees <= highest), "5001-10000")
    return {
        "id": company.id,
        "name": company.name,
        "legalName": None,
        "domain": company.domain,
        "category": {"industry": company.industry},
        "tags": list(company.keywords),
        "description": company.description,
        "foundedYear": company.founded,
        "location": company.address,
        "geo": {"city": company.city, "state": company.state, "country": company.country},
        "linkedin": {"handle": f"company/{company.slug}"},
        "phone": company.phone,
        "metrics": {"employees": band, "annualRevenue": company.revenue},
        "tech": list(company.technologies),
    }


def _wrong(details: str) -> Refusal:
    error = {"id": "wrong_params", "code": 400, "details": details}
    return Refusal(json_reply(400, {"errors": [error]}))
