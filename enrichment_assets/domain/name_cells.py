"""What a cell says of a name: without emoji, invisible signs, addresses, nicknames, jobs and companies around it."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from enrichment_assets.domain.damaged_text import is_garbled, repaired
from enrichment_assets.domain.name_words import (
    COMPANY_ENDS,
    GIVEN,
    JOB_ENDS,
    JOB_LINKS,
    JOBS,
    MAIDEN_MARKERS,
    NOBODY_WORDS,
    PRONOUNS,
    fold,
)

_MAX_CHARS = 500
"""Of a longer cell only the beginning is read: it is no name, and what is behind costs time."""

_EDGES = " ,;:|/\\-–—_*~#<>=+&@!?·•"
_JOINERS = "\u200c\u200d"
_NEVER = re.compile(r"[#<>=*?!^$%+\\]")
"""Signs that no name has."""
_HYPHENS = str.maketrans({"\u2010": "-", "\u2011": "-", "\u00ad": None, "\u2019": "’", "\u02bc": "ʼ"})
_SPREADSHEET_MARK = re.compile(r"^['’](?![ts]\s)")
_COMPATIBLE = ("<font>", "<wide>", "<narrow>", "<circle>")
_ADDRESS = re.compile(
    r"<[^<>]*>|(?<!\S)#\w+|\b(?:https?://|www\.)\S+|[^\s@,;]+@[^\s@,;]+\.\w+|\b[a-z]+\.(?:com|net|org|io)/\S*",
    re.IGNORECASE,
)
_BRACKETED = re.compile(
    r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|[\"“”„«»][^\"“”„«»]*[\"“”„«»]|(?<!\w)['‘][^'‘’]+['’](?!\w)"
)
_QUOTED = re.compile(r"^\s*(['‘’`])(.+)['’`]\s*$")
_USER_NAME = re.compile(r"^([^\W\d_]{2,})\.([^\W\d_]{2,})$")
_TOP_LEVEL = frozenset({"com", "net", "org", "io", "de", "fr", "es", "it", "nl", "uk", "eu", "info", "biz"})
_BRACKETS = re.compile(r"[()\[\]{}\"“”„«»]")
_SEPARATOR = re.compile(r"\s*[|•·~;]+\s*|\s+[-–—/\\:@]+\s+|:\s+|\s+(?:at|from|bei|chez|presso|hos)\s+(?=[^\W\d_a-z])")
_ABBREVIATED = re.compile(r"\b((?:[^\W\d_]|dr|mr|mrs|ms|prof|st)\.)(?=[^\W\d_]{2})", re.IGNORECASE)
_FULL_STOP = re.compile(r"(?<=[^\W\d_]{3})\.$")
_SPACES_IN_HYPHEN = re.compile(r"\s*[-–—]\s*")


@lru_cache(maxsize=2048)  # cleaned cells are looked at again, and first names come again and again
def readable(cell: str | None) -> str:
    r"""The letters of a cell with one kind of space, and without what stands around a name.

    Emoji, control and invisible characters go (joiners inside a word are spelling), HTML entities and letters that only
    look different (`𝐉𝐚𝐧𝐞`, `Ｊａｎｅ`) become plain ones, addresses, pronouns and what is in brackets or quotes go.
    Of a name with lost letters (`M\ufffdller`) nothing is left.
    """
    if not cell:
        return ""
    text = repaired(cell[:_MAX_CHARS])
    if is_garbled(text):
        return ""
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_plain_letter, unicodedata.normalize("NFC", text.translate(_HYPHENS))))
    if quoted := _QUOTED.match(text):
        text = quoted.group(2)
    text = _parted_user_name(_ADDRESS.sub(" ", text.replace("_", " ")).strip())
    text = _SPREADSHEET_MARK.sub("", _without_brackets(_tidy(_NEVER.sub(" ", text))))
    words = [word for word in _ABBREVIATED.sub(r"\1 ", text).split() if _may_be_of_name(word)]
    while len(words) > 1 and fold(words[-1]) in PRONOUNS:
        words.pop()
    for n in range(1, len(words) - 1):
        if words[n].strip(".") in MAIDEN_MARKERS:
            words = words[:n]
            break
    return _tidy(" ".join(words))


def one_name(text: str) -> str:
    """The part of a readable full-name cell that is the name: `Jane Doe | CEO`, `CEO - Jane Doe` -> `Jane Doe`."""
    parts = [part for part in map(_tidy, _SEPARATOR.split(text)) if part]
    names = [part for part in parts if not is_aside(part.partition(",")[0])] or parts[:1]
    sure = [name for name in names[:2] if " " in name and fold(name.split()[0]) in GIVEN]
    if sure and " " not in names[0]:
        return sure[0]
    return names[0] if names else ""


def one_column(text: str) -> str:
    """The same for a first or last name, where a hyphen between two words is part of it (`Garcia - Lopez`)."""
    parts = [part for part in map(_tidy, _SPACES_IN_HYPHEN.split(text)) if part]
    if len(parts) == 2 and not any(" " in part or is_aside(part) for part in parts):
        return "-".join(parts)
    return one_name(text)


def without_full_stop(text: str) -> str:
    """`Jane Doe.` -> `Jane Doe`; the point of an initial or of `Jr.` stays."""
    return _FULL_STOP.sub("", text)


def is_aside(text: str) -> bool:
    """True for a job, a company or pronouns: what stands beside a name, behind a comma or a dash, and is none."""
    words = fold(text).split()
    if " ".join(words) in PRONOUNS or any(character.isdigit() for character in text):
        return True
    return (
        words[:1] != []
        and words[0] not in GIVEN
        and (
            any(word in JOBS or word.endswith(JOB_ENDS) for word in words)
            or any(word in JOB_LINKS for word in words[:-1])
            or (len(words) > 1 and words[-1] in COMPANY_ENDS)
        )
    )


def _parted_user_name(text: str) -> str:
    """`jane.doe` -> `jane doe`; a host (`acme.com`) names nobody."""
    if (parts := _USER_NAME.match(text)) is None:
        return text
    return "" if parts.group(2).lower() in _TOP_LEVEL else " ".join(parts.groups())


def _may_be_of_name(word: str) -> bool:
    """False for a word of digits, and for one that stands for no value; separators stay."""
    if any(map(str.isalpha, word)):
        return fold(word.strip(_EDGES)) not in NOBODY_WORDS
    return not any(map(str.isalnum, word))


def _plain_letter(character: str) -> str:
    if character in _JOINERS:
        return character
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    if category[0] in "CZ" or category in {"So", "Sk"} or "\ufe00" <= character <= "\ufe0f":
        return " "
    if unicodedata.decomposition(character).startswith(_COMPATIBLE):
        return unicodedata.normalize("NFKC", character)
    return character


def _without_brackets(text: str) -> str:
    """`James (Jim)` -> `James`; a name that stands in brackets altogether keeps its words."""
    outside = _BRACKETS.sub(" ", _BRACKETED.sub(" ", text))
    if any(character.isalpha() for character in outside):
        return _tidy(outside)
    return _tidy(_BRACKETS.sub(" ", text))


def _tidy(text: str) -> str:
    return " ".join(text.split()).strip(_EDGES + _JOINERS)
