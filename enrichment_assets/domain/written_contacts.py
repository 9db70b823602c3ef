"""E-mail addresses and phone numbers in running text: where they stand, and what they are.

What stands there is read by the normalisers of its kind (`domain.emails`, `domain.phones`); this module finds the
places, also of addresses that a page hides from robots: `name [at] acme [dot] com`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.phones import read_phones


@dataclass(frozen=True, slots=True)
class Written:
    """A value in its normal form, and from where to where it stands in the text."""

    value: str
    start: int
    end: int


_NO_PART = r"""\s<>()\[\]{}"“”„«»,;:|\\/=?&!*`：，。；、（）【】《》「」"""
_ADDRESS = re.compile(rf"[^{_NO_PART}]{{1,64}}@[^{_NO_PART}]{{3,253}}")
_WIDE = str.maketrans("＠﹫．", "@@.")
"""Signs as Chinese and Japanese pages write them; as long as what they stand for."""

_OF_AN_IMAGE = re.compile(r"@\d(?:[.,]\d)?x[.-]", re.IGNORECASE)
"""`logo@2x.zip`: an image for screens of high density; `zip` and `mov` are top-level domains."""

_LOCAL = r"[a-z0-9][a-z0-9_+-]{0,40}"
_LABEL = r"[a-z0-9äöüß-]{1,63}"
_SPELLED_DOT = r"dot|punkt|point|punto|ponto|punt"
_SPELLED_AT = r"at|ät|arroba|chiocciola|arobase|klammeraffe|kukac|apenstaartje"
_DOT = rf"(?:\s?[\[({{<]\s?(?:{_SPELLED_DOT}|\.)\s?[\])}}>]\s?|\s(?:{_SPELLED_DOT})\s|\.)"
_IN_BRACKETS = re.compile(
    rf"(?<![\w.@+-])({_LOCAL}(?:{_DOT}{_LOCAL}){{0,4}})"
    rf"\s?(?:[\[({{<]\s?(?:{_SPELLED_AT}|@)\s?[\])}}>]|[-_*](?:at|ät)[-_*])\s?"
    rf"({_LABEL}(?:{_DOT}{_LABEL}){{1,5}})(?![\w@-])",
    re.IGNORECASE,
)
_IN_WORDS = re.compile(
    rf"(?:^|(?:e-?mail|mail|courriel|correo)\s?:)[ \t]*({_LOCAL}(?:{_DOT}{_LOCAL}){{0,4}})\s(?:{_SPELLED_AT})\s"
    rf"({_LABEL}(?:\s(?:{_SPELLED_DOT})\s{_LABEL}){{1,5}})[ \t]*[.,;]?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
"""`jane at acme dot com` is an address where nothing else is on its line: `visit us at acme dot com` is none."""

_ANY_DOT = re.compile(_DOT, re.IGNORECASE)

_NUMBER = re.compile(
    r"(?<![\w@.])(?:\+\s?|\(\s?\+?\s?)?\d(?:[\d \u00a0\u2007\u2009\u202f().\-‐‑–/]|\t){4,28}\d(?![\w@])"
)
_LINKED_NUMBER = re.compile(r"(?:wa\.me/|whatsapp\.com/send/?\?phone=)\+?(\d{7,15})(?!\w)")
_NAMED_NUMBER = re.compile(
    r"(?<![\w.])(?:\+?1[-. ])?\(?8(?:00|33|44|55|66|77|88)\)?[-. ][A-Z](?:-?[A-Z0-9]){5,9}(?!\w)"
)
"""`1-800-FLOWERS`."""


def emails_in(text: str) -> Iterator[Written]:
    """Every address of the text in its order, repeated where it is. Never raises."""
    text = text.translate(_WIDE)
    if "@" in text:
        for found in _ADDRESS.finditer(text):
            address = None if _OF_AN_IMAGE.search(found.group()) else normalise_email(found.group())
            if address is not None:
                yield Written(address, found.start(), found.start() + len(found.group().rstrip(".'!")))
    for pattern in (_IN_BRACKETS, _IN_WORDS):
        for found in pattern.finditer(text):
            local, domain = (_ANY_DOT.sub(".", part) for part in found.groups())
            if (address := normalise_email(f"{local}@{domain}")) is not None:
                yield Written(address, found.start(1), found.end(2))


def phones_in(text: str, country: str | None = None) -> Iterator[Written]:
    """Every number that can be dialled as E.164, repeated where it is. Never raises.

    Args:
        text: Running text.
        country: Name or code of the country whose way of writing counts for numbers without `+`; None: such a number
            is none.
    """
    for found in _NUMBER.finditer(text):
        yield from _numbers(found, found.group(), country)
    for found in _LINKED_NUMBER.finditer(text):
        yield from _numbers(found, f"+{found.group(1)}", country)
    for found in _NAMED_NUMBER.finditer(text):
        yield from _numbers(found, found.group(), country or "US")


def _numbers(found: re.Match[str], written: str, country: str | None) -> Iterator[Written]:
    for number in read_phones(written, country).numbers:
        yield Written(number.number, found.start(), found.end())
