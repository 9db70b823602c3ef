"""E-mail addresses: one normal form, the placeholders that are none, and the addresses of a cell that has several."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import unquote

from email_validator import EmailNotValidError, validate_email

from enrichment_assets.domain.domains import host_of
from enrichment_assets.domain.no_value import INVISIBLE, is_no_value

_PLACEHOLDER_LOCAL = re.compile(r"^(?:email[_.-]?)?not[_.-]?unlocked\d*$")
_NOBODYS_LOCAL = re.compile(
    r"(?:no|without|missing|unknown|dont|do[._-]?not|ohne|keine?|sin|sans|pas[._-]?de|senza|sem)[._-]?(?:an[._-]?)?"
    r"(?:e?-?mail|reply|respon[ds]\w*|contact|correo|address|adresse)(?:[._-]?(?:address|adresse|provided|given|available))?"
    r"|(?:e?-?mail|address)?[._-]?(?:not|none)[._-]?(?:provided|given|available|known|disclosed)|unknown|noaddress"
)
"""Local parts of addresses that were made up to fill a field, or that nobody reads."""

_MAX_CHARS = 1000
_AT_MOST = 5
"""Addresses that are taken out of one cell."""

_MAX_LOCAL, _MAX_ADDRESS = 64, 254
"""Octets before the @, and of the whole address (RFC 5321, 4.5.3.1)."""

_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9_+-]|\.(?=[a-z0-9_+-])){0,62}@[a-z0-9](?:[a-z0-9-]|\.(?=[a-z0-9])){2,180}")
"""Most addresses: no library need look at them."""

_ADORNED = re.compile(r"[^<>]*<\s*([^<>]+?)\s*>[^<>]*")
_MAILTO = re.compile(r"^\s*(?:mailto|e-?mail|mail)\s*:\s*", re.IGNORECASE)
_MASKED = re.compile(r"[*•●…]|\.{3}")
"""What a page shows instead of letters (`j***@acme.com`)."""

_LINKED = re.compile(r"#mailto:[^#]*#?|\?(?:subject|cc|bcc|body)=.*", re.IGNORECASE | re.DOTALL)
"""What stands behind an address in Access's links, and in links to write a mail."""

_PARTED = re.compile(r"([\w.+-]+)[ \u00a0]([\w.+-]+)@\S+")
_LABELS = frozenset(
    """
    email e-mail mail work home private privat personal business office at is to or and und oder et y o e new old
    """.split()  # noqa: SIM905
)
"""Single words before an address that are no part of it."""

_SPACED_AT = re.compile(r"\s*@\s*")
_STARTS = " \t\r\n'\"`´‘’“”«»()[]{}<>|/\\:;,"
_ENDS = _STARTS + ".!?"
_SEVERAL = re.compile(r"[;,|\s<>()\[\]\"]+|/(?=[^/]*@)|&")
_TYPED = """
test@test.com test@test.de test@test.fr test@test.co.uk test@test.org test@test.net test@email.com test@mail.com
test@gmail.com test@example.com email@email.com email@example.com mail@mail.com name@email.com name@company.com
name@domain.com your@email.com youremail@email.com your.email@example.com yourname@company.com user@example.com
user@domain.com someone@example.com someone@somewhere.com a@a.com a@b.com a@b.c aa@aa.com aaa@aaa.com
abc@abc.com abc@123.com asd@asd.com asdf@asdf.com qwe@qwe.com xxx@xxx.com x@x.com none@none.com no@no.com
no@email.com na@na.com n/a@n/a.com noemail@noemail.com noemail@email.com none@email.com nomail@nomail.com
null@null.com unknown@unknown.com example@example.com sample@sample.com foo@bar.com email@domain.com
email@company.com info@example.com noone@nowhere.com nobody@nowhere.com fake@fake.com fake@email.com
"""
_TYPED_TO_PASS = frozenset(_TYPED.split())
"""Addresses that people type to get past a form; nobody reads them, or somebody who has nothing to do with it."""


class EmailFault(StrEnum):
    """Why a text gives no address."""

    PLACEHOLDER = "placeholder"
    NOT_AN_ADDRESS = "not_an_address"
    UNKNOWN_SUFFIX = "unknown_suffix"


@dataclass(frozen=True, slots=True)
class EmailReading:
    """The addresses of a text in its order, at most five; none: why."""

    addresses: tuple[str, ...]
    fault: EmailFault | None


def is_placeholder_email(text: str) -> bool:
    """True for the one address that Apollo gives every person whose e-mail was not revealed, and for typed dummies.

    Seen as `email_not_unlocked@domain.com`; the domain is not relied on. Deduplicating by it merges strangers.
    `test@test.com`, `noemail@acme.com` and `no-reply@acme.com` are as little somebody's address.
    """
    address = text.strip().casefold()
    if address in _TYPED_TO_PASS:
        return True
    local, at, _ = address.partition("@")
    if not at:
        return False
    return _PLACEHOLDER_LOCAL.match(local) is not None or _NOBODYS_LOCAL.fullmatch(local) is not None


