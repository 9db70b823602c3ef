"""States and provinces by ISO 3166-2, as pycountry has it: `TX`, `Texas` and `US-TX` are one."""

from __future__ import annotations

from functools import cache

import pycountry

from enrichment_assets.domain.countries import region_of

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


@cache
def _states(country: str) -> dict[str, str]:
    """Folded name, letters and code of each subdivision of a country -> its code."""
    known: dict[str, str] = {}
    for one in (each for each in pycountry.subdivisions if each.country_code == country):
        for name in (one.name, one.code, one.code.partition("-")[2]):
            known.setdefault(_folded(name), one.code)
    return known


def _folded(text: str | None) -> str:
    return " ".join((text or "").casefold().split())
