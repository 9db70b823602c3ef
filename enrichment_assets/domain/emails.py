"""E-mail addresses: one normal form, and the placeholders that are none."""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, validate_email

_PLACEHOLDER_LOCAL = re.compile(r"^(?:email[_.-]?)?not[_.-]?unlocked\d*$")
_MAX_CHARS = 1000
_ADORNED = re.compile(r"^[^<>]*<([^<>]+)>$")


def is_placeholder_email(text: str) -> bool:
    """True for the one address that Apollo gives every person whose e-mail was not revealed.

    Seen as `email_not_unlocked@domain.com`; the domain is not relied on. Deduplicating by it merges strangers.
    """
    if "unlocked" not in text.casefold():
        return False
    local, at, _ = text.strip().casefold().partition("@")
    return bool(at) and _PLACEHOLDER_LOCAL.match(local) is not None


def normalise_email(text: str | None) -> str | None:
    """The address in lower case with its domain in ASCII (punycode), or None when it is no address.

    Takes `mailto:` and `Name <address>` off. The local part is lower-cased too: no provider in use tells `Jo` from
    `jo`, and comparing them as different would pay twice. Syntax only, no DNS. Never raises.
    """
    if not text or len(text) > _MAX_CHARS or is_placeholder_email(text):
        return None
    address = text.strip().strip("'\"").removeprefix("mailto:").removeprefix("MAILTO:").strip()
    if adorned := _ADORNED.match(address):
        address = adorned.group(1).strip()
    try:
        valid = validate_email(address.rstrip(".,;"), check_deliverability=False)
    except (EmailNotValidError, UnicodeError, ValueError):
        return None
    local, domain = valid.local_part.lower(), valid.ascii_domain.lower()
    return None if is_placeholder_email(f"{local}@{domain}") else f"{local}@{domain}"
