"""What is no value: placeholders of people, programs and spreadsheets, by the kind of field.

One notion for cells, answers, emitted objects and corrections. A word that can be somebody's name is judged by its
field and spelling: `Null`, `Na` and `Nan` are family names and Nan is a city, while `null` and `NaN` are a program's;
nobody's e-mail address is `none`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from enrichment_assets.domain import no_value_words as words
from enrichment_assets.domain.field_types import FieldType

_MAX_CHARS = 120
"""A longer text says something, be it only why there is nothing."""

INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
"""Characters without a width of their own: soft hyphens, zero-width spaces, marks of direction, byte order marks."""

_ENDS = " \t\r\n\u00a0\"'`´‘’“”*_~"
_BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">"}
_NO_SIGN = re.compile(r"^[\s\-–—―−_.·•…?¿*/\\|~=:;,'\"`´()\[\]{}<>❌✖✗✘×🚫⛔➖\ufe0f]+$")
_CROSSED_OUT = re.compile(r"^[❌✖✗✘🚫⛔]")
_FOUND_NOTHING = re.compile(
    r"(?:sorry,? )?(?:there (?:is|are|was|were) )?"
    r"(?:no|not an?y?|unable to find|could ?n[o']t find|cannot find|can't find|failed to find|did ?n[o']t find)\b"
    r".{0,60}\b(?:found|available|provided|listed|given|detected|on file|exists?)"
)
_COULD_NOT = re.compile(
    r"(?:unable to|could ?n[o']t|could not be|cannot|can't|failed to) "
    r"(?:find|found|determined?|locate|identify|retrieve)\b.*"
)
_NOT_GIVEN = re.compile(
    r"(?:(?:currently|publicly|information|data) )?(?:is )?not (?:yet |publicly |currently )?"
    r"(?:available|applicable|found|disclosed|provided|specified|listed|known|given|set|entered|mentioned|stated|assigned|"
    r"reported|defined|determined|shared|recorded)"
    r"(?: (?:yet|publicly|online|at this time|to (?:the )?public|on (?:file|linkedin|(?:the |their )?(?:web)?site)|"
    r"in (?:the )?(?:data|database|source|profile|website|text)))?"
)
_FILLER = re.compile(r"x{2,}|(?:x[ .\-]){2,}x?|asdf\w{0,6}|qwerty?|lorem ipsum.*|dummy|placeholder|test ?test|foo ?bar")

_STROKES = str.maketrans("łøđıħ", "lodih")
"""Letters with a stroke are no letter and accent to Unicode, but are written without it all the same."""

_FREE = frozenset({FieldType.ANY, FieldType.LIST})
"""Kinds where `unknown` and its like may be the answer, and only an answer that says there is none is none."""

_OPAQUE = frozenset({FieldType.WORD, FieldType.BOOLEAN})
"""Kinds where even `none` and `not_found` are answers."""

NAMES_TOO = frozenset({"null", "na", "nan", "nil", "nada", "leer", "blank", "test", "void", "brak", "ask",
                       "geen", "bos", "fara", "nema", "sans", "kein", "keine", "mangler", "ingen", "vide"})  # fmt: skip
"""Placeholders that are somebody's name too: Jennifer Null, Na Min-jung, Nan Goldin, Arthur Blank, Nada."""

_PLACES_TOO = frozenset({"nan", "nada", "leer", "blank", "void", "brak", "sans", "bos", "nil"})
"""Placeholders that are a town too: Nan in Thailand, Leer in Germany, Brak in Libya."""


@lru_cache(maxsize=131_072)
def is_no_value(text: str, kind: FieldType = FieldType.TEXT) -> bool:
    """True when this text is no value of a field of this kind, whatever else the row says.

    `N/A`, `k.A.`, `#N/A`, `(blank)`, `--`, `No LinkedIn found`, `❌ No data found` are none; `NA-KD`, `None Ltd` and
    `Null` as a family name are values. Never raises; a text of more than 120 characters always says something.
    """
    if len(text) > _MAX_CHARS:
        return False
    folded, bracketed = _folded(text)
    if not folded or folded in _MACHINE or folded.replace(" ", "") in _ABBREVIATIONS:
        return bracketed or not _is_meant(text, folded, kind)
    if kind in _OPAQUE:
        return _NO_SIGN.match(folded) is not None
    if _CROSSED_OUT.match(folded) or _NO_SIGN.match(folded) or folded in _GENERIC:
        return True
    if kind in _FREE:
        return bracketed and folded in _UNKNOWN_WORDS
    if folded in _UNKNOWN_WORDS:
        return bracketed or not _is_meant(text, folded, kind)
    if kind is FieldType.PERSON_NAME and folded in _NOBODY:
        return True
    if len(folded) < 2:
        return False
    return any(pattern.fullmatch(folded) for pattern in (_FOUND_NOTHING, _COULD_NOT, _NOT_GIVEN, _FILLER))


def is_no_employer(text: str) -> bool:
    """True when a company's name says that there is no employer, or not which: `self-employed`, `Stealth Startup`."""
    return len(text) <= _MAX_CHARS and fold(text) in _NO_EMPLOYER


def fold(text: str) -> str:
    """The text for comparing with lists of words: without case, accents, brackets, quotes and a stop at the end."""
    return _folded(text)[0]


def _folded(text: str) -> tuple[str, bool]:
    """The folded text, and whether it stood in brackets (`(blank)`, `<null>`): nobody writes a name so."""
    folded = text.casefold()
    if not folded.isascii():
        folded = INVISIBLE.sub("", unicodedata.normalize("NFKC", folded))
        folded = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
        folded = folded.translate(_STROKES)
    folded = folded.strip(_ENDS)
    bracketed = False
    while len(folded) > 1 and _BRACKETS.get(folded[0]) == folded[-1]:
        folded, bracketed = folded[1:-1].strip(_ENDS), True
    folded = folded.rstrip(".:;,").rstrip(_ENDS) or folded
    return (" ".join(folded.split()) if " " in folded or "\n" in folded else folded), bracketed


def _is_meant(text: str, folded: str, kind: FieldType) -> bool:
    """Whether a word that is both a placeholder and a name is the name, by its field and spelling."""
    if not folded:
        return False
    if kind in _OPAQUE:
        return folded == "none"
    named = NAMES_TOO if kind is FieldType.PERSON_NAME else _PLACES_TOO if kind is FieldType.PLACE else frozenset()
    word = text.strip()
    return folded in named and word[:1].isupper() and word[1:].islower()


_ABBREVIATIONS, _MACHINE, _GENERIC, _UNKNOWN_WORDS, _NOBODY, _NO_EMPLOYER = (
    frozenset(map(fold, listed))
    for listed in (
        words.ABBREVIATIONS,
        words.MACHINE,
        words.GENERIC,
        words.UNKNOWN_WORDS,
        words.NOBODY,
        words.EMPLOYED_BY_NOBODY,
    )
)
