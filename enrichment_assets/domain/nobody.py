"""Names that are nobody's: `LinkedIn Member`, `Test Account`, `First Last`, `n/a`."""

from __future__ import annotations

from functools import lru_cache

from enrichment_assets.domain.field_types import FieldType
from enrichment_assets.domain.name_words import NOBODY_GROUPS, NOBODY_NAMES, fold
from enrichment_assets.domain.no_value import is_no_value
from enrichment_assets.domain.no_value_words import NOBODY

_EDGES = " ,;:|-–—_*.()[]<>!?\"'"

_NAMES = NOBODY_NAMES | frozenset(fold(name.replace("-", " ")) for name in NOBODY)
_AT_ENDS = NOBODY_GROUPS.union(*((name.split()[0], name.split()[-1]) for name in _NAMES))
"""Words that begin or end the name of nobody."""


@lru_cache(maxsize=4096)
def is_nobody(text: str | None) -> bool:
    """True for a whole name that no person has, and for one without letters.

    `Null` and `Blank` are family names beside a first name; alone they are placeholders.
    """
    stripped = (text or "").strip(_EDGES).casefold()
    return is_listed(stripped) or is_no_part(stripped)


@lru_cache(maxsize=4096)
def is_listed(text: str) -> bool:
    """True for a whole name of our lists: `Test Account`, `Vertrieb`, and a group's (`Acme Support Team`)."""
    folded = _folded(text)
    return folded in _NAMES or folded.rpartition(" ")[2] in NOBODY_GROUPS


@lru_cache(maxsize=65_536)
def may_be_of_nobody(text: str) -> bool:
    """True for a cell that is nobody's name or the beginning or the end of one (`Sales`, `Member`): its row decides."""
    words = _folded(text).split()
    return not words or words[0] in _AT_ENDS or words[-1] in _AT_ENDS


def is_no_part(text: str | None) -> bool:
    """True for a cell of a first or last name that holds no name."""
    if not text or not any(map(str.isalpha, text)):
        return True
    return is_no_value(text, FieldType.PERSON_NAME)


def _folded(text: str) -> str:
    return fold(text.strip(_EDGES).casefold().replace("-", " "))
