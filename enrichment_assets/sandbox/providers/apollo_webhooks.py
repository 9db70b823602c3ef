"""What Apollo owes after it has answered: phones and waterfall e-mails, by unsigned webhook and by poll.

docs.apollo.io/docs/retrieve-mobile-phone-numbers-for-contacts, .../waterfall-enrichment and .../poll-webhook-results:
`request_id` is a text in both; `people[].status` is success or failure; `email_status_cd` begins with a capital.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from enrichment_assets.sandbox.exchange import Call, PlannedCallback, Question, Reply, json_reply
from enrichment_assets.sandbox.people import Person
from enrichment_assets.sandbox.providers import apollo_phones as phones

Subjects = list[tuple[str, Person | None]]
"""Who was asked for, and who was found."""

KEPT_RESULTS = 500_000
POLL_AGAIN_SECONDS = 5
DISPATCHED = "2026-11-02T09:30:00.000Z"
"""When everything was sent, in a world that stands still."""


@dataclass(frozen=True, slots=True)
class OwedResult:
    """What webhook_result answers: pending until `ready_at` (monotonic seconds), gone after `expires_at`."""

    kind: str
    body: bytes
    ready_at: float
    expires_at: float


class OwedResults:
    """Every result that was promised, by request id."""

    def __init__(self) -> None:
        self._owed: OrderedDict[int, OwedResult] = OrderedDict()

    def owe(
        self, call: Call, request_id: int, subjects: Subjects, asked: Mapping[str, Any], flags: list[str]
    ) -> tuple[PlannedCallback, ...]:
        """Promise the results that the flags ask for; returns the webhook call, or nothing if none was asked for."""
        if not any(flag != "reveal_personal_emails" for flag in flags):
            return ()
        body = orjson.dumps(_webhook(call, request_id, subjects, flags))
        identity = f"apollo|{request_id}"
        delay = call.callback_delay(identity)
        now = time.monotonic()
        kind = "waterfall" if any(flag.startswith("run_") for flag in flags) else "phone"
        self._owed[request_id] = OwedResult(kind, body, now + delay, now + delay + call.settings.result_ttl)
        if len(self._owed) > KEPT_RESULTS:
            self._owed.popitem(last=False)
        url = str(asked.get("webhook_url") or "")
        return (PlannedCallback(url, body, identity, delay),) if url else ()

    def question(self, call: Call, text: str) -> Question:
        """`GET webhook_result/{request_id}`: free, and the same answer as the webhook's."""
        return Question("webhook_result", text, lambda: self._result(text))

    def _result(self, text: str) -> Reply:
        try:
            request_id = int(text)
        except ValueError:
            return _refusal(400, "invalid_request_id", "request_id has to be an integer")
        owed = self._owed.get(request_id)
        now = time.monotonic()
        if owed is None:
            return _refusal(404, "request_id_unknown", "no request with this id")
        if now < owed.ready_at:
            return _refusal(
                404, "result_pending", "the result is not ready yet", retry_after_seconds=POLL_AGAIN_SECONDS
            )
        if now >= owed.expires_at:
            return _refusal(410, "request_id_expired", "results are kept for 30 days")
        return json_reply(
            200,
            {
                "request_id": str(request_id),
                "webhook_status": "success",
                "request_type": owed.kind,
                "last_dispatched_at": DISPATCHED,
                "failure_reason": None,
                "webhook_result": orjson.Fragment(owed.body),
            },
        )


def _refusal(status: int, code: str, message: str, **extra: object) -> Reply:
    body = {"error": message, "error_code": code, **extra}
    return json_reply(status, body, outcome="pending" if code == "result_pending" else "refused")


def _webhook(call: Call, request_id: int, subjects: Subjects, flags: list[str]) -> dict[str, Any]:
    """What Apollo posts; the request id is a text here, and a number in the answer to the request."""
    people = [_revealed(call, identity, found, flags) for identity, found in subjects if found is not None]
    found = [person for person in people if person["status"] == "success"]
    body = {
        "status": "success",
        "request_id": str(request_id),
        "total_requested_enrichments": len(subjects),
        "unique_enriched_records": len({person["id"] for person in found}),
        "missing_records": len(subjects) - len(found),
        "credits_consumed": sum(8 for person in people if person.get("phone_numbers")),
        "people": people,
    }
    return {**body, **_waterfall_counts(people)} if any(flag.startswith("run_") for flag in flags) else body


def _waterfall_counts(people: list[dict[str, Any]]) -> dict[str, Any]:
    emails = sum(1 for person in people if person.get("emails"))
    mobiles = sum(1 for person in people if person.get("phone_numbers"))
    return {
        "records_enriched": sum(1 for person in people if person["status"] == "success"),
        "email_records_enriched": emails,
        "email_records_not_found": len(people) - emails,
        "mobile_records_enriched": mobiles,
        "mobile_records_not_found": len(people) - mobiles,
        "request_initiated": DISPATCHED,
        "request_completed": DISPATCHED,
    }


def _revealed(call: Call, identity: str, found: Person, flags: list[str]) -> dict[str, Any]:
    """One member of `people[]`: `failure` where nothing that was asked for is known."""
    person: dict[str, Any] = {"id": found.id, "status": "success"}
    if "reveal_phone_number" in flags:
        person["phone_numbers"] = phones.revealed(call, identity, found)
    elif "run_waterfall_phone" in flags:
        person["phone_numbers"] = phones.by_waterfall(found)
    if "run_waterfall_email" in flags:
        known = found.email_status != "unavailable"
        email = {"email": found.email, "email_status_cd": "Verified", "position": 0}
        vendors = [{"id": "vendor-1", "name": "Vendor One", "status": "success" if known else "not_found"}]
        person["emails"] = [email] if known else []
        person["waterfall"] = {"emails": [{"vendors": vendors}]}
    if not person.get("phone_numbers") and not person.get("emails"):
        person["status"] = "failure"
    return person
