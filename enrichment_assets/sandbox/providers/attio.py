"""Attio: asserting a person by an attribute (`PUT ...?matching_attribute=`), and asking for people.

A value is a list whatever is sent, and comes back as objects with their history; an address is kept in small letters.
An attribute that is not unique cannot be matched by, and two records that match are an error. What is asserted is added
to a list of values and replaces a single one. 25 writes a second; `retry-after` of a 429 is a date and no number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any, ClassVar

from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer
from enrichment_assets.sandbox.seeded_random import digest

_PEOPLE = "/v2/objects/people"
_ATTRIBUTES: Mapping[str, tuple[str, bool, bool]] = {
    "name": ("personal-name", False, False),
    "email_addresses": ("email-address", True, True),
    "phone_numbers": ("phone-number", False, True),
    "job_title": ("text", False, False),
    "description": ("text", False, False),
    "enrichment_key": ("text", True, False),
}
"""Attribute -> its type, whether it is unique, whether it has several values."""


class Attio(SimulatedProvider):
    """Everything below `/attio/v2/objects/people`."""

    name = "attio"
    price = Decimal(0)
    documented_limits: ClassVar[Mapping[str, str]] = {"read": "100/s", "write": "25/s"}

    def __init__(self) -> None:
        self.people: dict[str, dict[str, list[Any]]] = {}

    def question(self, call: Call) -> Question:
        """Assert, query, one record, or what attributes there are."""
        about = f"{call.method} {call.path} {sorted(call.query.items())} {call.body.decode('utf-8', 'replace')}"
        path = call.path.rstrip("/")
        number = path.removeprefix(f"{_PEOPLE}/records/")
        if (call.method, path) == ("PUT", f"{_PEOPLE}/records"):
            return Question("write", about, lambda: self._assert(call))
        if (call.method, path) == ("POST", f"{_PEOPLE}/records/query"):
            return Question("read", about, lambda: self._query(call))
        if (call.method, path) == ("GET", f"{_PEOPLE}/attributes"):
            return Question("read", about, lambda: json_reply(200, {"data": _attributes()}))
        if call.method in ("GET", "DELETE") and number in self.people:
            return Question("read", about, lambda: self._one(call, number))
        raise Refusal(_error(404, "not_found", f"Could not find {call.path}"))

    def key(self, call: Call) -> str:
        """The bearer token."""
        return bearer(call)

    def unauthorised(self, call: Call) -> Reply:
        """401 in its error shape."""
        return _error(401, "unauthorized", "The API key is not valid")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 with a date."""
        reply = _error(429, "rate_limit_exceeded", "Rate limit exceeded, please try again later")
        moment = datetime.now(UTC) + timedelta(seconds=max(1.0, retry_after))
        reply.headers["retry-after"] = format_datetime(moment, usegmt=True)
        return reply

    def exhausted(self, call: Call) -> Reply:
        """The plan does not pay for more."""
        return _error(402, "billing_error", "This workspace has no active plan")

    def _assert(self, call: Call) -> Reply:
        by = call.query.get("matching_attribute", "")
        if not _ATTRIBUTES.get(by, ("", False, False))[1]:
            raise Refusal(_error(400, "value_not_found", f'Attribute "{by}" is not unique'))
        told = (call.json().get("data") or {}).get("values") or {}
        values = {name: _read(name, value) for name, value in told.items()}
        same = [number for number, kept in self.people.items() if _texts(kept.get(by)) & _texts(values.get(by))]
        if len(same) > 1:
            raise Refusal(_error(400, "multiple_match_results", f'More than one record matches "{by}"'))
        number = same[0] if same else str(digest(call.population.seed, "attio", len(self.people), size=16).hex())
        kept = self.people.setdefault(number, {})
        for name, value in values.items():
            several = _ATTRIBUTES[name][2]
            kept[name] = (
                [*kept.get(name, []), *(one for one in value if one not in kept.get(name, []))] if several else value
            )
        return json_reply(200, {"data": self._shown(number)}, charges=(Charge(number, Decimal(1)),))

    def _query(self, call: Call) -> Reply:
        wanted = call.json().get("filter") or {}
        found = [
            number
            for number, kept in self.people.items()
            if all(_texts(kept.get(name)) & {str(value).lower()} for name, value in wanted.items())
        ]
        return json_reply(200, {"data": [self._shown(number) for number in found]})

    def _one(self, call: Call, number: str) -> Reply:
        if call.method == "DELETE":
            del self.people[number]
            return json_reply(200, {})
        return json_reply(200, {"data": self._shown(number)})

    def _shown(self, number: str) -> dict[str, Any]:
        values = {
            name: [{"active_until": None, **(one if isinstance(one, dict) else _named(name, one))} for one in several]
            for name, several in self.people[number].items()
        }
        return {"id": {"workspace_id": "w", "object_id": "people", "record_id": number}, "values": values}


def _named(name: str, value: Any) -> dict[str, Any]:
    member = {"email_addresses": "email_address", "phone_numbers": "phone_number"}.get(name, "value")
    return {member: value, "attribute_type": _ATTRIBUTES[name][0]}


def _read(name: str, value: Any) -> list[Any]:
    if name not in _ATTRIBUTES:
        raise Refusal(_error(400, "value_not_found", f'Cannot find attribute with slug/ID "{name}".'))
    several = value if isinstance(value, list) else [value]
    if name == "email_addresses":
        several = [str(one).strip().lower() for one in several]
        if any("@" not in one for one in several):
            raise Refusal(_error(400, "validation_type", f'An invalid value was passed to attribute "{name}"'))
    return several


def _texts(values: list[Any] | None) -> set[str]:
    return {str(one).lower() for one in values or () if not isinstance(one, dict)}


def _attributes() -> list[dict[str, Any]]:
    return [
        {"api_slug": name, "type": kind, "is_unique": unique, "is_multiselect": several, "is_writable": True}
        for name, (kind, unique, several) in _ATTRIBUTES.items()
    ]


def _error(status: int, code: str, message: str) -> Reply:
    kind = "invalid_request_error" if status != 401 else "auth_error"
    return json_reply(status, {"status_code": status, "type": kind, "code": code, "message": message})
