"""A whole message, byte for byte: of an approved draft, a mailbox, a recipient, and the key of the delivery.

The same input gives the same bytes, in every attempt and on every machine. What the law or mailbox providers ask of
each message (postal address, visible opt-out, one-click unsubscribe by RFC 8058) is in it, or there is no message.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from enrichment_assets.domain.mail.addresses import MailAddress
from enrichment_assets.domain.mail.bodies import Part, html_part, text_part
from enrichment_assets.domain.mail.headers import (
    address_tokens,
    header,
    identifier_tokens,
    text_tokens,
    uri_tokens,
)
from enrichment_assets.domain.mail.refusals import MailRefusedError

LINK = "{link}"
"""Where the address to unsubscribe stands in an opt-out sentence."""

OPT_OUT = 'If you would rather not hear from me again, reply with "no" or click here: {link}'
HERE = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")
"""Where a receiver on this machine is, for trying things out: who sends refuses such a link to anybody else."""

LONGEST_TEXT = 100_000
LONGEST_SUBJECT = 500


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person approved: it goes into the message as it is, and no template is looked for in it."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose mailbox it leaves from.

    Attributes:
        name: As readers see it; may be empty.
        address: The mailbox. Its domain is that of the Message-ID.
        postal_address: Where the client can be written to, on one or several lines.
        opt_out: The sentence that says how to hear no more; `{link}` is where the address stands, else it follows.
        reply_to: Where replies go; None: to the mailbox.
        html: Whether the words are there as HTML, too.
    """

    name: str
    address: MailAddress
    postal_address: str
    opt_out: str = OPT_OUT
    reply_to: MailAddress | None = None
    html: bool = False


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """How the recipient says no.

    Attributes:
        url: `https://...` where a POST unsubscribes (RFC 8058) and a person finds a page.
        mailto: `mailto:...` of programs that do it by mail; None: none is named.
    """

    url: str
    mailto: str | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """The messages before it: the one that it follows, and all of them from the first."""

    in_reply_to: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A message and its envelope.

    Attributes:
        message_id: `<...>`, made of the delivery's key: the same for the same delivery.
        mail_from: Envelope sender.
        rcpt_to: Envelope recipient.
        content: Headers and body; lines end with CRLF, the last one too.
        needs_smtputf8: An address is not ASCII: only a server with SMTPUTF8 can take it.
    """

    message_id: str
    mail_from: str
    rcpt_to: str
    content: bytes
    needs_smtputf8: bool


def message_id(key: str, address: MailAddress) -> str:
    """The Message-ID of a delivery: `<` 32 hexadecimal digits `@` the sender's own domain `>`.

    `key`: of the delivery. It cannot be read out of the identifier.
    """
    return f"<{_digest('message-id', key)[:32]}@{address.domain}>"


def build_message(
    draft: Draft,
    sender: Sender,
    recipient: MailAddress,
    *,
    key: str,
    date: datetime,
    unsubscribe: Unsubscribe,
    recipient_name: str = "",
    thread: Thread | None = None,
) -> Message:
    """The bytes of one message.

    Args:
        draft: What was approved.
        sender: Whose mailbox it leaves from.
        recipient: To whom.
        key: Of the delivery.
        date: When it leaves, with the zone that the Date header shows.
        unsubscribe: How the recipient says no.
        recipient_name: As the header shows it; may be empty.
        thread: What it follows; None: nothing.

    Raises:
        MailRefusedError: A field has a line break, an address or identifier is none, the text is empty, or postal
            address, opt-out or the address to unsubscribe is missing.
    """
    if date.tzinfo is None:
        raise ValueError("a mail's date needs a time zone")
    text = _whole_text(draft, sender, unsubscribe)
    ours = message_id(key, sender.address)
    fields: list[tuple[str, list[str]]] = [
        ("Date", format_datetime(date.replace(microsecond=0)).split(" ")),
        ("From", address_tokens("From", sender.name, sender.address)),
        ("To", address_tokens("To", recipient_name, recipient)),
        ("Subject", _subject(draft.subject)),
        ("Message-ID", identifier_tokens("Message-ID", [ours])),
    ]
    if thread is not None:
        fields.append(("In-Reply-To", identifier_tokens("In-Reply-To", [thread.in_reply_to])))
        fields.append(("References", identifier_tokens("References", thread.references or (thread.in_reply_to,))))
    if sender.reply_to is not None:
        fields.append(("Reply-To", address_tokens("Reply-To", "", sender.reply_to)))
    uris = [unsubscribe.url] if unsubscribe.mailto is None else [unsubscribe.url, unsubscribe.mailto]
    fields += [
        ("List-Unsubscribe", uri_tokens("List-Unsubscribe", uris)),
        ("List-Unsubscribe-Post", ["List-Unsubscribe=One-Click"]),
        ("MIME-Version", ["1.0"]),
    ]
    head = b"".join(header(name, tokens) for name, tokens in fields)
    content = head + _body(text_part(text), html_part(text) if sender.html else None, key)
    utf8 = any(one.needs_smtputf8 for one in (sender.address, recipient, sender.reply_to or recipient))
    return Message(ours, str(sender.address), str(recipient), content, utf8)


def _subject(subject: str) -> list[str]:
    tokens = text_tokens("Subject", subject)
    if not any(tokens):
        raise MailRefusedError("the subject is empty", code="mail.no_subject")
    if len(subject) > LONGEST_SUBJECT:
        raise MailRefusedError(f"the subject has more than {LONGEST_SUBJECT} characters", code="mail.subject_too_long")
    return tokens


def _whole_text(draft: Draft, sender: Sender, unsubscribe: Unsubscribe) -> str:
    """The draft, and below it how to hear no more and where the sender is."""
    if not draft.body.strip():
        raise MailRefusedError("the text is empty", code="mail.no_text")
    if len(draft.body) > LONGEST_TEXT:
        raise MailRefusedError(f"the text has more than {LONGEST_TEXT} characters", code="mail.text_too_long")
    if not sender.postal_address.strip():
        raise MailRefusedError("the mailbox has no postal address", code="mail.no_postal_address")
    if not sender.opt_out.replace(LINK, "").strip():
        raise MailRefusedError("the mailbox has no opt-out sentence", code="mail.no_opt_out")
    if not unsubscribe.url.lower().startswith(("https://", *HERE)):
        raise MailRefusedError("there is no https:// address to unsubscribe at", code="mail.no_unsubscribe")
    said = sender.opt_out.strip()
    opt_out = said.replace(LINK, unsubscribe.url) if LINK in said else f"{said}\n{unsubscribe.url}"
    return f"{draft.body.rstrip()}\n\n{opt_out}\n\n{sender.postal_address.strip()}\n"


def _body(plain: Part, rich: Part | None, key: str) -> bytes:
    if rich is None:
        return _of(plain)
    boundary = _boundary(key, plain.content + rich.content)
    parts = b"".join(f"--{boundary}\r\n".encode() + _of(part) for part in (plain, rich))
    head = header("Content-Type", ["multipart/alternative;", f'boundary="{boundary}"'])
    return head + b"\r\n" + parts + f"--{boundary}--\r\n".encode()


def _of(part: Part) -> bytes:
    return (
        header("Content-Type", [f"{part.media_type};", 'charset="utf-8"'])
        + header("Content-Transfer-Encoding", [part.encoding])
        + b"\r\n"
        + part.content
    )


def _boundary(key: str, content: bytes) -> str:
    """A line that stands nowhere in the parts, made of the key: the same in every attempt."""
    number = 0
    while (boundary := _digest(f"boundary {number}", key)[:40]).encode() in content:
        number += 1
    return boundary


def _digest(purpose: str, key: str) -> str:
    return hashlib.sha256(f"{purpose}\n{key}".encode()).hexdigest()
