"""Names of companies in a form to compare by: the one rule, for company keys and for the SQL models alike.

`Kellogg’s`, `KELLOGG'S` and `Kelloggs Inc.` are one name, so are `Ernst & Young` and `Ernst and Young LLP`,
`J. P. Morgan` and `JP Morgan`, `Nestlé S.A.` and `NESTLE SA`, `株式会社トヨタ` and `トヨタ`. Whole names only:
`Virginia` and `West Virginia` stay two.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

from enrichment_assets.domain.damaged_text import repaired
from enrichment_assets.domain.field_types import FieldType
from enrichment_assets.domain.legal_forms import LegalForms, read_legal_forms
from enrichment_assets.domain.no_value import INVISIBLE, is_no_employer, is_no_value

MAX_KEY = 200
"""A longer key is cut and closed with its hash, because no index holds it."""

_MAX_CHARS = 1000
_MARKS = re.compile("[™®©℠℗]|\\((?:tm|r|c|sm)\\)", re.IGNORECASE)
_LETTERS = str.maketrans({
    "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ŧ": "t",
    "ə": "e", "ـ": "",
})  # fmt: skip
"""Letters that have no accent to take off, and are written without their stroke all the same; Arabic's stretching."""

_DOTTED = re.compile(r"(?<!\w)(?:\w\.\s?)+\w(?!\w)\.?")
_SLASHED = re.compile(r"(?<!\w)([^\W\d_])/([^\W\d_])(?!\w)")
_AND = re.compile(r"&|(?<=\s)\+(?=\s)")
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u0655\u0670]")
"""Accents of Latin, Greek and Cyrillic letters, vowel points of Hebrew and Arabic ones."""

_JOINING = frozenset({"and", "und", "et", "y", "e", "og", "och"})
"""What joins two forms, and stands alone where the second was folded off: `GmbH und Co. KG`, `et Cie`."""

_LONGEST_FORM = 8
_SHORT = 3
"""Characters of an abbreviation that has one full stop, at its end (`Bt.`); `Spa.` ends a sentence."""

_SLASH = "\ua7f7"
"""A letter of ancient inscriptions. It stands for the slash of `A/S` until forms are folded (`I/S`, not `is`)."""


