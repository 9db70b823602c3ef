"""People Data Labs: one person or a hundred, with all jobs, and companies; who is not known is 404 and not billed.

docs.peopledatalabs.com (person-enrichment-api, input parameters, bulk, usage limits, errors): a question needs a
profile, e-mail, phone, hash or id, or else a name and something about where; `min_likelihood` is from 1 to 10 and 2 if
not said; `x-ratelimit-remaining` is a dict as Python prints it; a bulk answer is a bare list with a status each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from enrichment_assets.sandbox.exchange import (
    Call,
    Charge,
    Question,
    Refusal,
    Reply,
    found_reply,
    json_reply,
    missed_reply,
)
from enrichment_assets.sandbox.limits import Room
from enrichment_assets.sandbox.people import Person
from enrichment_assets.sandbox.providers import pdl_shapes as shapes
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path, whole_seconds
from enrichment_assets.sandbox.seeded_random import hex_id

ONE = Decimal(1)
BULK_LIMIT = 100
LEAST_LIKELIHOOD, MOST_LIKELIHOOD, USUAL_LIKELIHOOD = 1, 10, 2
_DETAILS = ("first_name", "last_name", "name", "email", "company", "profile", "pdl_id")
_LATER_DETAILS = ("phone", "email_hash", "lid", "location", "locality", "region", "school", "postal_code")
_ENOUGH = ("profile", "email", "phone", "email_hash", "lid", "pdl_id")
_WHERE = ("locality", "region", "company", "school", "location", "postal_code")
_COMPANY_DETAILS = ("name", "website", "profile", "ticker", "pdl_id")
_NOBODY = "No records were found matching your request"
_REQUIRED = re.compile(r"[a-z_]+")


class PeopleDataLabs(SimulatedProvider):
    """Everything below `/pdl/v5/...`."""

    name = "pdl"
    price = Decimal("0.28")
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "100/m"}

    def key(self, call: Call) -> str:
        """The header `X-API-Key` or the `api_key` parameter."""
        return call.headers.get("x-api-key") or call.query.get("api_key", "")

    def question(self, call: Call) -> Question:
        """Route by path below `/v5`."""
        asks = {
            "/v5/person/enrich": self._person,
            "/v5/person/bulk": self._bulk,
            "/v5/person/identify": self._identify,
            "/v5/company/enrich": self._company,
            "/v5/company/enrich/bulk": self._companies,
        }.get(call.path.rstrip("/"))
        if asks is not None:
            return asks(call)
        if call.path.startswith("/v5/person/retrieve/"):
            return self._retrieve(call, call.path.rstrip("/").rpartition("/")[2])
        raise no_such_path(call)

    def _person(self, call: Call) -> Question:
        asked = call.fields()
        reason = _complaint(asked)
        if reason:
            raise Refusal(_error(400, "invalid_request_error", reason))
        identity = _identity(asked)

        def work() -> Reply:
            body = _answer(call, asked, identity)
            if body["status"] == 404:
                reply = missed_reply(body, identity, status=404)
                reply.headers["x-call-credits-spent"] = "0"
                return reply
            return found_reply(body, identity, ONE, headers={"x-call-credits-spent": "1"})

        return Question("person/enrich", identity, work)

    def _identify(self, call: Call) -> Question:
        """Several people whom a question could mean, best first. The vendor bills this call whatever it finds."""
        asked = call.fields()
        identity = _identity(asked)
        if not identity.strip("|"):
            raise Refusal(_error(400, "invalid_request_error", "Request must contain at least one detail"))

        def work() -> Reply:
            best = _found(call, asked)
            if call.misses(identity):
                return missed_reply(_failure(404, "not_found", _NOBODY), identity, ONE, status=404)
            people = [best, *(call.population.colleague(best.company, number) for number in range(2))]
            matches = [
                {"data": shapes.person(found), "match_score": 99 - 30 * place, "matched_on": []}
                for place, found in enumerate(people)
            ]
            return found_reply({"status": 200, "matches": matches}, identity, ONE)

        return Question("person/identify", identity, work)

    def _retrieve(self, call: Call, person_id: str) -> Question:
        def work() -> Reply:
            if call.misses(person_id):
                return missed_reply(_failure(404, "not_found", _NOBODY), person_id, status=404)
            data = shapes.person(call.population.person(person_id=person_id)._replace(id=person_id))
            return found_reply({"status": 200, "data": data, "billed": True}, person_id, ONE)

        return Question("person/retrieve", person_id, work)

    def _bulk(self, call: Call) -> Question:
        def answer(asked: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
            reason, identity = _complaint(asked), _identity(asked)
            if reason:
                return identity, _failure(400, "invalid_request_error", reason)
            return identity, _answer(call, asked, identity)

        return _in_bulk(call, "person/bulk", answer)

    def _company(self, call: Call) -> Question:
        identity, body = _company_answer(call, call.fields())
        if body["status"] == 400:
            raise Refusal(json_reply(400, body))

        def work() -> Reply:
            if body["status"] == 404:
                reply = missed_reply(body, identity, status=404)
                reply.headers["x-call-credits-spent"] = "0"
                return reply
            return found_reply(body, identity, ONE, headers={"x-call-credits-spent": "1"})

        return Question("company/enrich", identity, work)

    def _companies(self, call: Call) -> Question:
        return _in_bulk(call, "company/enrich/bulk", lambda asked: _company_answer(call, asked))

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
        return {
            "x-ratelimit-limit": "{'minute': 100}",
            "x-ratelimit-remaining": f"{{'minute': {room.remaining.get(60.0, 100)}}}",
            "x-ratelimit-reset": f"{datetime.now(UTC) + timedelta(minutes=1):%Y-%m-%d %H:%M:%S.%f}",
            "x-totallimit-remaining": "100000",
            "x-call-credits-type": "enrich",
        }


def _in_bulk(call: Call, operation: str, answer: Callable[[Mapping[str, Any]], tuple[str, dict[str, Any]]]) -> Question:
    """A call about up to a hundred subjects: a bare list in their order, each with a status of its own."""
    body = call.json()
    requests = body.get("requests")
    if not isinstance(requests, list) or not requests or not all(isinstance(one, dict) for one in requests):
        raise Refusal(_error(400, "invalid_request_error", "requests has to be a list of objects with params"))
    if len(requests) > BULK_LIMIT:
        raise Refusal(_error(400, "invalid_request_error", f"at most {BULK_LIMIT} requests are allowed"))
    common = {name: value for name, value in body.items() if name != "requests"}
    asked = [{**common, **(one.get("params") or {})} for one in requests]

    def work() -> Reply:
        answers, charges = [], []
        for one, request in zip(asked, requests, strict=True):
            identity, found = answer(one)
            if found["status"] == 200:
                charges.append(Charge(identity, ONE))
            answers.append({**found, **({"metadata": request["metadata"]} if "metadata" in request else {})})
        headers = {"x-call-credits-spent": str(len(charges))}
        outcome = "found" if charges else "not_found"
        return json_reply(200, answers, charges=tuple(charges), headers=headers, outcome=outcome)

    return Question(operation, hex_id(call.body), work)


def _company_answer(call: Call, asked: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The company's domain and what is answered about it, with its status."""
    said = {name: _first(asked.get(name)) for name in _COMPANY_DETAILS}
    if not any(said.values()):
        reason = "Request must contain a name, website, profile, ticker or pdl_id"
        return "", _failure(400, "invalid_request_error", reason)
    company = call.population.company(said["name"] or said["ticker"] or said["pdl_id"], said["website"])
    if call.misses(company.domain):
        return company.domain, _failure(404, "not_found", _NOBODY)
    found = shapes.company(company, is_rare=call.is_rare(company.domain))
    return company.domain, {"status": 200, "likelihood": 9, **found}


