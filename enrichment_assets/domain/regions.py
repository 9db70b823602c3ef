"""Regions that a workflow is closed to: `not_for: [DE, EEA]`.

A region is a country by its ISO 3166 code, or a group of them (`data/regions.toml`). A code means what has that code:
FR is not Reunion (RE), EU is both. Who is closed out is decided by the country that a lead's fields say, and by nothing
else: a phone number does not say where somebody lives.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from enrichment_assets.domain.countries import is_country_code, region_of
from enrichment_assets.domain.suggestions import did_you_mean

UnknownCountry = Literal["skip", "ask"]
"""What a closed workflow does with a row of which no country is known."""

NOT_KNOWN = "the country is not known"
"""The detail behind `closed_to_region: ` where a row says no country."""


def _code(value: object) -> str:
    if value is False:
        raise ValueError("YAML reads NO as false: write 'NO' in quotes for Norway")
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no code of a country: write one like DE, or {' or '.join(groups())}")
    if value in groups() or is_country_code(value):
        return value
    near = value.upper() if value.upper() in groups() else region_of(value)
    guess = did_you_mean(value, groups()) if near is None else f"; did you mean {near!r}?"
    raise ValueError(f"{value[:80]!r} is neither an ISO 3166 code of two capitals nor {' nor '.join(groups())}{guess}")


RegionCode = Annotated[str, BeforeValidator(_code)]
"""A country (`DE`) or a group of countries (`EU`, `EEA`)."""


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Subprocessor(_Declared):
    """Whom a processor has work for it, and where; no region: not known."""

    name: str = Field(min_length=1, max_length=200)
    regions: list[RegionCode] = Field(default_factory=list)


class Processor(Subprocessor):
    """Who processes the data of people that a workflow sends, where, and with whose help."""

    subprocessors: list[Subprocessor] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Closing:
    """Whom a workflow is closed to, ready to be asked.

    Attributes:
        closed: Country -> the code of `not_for` that has it.
        unknown: What is done where no country is known.
    """

    closed: Mapping[str, str]
    unknown: UnknownCountry

    def reason(self, countries: Iterable[object]) -> str | None:
        """Why a lead of which these countries are said, in any spelling, is not asked about; None: it may be."""
        said = [code for text in countries if isinstance(text, str) and (code := region_of(text)) is not None]
        for country in said:
            if (region := self.closed.get(country)) is not None:
                return country if region == country else f"{region} ({country})"
        return NOT_KNOWN if not said and self.unknown == "skip" else None


def closing(not_for: Collection[str], unknown: UnknownCountry) -> Closing | None:
    """Whom these regions close out; None: nobody."""
    if not not_for:
        return None
    closed: dict[str, str] = {}
    for region in not_for:
        for country in groups().get(region, (region,)):
            closed.setdefault(country, region)
    return Closing(closed, unknown)


# opens files of ours: the package's own lists
@cache
def groups() -> Mapping[str, tuple[str, ...]]:
    """Countries of each group by its name; a group may have another one that stands before it."""
    listed = tomllib.loads((resources.files(__package__) / "data" / "regions.toml").read_text(encoding="utf-8"))
    found: dict[str, tuple[str, ...]] = {}
    for name, members in listed.items():
        found[name] = tuple(country for member in members for country in found.get(member, (member,)))
    return found
