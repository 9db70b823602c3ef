"""Pipedrive: persons by API v2. There is no upsert: search, then create or change.

A search wants two characters and more, looks in one field (`fields=email`) and for the whole of it (`exact_match`).
Addresses and numbers are lists. The twins of these routes at v1 are gone (404). Every call costs tokens of the
company's day; when they are used up, it is a 429 until tomorrow, and `x-daily-requests-left` says 0. Custom fields
stand below `custom_fields`, by the 40 digits that are the field's key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, whole_seconds

KEY_FIELD = "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567"
"""The field `Enrichment key`."""

_OWN = ("name", "emails", "phones", "owner_id", "org_id", "custom_fields", "visible_to", "label_ids")


class Pipedrive(SimulatedProvider):
    """Everything below `/pipedrive/api/`."""

    name = "pipedrive"
    price = Decimal(0)
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "20/s"}

    def __init__(self) -> None:
        self.persons: dict[int, dict[str, Any]] = {}

    def question(self, call: Call) -> Question:
        """Persons of v2, and the fields that they have."""
        about = f"{call.method} {call.path} {sorted(call.query.items())} {call.body.decode('utf-8', 'replace')}"
        found = re.fullmatch(r"/api/v2/persons(?:/(?P<id>\d+|search))?", call.path.rstrip("/"))
        answers = {
            ("GET", "search"): ("search", lambda: self._search(call)),
            ("POST", None): ("person", lambda: self._put(call, None)),
        }
        if call.method == "GET" and call.path == "/api/v2/personFields":
            return Question("fields", about, lambda: json_reply(200, _fields()))
        if found is not None and (call.method, found["id"]) in answers:
            operation, work = answers[call.method, found["id"]]
            return Question(operation, about, work)
        if found is not None and str(found["id"]).isdigit() and call.method in ("GET", "PATCH", "DELETE"):
            number = int(found["id"])
            return Question("person", about, lambda: self._one(call, number))
        raise Refusal(_error(404, "Unknown method ."))

    def key(self, call: Call) -> str:
        """The token, in a header of its own."""
        return call.headers.get("x-api-token", "")

    def unauthorised(self, call: Call) -> Reply:
        """401 in its error shape."""
        return _error(401, "unauthorized access")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 of the burst."""
        reply = _error(429, "Request over limit")
        reply.headers |= {"x-ratelimit-reset": whole_seconds(retry_after), "x-daily-ratelimit-token-remaining": "9000"}
        return reply

    def exhausted(self, call: Call) -> Reply:
        """429 of the day's tokens."""
        reply = _error(429, "Request over limit")
        reply.headers["x-daily-ratelimit-token-remaining"] = "0"
        return reply

    def _search(self, call: Call) -> Reply:
        term = call.query.get("term", "")
        if len(term.strip()) < 2 and call.query.get("exact_match") != "true":
            raise Refusal(_error(400, "term should be at least 2 characters long"))
        wanted = [name.strip() for name in call.query.get("fields", "email,name,custom_fields").split(",")]
        exact = call.query.get("exact_match") == "true"
        found = [one for one in self.persons.values() if _has(one, wanted, term, exact=exact)]
        items = [{"result_score": 1.0, "item": {"id": one["id"], "type": "person", **_brief(one)}} for one in found]
        return self._reply({"items": items})

    def _put(self, call: Call, known: dict[str, Any] | None) -> Reply:
        told = call.json()
        unknown = [name for name in told if name not in _OWN]
        if unknown:
            raise Refusal(_error(400, f"Parameter validation failed: {unknown[0]} is not allowed"))
        if known is None and not told.get("name"):
            raise Refusal(_error(400, "Parameter validation failed: name is required"))
        new: dict[str, Any] = {"id": len(self.persons) + 1, "custom_fields": {}}
        person = new if known is None else known
        custom = {**person["custom_fields"], **(told.get("custom_fields") or {})}
        person.update({**told, "custom_fields": custom, "is_deleted": False})
        self.persons[person["id"]] = person
        return self._reply(person, 201 if known is None else 200)

    def _one(self, call: Call, number: int) -> Reply:
        person = self.persons.get(number)
        if person is None:
            raise Refusal(_error(404, "Person not found"))
        if call.method == "DELETE":
            del self.persons[number]
            return self._reply({"id": number})
        return self._reply(person) if call.method == "GET" else self._put(call, person)

    @staticmethod
    def _reply(data: Any, status: int = 200) -> Reply:
        return json_reply(status, {"success": True, "data": data}, charges=(Charge("tokens", Decimal(1)),))


def _brief(person: Mapping[str, Any]) -> dict[str, Any]:
    """As a search shows a person: addresses and numbers are plain texts here."""
    emails, phones = ([one["value"] for one in person.get(name) or ()] for name in ("emails", "phones"))
    return {
        "name": person["name"],
        "emails": emails,
        "phones": phones,
        "custom_fields": [*person["custom_fields"].values()],
    }


def _has(person: Mapping[str, Any], wanted: list[str], term: str, *, exact: bool) -> bool:
    brief = _brief(person)
    texts = {"name": [brief["name"]], "email": brief["emails"], "phone": brief["phones"]}
    texts["custom_fields"] = [str(one) for one in brief["custom_fields"]]
    found = [text.lower() for name in wanted for text in texts.get(name, ())]
    return term.lower() in found if exact else any(term.lower() in text for text in found)


def _fields() -> dict[str, Any]:
    own = [{"field_code": name, "field_name": name.capitalize()} for name in ("name", "emails", "phones")]
    return {"success": True, "data": [*own, {"field_code": KEY_FIELD, "field_name": "Enrichment key"}]}


def _error(status: int, message: str) -> Reply:
    return json_reply(status, {"success": False, "error": message, "error_info": ""})