def _identity(asked: Mapping[str, Any]) -> str:
    """The details that say who is meant, joined."""
    parts = [_first(asked.get(name)).casefold() for name in _DETAILS]
    return "|".join([*parts, *(text for name in _LATER_DETAILS if (text := _first(asked.get(name)).casefold()))])


def _complaint(asked: Mapping[str, Any]) -> str:
    """Why the real service would refuse the question (400, unbilled); empty when it would not."""
    named = _first(asked.get("name")) or (_first(asked.get("first_name")) and _first(asked.get("last_name")))
    somewhere = any(_first(asked.get(name)) for name in _WHERE)
    if not any(_first(asked.get(name)) for name in _ENOUGH) and not (named and somewhere):
        return (
            "Request must contain a profile, email, phone, email_hash, lid or pdl_id, or a name with a "
            "locality, region, company, school, location or postal_code"
        )
    lowest = str(asked.get("min_likelihood") or USUAL_LIKELIHOOD)
    if not (lowest.isdigit() and LEAST_LIKELIHOOD <= int(lowest) <= MOST_LIKELIHOOD):
        return f"min_likelihood must be an integer between {LEAST_LIKELIHOOD} and {MOST_LIKELIHOOD}"
    return ""


def _answer(call: Call, asked: Mapping[str, Any], identity: str) -> dict[str, Any]:
    """`{status, likelihood, data}`, or the 404 of a person who is not known well enough."""
    likelihood = call.population.rng("likelihood", identity).between(USUAL_LIKELIHOOD, MOST_LIKELIHOOD)
    if call.misses(identity) or likelihood < int(str(asked.get("min_likelihood") or USUAL_LIKELIHOOD)):
        return _failure(404, "not_found", _NOBODY)
    data = shapes.person(_found(call, asked), call.population.rng("plan", identity) if call.is_rare(identity) else None)
    needed = _REQUIRED.findall(str(asked.get("required") or "").replace(" AND ", " ").replace(" OR ", " "))
    if any(data.get(name) in (None, [], False) for name in needed):
        return _failure(404, "not_found", _NOBODY)
    included = str(asked.get("data_include") or "")
    if included:
        data = {name: value for name, value in data.items() if name in included.split(",")}
    matched = [name for name in (*_DETAILS, *_LATER_DETAILS) if _first(asked.get(name))]
    extra = {"matched": matched} if str(asked.get("include_if_matched", "")).lower() == "true" else {}
    return {"status": 200, "likelihood": likelihood, "data": data, **extra}


def _found(call: Call, asked: Mapping[str, Any]) -> Person:
    company = _first(asked.get("company"))
    return call.population.person(
        first=_first(asked.get("first_name")),
        last=_first(asked.get("last_name")),
        name=_first(asked.get("name")),
        email=_first(asked.get("email")),
        company=company,
        domain=company,
        linkedin_url=_first(asked.get("profile")),
        person_id=_first(asked.get("pdl_id"))
        or "|".join(_first(asked.get(name)) for name in ("phone", "email_hash")).strip("|"),
    )


def _first(value: Any) -> str:
    """A detail as text; of several values the first."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return str(value or "").strip()


def _failure(status: int, kind: str, message: str) -> dict[str, Any]:
    return {"status": status, "error": {"type": kind, "message": message}}


def _error(status: int, kind: str, message: str) -> Reply:
    return json_reply(status, _failure(status, kind, message), outcome="refused")
