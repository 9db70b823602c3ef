"""States and provinces by ISO 3166-2, as pycountry has it: `TX`, `Texas` and `US-TX` are one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pycountry

from enrichment_assets.domain.countries import region_of
from enrichment_assets.domain.name_words import fold

_ABBREVIATED = ("US", "CA", "AU")
"""Countries whose people write a state by its letters and leave the country out."""


def state_code(state: str | None, country: str | None) -> str | None:
    """`US-TX` for a state's name or letters; None where it is not known, or may be of several countries.

    Without a country it is looked for in the United States, Canada and Australia.
    """
    said = _folded(state)
    if not said:
        return None
    code = region_of(country) if _folded(country) else None
    if _folded(country) and code is None:
        return None
    countries = [code] if code is not None else list(_ABBREVIATED)
    found = {known for one in countries if (known := _states(one).get(said)) is not None}
    return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class StateNames:
    """How a state is written: its `name`, its `letters` (`TX`; None: not known), and longer names that hold its own."""

    name: str
    letters: str | None = None
    longer: tuple[str, ...] = ()


def state_names(state: str | None, country: str | None) -> StateNames | None:
    """The names of a state, whichever of them the cell has; None: the cell is empty. An unknown one is as it stands.

    Example: `VA` is Virginia, and West Virginia is a longer name that it stands in.
    """
    if not (state or "").strip():
        return None
    code = state_code(state, country)
    if code is None:
        return StateNames(" ".join((state or "").split()))
    found = next(one for one in pycountry.subdivisions if one.code == code)
    others = [one.name for one in pycountry.subdivisions if one.country_code == code.partition("-")[0]]
    longer = tuple(other for other in others if other != found.name and f" {other} ".find(f" {found.name} ") >= 0)
    return StateNames(found.name, code.partition("-")[2], longer)


@cache
def _states(country: str) -> dict[str, str]:
    """Folded name, letters and code of each subdivision of a country -> its code."""
    known: dict[str, str] = {}
    for one in (each for each in pycountry.subdivisions if each.country_code == country):
        for name in (one.name, one.code, one.code.partition("-")[2]):
            known.setdefault(_folded(name), one.code)
    return known


def _folded(text: str | None) -> str:
    return " ".join(fold(text or "").casefold().split())
