"""Hunter: addresses of a domain, the address of a person, and whether an address works.

hunter.io/api-documentation/v2. Its codes are the reverse of everybody else's: 403 is the rate limit, 429 the exhausted
quota; 202 asks to come back with the same question; 222 says that the mail server at the other end failed, come back
later; 451 names a person who may not be processed. In the rarer shapes (setting `rare_shapes`) an address was not
verified within a month (`verification` holds nulls) and `accept_all` is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from enrichment_assets.sandbox.companies import Company, ascii_letters, host_of
from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, found_reply, json_reply, missed_reply
from enrichment_assets.sandbox.providers import hunter_enrichment as enrichment
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer, no_such_path, whole_seconds
from enrichment_assets.sandbox.providers.hunter_lists import (
    LAST_VERIFIED,
    Filters,
    account,
    email_count,
    listing,
    sources,
)

ONE, HALF = Decimal(1), Decimal("0.5")
WEBMAIL = frozenset({"gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com"})
DISPOSABLE = frozenset({"mailinator.com", "yopmail.com", "trashmail.com"})


class Hunter(SimulatedProvider):
    """Everything below `/hunter/v2/...`."""

    name = "hunter"
    price = Decimal("0.049")
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "15/s,500/m", "email-verifier": "10/s,300/m"}

    def key(self, call: Call) -> str:
        """`X-API-KEY`, a bearer token or the `api_key` parameter."""
        return call.headers.get("x-api-key") or bearer(call) or call.query.get("api_key", "")

    def question(self, call: Call) -> Question:
        """Route by the last part of the path."""
        operation = call.path.removeprefix("/v2/").strip("/")
        asks = {
            "domain-search": self._domain_search,
            "email-finder": self._email_finder,
            "email-verifier": self._email_verifier,
            "email-count": email_count,
            "account": account,
            "people/find": enrichment.person_found,
            "companies/find": enrichment.company_found,
            "combined/find": enrichment.both_found,
        }.get(operation)
        if asks is None or call.method != "GET":
            raise no_such_path(call)
        question = asks(call)
        return Question(operation, question.identity, lambda: self._unless_later(call, question))

    def unauthorised(self, call: Call) -> Reply:
        """401 in Hunter's error shape."""
        return _error(401, "authentication_failed", "No user found for the API key supplied")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """403: the code that is forbidden everywhere else."""
        reply = _error(403, "too_many_requests", "You've reached the rate limit.")
        reply.headers["retry-after"] = whole_seconds(retry_after)
        return reply

    def exhausted(self, call: Call) -> Reply:
        """429: the code that is a rate limit everywhere else."""
        return _error(429, "usage_limit", "You've reached the monthly usage limit of your plan.")

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in Hunter's error shape."""
        return _error(status, "internal_error", "Something went wrong on Hunter's end.")

    def _unless_later(self, call: Call, question: Question) -> Reply:
        later = call.behaviour.later
        if later and call.attempt == 0 and call.population.rng("later", self.name, question.identity).chance(later):
            return json_reply(202, {"data": None, "meta": {"params": _asked(call)}}, outcome="pending")
        failed = call.behaviour.remote_failures if question.operation == "email-verifier" else 0
        if failed and call.attempt == 0 and call.population.rng("remote", question.identity).chance(failed):
            details = "The verification failed because of an unexpected response from the remote SMTP server."
            reply = _error(222, "remote_server_failure", details)
            reply.outcome = "pending"
            return reply
        return question.work()

    def _domain_search(self, call: Call) -> Question:
        company = _company(call)
        limit, offset = _whole(call, "limit", 10, 100), _whole(call, "offset", 0, 10_000)
        filters = Filters.of(call.query)

        def work() -> Reply:
            listed = [] if call.misses(company.domain) else filters.apply(listing(call, company))
            emails = listed[offset : offset + limit]
            data = {
                "domain": company.domain,
                "disposable": company.domain in DISPOSABLE,
                "webmail": company.domain in WEBMAIL,
                "accept_all": company.accepts_all,
                "pattern": company.email_pattern if listed else None,
                "organization": company.name,
                "country": "CA" if company.country == "Canada" else "US",
                "emails": emails,
                "linked_domains": [],
            }
            meta = {"results": len(listed), "limit": limit, "offset": offset, "params": _asked(call)}
            body = {"data": data, "meta": meta}
            if not emails:
                return missed_reply(body, company.domain)
            return found_reply(body, company.domain, ONE)

        return Question("domain-search", "|".join([company.domain, str(limit), str(offset), *filters.said()]), work)

    def _email_finder(self, call: Call) -> Question:
        handle = call.query.get("linkedin_handle", "").strip().strip("/")
        first, last = call.query.get("first_name", ""), call.query.get("last_name", "")
        if not (first and last):
            first, _, last = call.query.get("full_name", "").strip().partition(" ")
        profile = f"https://www.linkedin.com/in/{handle}" if handle else ""
        if handle:
            meant = call.population.person(first=first, last=last, linkedin_url=profile)
            first, last = meant.first_name, meant.last_name
        named = call.query.get("domain") or call.query.get("company")
        company = meant.company if handle and not named else _company(call)
        if not first or not last:
            raise Refusal(_error(400, "wrong_params", "You are missing the first_name and last_name, or full_name."))
        identity = f"{ascii_letters(first)}|{ascii_letters(last)}|{company.domain}"

        def work() -> Reply:
            if call.population.rng("blocked", identity).chance(call.behaviour.blocked):
                return _blocked()
            person = call.population.person(
                first=first, last=last, company=company.name, domain=company.domain, linkedin_url=profile
            )
            missed = call.misses(identity)
            score = None if missed else call.population.rng("score", identity).between(60, 99)
            verified = "accept_all" if company.accepts_all else "valid"
            is_stale = missed or call.is_rare(identity)
            data = {
                "first_name": first,
                "last_name": last,
                "email": None if missed else person.email,
                "score": score,
                "domain": company.domain,
                "accept_all": None if is_stale and not missed else company.accepts_all,
                "position": None if missed else person.title,
                "twitter": None,
                "linkedin_url": None if missed else person.linkedin_url,
                "phone_number": None,
                "company": company.name,
                "sources": [] if missed else sources(company),
                "verification": {"date": None, "status": None}
                if is_stale
                else {"date": LAST_VERIFIED, "status": verified},
            }
            body = {"data": data, "meta": {"params": _asked(call)}}
            return missed_reply(body, identity) if missed else found_reply(body, identity, ONE)

        return Question("email-finder", identity, work)

    def _email_verifier(self, call: Call) -> Question:
        email = call.query.get("email", "").strip()
        if not email or "@" not in email:
            raise Refusal(_error(400, "wrong_params", "The email parameter is missing or is no e-mail address."))

        def work() -> Reply:
            if call.population.rng("blocked", email.lower()).chance(call.behaviour.blocked):
                return _blocked()
            data = _verification(call, email)
            return found_reply({"data": data, "meta": {"params": _asked(call)}}, email.lower(), HALF)

        return Question("email-verifier", email.lower(), work)