class _Signs(dict[int, str]):
    """What each character of a folded name becomes: itself in a word, nothing, or a blank. Learnt as it is met."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        kept = sign == "+" or unicodedata.category(sign)[0] in "LNM"
        self[code] = found = "" if sign in "'’‘ʼʻ`´′\"״׳" else sign if kept else " "
        return found


_SIGNS = _Signs()


@lru_cache(maxsize=65_536)
def company_name_key(text: str | None) -> str | None:
    """The name as it is compared, at most 200 characters; None for what names no company (`N/A`, `self-employed`).

    Case, accents, punctuation, apostrophes, marks (`™`) and ligatures are folded, `&` is `and`, initials are written
    together; then legal forms and a leading `the` are folded off, unless nothing would be left (`S.A.` stays `sa`).
    Never raises. The key of a key is the key, but for what would be no value by itself (`None Ltd`).
    """
    if text:
        text = repaired(text)
    if not text or is_no_value(text, FieldType.COMPANY_NAME) or is_no_employer(text):
        return None
    key = " ".join(_bare(text[:_MAX_CHARS])) if any(map(str.isalnum, text)) else ""
    while (not key.isascii() or "/" in text) and (again := " ".join(_bare(key))) != key:
        key = again  # a form without a blank, or one that a slash cut in two, has come to an end of the name
    if len(key) > MAX_KEY:
        digest = hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()
        key = f"{key[:160].rstrip()} {digest}"
    return key or None


def has_legal_form(text: str) -> bool:
    """True when a name has a legal form beside its own words (`Acme Ltd`): no person is called so."""
    plain = _plain(text[:_MAX_CHARS])
    kept = ["the", *_bare(text[:_MAX_CHARS])]
    return _without_parts(plain) != plain or any(word.replace(_SLASH, "") not in kept for word in _words(plain))


def _bare(text: str) -> list[str]:
    """The words of a name without legal forms and `the` at its ends."""
    words = _words(_without_parts(_plain(text)))
    words = _without_forms(words, may_be_dotted=_ends_like_a_form(text))
    while (shorter := _without_the(words)) is not words:
        words = _without_forms(shorter, may_be_dotted=False)
    return [word.replace(_SLASH, "") for word in words] if _SLASH in "".join(words) else words


def _without_the(words: list[str]) -> list[str]:
    """The words without `the` at either end (`Home Depot, The`), unless nothing but a form is left: then the same."""
    if len(words) > 1 and words[0] == "the" and " ".join(words[1:]) not in _forms().end:
        return words[1:]
    return words[:-1] if len(words) > 1 and words[-1] == "the" else words


def _plain(text: str) -> str:
    """Case, widths, ligatures and the accents of Latin, Greek and Cyrillic letters folded; marks of ownership gone.

    Marks of other scripts are letters there: without them Thai and Hindi words, and か and が, would be the same.
    """
    if text.isascii():
        return _MARKS.sub(" ", text).lower() if "(" in text else text.lower()
    shown = unicodedata.normalize("NFKC", INVISIBLE.sub("", _MARKS.sub(" ", text.replace("´", ""))))
    apart = unicodedata.normalize("NFKD", shown.casefold()).translate(_LETTERS)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart))


def _words(plain: str) -> list[str]:
    """The words of a plain name; initials are one word, and `A/S` one with its slash."""
    if "/" in plain:
        plain = _SLASHED.sub(rf"\1{_SLASH}\2", plain)
    if "." in plain:
        plain = _DOTTED.sub(lambda found: re.sub(r"[.\s]", "", found.group()) + " ", plain)
    if "&" in plain or "+" in plain:
        plain = _AND.sub(" and ", plain)
    words = plain.translate(_SIGNS).split()
    if "+" in plain:
        words = [word for word in words if word.strip("+")]
    return _initials_together(words) if words and min(map(len, words)) == 1 else words


def _initials_together(words: list[str]) -> list[str]:
    joined: list[str] = []
    open_run = False
    for word in words:
        is_initial = len(word) == 1 and word.isalpha()
        if is_initial and open_run:
            joined[-1] += word
        else:
            joined.append(word)
        open_run = is_initial
    return joined


def _without_parts(plain: str) -> str:
    """The name without forms that stand at an end of it without a blank (株式会社トヨタ), unless nothing is left."""
    if plain.isascii():
        return plain
    while (shorter := _forms().part.sub(" ", plain, count=1)) != plain:
        if not any(map(str.isalnum, shorter)):
            break
        plain = shorter
    return plain


def _without_forms(words: list[str], *, may_be_dotted: bool) -> list[str]:
    """The words without legal forms at their ends; at least one is left, and two where the first is `the`."""
    least = 2 if words[:1] == ["the"] else 1
    while True:
        length = _form_at_end(words, least, may_be_dotted=may_be_dotted)
        if length:
            words = words[:-length]
            words = words[:-1] if len(words) > least and words[-1] in _JOINING else words
        elif length := _form_at_start(words):
            words = words[length:]
        else:
            return words
        may_be_dotted = False


def _form_at_end(words: list[str], least: int, *, may_be_dotted: bool) -> int:
    """How many words at the end are the longest form that stands there; 0: none."""
    forms = _forms()
    if not words or words[-1] not in forms.last_words:
        return 0
    for length in range(min(_LONGEST_FORM, len(words) - least), 0, -1):
        phrase = " ".join(words[-length:])
        if phrase in forms.end or (may_be_dotted and phrase in forms.dotted):
            return length
    return 0


def _form_at_start(words: list[str]) -> int:
    forms = _forms()
    if not words or words[0] not in forms.first_words:
        return 0
    lengths = range(min(_LONGEST_FORM, len(words) - 1), 0, -1)
    return next((length for length in lengths if " ".join(words[:length]) in forms.start), 0)


def _ends_like_a_form(text: str) -> bool:
    """True when the last word is written as an abbreviation (`N.A.`, `Bt.`), after a comma, or exactly as a form is."""
    before, _, last = text.rstrip(" )").rpartition(" ")
    is_abbreviated = "." in last[:-1] or (last.endswith(".") and len(last) <= _SHORT)
    return is_abbreviated or before.endswith(",") or last in _forms().exact


@lru_cache(maxsize=1)
def _forms() -> LegalForms:
    return read_legal_forms(lambda form: _words(_plain(form)), _plain)
