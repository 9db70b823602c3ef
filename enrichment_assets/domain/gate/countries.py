"""What the law of a person's country asks before a message, as data (`data/contact_rules.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from enrichment_assets.domain.regions import groups

DEFAULT, EEA = "default", "EEA"


class Basis(StrEnum):
    """What is asked before somebody is written to."""

    CONSENT = "consent"
    OPT_OUT = "opt_out"
    """Nobody is asked before, and everybody can say no: suppressions are that."""


class Consent(StrEnum):
    """How somebody came to agree; stored in `contact_consents`."""

    EXPRESS = "express"
    """They said so."""
    PUBLISHED = "published"
    """They, or their employer, published the address for their role, and said nothing against messages."""
    CUSTOMER = "customer"
    """They gave the address when they bought, for what is alike."""


@dataclass(frozen=True, slots=True)
class CountryRule:
    """What one country asks.

    Attributes:
        basis: Of a mailbox of business.
        private: Of a private one.
        accepts: Which consents count.
        statute: Where that stands: statute and section.
        source: Where that can be read.
    """

    basis: Basis
    private: Basis
    accepts: frozenset[Consent]
    statute: str
    source: str


# opens files of ours: the package's own lists
@cache
def country_rules() -> dict[str, CountryRule]:
    """Rules by country, and the two that stand for others: `EEA` and `default`."""
    listed = tomllib.loads((resources.files("enrichment_assets.domain") / "data" / "contact_rules.toml").read_text())
    return {
        code: CountryRule(
            Basis(said["basis"]),
            Basis(said.get("private", said["basis"])),
            frozenset(map(Consent, said.get("accepts", ()))),
            said["statute"],
            said["source"],
        )
        for code, said in listed.items()
    }


def rule_of(country: str) -> CountryRule:
    """The rule of a country (ISO 3166 alpha-2): its own, that of the EEA where it is in it, or the last resort."""
    rules = country_rules()
    if country in rules:
        return rules[country]
    return rules[EEA] if country in groups()[EEA] else rules[DEFAULT]
