"""A small CRM of somebody's own, which takes leads: contacts with fields, and the key of whoever made them.

`POST /webhook/contacts` `{key, list, fields}` makes one, `GET /webhook/contacts?key=` finds those with a key,
`GET|PUT|DELETE /webhook/contacts/<id>` reads, changes and removes one, `POST /webhook/contacts/<id>/fields/<name>`
`{value}` writes one field, `POST /webhook/contacts/bulk` `{contacts: [...]}` makes or changes many by their keys.
Traps: making one twice makes two; a contact is found by its key only some time after it was made (`index_lag`, seconds,
in the query of a `POST /webhook/settings`); removed ones answer 410; a field called `refused` is refused with a 422.
What is posted to any other path (an alert, a message) is taken and kept.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.alert_channels import AlertChannel
from enrichment_assets.sandbox.providers.base import bearer

MOST_AT_ONCE = 1_000


@dataclass(slots=True)
class Contact:
    """One contact of the CRM; `writes`: how often it was written to."""

    id: str
    key: str | None
    list: str | None
    made_at: float
    fields: dict[str, Any] = field(default_factory=dict)
    writes: int = 0
    is_removed: bool = False

    def shown(self) -> dict[str, Any]:
        """As the API shows it."""
        return {"id": self.id, "key": self.key, "list": self.list, "fields": self.fields, "writes": self.writes}


class WebhookCrm(AlertChannel):
    """Everything below `/webhook/...`; contacts are kept until a reset, and so is whatever is posted elsewhere."""

    name = "webhook"

    def __init__(self) -> None:
        super().__init__()
        self._contacts: dict[str, Contact] = {}
        self._lag = 0.0

    def key(self, call: Call) -> str:
        """A bearer token; none is needed."""
        return bearer(call)

    def question(self, call: Call) -> Question:
        """One of its routes."""
        parts = [part for part in call.path.split("/") if part]
        match (call.method, parts):
            case ("POST", ["contacts"]):
                return Question("create", str(call.json().get("key")), lambda: self._create(call))
            case ("POST", ["contacts", "bulk"]):
                return Question("bulk", str(hash(call.body)), lambda: self._bulk(call))
            case ("GET", ["contacts"]):
                return Question("find", str(dict(call.query)), lambda: self._find(call))
            case ("GET" | "PUT" | "DELETE", ["contacts", number]):
                return Question(call.method.lower(), number, lambda: self._one(call, number))
            case ("POST", ["contacts", number, "fields", name]):
                return Question("field", f"{number}/{name}", lambda: self._field(call, number, name))
            case ("POST", ["settings"]):
                self._lag = float(call.query.get("index_lag", "0"))
                return Question("settings", "", lambda: json_reply(200, {"index_lag": self._lag}))
        return super().question(call)

    def take(self, call: Call, message: dict[str, Any]) -> Reply:
        """Any other path is any server of one's own: 204, as most of them answer, and the message is kept."""
        self.keep(call, {"webhook-id": call.headers.get("webhook-id"), **message})
        return Reply(204, b"")

    def _create(self, call: Call) -> Reply:
        asked = call.json()
        fields = _fields(asked)
        number = f"c{len(self._contacts) + 1}"
        contact = Contact(number, asked.get("key"), asked.get("list"), time.monotonic(), dict(fields), 1)
        self._contacts[number] = contact
        return json_reply(201, contact.shown())

    def _find(self, call: Call) -> Reply:
        key, now = call.query.get("key"), time.monotonic()
        found = [
            contact.shown()
            for contact in self._contacts.values()
            if not contact.is_removed and (key is None or (contact.key == key and now - contact.made_at >= self._lag))
        ]
        return json_reply(200, {"contacts": found})

    def _one(self, call: Call, number: str) -> Reply:
        contact = self._there(number)
        if call.method == "DELETE":
            contact.is_removed = True
        elif call.method == "PUT":
            self._write(contact, _fields(call.json()))
        return json_reply(200, contact.shown())

    def _field(self, call: Call, number: str, name: str) -> Reply:
        contact = self._there(number)
        self._write(contact, _fields({"fields": {name: call.json().get("value")}}))
        return json_reply(200, {"ok": True})

    def _bulk(self, call: Call) -> Reply:
        """Each with a fate of its own: `created`, `updated`, `duplicate` (twice in one request) or `invalid`."""
        asked = call.json().get("contacts")
        if not isinstance(asked, list) or len(asked) > MOST_AT_ONCE:
            raise Refusal(json_reply(400, {"error": f"contacts has to be a list of at most {MOST_AT_ONCE}"}))
        by_key = {contact.key: contact for contact in self._contacts.values() if not contact.is_removed}
        seen: set[Any] = set()
        results = []
        for one in asked:
            key = one.get("key") if isinstance(one, dict) else None
            if not isinstance(one, dict) or "refused" in (one.get("fields") or {}):
                results.append({"key": key, "status": 422, "result": "invalid"})
            elif key in seen:
                results.append({"key": key, "status": 409, "result": "duplicate"})
            else:
                contact = by_key.get(key)
                result = "created" if contact is None else "updated"
                if contact is None:
                    contact = Contact(f"c{len(self._contacts) + 1}", key, one.get("list"), time.monotonic())
                    self._contacts[contact.id] = contact
                self._write(contact, one.get("fields") or {})
                results.append({"key": key, "status": 200, "result": result, "id": contact.id})
            seen.add(key)
        return json_reply(200, {"results": results})

    def _there(self, number: str) -> Contact:
        contact = self._contacts.get(number)
        if contact is None:
            raise Refusal(json_reply(404, {"error": f"there is no contact {number}"}))
        if contact.is_removed:
            raise Refusal(json_reply(410, {"error": f"the contact {number} was removed"}))
        return contact

    @staticmethod
    def _write(contact: Contact, fields: dict[str, Any]) -> None:
        contact.fields.update(fields)
        contact.writes += 1


def _fields(asked: dict[str, Any]) -> dict[str, Any]:
    fields = asked.get("fields") or {}
    if not isinstance(fields, dict) or "refused" in fields:
        raise Refusal(json_reply(422, {"error": "a field cannot be written"}))
    return fields
