"""Resend, SendGrid, Mailgun and Postmark: each takes one mail a request, in its own words.

Resend answers a repeated `Idempotency-Key` with the mail that it took, and refuses another mail under it with 409
`invalid_idempotent_request`. SendGrid answers 202 without a body. Mailgun takes a form. Postmark refuses an address on
its list with 422 and `ErrorCode` 406; the others take such a mail, and tell by an event that they dropped it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import orjson

from enrichment_assets.sandbox.exchange import Call, Refusal, Reply, json_reply
from enrichment_assets.sandbox.mail_services import SendingService, needed


class Resend(SendingService):
    """`POST /emails`."""

    name = "resend"
    path = "/emails"

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, tuple[bytes, str]] = {}

    def recipient(self, told: Mapping[str, Any]) -> str:
        """The first of `to`, which is a text or a list."""
        to = told.get("to")
        return str(to[0] if isinstance(to, list) and to else to or "")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 of a second."""
        return _resend(429, "rate_limit_exceeded", "Too many requests.")

    def exhausted(self, call: Call) -> Reply:
        """429 of a day."""
        return _resend(429, "daily_quota_exceeded", "You have reached your daily email sending quota.")

    def unauthorised(self, call: Call) -> Reply:
        """A key that is none."""
        return _resend(403, "invalid_api_key", "API key is invalid")

    def answered(self, call: Call, told: Mapping[str, Any], number: str) -> Reply:
        """The id; of a repeated key that of the first."""
        needed(
            told, ("from", "to", "subject"), lambda name: _resend(422, "missing_required_field", f"Missing `{name}`.")
        )
        key = call.headers.get("idempotency-key", "")
        if key and (known := self.keys.get(key)) is not None:
            if known[0] != call.body:
                raise Refusal(_resend(409, "invalid_idempotent_request", "Another payload was sent under this key."))
            raise Refusal(json_reply(200, {"id": known[1]}))
        if key:
            self.keys[key] = (call.body, number)
        return json_reply(200, {"id": number})


def _resend(status: int, name: str, message: str) -> Reply:
    return json_reply(status, {"statusCode": status, "name": name, "message": message})


class SendGrid(SendingService):
    """`POST /v3/mail/send`."""

    name = "sendgrid"
    path = "/v3/mail/send"

    def recipient(self, told: Mapping[str, Any]) -> str:
        """The first `to` of the first personalisation."""
        try:
            return str(told["personalizations"][0]["to"][0]["email"])
        except (KeyError, IndexError, TypeError):
            return ""

    def answered(self, call: Call, told: Mapping[str, Any], number: str) -> Reply:
        """202, and the id in a header."""
        if not self.recipient(told):
            raise Refusal(_sendgrid("personalizations", "The personalizations field is required."))
        needed(told, ("from", "subject", "content"), lambda name: _sendgrid(name, f"The {name} is required."))
        return Reply(202, b"", content_type="text/plain", headers={"X-Message-Id": number[:22]})


def _sendgrid(field: str, message: str) -> Reply:
    return json_reply(400, {"errors": [{"message": message, "field": field, "help": None}]})


class Mailgun(SendingService):
    """`POST /v3/<domain>/messages`, a form."""

    name = "mailgun"

    def is_path(self, path: str) -> bool:
        """Whether mails of a domain are taken there."""
        return re.fullmatch(r"/v3/[^/]+/messages", path) is not None

    def key(self, call: Call) -> str:
        """The password of `api`."""
        scheme, _, login = call.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(login, validate=True).decode().partition(":")
        except ValueError:
            return ""
        return password if scheme == "Basic" and user == "api" else ""

    def recipient(self, told: Mapping[str, Any]) -> str:
        """Whom it goes to."""
        return str(told.get("to") or "")

    def answered(self, call: Call, told: Mapping[str, Any], number: str) -> Reply:
        """The Message-ID that the mail has: a header of ours, or one of Mailgun's."""
        if not call.headers.get("content-type", "").startswith(("application/x-www-form-urlencoded", "multipart/")):
            raise Refusal(json_reply(400, {"message": "'from' parameter is missing"}))
        needed(
            told, ("from", "to", "text"), lambda name: json_reply(400, {"message": f"'{name}' parameter is missing"})
        )
        domain = call.path.split("/")[2]
        sent_as = told.get("h:Message-Id") or f"<20261129120000.{number[:16]}@{domain}>"
        return json_reply(200, {"id": sent_as, "message": "Queued. Thank you."})


class Postmark(SendingService):
    """`POST /email`."""

    name = "postmark"
    path = "/email"

    def key(self, call: Call) -> str:
        """The server's token."""
        return call.headers.get("x-postmark-server-token", "")

    def unauthorised(self, call: Call) -> Reply:
        """Code 10."""
        return json_reply(401, {"ErrorCode": 10, "Message": "Request does not contain a valid Server token."})

    def recipient(self, told: Mapping[str, Any]) -> str:
        """Whom it goes to."""
        return str(told.get("To") or "")

    def answered(self, call: Call, told: Mapping[str, Any], number: str) -> Reply:
        """The mail's id, or 422 with a code."""
        needed(told, ("From", "To"), lambda name: json_reply(422, {"ErrorCode": 300, "Message": f"Invalid '{name}'."}))
        if self.recipient(told).lower() in self.outbox.listed:
            message = "You tried to send to a recipient that has been marked as inactive."
            raise Refusal(json_reply(422, {"ErrorCode": 406, "Message": message}))
        sent = {"To": told["To"], "SubmittedAt": "2026-11-29T12:00:00.0000000Z", "MessageID": number}
        return Reply(200, orjson.dumps({**sent, "ErrorCode": 0, "Message": "OK"}))
