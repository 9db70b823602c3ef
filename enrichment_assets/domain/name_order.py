"""Where a full name is parted, and where nobody can tell.

nameparser parts names of European order. Here is the evidence that goes beyond it: two family names of Spain and
Portugal are both kept, and a name that may have its family name first (`Xi Jinping`, `Orbán Viktor`) is not parted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from enrichment_assets.domain.name_casing import with_capitals
from enrichment_assets.domain.name_words import (
    BOUND_TO_NEXT,
    COUPLES,
    FAMILY_FIRST,
    FAMILY_ONLY,
    GENERATIONS,
    GIVEN,
    GIVEN_COMPOUNDS,
    HUNGARIAN_GIVEN,
    IBERIAN_FAMILIES,
    IBERIAN_PARTICLES,
    NEVER_NAMES,
    PARSER,
    TITLES_BEFORE_GIVEN,
    fold,
)

_FAMILY_FIRST_SCRIPTS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\u0e00-\u0e7f]")
_PINYIN = (
    "(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?"
    "(?:iang|iong|uang|ueng|ang|eng|ong|iao|ian|ing|uai|uan|ai|ei|ao|ou|an|en|er|ia|ie|iu|in|ua|uo|ui|un|ue|a|o|e|i|u)"
)
_SYLLABLE = "[bcdghjklmnpqrstvwxyz]{0,3}[aeiouyw]{1,3}(?:ng|nh|ch|[mnptkchlr])?"
_EAST_ASIAN = re.compile(f"(?:(?:{_PINYIN})(?:['-]?{_PINYIN})?|{_SYLLABLE}(?:-{_SYLLABLE})?)")
_LONGEST_COMPOUND = 4


@dataclass(frozen=True, slots=True)
class Split:
    """Parts of a name, "" where there is none or nobody can tell; `text` has all but title and post-nominals."""

    text: str
    first: str = ""
    middle: str = ""
    last: str = ""
    title: str = ""
    post_nominals: str = ""


def has_family_first_script(text: str) -> bool:
    """True for Chinese, Japanese, Korean or Thai letters: often no spaces, often the family name first."""
    return _FAMILY_FIRST_SCRIPTS.search(text) is not None


def split(text: str) -> Split:
    """A full name without commas in its parts. Of two people (`John and Jane Smith`) only the last name is given."""
    if has_family_first_script(text):
        return Split(with_capitals(text))
    title, text = _leading_title(text)
    compound, rest = _given_compound(text)
    parsed = PARSER.parse(f"{compound.split()[0]} {rest}" if compound else text)
    first, middle = with_capitals(compound or parsed.given), with_capitals(parsed.middle, family=True)
    last, suffix = with_capitals(parsed.family, family=True), parsed.suffix
    title = " ".join(filter(None, (title, parsed.title)))
    if not first and not last and all(fold(word) in NEVER_NAMES for word in text.split()):
        return Split("")
    if not first and not last:
        return Split(with_capitals(text), first=with_capitals(text))  # a title and nothing else is somebody's name
    if first and not last and suffix and _is_written_like_a_name(suffix):
        last, suffix = with_capitals(suffix, family=True), ""
    whole = " ".join(filter(None, (first, middle, last)))
    if _order_is_unknown([first, *middle.split(), *last.split()]):
        return Split(whole, title=title, post_nominals=suffix)
    if any(word in COUPLES for word in fold(first).split()):
        return Split(whole, last=last, title=title, post_nominals=suffix)
    middle, last = _family_names(middle, last)
    return Split(whole, first, middle, last, title, suffix)


def _leading_title(text: str) -> tuple[str, str]:
    """`Sen Maria Cantwell`: a title that is a name too, before a given name and another word."""
    words = text.split()
    if len(words) > 2 and fold(words[0]) in TITLES_BEFORE_GIVEN and fold(words[1]) in GIVEN:
        return words[0], " ".join(words[1:])
    return "", text


def _given_compound(text: str) -> tuple[str, str]:
    words = text.split()
    for length in range(_LONGEST_COMPOUND, 1, -1):
        if len(words) > length and fold(" ".join(words[:length])) in GIVEN_COMPOUNDS:
            return " ".join(words[:length]), " ".join(words[length:])
    return "", text


def _order_is_unknown(words: list[str]) -> bool:
    """True where the words suggest that the family name stands first, and nothing says that it does."""
    folded = [fold(word) for word in words if word]
    if len(folded) < 2:
        return False
    if len(folded) == 2 and folded[1] in HUNGARIAN_GIVEN and folded[0] not in GIVEN | HUNGARIAN_GIVEN:
        return True
    if folded[0] not in FAMILY_FIRST or not all(map(_EAST_ASIAN.fullmatch, folded[1:])):
        return False
    return folded[0] in FAMILY_ONLY or folded[-1] not in FAMILY_ONLY


def _family_names(middle: str, last: str) -> tuple[str, str]:
    """Middle and family name, where the last middle word may be part of the family name.

    `García` + `Márquez` are both; of `Vargas` + `Llosa` and `Drummond` + `de Andrade` nobody can tell without knowing
    the person: then there is neither a middle nor a family name.
    """
    *given, word = middle.split() or [""]
    parts = fold(last).split()
    if not word or not parts:
        return middle, last
    father = fold(word)
    if father in BOUND_TO_NEXT or (father in IBERIAN_FAMILIES and parts[-1] in IBERIAN_FAMILIES):
        return " ".join(given), f"{word} {last}"
    is_name = father in GIVEN or len(father) == 1 or word.endswith(".")
    if father in IBERIAN_FAMILIES or (parts[0] in IBERIAN_PARTICLES and not given and not is_name):
        return "", ""
    return middle, last


def _is_written_like_a_name(word: str) -> bool:
    return " " not in word and len(word) > 1 and word.istitle() and "." not in word and fold(word) not in GENERATIONS