def normalise_email(text: str | None) -> str | None:
    """The first address of a text, or None; see `read_emails`."""
    reading = read_emails(text)
    return reading.addresses[0] if reading.addresses else None


def read_emails(text: str | None) -> EmailReading:
    """Every address of a text, in lower case with its domain in ASCII (punycode). Never raises.

    Takes `Mailto:`, `Name <address>`, characters without a width, full-width signs and blanks around the @ off; what
    stands in the same cell beside an address (`a@x.com; b@x.com`, `zoe@x.com (work)`) is no part of it. The local part
    is lower-cased too: no provider in use tells `Jo` from `jo`, and comparing them as different would pay twice. Syntax
    only, no DNS, but the top-level domain has to exist. Nothing is guessed: `name at domain dot com` is no address.
    """
    if not text or not text.strip():
        return EmailReading((), EmailFault.PLACEHOLDER)
    if len(text) > _MAX_CHARS:
        return EmailReading((), EmailFault.NOT_AN_ADDRESS)
    plain = text.lower() if text.isascii() else text
    if _PLAIN.fullmatch(plain) and len(plain) <= _MAX_ADDRESS:
        return _reading([plain], text)
    return _read(text)


@lru_cache(maxsize=16_384)
def _read(text: str) -> EmailReading:
    cleaned = INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()
    if "%40" in cleaned and "@" not in cleaned:
        cleaned = unquote(cleaned)
    if "@" not in cleaned:
        return EmailReading((), EmailFault.PLACEHOLDER if is_no_value(text) else EmailFault.NOT_AN_ADDRESS)
    cleaned = "".join(" " if unicodedata.category(sign) in {"So", "Sk"} else sign for sign in cleaned).strip()
    cleaned = _LINKED.sub("", cleaned)
    if _is_parted(cleaned):
        return EmailReading((), EmailFault.NOT_AN_ADDRESS)
    whole = _MAILTO.sub("", cleaned).strip()
    whole = whole.partition("?")[0] if cleaned.lower().startswith("mailto:") else whole
    if (adorned := _ADORNED.fullmatch(whole)) and "@" in adorned.group(1):
        whole = _MAILTO.sub("", adorned.group(1))
    if (one := _valid(_SPACED_AT.sub("@", whole))) is not None:
        return _reading([one], text)
    pieces = [_valid(_MAILTO.sub("", piece)) for piece in _SEVERAL.split(_SPACED_AT.sub("@", cleaned)) if "@" in piece]
    return _reading([piece for piece in pieces if piece is not None], text)


def _reading(addresses: list[str], text: str) -> EmailReading:
    """The reading of valid addresses, without those that are nobody's."""
    fault = EmailFault.NOT_AN_ADDRESS
    if len(addresses) == 1 and not is_placeholder_email(addresses[0]) and _has_suffix(addresses[0].rpartition("@")[2]):
        return EmailReading((addresses[0],), None)
    kept = []
    for address in addresses:
        if is_placeholder_email(address):
            fault = EmailFault.PLACEHOLDER
        elif not _has_suffix(address.rpartition("@")[2]):
            fault = EmailFault.UNKNOWN_SUFFIX
        else:
            kept.append(address)
    if not kept and is_no_value(text):
        fault = EmailFault.PLACEHOLDER
    return EmailReading(tuple(dict.fromkeys(kept))[:_AT_MOST], None if kept else fault)


@lru_cache(maxsize=65_536)
def _has_suffix(domain: str) -> bool:
    return host_of(domain) is not None


def _is_parted(text: str) -> bool:
    """True for `jo doe@acme.com`: the address has lost a sign, and `doe@acme.com` is somebody else's."""
    if (match := _PARTED.fullmatch(text)) is None:
        return False
    word, local = match.groups()
    alike = word.islower() == local.islower() and word.isupper() == local.isupper()
    return alike and word.casefold() not in _LABELS and word.casefold() not in local.casefold()


def _valid(text: str) -> str | None:
    """One address in its normal form, or None."""
    address = text.lstrip(_STARTS).rstrip(_ENDS) if not text.startswith('"') else text.strip()
    if "@" not in address or _MASKED.search(address.partition("@")[0]):
        return None
    try:
        valid = validate_email(address, check_deliverability=False, allow_quoted_local=True)
    except (EmailNotValidError, UnicodeError, ValueError):
        return None
    local, domain = valid.local_part.lower(), (valid.ascii_domain or "").lower()
    if not domain or len(local.encode()) > _MAX_LOCAL or len(local) + len(domain) >= _MAX_ADDRESS:
        return None
    return f"{local}@{domain}"
