"""FullEnrich v2: an order about up to a hundred people, answered by one webhook, or when it is asked for.

docs.fullenrich.com (contact/enrich/bulk) and the vendor's n8n node: `custom` has texts only, and comes back with each
person; a result that is not there yet is a 400 `error.enrichment.in_progress`; `most_probable_work_email` is null or
an object. Not documented and therefore our choice: people come back in the reverse order.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import orjson

from enrichment_assets.sandbox.exchange import Call, Charge, PlannedCallback, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.people import Person
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer, no_such_path
from enrichment_assets.sandbox.seeded_random import hex_id

ONE, TEN = Decimal(1), Decimal(10)
BULK_LIMIT = 100
KEPT_ORDERS = 10_000
_PATH = "/api/v2/contact/enrich/bulk"
_DETAILS = ("first_name", "last_name", "domain", "company_name", "linkedin_url")
_EMAILS, _PHONES = ("contact.work_emails", "contact.emails"), "contact.phones"
_STATUSES = ("DELIVERABLE", "DELIVERABLE", "HIGH_PROBABILITY", "CATCH_ALL")


class FullEnrich(SimulatedProvider):
    """Everything below `/fullenrich/api/v2/...`."""

    name = "fullenrich"
    price = Decimal("0.055")
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "60/m"}

    def __init__(self) -> None:
        self._orders: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def key(self, call: Call) -> str:
        """A bearer token."""
        return bearer(call)

    def question(self, call: Call) -> Question:
        """An order, or the result of one."""
        path = call.path.rstrip("/")
        if call.method == "POST" and path == _PATH:
            return self._order(call)
        if call.method == "GET" and path.startswith(f"{_PATH}/"):
            number = path.rpartition("/")[2]
            return Question("contact/enrich/bulk/result", number, lambda: self._result(number))
        raise no_such_path(call)

    def unauthorised(self, call: Call) -> Reply:
        """401 in FullEnrich's error shape."""
        return _failure(401, "error.unauthorized", "Unauthorized")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429: how long is in the text alone."""
        return _failure(429, "error.rate_limit", "Too many requests. Try again in 1m")

    def exhausted(self, call: Call) -> Reply:
        """402: no credits left."""
        return _failure(402, "error.credits.insufficient", "Not enough credits")

    def _order(self, call: Call) -> Question:
        body = call.json()
        data = body.get("data")
        if not body.get("name"):
            raise Refusal(_failure(400, "error.name.empty", "name is required"))
        if not isinstance(data, list) or not 0 < len(data) <= BULK_LIMIT or not all(isinstance(d, dict) for d in data):
            raise Refusal(_failure(400, "error.data.invalid", f"data has to be a list of 1 to {BULK_LIMIT} people"))
        if not all(isinstance(text, str) for one in data for text in (one.get("custom") or {}).values()):
            raise Refusal(_failure(400, "error.custom.invalid", "custom has texts only"))

        def work() -> Reply:
            number = hex_id(call.population.seed, "fullenrich", call.body)
            people = [_answered(call, one) for one in reversed(data)]
            charges = tuple(charge for one in data if (charge := _charge(call, one)).units)
            result = orjson.dumps(
                {
                    "id": number,
                    "name": body["name"],
                    "status": "FINISHED",
                    "data": people,
                    "cost": {"credits": int(sum(charge.units for charge in charges))},
                }
            )
            delay = call.callback_delay(number)
            self._orders[number] = (time.monotonic() + delay, result)
            if len(self._orders) > KEPT_ORDERS:
                self._orders.popitem(last=False)
            url = body.get("webhook_url")
            planned = (PlannedCallback(url, result, number, delay),) if isinstance(url, str) and url else ()
            return json_reply(200, {"enrichment_id": number}, charges=charges, callbacks=planned, outcome="accepted")

        return Question("contact/enrich/bulk", hex_id(call.body), work)

    def _result(self, number: str) -> Reply:
        order = self._orders.get(number)
        if order is None:
            return _failure(404, "error.enrichment.not_found", "Enrichment not found")
        if time.monotonic() < order[0]:
            return _failure(400, "error.enrichment.in_progress", "Enrichment in progress")
        return Reply(200, order[1])


def _identity(asked: Mapping[str, Any]) -> str:
    return "|".join(str(asked.get(name) or "").strip().casefold() for name in _DETAILS)


def _person(call: Call, asked: Mapping[str, Any]) -> Person | None:
    """Who is meant; None: nobody knows."""
    if call.misses(_identity(asked)):
        return None
    return call.population.person(
        first=str(asked.get("first_name") or ""),
        last=str(asked.get("last_name") or ""),
        company=str(asked.get("company_name") or ""),
        domain=str(asked.get("domain") or ""),
        linkedin_url=str(asked.get("linkedin_url") or ""),
    )


def _wants(asked: Mapping[str, Any], field: str) -> bool:
    """Whether a kind of contact is asked for; addresses are, where nothing is said."""
    return field in (asked.get("enrich_fields") or ["contact.work_emails", "contact.emails"])


def _charge(call: Call, asked: Mapping[str, Any]) -> Charge:
    """A credit for an address, ten for a number, nothing for what was not found."""
    found, units = _person(call, asked), Decimal(0)
    if found is not None:
        units += ONE if any(_wants(asked, field) for field in _EMAILS) else 0
        units += TEN if _wants(asked, _PHONES) and found.has_mobile else 0
    return Charge(_identity(asked), units)


def _answered(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One person of the result."""
    identity = _identity(asked)
    found = _person(call, asked)
    status = call.population.rng("fullenrich", identity).pick(_STATUSES)
    is_asked = any(_wants(asked, field) for field in _EMAILS)
    email = None if found is None or not is_asked else {"email": found.email, "status": status}
    has_phone = found is not None and found.has_mobile and _wants(asked, _PHONES)
    phone = {"number": found.mobile, "region": "US"} if found is not None and has_phone else None
    return {
        "input": {name: asked[name] for name in _DETAILS if name in asked},
        "custom": asked.get("custom") or {},
        "contact_info": {
            "most_probable_work_email": email,
            "work_emails": [] if email is None else [email],
            "most_probable_phone": phone,
            "phones": [] if phone is None else [phone],
        },
        "profile": None if found is None else {"full_name": found.name, "educations": []},
    }


def _failure(status: int, code: str, message: str) -> Reply:
    return json_reply(status, {"code": code, "message": message}, outcome="refused")
