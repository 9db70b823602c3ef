"""A message that came in, read without trust: bounded, and whatever is broken in it is read around, never raised.

Python's `email` package with its `compat32` policy does the parsing: it raises least of all.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.utils import getaddresses, parsedate_to_datetime

from enrichment_assets.domain.charsets import allowed_charset
from enrichment_assets.domain.emails import normalise_email

LARGEST = 10_000_000
"""Bytes of a message that are read; what stands behind is attachments."""

MOST_PARTS = 200
MOST_CONTAINERS = 40
"""Multiparts and attached messages in a message. A hostile one has thousands, each inside the other."""

LONGEST_HEADER = 100_000
MOST_IDS = 100
"""Message-IDs of one header: a thread's `References` may be long."""

_MOST_BRACKETS, _MOST_ADDRESSES = 50, 1_000

_ID = re.compile(r"<\s*([^<>\s]{3,998})\s*>")
_ADDRESS = re.compile(r"[^\s@<>\"(),;:]{1,64}@[^\s@<>\"(),;:]{1,253}")
_BLANKS = re.compile(r"\s+")
_CONTAINER = re.compile(rb"^content-type:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)


def read_message(raw: bytes) -> Message:
    """Parse a message. One nested beyond reason has its headers alone, and no body."""
    raw = raw[:LARGEST]
    if len(_CONTAINER.findall(raw)) <= MOST_CONTAINERS:
        return BytesParser(policy=policy.compat32).parsebytes(raw)
    return BytesHeaderParser(policy=policy.compat32).parsebytes(raw.split(b"\n\n", 1)[0])


def text_of(message: Message, name: str) -> str:
    """A header as people read it, on one line, encoded words decoded where they can be; empty: there is none."""
    return _BLANKS.sub(" ", "".join(_words(raw_of(message, name)))).strip()


def raw_of(message: Message, name: str) -> str:
    """A header as it stands, the first of that name; empty where there is none."""
    return next(_values(message, name), "")


def _values(message: Message, name: str) -> Iterator[str]:
    """Headers of a name as they stand; letters that are no ASCII are read as UTF-8, or as Windows writes them."""
    for key, value in message.raw_items():
        if key.lower() == name.lower():
            yield _decoded(str(value)[:LONGEST_HEADER].encode("utf-8", errors="surrogateescape"), None)


def _words(text: str) -> Iterator[str]:
    try:
        found = decode_header(text)
    except (HeaderParseError, binascii.Error, ValueError):
        yield text
        return
    for word, charset in found:
        yield word if isinstance(word, str) else _decoded(word, charset)


def ids_of(message: Message, *names: str) -> tuple[str, ...]:
    """Message-IDs in headers, without brackets, each once: those of the first name first, of each the last first.

    `References` names the oldest message first, so that the last is the nearest.
    """
    found: dict[str, None] = {}
    for name in names:
        for one in reversed(_ID.findall(raw_of(message, name))[-MOST_IDS:]):
            found.setdefault(one, None)
    return tuple(found)


def addresses_of(message: Message, *names: str) -> tuple[str, ...]:
    """Addresses in headers in their normal form, each once; what is none is left out."""
    found = (one for name in names for value in _values(message, name) for one in _addresses(value))
    return tuple(dict.fromkeys(address for one in found if (address := plain_address(one))))


def _addresses(header: str) -> list[str]:
    """The addresses of a header. Python's reader of lists of addresses goes into each bracket, and so has its depth."""
    if header.count("(") > _MOST_BRACKETS or header.count(",") > _MOST_ADDRESSES:
        return re.findall(r"<([^<>]{3,400})>", header)[:_MOST_ADDRESSES]
    return [address for _, address in getaddresses([header])]


def sent_at(message: Message) -> datetime | None:
    """What its Date says, in UTC; None where that is no time."""
    try:
        found = parsedate_to_datetime(raw_of(message, "Date"))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def has_no_sender(message: Message) -> bool:
    """Its envelope had no sender (`Return-Path: <>`): nobody is to answer it."""
    return next((path.strip() in {"<>", ""} for path in _values(message, "Return-Path")), False)


def parts_of(message: Message) -> Iterator[Message]:
    """The parts that are no container, in their order. What is inside an attached message is none of them."""
    waiting = [message]
    for _ in range(MOST_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting.extend(one for one in reversed(payload) if isinstance(one, Message))
        else:
            yield part


def content_of(part: Message) -> str:
    """The text of a part; empty where it has none."""
    try:
        payload = part.get_payload(decode=True)
    except (AssertionError, ValueError, LookupError):
        return ""
    return _decoded(payload, part.get_content_charset()) if isinstance(payload, bytes) else ""


def plain_address(text: str) -> str | None:
    """An address in its normal form, also one that no person has (`mailer-daemon@`). None: it is none."""
    bare = text.strip().strip("<>").strip()
    if known := normalise_email(bare):
        return known
    return bare.lower() if _ADDRESS.fullmatch(bare) else None


def _decoded(content: bytes, charset: str | None) -> str:
    """Bytes as text: by the charset that is named where it may be used, else as UTF-8, else as Windows does."""
    known = allowed_charset(charset) if charset else None
    for name in (known, "utf-8"):
        if name:
            try:
                return content.decode(name)
            except (UnicodeDecodeError, ValueError):
                continue
    return content.decode("cp1252", errors="replace")
