"""Reports that servers send: what became of a message (RFC 3464), who called it spam (RFC 5965), and what it was.

What they have in common is read here: blocks of fields, and the message that they are about. OpenSMTPD's reports are
`multipart/mixed` and have the parts all the same, so that the parts count and not the container.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from enrichment_assets.domain.mail.mime import addresses_of, content_of, ids_of, parts_of, plain_address

STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
FEEDBACK_TYPE = "message/feedback-report"
RECEIPT_TYPES = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
_RETURNED_TYPES = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers"}
)
_MOST_BLOCKS = 200
_HEX = re.compile(r"\+([0-9A-F]{2})")
_RETURNED_ID = re.compile(r"^[> \t]*Message-ID:\s*<\s*([^<>\s]{3,998})\s*>", re.IGNORECASE | re.MULTILINE)
_FIELDS = frozenset({"final-recipient", "original-recipient", "action", "status"})


@dataclass(frozen=True, slots=True)
class Returned:
    """The message that a report is about, as far as it came back.

    Attributes:
        message_id: Its Message-ID without brackets; None where it is not there.
        recipients: Addresses that it was to.
    """

    message_id: str | None = None
    recipients: tuple[str, ...] = ()


def returned_message(message: Message) -> Returned:
    """What a report says of the message that it is about: of the part that has it, else of its text."""
    for part in parts_of(message):
        if part.get_content_type() in _RETURNED_TYPES:
            original = _original(part)
            ids = ids_of(original, "Message-ID")
            if ids or original.get("To"):
                return Returned(ids[0] if ids else None, addresses_of(original, "To", "X-Original-To"))
    for part in parts_of(message):
        if part.get_content_maintype() == "text" and (found := _RETURNED_ID.search(content_of(part))):
            return Returned(found.group(1))
    return Returned()


def _original(part: Message) -> Message:
    """The message in a part; `text/rfc822-headers` is text for Python's parser."""
    payload = part.get_payload()
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        inner = payload[0]
        return inner if inner.keys() else HeaderParser().parsestr(_decoded_text(part, str(inner.get_payload())))
    return HeaderParser().parsestr(content_of(part))


def fields_of(message: Message, types: frozenset[str]) -> list[Message]:
    """The blocks of fields in parts of these types: of a delivery status the first is the message's, then one each."""
    found: list[Message] = []
    for part in parts_of(message):
        if part.get_content_type() in types:
            found.extend(_blocks(part))
    return found[:_MOST_BLOCKS]


def _blocks(part: Message) -> Iterator[Message]:
    """Python's parser makes blocks of `message/delivery-status` alone, and decodes none."""
    payload = part.get_payload()
    blocks = [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []
    if any(name.lower() in _FIELDS for block in blocks for name, _ in block.items()):
        yield from blocks
        return
    text = "\n\n".join(_as_text(block) for block in blocks) if blocks else content_of(part)
    for block in re.split(r"\r?\n[ \t]*\r?\n", _decoded_text(part, text).strip()):
        yield HeaderParser().parsestr(block.strip())


def _as_text(block: Message) -> str:
    fields = "".join(f"{name}: {value}\n" for name, value in block.items())
    inner = block.get_payload()
    return f"{fields}\n{inner if isinstance(inner, str) else ''}"


def _decoded_text(part: Message, text: str) -> str:
    """A part in base64, which no `message/*` part may be (RFC 2046, 5.2) and some are."""
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() != "base64":
        return text
    try:
        return b64decode("".join(text.split()), validate=True).decode("utf-8", errors="replace")
    except (binascii.Error, ValueError):
        return text


def typed_value(block: Message, name: str) -> str:
    """A field's value without its type (`rfc822; jane@acme.example`, `smtp; 550 ...`), on one line; empty: none."""
    value = " ".join(str(block.get(name) or "").split())
    kind, found, rest = value.partition(";")
    return rest.strip() if found and re.fullmatch(r"[A-Za-z0-9-]{1,20}", kind.strip()) else value


def address_in(block: Message, *names: str) -> str | None:
    """The first of these fields that has an address; `Original-Recipient` may write letters as `+2B` (RFC 3461, 4)."""
    for name in names:
        value = typed_value(block, name)
        if name.lower() == "original-recipient":
            value = _HEX.sub(lambda found: chr(int(found.group(1), 16)), value)
        if address := plain_address(value):
            return address
    return None
