"""People Data Labs' records: docs.peopledatalabs.com/docs/fields and /docs/company-schema (their most used members).

Names are in lower case. In the rarer shapes (setting `rare_shapes`) the plan leaves fields out: each of them is then
`true` (there is a value) or `false` (there is none) instead of its value, lists too; `founded` may be a text.
"""

from __future__ import annotations

from typing import Any

from enrichment_assets.sandbox.careers import Job
from enrichment_assets.sandbox.companies import Company
from enrichment_assets.sandbox.people import Person
from enrichment_assets.sandbox.seeded_random import SeededRandom, digest

_OUTSIDE_THE_PLAN = ("work_email", "personal_emails", "mobile_phone", "phone_numbers", "emails", "location_name")
_BANDS = ((10, "1-10"), (50, "11-50"), (200, "51-200"), (500, "201-500"), (1000, "501-1000"), (5000, "1001-5000"))


def person(found: Person, plan: SeededRandom | None = None) -> dict[str, Any]:
    """The `data` object of person/enrich; with dice for the plan, some of its fields are only said to be there."""
    jobs = [job for job in found.jobs if job.kind is None]
    mobile = "+" + "".join(digit for digit in found.mobile if digit.isdigit()) if found.has_mobile else None
    data: dict[str, Any] = {
        "id": found.id,
        "full_name": found.name.lower(),
        "first_name": found.first_name.lower(),
        "last_name": found.last_name.lower(),
        "linkedin_url": found.linkedin_url.removeprefix("http://www."),
        "work_email": found.email,
        "personal_emails": [],
        "emails": [{"address": found.email, "type": "current_professional"}],
        "mobile_phone": mobile,
        "phone_numbers": [mobile] if mobile else [],
        "job_title": found.title.lower(),
        "job_company_name": found.company.name.lower(),
        "job_company_website": found.company.domain,
        "job_company_size": size_band(found.company.employees),
        "location_name": f"{found.city}, {found.state}, {found.country}".lower(),
        "experience": [_experience(job, number == 0, found.company, plan) for number, job in enumerate(jobs)],
        "education": [_education(job) for job in found.jobs if job.kind is not None],
    }
    for name in _OUTSIDE_THE_PLAN if plan is not None else ():
        if plan is not None and plan.chance(0.6):
            data[name] = bool(data[name])
    return data


def company(found: Company, *, is_rare: bool = False) -> dict[str, Any]:
    """The members of company/enrich beside `status` and `likelihood`."""
    return {
        "id": opaque_id(found.id),
        "name": found.name.lower(),
        "display_name": found.name,
        "size": size_band(found.employees),
        "employee_count": found.employees,
        "founded": str(found.founded) if is_rare else found.founded,
        "industry": found.industry,
        "website": found.domain,
        "linkedin_url": found.linkedin_url.removeprefix("http://www."),
        "ticker": None,
        "type": "private",
        "summary": found.description,
        "tags": list(found.keywords),
        "location": {
            "name": f"{found.city}, {found.state}, {found.country}".lower(),
            "locality": found.city.lower(),
            "region": found.state.lower(),
            "country": found.country.lower(),
            "street_address": found.street.lower(),
            "postal_code": found.postal_code,
        },
    }


def opaque_id(text: str) -> str:
    """An id as the service writes it: 28 letters and digits that say nothing."""
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "".join(alphabet[byte % len(alphabet)] for byte in digest("pdl", text, size=28))


def size_band(employees: int) -> str:
    """Number of employees in the service's bands."""
    return next(
        (band for highest, band in _BANDS if employees <= highest), "5001-10000" if employees <= 10_000 else "10001+"
    )


def _experience(job: Job, primary: bool, employer: Company, plan: SeededRandom | None) -> dict[str, Any]:
    own: dict[str, Any] = {"size": None, "founded": None, "industry": None, "website": None}
    if primary:
        own = {
            "size": size_band(employer.employees),
            "founded": str(employer.founded) if plan is not None else employer.founded,
            "industry": employer.industry,
            "website": employer.domain,
        }
    return {
        "company": {
            "name": job.organization_name.lower(),
            "id": None if job.organization_id is None else opaque_id(job.organization_id),
            "linkedin_url": None,
            "location": None,
            "ticker": None,
            "type": "private",
            "raw": [job.organization_name],
            **own,
        },
        "location_names": [],
        "start_date": job.start,
        "end_date": job.end,
        "title": _title(job.title),
        "is_primary": primary,
        "summary": job.description,
        "first_seen": None,
        "last_seen": None,
    }


def _title(title: str | None) -> dict[str, Any] | None:
    if not title:
        return None
    return {"name": title.lower(), "raw": [title], "class": None, "role": None, "sub_role": None, "levels": []}


def _education(job: Job) -> dict[str, Any]:
    return {
        "school": {"name": job.organization_name.lower(), "type": "post-secondary institution", "id": None},
        "degrees": [job.degree.lower()] if job.degree else [],
        "majors": [job.major.lower()] if job.major else [],
        "start_date": job.start,
        "end_date": job.end,
        "gpa": None,
        "raw": [job.organization_name],
    }
