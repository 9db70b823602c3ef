"""What a server's report says of each recipient: of its blocks of fields, or of its words where it has none.

RFC 3464 reports are read here. Reports of servers that write words alone (qmail, old Exchange, Yahoo and dozens more)
are read by `flufl.bounce`, Mailman's collection, which says of whom they are and not why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from itertools import takewhile

from enrichment_assets.domain.mail.bounce_reasons import BounceKind, judge_refusal
from enrichment_assets.domain.mail.mime import content_of, has_no_sender, parts_of, plain_address, raw_of
from enrichment_assets.domain.mail.reports import STATUS_TYPES, address_in, fields_of, typed_value

_DAEMONS = re.compile(
    r"^(?:mailer-?daemon|postmaster|mail-?daemon|mailerdaemon|microsoftexchange[0-9a-f]{32}|mdaemon|bounces?)@",
    re.IGNORECASE,
)
_FAILED = ("fail", "error")
"""`Action: failed`; some write `error` or a comment behind it."""

_GIVEN_UP = "envelope expired"
"""OpenSMTPD gives up with `Action: delayed`, status 4.4.7 and these words; its own text says that it is a delay."""

LONGEST_REASON = 500
_LINES = 8
"""Lines of a report's text that may speak of one recipient."""

_MOST_WORDS = 60_000


@dataclass(frozen=True, slots=True)
class Bounce:
    """What became of a message for one recipient.

    Attributes:
        recipient: The address as the message was sent to it, as far as the report says.
        kind: What it means for the address.
        status: The status code that counted; None: none says anything.
        reason: The words of the server that refused.
    """

    recipient: str
    kind: BounceKind
    status: str | None = None
    reason: str = ""


def bounces_in(message: Message) -> tuple[Bounce, ...]:
    """What a report says, one entry a recipient; empty where the message is no report, or one of success."""
    blocks = fields_of(message, STATUS_TYPES)
    if blocks:
        text = _words(message)
        found = [bounce for block in blocks if (bounce := _of_block(block, text))]
    else:
        found = list(_of_words(message)) if is_from_a_server(message) else []
    return tuple({bounce.recipient: bounce for bounce in reversed(found)}.values())[::-1]


def is_report(message: Message) -> bool:
    """Whether it has the parts of a delivery report, of whatever it reports."""
    return any(part.get_content_type() in STATUS_TYPES for part in parts_of(message))


def is_from_a_server(message: Message) -> bool:
    """Whether its sender is a mail server: it has none in its envelope, or a server's name."""
    return has_no_sender(message) or bool(_DAEMONS.match(plain_sender(message)))


def plain_sender(message: Message) -> str:
    """The address in its From; empty where there is none."""
    header = raw_of(message, "From")
    found = re.search(r"<([^<>]*)>", header)
    return plain_address(found.group(1) if found else header) or ""


def _of_block(block: Message, text: str) -> Bounce | None:
    recipient = address_in(block, "Original-Recipient", "Final-Recipient", "X-Actual-Recipient")
    action = str(block.get("Action") or "").strip().lower()
    if recipient is None or not action.startswith((*_FAILED, "delayed")):
        return None
    final = address_in(block, "Final-Recipient") or recipient
    said = typed_value(block, "Diagnostic-Code") or _said_of(text, final) or _said_of(text, recipient)
    status = " ".join(str(block.get("Status") or "").split())
    if action.startswith("delayed") and _GIVEN_UP not in said.lower():
        return Bounce(recipient, BounceKind.DELAYED, status or None, said[:LONGEST_REASON])
    refusal = judge_refusal(status, said)
    return Bounce(recipient, refusal.kind, refusal.status, said[:LONGEST_REASON])


def _words(message: Message) -> str:
    """The first text of a report, which is written for people."""
    texts = (content_of(part) for part in parts_of(message) if part.get_content_type() == "text/plain")
    return next((text for text in texts if text.strip()), "")[:_MOST_WORDS]


def _said_of(text: str, address: str) -> str:
    """What a report's text says of a recipient.

    Exim: the address on a line, what happened on the lines below that are indented more. OpenSMTPD and Postfix:
    `address: what happened`, `<address>: what happened`; qmail: the same, with what happened on the next line.
    """
    lines = text.splitlines()
    for number, line in enumerate(lines):
        bare = line.strip()
        if not re.match(rf"<?{re.escape(address)}>?(?::|,|$|\s)", bare, re.IGNORECASE):
            continue
        indent = len(line) - len(line.lstrip())
        said = [re.sub(rf"^<?{re.escape(address)}>?:?", "", bare, flags=re.IGNORECASE)]
        for below in lines[number + 1 : number + 1 + _LINES]:
            if not below.strip() or len(below) - len(below.lstrip()) <= indent:
                break
            said.append(below.strip())
        if found := " ".join(said).strip():
            return found
        if bare.endswith(":"):
            return _until_blank(lines[number + 1 :])
    return ""


def _until_blank(lines: list[str]) -> str:
    """The lines up to the next empty one, on one line."""
    return " ".join(" ".join(takewhile(str.strip, lines[:_LINES])).split())


def _of_words(message: Message) -> Iterator[Bounce]:
    """A report without fields: whom it is about by `flufl.bounce`, why by what stands near the address."""
    from flufl.bounce import all_failures

    delayed, failed = all_failures(message)
    text = _words(message)
    for kind, addresses in ((BounceKind.DELAYED, delayed - failed), (None, failed)):
        for address in sorted(address for found in addresses if (address := plain_address(found.decode()))):
            said = _said_of(text, address) or _around(text, address)
            refusal = judge_refusal("", said)
            yield Bounce(address, kind or refusal.kind, refusal.status, said[:LONGEST_REASON])


def _around(text: str, address: str) -> str:
    """The lines from an address on to the next empty one; of a text that has none, its beginning."""
    return _until_blank(text[max(text.lower().find(address), 0) :].splitlines())
