"""Titles before a name and post-nominals behind it, in the words of one column."""

from __future__ import annotations

import re

from enrichment_assets.domain.name_words import (
    COUPLES,
    GENERATIONS,
    NEVER_NAMES,
    POST_NOMINALS,
    POST_NOMINALS_OR_NAMES,
    TITLES,
    TITLES_BEFORE_GIVEN,
    fold,
)

_ACRONYM = re.compile(r"^[A-Z][A-Za-z]?[A-Z0-9.&/+®™-]{1,9}$")
_NUMBERS = frozenset({"i", "v"})
"""Numbers that are initials as often: only behind two words."""

_WRITTEN_LIKE_NAMES = frozenset({"phd", "esq", "esquire"})
"""Post-nominals that stand with one capital only (`Phd`, `Esq.`) and are no family name."""


def strip_titles(words: list[str], keep: int = 1) -> list[str]:
    """Take titles off the front while `keep` words remain (`Mr. and Mrs. John` -> `John`); the titles, in order.

    One that is no name (`Mr.`, `Capt.`) goes where it stands alone, too.
    """
    titles: list[str] = []
    if len(words) == 1 and (fold(words[0]) in NEVER_NAMES or (words[0].endswith(".") and _is_title(words[0]))):
        return [words.pop()]
    while len(words) > 1 and (len(words) > keep or fold(words[0]) in NEVER_NAMES):
        joins = titles and fold(words[0]) in COUPLES and _is_title(words[1])
        if not joins and not _is_title(words[0]):
            break
        titles.append(words.pop(0))
    return titles


def strip_post_nominals(words: list[str], keep: int = 1) -> list[str]:
    """Take post-nominals off the end while `keep` words remain; the generations (`Jr.`, `III`) among them, in order."""
    generations: list[str] = []
    while len(words) > keep:
        if is_post_nominal(words[-1], words[:-1], keep):
            word = words.pop()
            generations[:0] = generations_of([word])
        elif len(words) > keep + 1 and _is_spaced_post_nominal(words[-2:]):
            del words[-2:]
        else:
            break
    return generations


def is_post_nominal(word: str, before: list[str], keep: int = 1) -> bool:
    """True where a word behind a name tells a generation or a credential, by vocabulary and capitals."""
    plain = fold(word.strip(",;"))
    if plain in _NUMBERS:
        return len(before) > keep
    if plain in GENERATIONS:
        return True
    if plain in POST_NOMINALS_OR_NAMES:
        return word.count(".") > 1 or (word.isupper() and not "".join(before).isupper())
    return plain in POST_NOMINALS and ("." in word or not word.istitle() or plain in _WRITTEN_LIKE_NAMES)


def are_post_nominals(segment: str, head: str) -> bool:
    """True for a segment behind a comma that holds post-nominals only: by vocabulary, or unlisted ones in capitals."""
    words = segment.split()
    if _is_spaced_post_nominal(words):
        return True
    others = head.split()
    known = all(fold(word) in POST_NOMINALS or fold(word) in POST_NOMINALS_OR_NAMES for word in words)
    if known and (len(others) > 1 or all(is_post_nominal(word, [*others, *others]) for word in words)):
        return True
    return len(others) > 1 and not head.isupper() and all(map(_ACRONYM.match, words))


def generations_of(words: list[str]) -> list[str]:
    """What the words tell of a generation, in one spelling (`Jr.`)."""
    return [GENERATIONS[fold(word)] for word in words if fold(word) in GENERATIONS]


def _is_title(word: str) -> bool:
    plain = fold(word)
    return plain in TITLES or (word.endswith(".") and plain in TITLES_BEFORE_GIVEN)


def _is_spaced_post_nominal(words: list[str]) -> bool:
    """`Ph. D.`, `M. Sc.`: a credential written in two words."""
    return len(words) == 2 and all(word.endswith(".") for word in words) and fold("".join(words)) in POST_NOMINALS
