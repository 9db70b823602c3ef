"""Messages of the simulated Gmail: what is read of their bytes, and how the API shows them."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses
from typing import Any

_ID = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")
_ANSWERS = re.compile(r"^(?:(?:re|aw|fwd?|wg)\s*:\s*)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What counts of a message."""

    message_id: str
    original_id: str
    references: frozenset[str]
    subject: str
    recipients: tuple[str, ...]
    message: Message


@dataclass(slots=True)
class Stored:
    """A message of a mailbox."""

    id: str
    thread: str
    labels: tuple[str, ...]
    parsed: Parsed
    history: int
    internal_date: int
    raw: bytes

    @property
    def message_id(self) -> str:
        """Its Message-ID as Gmail keeps it."""
        return self.parsed.message_id

    @property
    def subject(self) -> str:
        """Its subject."""
        return self.parsed.subject


def parsed(raw: bytes, *, rewrites: bool) -> Parsed:
    """A message by its bytes. A Message-ID that is none is replaced by one of Gmail's; `rewrites`: any is."""
    message = BytesParser(policy=compat32).parsebytes(raw)
    given = str(message.get("Message-ID", "")).strip()
    digest = base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).decode()[:40]
    kept = given if _ID.fullmatch(given) and not rewrites else f"<CA+{digest}@mail.gmail.com>"
    related = f"{message.get('References', '')} {message.get('In-Reply-To', '')}"
    to = getaddresses([str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])])
    addresses = tuple(address for _, address in to if "@" in address)
    references = frozenset(re.findall(r"<[^<>]+>", related))
    return Parsed(kept, given, references, str(message.get("Subject", "")), addresses, message)


def same_subject(one: str, other: str) -> bool:
    """Whether two subjects are of one conversation."""
    return _ANSWERS.sub("", one.strip()).strip() == _ANSWERS.sub("", other.strip()).strip()


def shown(stored: Stored, format_: str, wanted: str | None) -> dict[str, Any]:
    """A message as the API answers it: `minimal`, `metadata` (headers), `raw`, or `full` (headers and parts)."""
    told: dict[str, Any] = {
        "id": stored.id,
        "threadId": stored.thread,
        "labelIds": list(stored.labels),
        "historyId": str(stored.history),
        "internalDate": str(stored.internal_date),
        "sizeEstimate": len(stored.raw),
    }
    if format_ == "raw":
        return {**told, "raw": base64.urlsafe_b64encode(_as_kept(stored)).decode()}
    if format_ == "minimal":
        return told
    headers = [{"name": name, "value": value} for name, value in _headers(stored)]
    if format_ == "metadata" and wanted:
        headers = [one for one in headers if one["name"].lower() == wanted.lower()]
    payload = {"mimeType": stored.parsed.message.get_content_type(), "headers": headers}
    body = {"body": {"size": 0}} if stored.parsed.message.is_multipart() else {"body": {"size": len(stored.raw)}}
    return {**told, "payload": {**payload, **(body if format_ == "full" else {})}}


def _headers(stored: Stored) -> list[tuple[str, str]]:
    kept = [(name, str(value)) for name, value in stored.parsed.message.items() if name.lower() != "message-id"]
    ids = [("Message-ID", stored.message_id)]
    if stored.parsed.original_id not in ("", stored.message_id):
        ids.append(("X-Google-Original-Message-ID", stored.parsed.original_id))
    return [*ids, *kept]


def _as_kept(stored: Stored) -> bytes:
    """The bytes with the Message-ID that Gmail keeps."""
    if stored.parsed.original_id == stored.message_id:
        return stored.raw
    head, blank, body = stored.raw.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"message-id:")]
    return b"\r\n".join([f"Message-ID: {stored.message_id}".encode(), *lines]) + blank + body
