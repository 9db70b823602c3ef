"""Flat rows in, believable records out: what the configurable providers (Clay, n8n, generic HTTP) have in common.

Their columns are whatever the user configured, so they accept the usual names for a person and a company.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from enrichment_assets.sandbox.careers import Job
from enrichment_assets.sandbox.companies import Company, host_of
from enrichment_assets.sandbox.people import Person
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.seeded_random import hex_id

_NOT_CLAYS = frozenset({"linkedin_url", "location", "email", "phone", "headquarters", "technologies"})
_IDS = ("item_id", "id", "key")
_FIRST = ("first_name", "firstName", "First Name")
_LAST = ("last_name", "lastName", "Last Name")
_NAME = ("full_name", "person_name", "fullName", "name", "Full Name")
_EMAIL = ("email", "Email", "work_email")
_PERSON_URL = ("linkedin_url", "person_linkedin_url", "linkedin_profile", "linkedin")
_COMPANY = ("company_name", "organization_name", "company", "companyName", "Company Name")
_DOMAIN = ("company_domain", "domain", "company_website", "website", "Company Domain", "Website")


def pick(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first of these members that holds text."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def without_callback(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row without the address that the answer goes to."""
    return {name: value for name, value in row.items() if name != "callback_url"}


def subject_of(row: Mapping[str, Any]) -> str:
    """Who a row is for, as it stands on the bill: its id, the id of the `item` in it, or else all that it says."""
    item = row.get("item")
    if _id_in(row) or not isinstance(item, dict):
        return about(row)
    return _id_in(item) or about(row)


def about(row: Mapping[str, Any]) -> str:
    """What a row asks: its id if it has one, else everything in it but where the answer goes and for which item."""
    question = {name: value for name, value in row.items() if name not in {"callback_url", "item"}}
    whole = orjson.dumps(question, option=orjson.OPT_SORT_KEYS, default=str).decode()
    return _id_in(row) or (hex_id(whole) if len(whole) > 200 else whole)


def ids_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The members that say which row this is, for the answer to name it."""
    return {name: row[name] for name in (*_IDS, "item") if name in row}


def _id_in(row: Mapping[str, Any]) -> str:
    return next((f"{name}={row[name]}" for name in _IDS if row.get(name) not in (None, "")), "")


def is_person(row: Mapping[str, Any]) -> bool:
    """Whether the row says that it is about a person, or names one (else it is about a company)."""
    if row.get("entity") in {"person", "company"}:
        return bool(row["entity"] == "person")
    has_name = bool(pick(row, (*_FIRST, *_LAST, "full_name", "person_name", "fullName", "Full Name")))
    return has_name or "/in/" in pick(row, _PERSON_URL) or bool(pick(row, _EMAIL))


def person_in(population: Population, row: Mapping[str, Any]) -> Person:
    """The person whom a row names."""
    return population.person(
        first=pick(row, _FIRST),
        last=pick(row, _LAST),
        name=pick(row, _NAME),
        email=pick(row, _EMAIL),
        company=pick(row, _COMPANY),
        domain=pick(row, _DOMAIN),
        linkedin_url=pick(row, _PERSON_URL),
        person_id=str(row.get("id") or ""),
    )


def company_in(population: Population, row: Mapping[str, Any]) -> Company:
    """The company that a row names; one that names none gets a company of its own."""
    name = pick(row, _COMPANY) or ("" if pick(row, _DOMAIN) else pick(row, _NAME))
    domain = pick(row, _DOMAIN) or host_of(pick(row, _EMAIL))
    return population.company(name or ("" if domain else "Unnamed Company"), domain)


def record_for(population: Population, row: Mapping[str, Any]) -> dict[str, Any]:
    """`{"person": ...}` or `{"company": ...}`, whichever the row is about."""
    if is_person(row):
        return {"person": person_record(person_in(population, row))}
    return {"company": company_record(company_in(population, row))}


def flat_record_for(population: Population, row: Mapping[str, Any]) -> dict[str, Any]:
    """The record of `record_for` without a name around it."""
    return person_record(person_in(population, row)) if is_person(row) else company_record(company_in(population, row))


def company_record(company: Company) -> dict[str, Any]:
    """A company in the shape of Clay's "Enrich Company"."""
    return {
        "name": company.name,
        "slug": company.slug,
        "url": company.linkedin_url,
        "linkedin_url": company.linkedin_url,
        "domain": company.domain,
        "website": f"https://www.{company.domain}",
        "industry": company.industry,
        "size": size_band(company.employees),
        "employee_count": company.employees,
        "founded": company.founded,
        "annual_revenue": company.revenue,
        "type": "Privately Held",
        "locality": f"{company.city}, {company.state}",
        "headquarters": company.address,
        "country": company.country,
        "phone": company.phone,
        "description": company.description,
        "linkedin_company_id": int(company.id[:7], 16),
        "derived_datapoints": {"industry": [company.industry]},
        "specialties": list(company.keywords),
        "technologies": list(company.technologies),
    }


def person_record(person: Person) -> dict[str, Any]:
    """A person in the shape of Clay's "Enrich Person from LinkedIn Profile"."""
    jobs = [_experience(job) for job in person.jobs if job.kind is None]
    schools = [
        {
            "school_name": job.organization_name,
            "degree": job.degree,
            "field_of_study": job.major,
            "grade": None,
            "activities": None,
            "start_date": job.start,
            "end_date": job.end,
        }
        for job in person.jobs
        if job.kind is not None
    ]
    return {
        "name": person.name,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "url": person.linkedin_url,
        "linkedin_url": person.linkedin_url,
        "slug": person.linkedin_url.rstrip("/").rpartition("/")[2],
        "profile_id": int(person.id[:7], 16),
        "headline": f"{person.title} at {person.company.name}",
        "title": person.title,
        "org": person.company.name,
        "company_domain": person.company.domain,
        "email": person.email,
        "location": f"{person.city}, {person.state}, {person.country}",
        "location_name": f"{person.city}, {person.state}, {person.country}",
        "country": person.country,
        "connections": 500,
        "jobs_count": len(jobs),
        "last_refresh": "2026-10-22 23:52:44.766",
        "latest_experience": jobs[0],
        "experience": jobs,
        "education": schools,
    }


def size_band(employees: int) -> str:
    """Number of employees as LinkedIn's bands say it."""
    for highest, band in ((10, "2-10"), (50, "11-50"), (200, "51-200"), (500, "201-500"), (1000, "501-1,000")):
        if employees <= highest:
            return f"{band} employees"
    return "1,001-5,000 employees" if employees <= 5000 else "5,001+ employees"


def in_clays_names(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the members of Clay's enrichments only, and with the values that nobody expects there.

    A person's address is `url` and the place `location_name`; a company's revenue and funding are bands in words, its
    size is the band that LinkedIn shows; what an enrichment did not find is a sentence in `enrichments[].value`.
    """
    own = {name: value for name, value in record.items() if name not in _NOT_CLAYS}
    if "employee_count" not in own:
        sentence = {"name": "Work Email", "state": "completed", "value": "No work email was found for this person."}
        return {**own, "enrichments": [sentence]}
    return {**own, "annual_revenue": "1M-5M", "total_funding_amount_range_usd": "Funding unknown"}


def _experience(job: Job) -> dict[str, Any]:
    return {
        "url": None,
        "company": job.organization_name,
        "company_domain": None,
        "locality": None,
        "org_id": job.organization_id,
        "title": job.title,
        "start_date": job.start,
        "end_date": job.end,
        "is_current": job.current,
        "summary": job.description,
    }
