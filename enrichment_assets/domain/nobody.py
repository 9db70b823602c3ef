"""Names that are nobody's: `LinkedIn Member`, `Test Account`, `First Last`, `n/a`."""

from __future__ import annotations

from functools import lru_cache

from enrichment_assets.domain.field_types import FieldType
from enrichment_assets.domain.name_words import NOBODY_NAMES, fold
from enrichment_assets.domain.no_value import is_no_value

_EDGES = " ,;:|-–—_*.()[]<>!?\"'"


@lru_cache(maxsize=4096)
def is_nobody(text: str | None) -> bool:
    """True for a whole name that no person has, and for one without letters.

    `Null` and `Blank` are family names beside a first name; alone they are placeholders.
    """
    stripped = (text or "").strip(_EDGES).casefold()
    return fold(stripped.replace("-", " ")) in NOBODY_NAMES or is_no_part(stripped)


def is_no_part(text: str | None) -> bool:
    """True for a cell of a first or last name that holds no name."""
    if not text or not any(map(str.isalpha, text)):
        return True
    return is_no_value(text, FieldType.PERSON_NAME)
