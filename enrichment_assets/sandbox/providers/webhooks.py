"""A client's server that the platform tells of things: Standard Webhooks, verified, with the faults of receivers.

`POST /webhooks/<name>` takes a message that is signed with the setting `webhook_secret`, else it is a 401; a message
that comes again (the same `webhook-id`) is taken and counted as a double. `GET /webhooks/<name>` lists what was taken.
Faults are the server's: slow (`latency`), a status (`errors` with `error_status`, a 3xx with a place to go to), cut
(`resets`), silent (`timeouts`), over the rate (`rate_limited`, `limits`).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import orjson

from enrichment_assets.domain.signatures import SignatureScheme, is_authentic
from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path

KEPT_MESSAGES = 10_000


class WebhookReceiver(SimulatedProvider):
    """Everything below `/webhooks/...`."""

    name = "webhooks"
    needs_key = False

    def __init__(self) -> None:
        self._taken: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._ids: dict[str, set[str]] = defaultdict(set)

    def question(self, call: Call) -> Question:
        """A message, or what was taken."""
        name = call.path.strip("/")
        if not name or "/" in name or call.method not in ("GET", "POST"):
            raise no_such_path(call)
        if call.method == "GET":
            return Question("list", name, lambda: json_reply(200, {"messages": self._taken[name]}))
        message_id = call.headers.get("webhook-id", "")
        return Question("message", message_id, lambda: self._take(name, call))

    def server_error(self, call: Call, status: int) -> Reply:
        """The status that was asked for; of a redirect, with the place that it leads to."""
        headers = {"location": "/webhooks/moved"} if 300 <= status < 400 else {}
        return json_reply(status, {"error": "not now"}, headers=headers)

    def _take(self, name: str, call: Call) -> Reply:
        headers = {key.lower(): value for key, value in call.headers.items()}
        now = datetime.now(UTC)
        secret = call.settings.webhook_secret
        if not is_authentic(SignatureScheme.STANDARD_WEBHOOKS, secret, headers, call.body, now):
            raise Refusal(json_reply(401, {"error": "the signature does not fit"}))
        message_id = headers["webhook-id"]
        taken = {
            "id": message_id,
            "is_double": message_id in self._ids[name],
            "signatures": len(headers["webhook-signature"].split()),
            "body": orjson.loads(call.body),
        }
        self._ids[name].add(message_id)
        if len(self._taken[name]) < KEPT_MESSAGES:
            self._taken[name].append(taken)
        return json_reply(200, {"taken": True})
