"""Words of names: nameparser's vocabulary and our own in `data/person_names.toml`, and how words are compared."""

from __future__ import annotations

import tomllib
import unicodedata
from functools import lru_cache
from importlib import resources

from nameparser import Lexicon, Parser, PatronymicRule, Policy

# opens files of ours: the package's own lists
_OURS = tomllib.loads((resources.files(__package__) / "data" / "person_names.toml").read_text(encoding="utf-8"))

_LETTERS = str.maketrans({"đ": "d", "ł": "l", "ø": "o", "ı": "i", "æ": "ae", "’": "'", ".": None})
"""What compatibility forms do not take apart."""

_LONGEST_PLAIN = 40


@lru_cache(maxsize=16_384)
def fold(text: str) -> str:
    """A form for comparing: without case, accents and points (`Ph.D.` and `PhD` are `phd`), one kind of space."""
    if text.isascii():  # nothing to take apart
        return " ".join(text.lower().replace(".", "").split())
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def _words(section: str, name: str) -> frozenset[str]:
    return frozenset(map(fold, _OURS[section][name].split()))


def _phrases(section: str, name: str) -> frozenset[str]:
    lines = _OURS[section][name].splitlines()
    return frozenset(fold(phrase) for line in lines for phrase in line.split("|") if phrase.strip())


NOBODY_WORDS = _words("nobody", "words")
NOBODY_NAMES = _phrases("nobody", "names")
NOBODY_GROUPS = _words("nobody", "groups")
PRONOUNS = _phrases("asides", "pronouns")
JOBS = _words("asides", "jobs")
JOB_ENDS = tuple(_words("asides", "job_ends"))
JOB_LINKS = _words("asides", "job_links")
COMPANY_ENDS = _words("asides", "companies")
GENERATIONS = {fold(word): spelling for spelling, words in _OURS["generations"].items() for word in words.split()}
"""`jnr` -> `Jr.`"""
NEVER_NAMES = _words("titles", "never_names")
TITLES_BEFORE_GIVEN = _words("titles", "before_given_names")
IBERIAN_GIVEN = _words("order", "iberian_given")
GIVEN = _words("order", "given") | IBERIAN_GIVEN - _words("order", "given_or_family")
WESTERN_FAMILIES = _words("order", "western_families") - GIVEN
GIVEN_COMPOUNDS = _phrases("order", "given_compounds")
IBERIAN_FAMILIES = _words("order", "iberian_families")
IBERIAN_PARTICLES = _words("order", "iberian_particles")
FAMILY_FIRST = _words("order", "family_first")
FAMILY_ONLY = _words("order", "family_only")
HUNGARIAN_GIVEN = _words("order", "hungarian_given")

_LEXICON = (
    Lexicon.default()
    .remove(titles=_OURS["titles"]["names_too"].split())
    .add(
        titles=_OURS["titles"]["more"].split(),
        suffix_acronyms_ambiguous=_OURS["titles"]["post_nominals_or_names"].split(),
        suffix_words=_OURS["titles"]["more_post_nominals"].split(),
        particles=_OURS["order"]["more_particles"].split(),
        particles_ambiguous=_OURS["order"]["more_particles"].split(),
    )
)
PARSER = Parser(_LEXICON, Policy(patronymic_rules=frozenset({PatronymicRule.EAST_SLAVIC, PatronymicRule.TURKIC})))
"""Splits a full name; knows titles, post-nominals, particles, patronymics, two people in one name."""

TITLES = frozenset(map(fold, _LEXICON.titles))
POST_NOMINALS = frozenset(map(fold, _LEXICON.suffix_acronyms | _LEXICON.suffix_words)) | GENERATIONS.keys()
POST_NOMINALS_OR_NAMES = frozenset(map(fold, _LEXICON.suffix_acronyms_ambiguous))
"""Post-nominals that are family names too (Ma, Do): which it is, their capitals tell."""
COUPLES = _words("order", "couples")
CAPITAL_PARTICLES = _words("order", "capital_particles")
PARTICLES_OR_NAMES = frozenset(map(fold, _LEXICON.particles_ambiguous))
PARTICLES = frozenset(map(fold, _LEXICON.particles)) - PARTICLES_OR_NAMES
MAIDEN_MARKERS = _LEXICON.maiden_markers
BOUND_TO_NEXT = frozenset(map(fold, _LEXICON.bound_given_names))
"""Words that are no name without the next (`Abd al-Rahman`)."""

_SPECIAL = frozenset().union(
    *(
        TITLES,
        TITLES_BEFORE_GIVEN,
        NEVER_NAMES,
        POST_NOMINALS,
        POST_NOMINALS_OR_NAMES,
        COUPLES,
        BOUND_TO_NEXT,
        PRONOUNS,
    ),
    *(NOBODY_WORDS, FAMILY_FIRST, HUNGARIAN_GIVEN),
    *(map(fold, words) for words in (MAIDEN_MARKERS, _LEXICON.particles, _LEXICON.conjunctions)),
)


@lru_cache(maxsize=16_384)
def is_plain(word: str) -> bool:
    """True for one word of letters with a capital that is nothing but a name, first or last, whatever one knows."""
    letters = word.replace("-", "")
    if not (letters.isalpha() and word[0].isupper() and word[-1].islower() and len(word) < _LONGEST_PLAIN):
        return False
    return unicodedata.is_normalized("NFKC", word) and "--" not in word and fold(word) not in _SPECIAL
