"""Salesforce: upserting contacts by an external id, up to 200 a call, and asking for one.

`PATCH /services/data/vNN.N/composite/sobjects/Contact/{field}` answers 200 with a list in the order of the records,
each `success` or not: with `allOrNone` one that fails takes all others back. A contact that this user may not see is
there for the external id all the same: DUPLICATE_VALUE. Two with one external id are a 300 when one is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer

MOST = 200
_ROOT = r"/services/data/v\d+\.0"
_FIELDS: Mapping[str, int] = {
    "FirstName": 40,
    "LastName": 80,
    "Email": 80,
    "Phone": 40,
    "Title": 128,
    "Description": 32_000,
    "Enrichment_Key__c": 80,
}
"""Field -> characters that it holds."""


class Salesforce(SimulatedProvider):
    """Everything below `/salesforce/services/data/`."""

    name = "salesforce"
    price = Decimal(0)
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "25/s"}

    def __init__(self) -> None:
        self.contacts: list[dict[str, Any]] = []

    def question(self, call: Call) -> Question:
        """An upsert of many, a contact by its external id, what contacts are, or a new one."""
        about = f"{call.method} {call.path} {call.body.decode('utf-8', 'replace')}"
        routes = (
            ("PATCH", rf"{_ROOT}/composite/sobjects/Contact/(?P<field>\w+)", self._upsert),
            ("GET", rf"{_ROOT}/sobjects/Contact/describe", self._describe),
            ("GET", rf"{_ROOT}/sobjects/Contact/(?P<field>\w+)/(?P<value>.+)", self._one),
            ("PATCH", rf"{_ROOT}/sobjects/Contact/(?P<value>\w+)", self._change),
            ("POST", rf"{_ROOT}/sobjects/Contact", self._create),
        )
        for method, pattern, answer in routes:
            found = re.fullmatch(pattern, call.path.rstrip("/")) if method == call.method else None
            if found is not None:
                return Question("contact", about, partial(answer, call, found.groupdict()))
        raise Refusal(_error(404, "NOT_FOUND", "The requested resource does not exist"))

    def key(self, call: Call) -> str:
        """The access token of a session."""
        return bearer(call)

    def unauthorised(self, call: Call) -> Reply:
        """401 in its error shape, a list."""
        return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """A spent allowance is a 403 here."""
        return _error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    def exhausted(self, call: Call) -> Reply:
        """The same."""
        return self.rate_limited(call, "", 0)

    def _upsert(self, call: Call, groups: Mapping[str, str]) -> Reply:
        told = call.json()
        records = told.get("records")
        if not isinstance(records, list) or not 0 < len(records) <= MOST:
            raise Refusal(_error(400, "JSON_PARSER_ERROR", f"The maximum number of records is {MOST}"))
        if groups["field"] not in _FIELDS:
            message = f"Provided external ID field does not exist or is not accessible: {groups['field']}"
            raise Refusal(_error(404, "NOT_FOUND", message))
        before = [dict(one) for one in self.contacts]
        answers = [self._put(one, groups["field"]) for one in records]
        if told.get("allOrNone") and not all(one["success"] for one in answers):
            self.contacts = before
            rolled = _failed("ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all were valid")
            answers = [rolled if one["success"] else one for one in answers]
        return json_reply(200, answers, charges=(Charge("calls", Decimal(1)),))

    def _put(self, told: Mapping[str, Any], field: str) -> dict[str, Any]:
        values = {name: value for name, value in told.items() if name != "attributes"}
        if wrong := _wrong(values):
            return wrong
        same = [one for one in self.contacts if one.get(field) == values.get(field)]
        if len(same) > 1:
            return _failed("DUPLICATE_EXTERNAL_ID", f"{field}: more than one record found for external id field")
        if same and same[0].get("_hidden"):
            return _failed("DUPLICATE_VALUE", f"duplicate value found: {field} duplicates value on record with id: 003")
        if same:
            same[0].update(values)
            return {"id": same[0]["Id"], "success": True, "created": False, "errors": []}
        if not values.get("LastName"):
            return _failed("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"])
        return {"id": self._new(values), "success": True, "created": True, "errors": []}

    def _new(self, values: Mapping[str, Any]) -> str:
        number = f"003{len(self.contacts):012}AAA"
        self.contacts.append({**values, "Id": number})
        return number

    def _create(self, call: Call, _: Mapping[str, str]) -> Reply:
        """Without a look at external ids: this is how two come to have one. `_hidden`: this user may not see it."""
        return json_reply(201, {"id": self._new(call.json()), "success": True, "errors": []})

    def _change(self, call: Call, groups: Mapping[str, str]) -> Reply:
        """204, or an error's list."""
        found = next((one for one in self.contacts if one["Id"] == groups["value"]), None)
        if found is None:
            raise Refusal(_error(404, "NOT_FOUND", "The requested resource does not exist"))
        if wrong := _wrong(call.json()):
            (first,) = wrong["errors"]
            raise Refusal(_error(400, first["statusCode"], first["message"]))
        found.update(call.json())
        return Reply(204, b"", charges=(Charge("calls", Decimal(1)),))

    def _one(self, _: Call, groups: Mapping[str, str]) -> Reply:
        found = [
            one for one in self.contacts if str(one.get(groups["field"])) == groups["value"] and not one.get("_hidden")
        ]
        if not found:
            raise Refusal(_error(404, "NOT_FOUND", "The requested resource does not exist"))
        if len(found) > 1:
            return json_reply(300, [f"/services/data/v60.0/sobjects/Contact/{one['Id']}" for one in found])
        return json_reply(200, found[0])

    def _describe(self, _: Call, __: Mapping[str, str]) -> Reply:
        fields = [
            {"name": name, "length": length, "externalId": name.endswith("__c"), "unique": name.endswith("__c")}
            for name, length in _FIELDS.items()
        ]
        return json_reply(200, {"name": "Contact", "fields": fields})


def _wrong(values: Mapping[str, Any]) -> dict[str, Any] | None:
    for name, value in values.items():
        if name not in _FIELDS:
            return _failed("INVALID_FIELD", f"No such column '{name}' on sobject of type Contact", [name])
        if len(str(value or "")) > _FIELDS[name]:
            message = f"{name}: data value too large: (max length={_FIELDS[name]})"
            return _failed("STRING_TOO_LONG", message, [name])
    email = values.get("Email")
    if email and ("@" not in str(email) or " " in str(email)):
        return _failed("INVALID_EMAIL_ADDRESS", f"Email: invalid email address: {email}", ["Email"])
    return None


def _failed(code: str, message: str, fields: list[str] | None = None) -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": fields or []}]}


def _error(status: int, code: str, message: str) -> Reply:
    return json_reply(status, [{"errorCode": code, "message": message}])
