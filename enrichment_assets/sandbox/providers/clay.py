"""Clay: a row goes to a table's webhook, and an HTTP column of that table posts the enriched row to our callback URL.

The table's own address is the credential (one per client), so the table id is who pays. What the column posts is
whatever its owner configured; here: `status` (found, not_found) and the members of the company or person, flat, in the
shape of Clay's own enrichments; in the rarer shapes (setting `rare_shapes`) under no other names than theirs. A row
about a person costs two credits, one about a company one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

import orjson

from enrichment_assets.sandbox.exchange import Call, Charge, PlannedCallback, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path, whole_seconds
from enrichment_assets.sandbox.providers.records import (
    about,
    flat_record_for,
    ids_of,
    in_clays_names,
    is_person,
    subject_of,
    without_callback,
)

COMPANY_CREDITS, PERSON_CREDITS = Decimal(1), Decimal(2)
HIGHEST_BYTES = 100 * 1024
_WEBHOOK = re.compile(r"^/tables/([^/]+)/webhook/?$")


class Clay(SimulatedProvider):
    """Everything below `/clay/tables/{table_id}/webhook`."""

    name = "clay"
    price = Decimal("0.05")
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "10/s"}
    needs_key = False

    def key(self, call: Call) -> str:
        """The table id; a table whose `x-clay-webhook-auth` is in the rejected keys answers 401."""
        match = _WEBHOOK.match(call.path)
        return call.headers.get("x-clay-webhook-auth", "") if match is None else match.group(1)

    def question(self, call: Call) -> Question:
        """One row for the table."""
        match = _WEBHOOK.match(call.path)
        if match is None or call.method != "POST":
            raise no_such_path(call)
        auth = call.headers.get("x-clay-webhook-auth", "")
        if auth.startswith("invalid") or auth in call.settings.rejected_keys:
            raise Refusal(self.unauthorised(call))
        if len(call.body) > HIGHEST_BYTES:
            raise Refusal(json_reply(413, {"error": "Webhook payload exceeds 100KB"}))
        row = call.json()
        url, sent = row.get("callback_url"), without_callback(row)
        table = match.group(1)
        subject, asked = f"{table}|{subject_of(sent)}", f"{table}|{about(sent)}"
        units = PERSON_CREDITS if is_person(sent) else COMPANY_CREDITS

        def work() -> Reply:
            reply = json_reply(200, {"success": True}, charges=(Charge(subject, units),), outcome="accepted")
            if isinstance(url, str) and url:
                missed = call.misses(asked)
                found = {} if missed else flat_record_for(call.population, sent)
                if found and call.is_rare(asked):
                    found = in_clays_names(found)
                body = orjson.dumps({**ids_of(sent), "status": "not_found" if missed else "found", **found})
                identity = f"clay|{asked}"
                reply.callbacks = (PlannedCallback(url, body, identity, call.callback_delay(identity)),)
            return reply

        return Question("webhook", subject, work, about=asked)

    def unauthorised(self, call: Call) -> Reply:
        """401: the webhook wants another token."""
        return json_reply(401, {"error": "Invalid webhook auth token"})

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 with `retry-after`."""
        headers = {"retry-after": whole_seconds(retry_after)}
        return json_reply(429, {"error": "Too many requests"}, headers=headers)

    def exhausted(self, call: Call) -> Reply:
        """The table took its 50,000 submissions (or whatever the quota says)."""
        return json_reply(403, {"message": "Webhook submission limit reached"})
