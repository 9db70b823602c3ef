"""People Data Labs: one person with all jobs; a person who is not known is 404 and not billed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from enrichment_assets.sandbox.careers import Job
from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, found_reply, json_reply, missed_reply
from enrichment_assets.sandbox.limits import Room
from enrichment_assets.sandbox.people import Person
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path, whole_seconds

ONE = Decimal(1)
_DETAILS = ("first_name", "last_name", "name", "email", "company", "profile", "pdl_id")


class PeopleDataLabs(SimulatedProvider):
    """Everything below `/pdl/v5/...`."""

    name = "pdl"
    price = Decimal("0.28")
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "100/m"}

    def key(self, call: Call) -> str:
        """The header `X-API-Key` or the `api_key` parameter."""
        return call.headers.get("x-api-key") or call.query.get("api_key", "")

    def question(self, call: Call) -> Question:
        """Only `person/enrich`."""
        if call.path.rstrip("/") != "/v5/person/enrich":
            raise no_such_path(call)
        asked = {**call.query, **call.json()}
        identity = "|".join(str(asked.get(name) or "").strip().casefold() for name in _DETAILS)
        if not identity.strip("|"):
            raise Refusal(_error(400, "invalid_request_error", "Add at least one detail of the person."))

        def work() -> Reply:
            likelihood = call.world.dice("likelihood", identity).between(2, 10)
            lowest = str(asked.get("min_likelihood") or "0")
            if call.misses(identity) or (lowest.isdigit() and likelihood < int(lowest)):
                error = {"type": "not_found", "message": "No records were found matching your request"}
                reply = missed_reply({"status": 404, "error": error}, identity, status=404)
                reply.headers["x-call-credits-spent"] = "0"
                return reply
            body = {"status": 200, "likelihood": likelihood, "data": person_data(_person(call, asked))}
            return found_reply(body, identity, ONE, headers={"x-call-credits-spent": "1"})

        return Question("person/enrich", identity, work)

    def unauthorised(self, call: Call) -> Reply:
        """401 in PDL's error shape."""
        return _error(401, "authentication_error", "Request contained a missing or invalid key")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 in PDL's error shape."""
        reply = _error(429, "rate_limit_error", "An error occurred due to requests hitting the API too quick")
        reply.headers["retry-after"] = whole_seconds(retry_after)
        return reply

    def exhausted(self, call: Call) -> Reply:
        """402: no credits left."""
        return _error(402, "payment_required", "You have hit your account maximum for person enrichment")

    def limit_headers(self, room: Room, call: Call, under_way: int) -> dict[str, str]:
        """What is left of the minute."""
        return {"x-ratelimit-remaining": str(room.remaining.get(60.0, 100))}


def person_data(found: Person) -> dict[str, Any]:
    """The `data` object of person/enrich (its most used members)."""
    jobs = [job for job in found.jobs if job.kind is None]
    return {
        "id": found.id,
        "full_name": found.name.lower(),
        "first_name": found.first_name.lower(),
        "last_name": found.last_name.lower(),
        "linkedin_url": found.linkedin_url.removeprefix("http://www."),
        "work_email": found.email,
        "mobile_phone": found.mobile.replace(" ", "").replace("-", "") if found.has_mobile else None,
        "job_title": found.title.lower(),
        "job_company_name": found.company.name.lower(),
        "job_company_website": found.company.domain,
        "location_name": f"{found.city}, {found.state}, {found.country}".lower(),
        "experience": [_experience(job, number == 0, found) for number, job in enumerate(jobs)],
        "education": [
            {"school": {"name": job.organization_name}, "degrees": [job.degree], "majors": [job.major]}
            for job in found.jobs
            if job.kind is not None
        ],
    }


def _experience(job: Job, primary: bool, found: Person) -> dict[str, Any]:
    company = found.company
    own: dict[str, Any] = {"size": None, "founded": None, "industry": None, "website": None}
    if primary:
        own = {"size": None, "founded": company.founded, "industry": company.industry, "website": company.domain}
    return {
        "company": {
            "name": job.organization_name.lower(),
            "id": job.organization_id,
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
        "title": {
            "name": (job.title or "").lower(),
            "raw": [job.title],
            "class": None,
            "role": None,
            "sub_role": None,
            "levels": [],
        },
        "is_primary": primary,
        "summary": job.description,
        "first_seen": None,
        "last_seen": None,
    }


def _person(call: Call, asked: Mapping[str, Any]) -> Person:
    def text(name: str) -> str:
        return str(asked.get(name) or "")

    return call.world.person(
        first=text("first_name"),
        last=text("last_name"),
        name=text("name"),
        email=text("email"),
        company=text("company"),
        domain=text("company"),
        linkedin_url=text("profile"),
        person_id=text("pdl_id"),
    )


def _error(status: int, kind: str, message: str) -> Reply:
    return json_reply(status, {"status": status, "error": {"type": kind, "message": message}}, outcome="refused")
