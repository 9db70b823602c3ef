"""What a message that came in is: an answer, a machine's answer, a bounce, a complaint; of its bytes alone.

Example: a Postfix report on `jane@acme.example` with status 5.1.1 is a bounce, hard, about the Message-ID that came
back with it. Which delivery that was is looked up by the service; nothing here knows what was sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email.message import Message
from enum import StrEnum

from enrichment_assets.domain.mail.auto_replies import auto_signs, back_on
from enrichment_assets.domain.mail.bounces import Bounce, bounces_in, is_report, plain_sender
from enrichment_assets.domain.mail.mime import addresses_of, ids_of, parts_of, read_message, sent_at, text_of
from enrichment_assets.domain.mail.reports import (
    FEEDBACK_TYPE,
    RECEIPT_TYPES,
    STATUS_TYPES,
    Returned,
    address_in,
    fields_of,
    returned_message,
    typed_value,
)
from enrichment_assets.domain.mail.stop_wishes import stop_wish
from enrichment_assets.domain.mail.written import written_in


class InboundKind(StrEnum):
    """What a message is; stored in `inbound_mail`."""

    ANSWER = "answer"
    """A person wrote it. To a mail of ours or not: that is looked up."""
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    """A server's report on a message that did not arrive, or not yet."""
    COMPLAINT = "complaint"
    """A provider's report that somebody called a message spam (RFC 5965)."""
    RECEIPT = "receipt"
    """It was delivered, or opened: a report of success (RFC 3464, RFC 8098)."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """What a message says.

    Attributes:
        kind: What it is.
        message_id: Its own Message-ID without brackets; None where it has none.
        sender: The address in its From; empty where there is none.
        to: Addresses that it was to, in its headers.
        subject: On one line.
        at: What its Date says, in UTC; None where that is no time.
        about: Message-IDs that it may be about, the likeliest first: of an answer what it answers, of a report the
            message that came back with it.
        envelope_id: What we called the message in its envelope (RFC 3461), where a report repeats it.
        bounces: Of a bounce: what became of it, for each recipient.
        complainer: Of a complaint: who complained, where the provider says so. Many do not.
        text: What its author wrote, without what is quoted.
        signs: By what it is known to be automatic.
        back: Of an auto-reply: the first day on which its author is back.
        stop: Of an answer: the words by which it asks to be left alone.
    """

    kind: InboundKind
    message_id: str | None
    sender: str
    to: tuple[str, ...]
    subject: str
    at: datetime | None
    about: tuple[str, ...]
    envelope_id: str | None = None
    bounces: tuple[Bounce, ...] = ()
    complainer: str | None = None
    text: str = ""
    signs: tuple[str, ...] = ()
    back: date | None = None
    stop: str | None = None


def judge(raw: bytes, received: datetime | None = None) -> Inbound:
    """What a message is. Never raises, whatever the bytes.

    Args:
        raw: The message as it came.
        received: When it came: a day without a year is the next after it. Without: what its Date says, or now.
    """
    message = read_message(raw)
    kind, bounces = _report(message)
    if kind is not None:
        return _of_report(message, kind, bounces)
    return _of_answer(message, received)


def _report(message: Message) -> tuple[InboundKind | None, tuple[Bounce, ...]]:
    """Which report it is, None where it is none, and what became of its recipients."""
    types = {part.get_content_type() for part in parts_of(message)}
    if FEEDBACK_TYPE in types:
        return InboundKind.COMPLAINT, ()
    if types & RECEIPT_TYPES:
        return InboundKind.RECEIPT, ()
    if bounces := bounces_in(message):
        return InboundKind.BOUNCE, bounces
    return (InboundKind.RECEIPT if is_report(message) else None), ()


def _of_report(message: Message, kind: InboundKind, bounces: tuple[Bounce, ...]) -> Inbound:
    returned = returned_message(message)
    about = [returned.message_id] if returned.message_id else []
    for block in fields_of(message, RECEIPT_TYPES):
        about += [one for one in ids_of(block, "Original-Message-ID") if one not in about]
    envelope = (typed_value(block, "Original-Envelope-Id") for block in fields_of(message, STATUS_TYPES))
    return replace(
        _plain(message, kind),
        about=tuple(about) or ids_of(message, "In-Reply-To", "References"),
        envelope_id=next((one for one in envelope if one), None),
        bounces=bounces,
        complainer=_complainer(message, returned) if kind is InboundKind.COMPLAINT else None,
    )


def _complainer(message: Message, returned: Returned) -> str | None:
    """Who called it spam: as the report says, else whom the one recipient of the message was."""
    for block in fields_of(message, frozenset({FEEDBACK_TYPE})):
        if address := address_in(block, "Original-Rcpt-To", "Removal-Recipient"):
            return address
    return returned.recipients[0] if len(returned.recipients) == 1 else None


def _of_answer(message: Message, received: datetime | None) -> Inbound:
    written = written_in(message)
    found = replace(_plain(message, InboundKind.ANSWER), text=written)
    if signs := auto_signs(message, written):
        today = (received or found.at or datetime.now(UTC)).date()
        back = back_on(f"{written}\n{found.subject}", today)
        return replace(found, kind=InboundKind.AUTO_REPLY, signs=signs, back=back)
    return replace(found, stop=stop_wish(written, found.subject))


def _plain(message: Message, kind: InboundKind) -> Inbound:
    """What every message has."""
    ids = ids_of(message, "Message-ID")
    return Inbound(
        kind=kind,
        message_id=ids[0] if ids else None,
        sender=plain_sender(message),
        to=addresses_of(message, "To", "Cc", "Delivered-To", "X-Original-To"),
        subject=text_of(message, "Subject"),
        at=sent_at(message),
        about=ids_of(message, "In-Reply-To", "References"),
    )
