"""Names of people: cleaned and split, without breaking what one does not understand.

Columns are believed: `Debbie` / `Wasserman Schultz` stays two fields. Only a name that came in one piece is split, by
nameparser, and what cannot be split (names in Chinese, Japanese, Korean or Thai letters) stays whole in `full_name`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache

from nameparser import HumanName
from nameparser.config import Constants

from enrichment_assets.domain.name_casing import PARTICLES, with_capitals

_MAX_CHARS = 500
_MAX_PASSES = 8
_PREFIX_WORDS = "mr mrs ms miss mx dr prof professor sir dame rev reverend hon honorable sen rep gov herr frau mme mlle"
_SUFFIX_WORDS = "jr sr ii iii iv vi vii viii junior senior"
_CREDENTIAL_WORDS = """
phd mba cpa pmp esq jd llm dds dvm edd psyd cfa cfp cissp cisa shrm shrm-cp shrm-scp sphr phr mph msc bsc msw lcsw
pharmd facs faia aia leed facep cima acca cipd mbcs frsa obe mbe cbe rn pe csm cspo ccim crcm cma mrics frics ret csp
"""
_ONLY_AFTER_COMMA = "md ma ba do ms bs pa ceo cto cfo coo cmo founder he/him she/her they/them meng bba beng dphil"
_PREFIXES = frozenset(_PREFIX_WORDS.split())
_SUFFIXES = frozenset(_SUFFIX_WORDS.split())
_CREDENTIALS = frozenset(_CREDENTIAL_WORDS.split())
_AFTER_COMMA = _CREDENTIALS | frozenset(_ONLY_AFTER_COMMA.split())
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|[\"“”«»][^\"“”«»]*[\"“”«»]")
_BRACKETS = re.compile(r"[()\[\]{}\"“”«»]")
_ACRONYM = re.compile(r"^[A-Z][A-Z0-9.&/+®-]{1,9}$")
_MIDDLE_INITIAL = re.compile(r"^(\S{2,})((?: [^\W\d_]\.?)+)$")
_EDGES = " ,;:|/\\-–—_*~#<>=+&@!?·•"
_NO_NAME = frozenset({"n/a", "n.a", "n.a.", "unknown", "blank", "not available"})
_JOINERS = "\u200c\u200d"

_PARSING = Constants()
_PARSING.titles.clear()
_PARSING.suffix_acronyms.clear()
_PARSING.suffix_not_acronyms.clear()
_PARSING.conjunctions.clear()


@dataclass(frozen=True, slots=True)
class NormalisedName:
    """A person's name in parts; None where there is nothing. `full_name` has no prefix and no suffix."""

    first_name: str | None = None
    last_name: str | None = None
    full_name: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    middle: str | None = None


@dataclass(frozen=True, slots=True)
class _Parts:
    """What one cell holds, taken apart."""

    text: str
    prefix: str | None = None
    suffix: str | None = None


def normalise_name(first: str | None = None, last: str | None = None, full: str | None = None) -> NormalisedName:
    """Clean and complete a name from whichever of the three cells there are. Never raises.

    Emoji, nicknames in brackets, credentials (`PhD, MBA`) and pronouns go; prefixes and suffixes get fields of their
    own; a name in capitals or small letters only gets capitals (`LUDWIG VAN BEETHOVEN` -> `Ludwig van Beethoven`).
    Idempotent in first, last and full name.
    """
    name = _normalise(first, last, full)
    for _ in range(_MAX_PASSES):  # what was hidden behind a prefix or suffix may be one itself
        again = _normalise(name.first_name, name.last_name, name.full_name)
        if _names_of(again) == _names_of(name):
            break
        name = replace(
            again,
            prefix=name.prefix or again.prefix,
            suffix=name.suffix or again.suffix,
            middle=name.middle or again.middle,
        )
    return name


def _names_of(name: NormalisedName) -> tuple[str | None, str | None, str | None]:
    return name.first_name, name.last_name, name.full_name


def _normalise(first: str | None, last: str | None, full: str | None) -> NormalisedName:
    given, family, whole = _take_apart(first), _take_apart(last, is_family=True), _take_apart(full, is_full=True)
    if given.text and not family.text and not whole.text:
        given, whole = _Parts(""), _take_apart(first, is_full=True)  # a full name in the first column
    first_name, middle = _without_initials(given.text)
    family_name, full_name = family.text, whole.text
    if not first_name and not family_name:
        first_name, middle, family_name = _split(full_name)
        full_name = " ".join(filter(None, (first_name, middle, family_name))) or full_name
    elif not family_name and full_name != first_name:
        family_name = full_name.removeprefix(f"{first_name} ")
        family_name = _split(full_name)[2] if family_name == full_name else family_name
    elif not first_name and full_name != family_name:
        first_name = full_name.removesuffix(f" {family_name}")
        first_name = _split(full_name)[0] if first_name == full_name else first_name
    full_name = full_name or " ".join(filter(None, (first_name, middle, family_name)))
    return NormalisedName(
        first_name=first_name or None,
        last_name=family_name or None,
        full_name=full_name or None,
        prefix=given.prefix or whole.prefix or family.prefix,
        suffix=family.suffix or whole.suffix or given.suffix,
        middle=middle or None,
    )


