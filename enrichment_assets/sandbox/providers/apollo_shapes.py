"""Apollo's answer shapes, key for key as its published API description names them (docs.apollo.io/reference).

In the rarer shapes (setting `rare_shapes`) a person comes with the `contact` of the account's CRM, which uses other
member names and may be somebody else, and a company without phone, with a fraction in its revenue.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from enrichment_assets.sandbox.careers import Job
from enrichment_assets.sandbox.companies import Company
from enrichment_assets.sandbox.exchange import Call
from enrichment_assets.sandbox.people import Person
from enrichment_assets.sandbox.providers import apollo_phones as phones
from enrichment_assets.sandbox.seeded_random import hex_id

PLACEHOLDER_EMAIL = "email_not_unlocked@domain.com"
"""What Apollo shows for every person whose address was not revealed: no address at all."""


def person_as_asked(call: Call, identity: str, found: Person) -> dict[str, Any]:
    """The `person` object for one question, in the shape that this subject has."""
    shape = person(found)
    if not call.is_rare(identity):
        return shape
    shape["organization"] = organisation_as_asked(call, found.company)
    is_another = call.population.rng("contact", identity).chance(0.5)
    return {**shape, "contact": _contact(call.population.colleague(found.company, 0) if is_another else found)}


def organisation_as_asked(call: Call, company: Company) -> Any:
    """The `organization` object for one question, in the shape that this company has."""
    if not call.is_rare(company.domain):
        return organization_json(company)
    bare: dict[str, Any] = {"primary_phone": {}, "phone": None, "sanitized_phone": None, "industry": None}
    return {**organization(company), **bare, "annual_revenue": company.revenue + 0.5}


def person(found: Person) -> dict[str, Any]:
    """The `person` object of people/match and the members of `matches[]`."""
    email, status = _email(found)
    department = f"c_suite_{found.seniority}" if found.department == "c_suite" else found.department
    return {
        "id": found.id,
        "first_name": found.first_name,
        "last_name": found.last_name,
        "name": found.name,
        "linkedin_url": found.linkedin_url,
        "title": found.title,
        "email_status": status,
        "photo_url": found.photo_url,
        "twitter_url": None,
        "github_url": None,
        "facebook_url": None,
        "extrapolated_email_confidence": 0.72 if status == "guessed" else None,
        "headline": f"{found.title} at {found.company.name}",
        "email": email,
        "organization_id": found.company.id,
        "employment_history": [employment(job) for job in found.jobs],
        "state": found.state,
        "city": found.city,
        "country": found.country,
        "revealed_for_current_team": True,
        "organization": organization_json(found.company),
        "is_likely_to_engage": found.email_status == "verified",
        "show_intent": False,
        "departments": [found.department],
        "subdepartments": [department],
        "functions": ["entrepreneurship" if found.department == "c_suite" else found.department],
        "seniority": found.seniority,
    }


def employment(job: Job) -> dict[str, Any]:
    """One member of `employment_history[]`; education entries are the ones with a `kind`."""
    return {
        "_id": job.id,
        "created_at": None,
        "current": job.current,
        "degree": job.degree,
        "description": job.description,
        "emails": None,
        "end_date": job.end,
        "grade_level": None,
        "kind": job.kind,
        "major": job.major,
        "organization_id": job.organization_id,
        "organization_name": job.organization_name,
        "raw_address": None,
        "start_date": job.start,
        "title": job.title,
        "updated_at": None,
        "id": job.id,
        "key": job.id,
    }


@lru_cache(maxsize=5_000)
def organization_json(company: Company) -> orjson.Fragment:
    """The `organization` object, serialised once for all the people who share it."""
    return orjson.Fragment(orjson.dumps(organization(company)))


def organization(company: Company) -> dict[str, Any]:
    """The `organization` object of people/match and organizations/enrich."""
    funding = [
        {
            "id": hex_id("funding", company.id, event.date),
            "date": f"{event.date}T00:00:00.000+00:00",
            "news_url": None,
            "type": event.kind,
            "investors": event.investors,
            "amount": printed(event.amount),
            "currency": "$",
        }
        for event in company.funding
    ]
    total = sum(event.amount for event in company.funding)
    latest = company.funding[-1] if company.funding else None
    return {
        "id": company.id,
        "name": company.name,
        "website_url": f"http://www.{company.domain}",
        "blog_url": None,
        "angellist_url": None,
        "linkedin_url": company.linkedin_url,
        "twitter_url": None,
        "facebook_url": None,
        "primary_phone": {"number": company.phone, "source": "Owler", "sanitized_number": phones.e164(company.phone)},
        "languages": ["English"],
        "alexa_ranking": None,
        "phone": company.phone,
        "linkedin_uid": str(int(company.id[:7], 16)),
        "founded_year": company.founded,
        "publicly_traded_symbol": None,
        "publicly_traded_exchange": None,
        "logo_url": f"https://static.example.com/logos/{company.slug}.png",
        "crunchbase_url": None,
        "primary_domain": company.domain,
        "industry": company.industry,
        "keywords": list(company.keywords),
        "estimated_num_employees": company.employees,
        "industries": [company.industry],
        "secondary_industries": [],
        "snippets_loaded": True,
        "industry_tag_id": hex_id("industry", company.industry),
        "industry_tag_hash": {company.industry: hex_id("industry", company.industry)},
        "retail_location_count": 0,
        "raw_address": company.address,
        "street_address": company.street,
        "city": company.city,
        "state": company.state,
        "postal_code": company.postal_code,
        "country": company.country,
        "owned_by_organization_id": None,
        "seo_description": company.description,
        "short_description": company.description,
        "suborganizations": [],
        "num_suborganizations": 0,
        "annual_revenue_printed": printed(company.revenue),
        "annual_revenue": company.revenue,
        "total_funding": total or None,
        "total_funding_printed": printed(total) if total else None,
        "latest_funding_round_date": funding[-1]["date"] if funding else None,
        "latest_funding_stage": latest.kind if latest else None,
        "funding_events": funding,
        "technology_names": list(company.technologies),
        "current_technologies": [
            {"uid": name.lower().replace(" ", "_"), "name": name, "category": "Other"} for name in company.technologies
        ],
        "org_chart_root_people_ids": [],
        "org_chart_sector": None,
        "org_chart_removed": False,
        "org_chart_show_department_filter": True,
    }


def printed(amount: int) -> str:
    """Money as Apollo prints it: 3.2M, 850K."""
    for size, letter in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K")):
        if amount >= size:
            return f"{amount / size:.1f}".removesuffix(".0") + letter
    return str(amount)


def _contact(found: Person) -> dict[str, Any]:
    """A contact of the account: its phone numbers have `type` and `status` where revealed ones have `type_cd` ..."""
    email, status = _email(found)
    return {
        "id": hex_id("contact", found.id),
        "person_id": found.id,
        "first_name": found.first_name,
        "last_name": found.last_name,
        "name": found.name,
        "title": found.title,
        "email": email,
        "email_status": status,
        "organization_name": found.company.name,
        "contact_stage_id": None,
        "phone_numbers": phones.of_contact(found),
    }


def _email(found: Person) -> tuple[str | None, str | None]:
    if found.email_status == "unavailable":
        return None, "unavailable"
    if found.email_status == "placeholder":
        return PLACEHOLDER_EMAIL, "unavailable"
    return found.email, found.email_status
