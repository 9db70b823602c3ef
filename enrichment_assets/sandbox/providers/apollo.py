"""Apollo: people and organisations, one or ten at a time, and what arrives later by webhook or poll.

docs.apollo.io/reference (people-enrichment, bulk-people-enrichment, organization-enrichment, authentication) and
Apollo's own command line client: a key travels as `x-api-key` or as a bearer token, details as query, JSON or form, by
GET or POST; 401 is plain text; request ids are signed 64-bit numbers in the answer and texts in what comes later;
webhooks are unsigned, and a result can be polled at webhook_result/{request_id} for 30 days.
Not documented and therefore our choice: a person who is not found is `{"person": null}` and costs nothing; a phone
reveal costs eight credits for a known number and nothing else; whom a `hashed_email` means is made up from the hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from enrichment_assets.sandbox.exchange import (
    FREE,
    Call,
    Charge,
    Question,
    Refusal,
    Reply,
    found_reply,
    json_reply,
    missed_reply,
    text_reply,
)
from enrichment_assets.sandbox.limits import Room
from enrichment_assets.sandbox.people import Person
from enrichment_assets.sandbox.providers import apollo_shapes as shapes
from enrichment_assets.sandbox.providers.apollo_search import ListedPeople, companies
from enrichment_assets.sandbox.providers.apollo_webhooks import OwedResults, Subjects
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer, no_such_path, whole_seconds
from enrichment_assets.sandbox.seeded_random import signed_64

ONE, PHONE_CREDITS, WATERFALL_CREDITS = Decimal(1), Decimal(8), Decimal("0.5")
BULK_LIMIT = 10
_BY_GET_TOO = ("/v1/people/match", "/v1/organizations/enrich")
_DETAILS = ("first_name", "last_name", "name", "email", "organization_name", "domain", "id", "linkedin_url")
_LATER_DETAILS = ("hashed_email",)
_YES = (True, "true", "True", 1, "1")
_FLAGS = ("reveal_personal_emails", "reveal_phone_number", "run_waterfall_email", "run_waterfall_phone")


class Apollo(SimulatedProvider):
    """Everything below `/apollo/api/v1/...`."""

    name = "apollo"
    price = Decimal("0.02")
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "1000/m"}

    def __init__(self) -> None:
        self._owed = OwedResults()
        self._listed = ListedPeople()

    def key(self, call: Call) -> str:
        """The header `x-api-key`, a bearer token, or the `api_key` parameter of older clients."""
        return call.headers.get("x-api-key") or bearer(call) or call.query.get("api_key", "")

    def question(self, call: Call) -> Question:
        """Route by path below `/api/v1`."""
        path = call.path.removeprefix("/api").rstrip("/")
        if call.method == "GET" and path.startswith("/v1/webhook_result/"):
            return self._owed.question(call, path.rpartition("/")[2])
        asks = {
            "/v1/people/match": self._match,
            "/v1/people/bulk_match": self._bulk_match,
            "/v1/organizations/enrich": self._organization,
            "/v1/organizations/bulk_enrich": self._organizations,
            "/v1/mixed_people/api_search": self._listed.people,
            "/v1/mixed_companies/search": companies,
        }.get(path)
        if asks is None or call.method not in (("GET", "POST") if path in _BY_GET_TOO else ("POST",)):
            raise no_such_path(call)
        return asks(call)

    def unauthorised(self, call: Call) -> Reply:
        """401 with a plain text body."""
        return text_reply(
            401,
            "Invalid API key. See https://docs.apollo.io/reference/authentication for how to authenticate.",
        )

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 with `retry-after` and the documented sentence."""
        message = (
            f"The maximum number of api calls allowed for {call.path.strip('/')} is 1000 times per minute. "
            "Please upgrade your plan from https://app.apollo.io/#/settings/plans/upgrade."
        )
        return json_reply(429, {"message": message}, headers={"retry-after": whole_seconds(retry_after)})

    def exhausted(self, call: Call) -> Reply:
        """422: the team has no credits left."""
        return json_reply(422, {"error": "You have insufficient credits!", "error_code": "INSUFFICIENT_CREDITS"})

    def limit_headers(self, room: Room, call: Call, under_way: int) -> dict[str, str]:
        """What is left per minute, hour and day; large constants where nothing is limited."""
        left = room.remaining
        return {
            "x-minute-requests-left": str(left.get(60.0, 1_000)),
            "x-hourly-requests-left": str(left.get(3600.0, 60_000)),
            "x-24-hour-requests-left": str(left.get(86400.0, 600_000)),
        }

    def _match(self, call: Call) -> Question:
        asked = call.fields()
        flags = _flags(call, asked)
        identity = _identity(asked)
        if not identity:
            raise Refusal(json_reply(422, {"error": "Add at least one detail of the person to enrich."}))
        operation = "people/match+phone" if "reveal_phone_number" in flags else "people/match"

        def work() -> Reply:
            request_id = signed_64(call.population.seed, "request", operation, identity, *flags)
            found = None if call.misses(identity) else self._person(call, asked)
            waterfall = {"status": "accepted", "message": "Waterfall enrichment request accepted"}
            extra = {"waterfall": waterfall} if any(flag.startswith("run_") for flag in flags) else {}
            if found is None:
                reply = missed_reply({"person": None, "request_id": request_id, **extra}, identity)
            else:
                body = {"person": shapes.person_as_asked(call, identity, found), "request_id": request_id, **extra}
                reply = found_reply(body, identity, _units(found, flags))
            if extra:
                reply.charges += (Charge(identity, WATERFALL_CREDITS),)
            reply.callbacks = self._owed.owe(call, request_id, [(identity, found)], asked, flags)
            return reply

        return Question(operation, f"{identity}|{','.join(flags)}", work)

    def _bulk_match(self, call: Call) -> Question:
        asked = call.fields()
        details = asked.get("details")
        if not isinstance(details, list) or not details or not all(isinstance(one, dict) for one in details):
            raise Refusal(_bulk_failure("INVALID_REQUEST", "invalid request, missing details"))
        if len(details) > BULK_LIMIT:
            raise Refusal(_bulk_failure("RECORD_LIMIT_EXCEEDED", "cannot enrich more than 10 in a single request"))
        flags = _flags(call, asked)
        identities = [_identity(one) for one in details]

        def work() -> Reply:
            request_id = signed_64(call.population.seed, "request", *identities, *flags)
            found: Subjects = [
                (identity, self._person(call, one) if identity and not call.misses(identity) else None)
                for identity, one in zip(identities, details, strict=True)
            ]
            hits = {identity: one for identity, one in found if one is not None}
            charges = tuple(Charge(identity, _units(hits[identity], flags)) for identity in sorted(hits))
            reply = json_reply(
                200,
                {
                    **_success(len(details), len(hits)),
                    "missing_records": sum(1 for _, one in found if one is None),
                    "credits_consumed": len(hits),
                    "matches": [
                        None if one is None else shapes.person_as_asked(call, identity, one) for identity, one in found
                    ],
                    "request_id": request_id,
                },
                charges=charges,
                outcome="found" if hits else "not_found",
            )
            reply.callbacks = self._owed.owe(call, request_id, found, asked, flags)
            return reply

        return Question("people/bulk_match", "||".join([*identities, *flags]), work)

    def _organization(self, call: Call) -> Question:
        domain = str(call.fields().get("domain") or "").strip()
        if not domain:
            raise Refusal(json_reply(422, {"error": "domain parameter is required"}))

        def work() -> Reply:
            company = call.population.company(domain=domain)
            if call.misses(company.domain):
                return missed_reply({"organization": None}, company.domain)
            return found_reply({"organization": shapes.organisation_as_asked(call, company)}, company.domain, ONE)

        return Question("organizations/enrich", domain.lower(), work)

    def _organizations(self, call: Call) -> Question:
        domains = call.fields().get("domains") or []
        domains = [str(domain) for domain in domains if domain] if isinstance(domains, list) else []
        if not domains:
            raise Refusal(_bulk_failure("INVALID_REQUEST", "invalid request, missing domains"))
        if len(domains) > BULK_LIMIT:
            raise Refusal(_bulk_failure("RECORD_LIMIT_EXCEEDED", "cannot enrich more than 10 in a single request"))

        def work() -> Reply:
            companies = [call.population.company(domain=domain) for domain in domains]
            found = [company for company in companies if not call.misses(company.domain)]
            charges = tuple(Charge(domain, ONE) for domain in sorted({company.domain for company in found}))
            body = {
                "status": "success",
                "error_code": None,
                "error_message": None,
                "total_requested_domains": len(domains),
                "unique_domains": len({company.domain for company in companies}),
                "unique_enriched_records": len(charges),
                "missing_records": len(companies) - len(found),
                "organizations": [shapes.organisation_as_asked(call, company) for company in found],
            }
            return json_reply(200, body, charges=charges, outcome="found" if found else "not_found")

        return Question("organizations/bulk_enrich", "|".join(domains).lower(), work)

    def _person(self, call: Call, asked: Mapping[str, Any]) -> Person:
        """Whom the details mean. Asked for by the id that a search gave, it is that person; an id is always echoed."""

        def text(name: str) -> str:
            return str(asked.get(name) or "")

        person_id = text("id")
        listed = self._listed.get(person_id)
        if listed is not None:
            return listed
        found = call.population.person(
            first=text("first_name"),
            last=text("last_name"),
            name=text("name"),
            email=text("email"),
            company=text("organization_name"),
            domain=text("domain"),
            linkedin_url=text("linkedin_url"),
            person_id=person_id or text("hashed_email"),
        )
        return found._replace(id=person_id) if person_id else found


