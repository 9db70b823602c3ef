"""EnrichLayer: a public LinkedIn profile with all jobs and schools, in Proxycurl's shape.

enrichlayer.com/docs and the vendor's Python client: dates are `{day, month, year}` or null, a job goes on that has no
end, nothing has an id; a profile that is not known is 404 and is not billed; 403 is an account without credits. What a
call cost is in the header `X-Proxycurl-Credit-Cost`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from enrichment_assets.sandbox.careers import Job
from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, found_reply, json_reply, missed_reply
from enrichment_assets.sandbox.people import Person
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path

ONE = Decimal(1)
_COST = "x-proxycurl-credit-cost"


class EnrichLayer(SimulatedProvider):
    """Everything below `/enrichlayer/api/v2/...`."""

    name = "enrichlayer"
    price = Decimal("0.02")
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "300/m"}

    def question(self, call: Call) -> Question:
        """Only `GET /api/v2/profile`."""
        if call.path.rstrip("/") != "/api/v2/profile" or call.method != "GET":
            raise no_such_path(call)
        url = call.query.get("profile_url", "").strip().rstrip("/")
        if "linkedin.com/in/" not in url:
            raise Refusal(_error(400, "Bad Request", "profile_url has to be the address of a person's profile"))
        handle = url.rpartition("/in/")[2].casefold()

        def work() -> Reply:
            if call.misses(handle):
                reply = missed_reply(_failure(404, "Not Found", "Person profile does not exist"), handle, status=404)
                reply.headers[_COST] = "0"
                return reply
            profile = _profile(call.population.person(linkedin_url=url), handle)
            return found_reply(profile, handle, ONE, headers={_COST: "1"})

        return Question("profile", handle, work)

    def unauthorised(self, call: Call) -> Reply:
        """401 in EnrichLayer's error shape."""
        return _error(401, "Unauthorized", "Invalid API Key")

    def exhausted(self, call: Call) -> Reply:
        """403: no credits left."""
        return _error(403, "Forbidden", "Insufficient credits")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 without a word about when."""
        return _error(429, "Too Many Requests", "Rate limit exceeded")


def _profile(person: Person, handle: str) -> dict[str, Any]:
    jobs = [job for job in person.jobs if job.kind is None]
    return {
        "public_identifier": handle,
        "profile_pic_url": None,
        "background_cover_image_url": None,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "full_name": person.name,
        "follower_count": 512,
        "connections": 500,
        "occupation": f"{person.title} at {person.company.name}",
        "headline": f"{person.title} at {person.company.name}",
        "summary": f"{person.title} with {len(jobs)} positions so far, in {person.company.industry}.",
        "country": "US" if person.country.startswith("United") else person.country[:2].upper(),
        "country_full_name": person.country,
        "city": person.city,
        "state": person.state,
        "experiences": [_experience(job) for job in jobs],
        "education": [_education(job) for job in person.jobs if job.kind is not None],
        "languages": ["English"],
        "skills": list(person.company.keywords),
        "certifications": [],
    }


def _experience(job: Job) -> dict[str, Any]:
    return {
        "company": job.organization_name,
        "company_linkedin_profile_url": None,
        "title": job.title,
        "description": job.description,
        "location": None,
        "starts_at": _date(job.start),
        "ends_at": None if job.current else _date(job.end),
        "logo_url": None,
    }


def _education(job: Job) -> dict[str, Any]:
    return {
        "school": job.organization_name,
        "degree_name": job.degree,
        "field_of_study": job.major,
        "starts_at": _date(job.start),
        "ends_at": _date(job.end),
        "school_linkedin_profile_url": None,
    }


def _date(text: str | None) -> dict[str, int | None] | None:
    """A day as its parts; what is not known of it is null."""
    if text is None:
        return None
    parts: list[int | None] = [int(part) for part in text.split("-")]
    year, month, day = (*parts, None, None)[:3]
    return {"day": day, "month": month, "year": year}


def _failure(code: int, name: str, description: str) -> dict[str, Any]:
    return {"code": code, "name": name, "description": description}


def _error(status: int, name: str, description: str) -> Reply:
    return json_reply(status, _failure(status, name, description), outcome="refused")