def _verification(call: Call, email: str) -> dict[str, Any]:
    domain = host_of(email)
    company = call.population.company(domain=domain)
    rng = call.population.rng("verify", email.lower())
    drawn = rng.roll()
    if call.misses(email.lower()):
        status = "unknown"
    elif domain in WEBMAIL or domain in DISPOSABLE:
        status = "webmail" if domain in WEBMAIL else "disposable"
    elif company.accepts_all:
        status = "accept_all"
    else:
        status = "invalid" if drawn < 0.08 else "unknown" if drawn < 0.11 else "valid"
    reachable = status in {"valid", "webmail", "accept_all"}
    result = {"valid": "deliverable", "webmail": "deliverable", "invalid": "undeliverable"}.get(status, "risky")
    scores = {"valid": (90, 100), "webmail": (80, 95), "accept_all": (50, 80), "invalid": (0, 10)}
    return {
        "status": status,
        "result": result,
        "score": rng.between(*scores.get(status, (20, 50))),
        "email": email,
        "regexp": True,
        "gibberish": False,
        "disposable": status == "disposable",
        "webmail": status == "webmail",
        "mx_records": bool(domain),
        "smtp_server": status != "unknown",
        "smtp_check": reachable,
        "accept_all": status == "accept_all",
        "block": False,
        "sources": sources(company) if status == "valid" else [],
    }


def _company(call: Call) -> Company:
    domain, name = call.query.get("domain", ""), call.query.get("company", "")
    if not host_of(domain) and not name.strip():
        raise Refusal(_error(400, "wrong_params", "You are missing the domain or company parameter."))
    return call.population.company(name, domain)


def _asked(call: Call) -> dict[str, str]:
    return {name: value for name, value in call.query.items() if name != "api_key"}


def _whole(call: Call, name: str, default: int, highest: int) -> int:
    text = call.query.get(name, "") or str(default)
    if not text.isdigit() or int(text) > highest:
        raise Refusal(_error(400, "wrong_params", f"The {name} parameter has to be a number up to {highest}."))
    return int(text)


def _blocked() -> Reply:
    details = "The person behind this email address asked us not to process their personal data."
    reply = _error(451, "claimed_email", details)
    reply.outcome = "blocked"
    return reply


def _error(status: int, name: str, details: str) -> Reply:
    error = {"id": name, "code": status, "details": details}
    return json_reply(status, {"errors": [error]}, outcome="refused")