def _identity(asked: Mapping[str, Any]) -> str:
    """The details that say who is meant, joined; empty when there are none."""
    parts = [str(asked.get(name) or "").strip().casefold() for name in _DETAILS]
    parts += [part for name in _LATER_DETAILS if (part := str(asked.get(name) or "").strip().casefold())]
    return "|".join(parts) if any(parts) else ""


def _flags(call: Call, asked: Mapping[str, Any]) -> list[str]:
    flags = [flag for flag in _FLAGS if asked.get(flag) in _YES]
    needs_webhook = [flag for flag in flags if flag != "reveal_personal_emails"]
    if needs_webhook and not asked.get("webhook_url") and asked.get("poll_only") not in _YES:
        message = f"Please add a valid 'webhook_url' parameter when using '{needs_webhook[0]}'"
        raise Refusal(json_reply(400, {"error": message}))
    return flags


def _units(found: Person, flags: list[str]) -> Decimal:
    """One credit for a match; where a phone was asked for, eight if one is known and else none."""
    if "reveal_phone_number" in flags:
        return PHONE_CREDITS if found.has_mobile else FREE
    return ONE


def _success(requested: int, enriched: int) -> dict[str, Any]:
    return {
        "status": "success",
        "error_code": None,
        "error_message": None,
        "total_requested_enrichments": requested,
        "unique_enriched_records": enriched,
    }


def _bulk_failure(code: str, message: str) -> Reply:
    return json_reply(400, {"status": "failed", "error_code": code, "error_message": message})
