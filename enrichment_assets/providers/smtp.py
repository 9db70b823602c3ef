"""Mail from a client's own mailboxes, by a server for submission (docs/mail.md).

The address, the login and the message are those of the mailbox whose turn it is (`engine.mail`); what a workflow says
in its request is whom it goes to, and the words. Here stands what the server's replies mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from enrichment_assets.domain.http_answers import MAX_RETRY_AFTER
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Verdict
from enrichment_assets.domain.statuses import ErrorClass

GREYLISTED = 900.0
"""Seconds until a 4xx is tried again: greylisting takes 5 to 15 minutes (RFC 6647, 5)."""

MAILBOX_RESTS = 3_600.0
"""Seconds until a mail is tried again whose mailbox was refused; the mailbox is paused meanwhile."""

OF_THE_MAILBOX = ("connect", "AUTH", "MAIL")
"""Commands at which a server that says no means whoever sends, and nobody to whom it is sent."""

_SECONDS = re.compile(r"\b([1-9][0-9]{0,4}) ?(?:s|sec|seconds?)\b")
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}\b")


class Smtp(Provider):
    """A server for submission; the one of the mailbox."""

    name = "smtp"
    title = "Mail by SMTP"
    own_address = True
    contacts = True
    mailboxes = "smtp"
    billing = "nothing"
    documentation = "https://www.rfc-editor.org/rfc/rfc5321"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Nothing to add: the mailbox brings its server and its login."""
        return request

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """2xx: the server has it. 4xx: again later. 5xx: never to this recipient, or never from this mailbox."""
        if 200 <= answer.status < 300:
            return Verdict()
        command, said = _read(answer)
        words = described(answer.status, command, said)
        if answer.status < 500:
            return Verdict(ErrorClass.RETRYABLE, message=words, retry_after=_wait(said))
        if command in OF_THE_MAILBOX:
            return Verdict(ErrorClass.RETRYABLE, message=words, retry_after=MAILBOX_RESTS)
        return Verdict(ErrorClass.INVALID_INPUT, message=words)


def described(code: int, command: str, said: str) -> str:
    """`SMTP 550 5.1.1 at RCPT`, for people; nothing else of what a server says, which may quote an address."""
    found = _ENHANCED.search(said)
    return f"SMTP {code}{f' {found.group()}' if found else ''} at {command or 'the message'}"


def _wait(said: str) -> float:
    found = _SECONDS.search(said.lower())
    return min(float(found.group(1)), MAX_RETRY_AFTER) if found else GREYLISTED


def _read(answer: Answer) -> tuple[str, str]:
    try:
        body = parse_json(answer.body, [])
    except ValueError:
        return "", ""
    if not isinstance(body, Mapping):
        return "", ""
    return str(body.get("command") or ""), str(body.get("message") or "")