@lru_cache(maxsize=2048)  # clean cells are looked at twice, and first names come again and again
def _take_apart(cell: str | None, *, is_family: bool = False, is_full: bool = False) -> _Parts:
    text = _readable(cell)
    if text.casefold() in _NO_NAME or not any(character.isalpha() for character in text):
        return _Parts("")
    text = _without_brackets(text)
    head, *tail = (segment.strip(_EDGES) for segment in text.split(","))
    suffixes: list[str] = []
    if tail:
        text = _join_segments(head, [segment for segment in tail if segment], suffixes, is_family or is_full)
    words = [word for word in text.split() if any(map(str.isalpha, word))]
    prefix = _strip_prefix(words, keep=1 if is_full or not is_family else 2)
    _strip_suffixes(words, suffixes, keep=2 if is_full else 1)
    name = with_capitals(" ".join(words), family=is_family).strip(_EDGES)
    return _Parts(name, prefix, ", ".join(dict.fromkeys(suffixes)) or None)


def _readable(cell: str | None) -> str:
    """Without emoji, control and invisible characters (joiners inside a word are spelling), one kind of space."""
    if not cell:
        return ""
    text = unicodedata.normalize("NFC", cell[:_MAX_CHARS])
    kept = "".join(" " if _is_decoration(c) else c for c in text)
    return " ".join(kept.split()).strip(_EDGES + _JOINERS)


def _is_decoration(character: str) -> bool:
    if character in _JOINERS:
        return False
    category = unicodedata.category(character)
    return category[0] in "CZ" or category in {"So", "Sk"} or "\ufe00" <= character <= "\ufe0f"


def _without_brackets(text: str) -> str:
    """`James (Jim)` -> `James`; a name that stands in brackets altogether keeps its words."""
    outside = _BRACKETS.sub(" ", _BRACKETED.sub(" ", text))
    if any(character.isalpha() for character in outside):
        return " ".join(outside.split()).strip(_EDGES)
    return " ".join(_BRACKETS.sub(" ", text).split()).strip(_EDGES)


def _join_segments(head: str, tail: list[str], suffixes: list[str], may_have_credentials: bool) -> str:
    """What stands behind commas: credentials are dropped, suffixes kept, `Smith, John` is turned round."""
    rest = []
    for segment in tail:
        words = [word for word in segment.split() if _plain(word) not in _AFTER_COMMA]
        suffixes += [word for word in words if _plain(word) in _SUFFIXES]
        words = [word for word in words if _plain(word) not in _SUFFIXES]
        mixed = not head.isupper() and (" " in head or not may_have_credentials)
        if words and not (mixed and all(_ACRONYM.match(word) for word in words)):
            rest.append(" ".join(words))
    return " ".join((*rest, head)).strip()


def _strip_prefix(words: list[str], keep: int) -> str | None:
    found = []
    while len(words) > keep and _plain(words[0]) in _PREFIXES:
        found.append(words.pop(0))
    return " ".join(found) or None


def _strip_suffixes(words: list[str], suffixes: list[str], keep: int) -> None:
    """Take suffixes and sure credentials off the end while `keep` words remain."""
    while len(words) > keep:
        plain = _plain(words[-1])
        if plain in _SUFFIXES or (plain == "v" and len(words) > keep + 1):
            suffixes.insert(0, words.pop().strip(","))
        elif plain in _CREDENTIALS or (plain == "md" and words[-1].rstrip(".").endswith("D")):
            words.pop()
        else:
            return


def _without_initials(first: str) -> tuple[str, str]:
    """`John Q.` -> (`John`, `Q.`); a second given name (`Mary Ann`) is part of the first."""
    if match := _MIDDLE_INITIAL.match(first):
        return match.group(1), match.group(2).strip()
    return first, ""


def _split(full: str) -> tuple[str, str, str]:
    """First, middle and last name of a cleaned full name; nothing for a script whose order cannot be told."""
    words = full.split()
    if _family_name_first(full):
        return "", "", ""
    if len(words) < 3:
        first, middle, last = words[0] if words else "", "", words[1] if len(words) > 1 else ""
    elif particle := next((n for n in range(1, len(words) - 1) if words[n].casefold() in PARTICLES), None):
        first, middle, last = words[0], " ".join(words[1:particle]), " ".join(words[particle:])
    else:
        parsed = HumanName(full, constants=_PARSING)
        first, middle, last = parsed.first, parsed.middle, parsed.last
        if not (first and last):
            first, middle, last = words[0], " ".join(words[1:-1]), words[-1]
    return with_capitals(first), with_capitals(middle), with_capitals(last, family=True)


def _family_name_first(text: str) -> bool:
    """Chinese, Japanese, Korean or Thai letters: often no spaces, often the family name first."""
    return any("\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" or "\u0e00" <= c <= "\u0e7f" for c in text)


def _plain(word: str) -> str:
    return word.replace(".", "").replace("®", "").strip(",;").casefold()
