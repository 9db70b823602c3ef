"""Names that are nobody's: `LinkedIn Member`, `Test Test`, `First Last`, `n/a`."""

from __future__ import annotations

from enrichment_assets.domain.name_words import NOBODY_CELLS, NOBODY_CELLS_UNLESS_NAMES, NOBODY_NAMES, fold

_EDGES = " ,;:|-–—_*.()[]<>!?\"'"


def is_nobody(text: str | None) -> bool:
    """True for a full name that no person has; a cell without letters is nobody too."""
    folded = fold((text or "").strip(_EDGES).replace("-", " "))
    return folded in NOBODY_NAMES or is_no_part(text, alone=True)


def is_no_part(text: str | None, *, alone: bool = False) -> bool:
    """True for a cell of a first or last name that holds no name.

    `Blank`, `Null` and the like are family names where they are written like one and do not stand `alone`.
    """
    stripped = (text or "").strip(_EDGES)
    folded = fold(stripped)
    if folded in NOBODY_CELLS_UNLESS_NAMES:
        return alone or not stripped.istitle() or "." in stripped
    return folded in NOBODY_CELLS or not any(character.isalpha() for character in folded)
