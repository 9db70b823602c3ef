"""Where a full name is parted, and where nobody can tell.

nameparser parts names of European order. Here is the evidence that goes beyond it: two family names of Spain and
Portugal are both kept, and a name that may have its family name first (`Xi Jinping`, `Orbán Viktor`) is not parted.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache

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
    IBERIAN_GIVEN,
    IBERIAN_PARTICLES,
    JOBS,
    NEVER_NAMES,
    PARSER,
    POST_NOMINALS,
    TITLES,
    TITLES_BEFORE_GIVEN,
    WESTERN_FAMILIES,
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
_FAMILY_END = re.compile(
    r".{2,}(?:ov|ova|ev|eva|sky|ski|ska|skaya|enko|escu|opoulos|sson|vic|dze|shvili)|o'.{3,}|mc.{3,}"
    r"|.{2,}(?:[кнлртмдбпвгзс]ов|[кнлртмдбпвгзс]ова|[ьлнг]ев|[ьлнг]ева|скии|ская|цкии|енко|чук|швили)"
)
"""Ends (`Ivanov`, `Иванов`) and beginnings (`O'Connor`) of family names, folded."""


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
    if (stated := _capitals_first(text)) is not None:
        return stated
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
    middle, last = _family_names(first, middle, last)
    return Split(whole, first, middle, last, title, suffix)


def _leading_title(text: str) -> tuple[str, str]:
    """`Sen Maria Cantwell`: a title that is a name too, before a given name and another word."""
    words = text.split()
    if len(words) > 2 and fold(words[0]) in TITLES_BEFORE_GIVEN and fold(words[1]) in GIVEN:
        return words[0], " ".join(words[1:])
    return "", text


def _capitals_first(text: str) -> Split | None:
    """`DUPONT Jean`: a family name in capitals before a given name that is not; None: it is not written so.

    Where the other word is no given name that we know, the capitals may be a company's (`BASF Deutschland`).
    """
    words = text.split()
    family = list(itertools.takewhile(_is_family_in_capitals, words))
    given = words[len(family) :]
    if not family or not given or not all(word[:1].isupper() and not word.isupper() for word in given):
        return None
    if fold(family[0]) in GIVEN:
        return None
    first, last = " ".join(given), with_capitals(" ".join(family), family=True)
    if fold(given[0]) in GIVEN or (len(words) == 2 and fold(family[0]) in FAMILY_FIRST):
        return Split(f"{first} {last}", first, "", last)
    return Split(text)


def _is_family_in_capitals(word: str) -> bool:
    folded = fold(word)
    if not word.isupper() or "." in word or folded in TITLES or folded in POST_NOMINALS or folded in JOBS:
        return False
    return len(folded) > 2 or folded in FAMILY_FIRST or folded in FAMILY_ONLY


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
    names_given = len(folded) == 2 and not is_family(folded[1]) and (folded[1] in GIVEN or not folded[1].isascii())
    if names_given and is_family(folded[0]):
        return True
    if folded[0] not in GIVEN and len(folded[-1]) == 1 and len(folded[0]) > 1:
        return True  # `Doe J.`
    if folded[0] not in FAMILY_FIRST or not all(map(_EAST_ASIAN.fullmatch, folded[1:])):
        return False
    return folded[0] in FAMILY_ONLY or folded[-1] not in FAMILY_ONLY


@lru_cache(maxsize=16_384)
def is_family(word: str) -> bool:
    """True for a word that is a family name and no given name, by our list or by its end (`Smith`, `Ivanov`)."""
    folded = fold(word)
    return folded in WESTERN_FAMILIES or (_FAMILY_END.fullmatch(folded) is not None and folded not in GIVEN)


def _family_names(first: str, middle: str, last: str) -> tuple[str, str]:
    """Middle and family name, where the last middle word may be part of the family name.

    `García` + `Márquez` are both; of `Vargas` + `Llosa` and `Drummond` + `de Andrade` nobody can tell without knowing
    the person: then there is neither a middle nor a family name. Nor is there for `Aznar` + `López` behind `José`:
    nobody is sure that the first of the two is a given name.
    """
    *given, word = middle.split() or [""]
    parts = fold(last).split()
    if not word or not parts:
        return middle, last
    father = fold(word)
    if father in BOUND_TO_NEXT or (father in IBERIAN_FAMILIES and parts[-1] in IBERIAN_FAMILIES):
        return " ".join(given), f"{word} {last}"
    is_name = father in GIVEN or len(father) == 1 or word.endswith(".")
    if father in IBERIAN_FAMILIES or (parts[0] in IBERIAN_PARTICLES and not is_name):
        return "", ""
    culture = fold(first).partition(" ")[0]
    is_iberian = culture in IBERIAN_GIVEN or (culture not in GIVEN and parts[-1] in IBERIAN_FAMILIES)
    if is_iberian and not is_name:
        return "", ""
    return middle, last


def _is_written_like_a_name(word: str) -> bool:
    return " " not in word and len(word) > 1 and word.istitle() and "." not in word and fold(word) not in GENERATIONS
