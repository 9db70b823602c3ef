"""The names of columns that are known (`header_names.yaml`), in the form in which headers are compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

Order = Mapping[str, int]
"""Folded header -> its turn among the headers of one field, 0 first."""


@dataclass(frozen=True, slots=True)
class Half:
    """`Name` beside `Vorname` is the family name: a name of either, the field it is, and the headers that say so."""

    name: str
    beside: str
    headers: frozenset[str]
    field: str


@dataclass(frozen=True, slots=True)
class HeaderNames:
    """Everything that `header_names.yaml` says, folded. Its comments say what each part is for."""

    fields: Mapping[str, Order]
    fallbacks: Mapping[str, Order]
    names_of_either: Order
    halves: Sequence[Half]
    places: Sequence[Mapping[str, Order]]
    certain_signs: frozenset[str]
    likely_signs: frozenset[str]
    about_companies: Mapping[str, Order]
    record_ids: Order
    forms_of_address: Order


@lru_cache(maxsize=4096)
def fold(header: str) -> str:
    """Letters and digits only, without case and accents: `LinkedIn_URL ` -> `linkedinurl`, `Prénom` -> `prenom`.

    A header of symbols folds to nothing, and nothing equals nothing: no name is empty.
    """
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", header).casefold())
    return "".join(character for character in text if character.isalnum())


# opens files of ours: the package's own lists
@cache
def header_names() -> HeaderNames:
    """The known names. Read once a process."""
    text = files("enrichment_assets.domain").joinpath("header_names.yaml").read_text(encoding="utf-8")
    data: Mapping[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return HeaderNames(
        fields=_by_field(data["fields"]),
        fallbacks=_by_field(data["fallbacks"]),
        names_of_either=_order(_joined(data["names_of_either"])),
        halves=[
            Half(fold(half["name"]), half["beside"], frozenset(map(fold, half["headers"])), half["is"])
            for half in data["halves"]
        ],
        places=[{field: _order(names) for field, names in group.items()} for group in data["places"].values()],
        certain_signs=frozenset(_order(data["signs_of_companies"]["certain"])),
        likely_signs=frozenset(_order(data["signs_of_companies"]["likely"])),
        about_companies={field: _order(names) for field, names in data["about_companies"].items()},
        record_ids=_order(data["record_ids"]),
        forms_of_address=_order(data["forms_of_address"]),
    )


def _by_field(products: Mapping[str, Mapping[str, list[str]]]) -> dict[str, Order]:
    return {field: _order(_joined(by_product)) for field, by_product in products.items()}


def _joined(by_product: Mapping[str, list[str]]) -> Iterable[str]:
    return (name for names in by_product.values() for name in names)


def _order(names: Iterable[str]) -> Order:
    """Each name's turn. Raises `ValueError` for one that folds to nothing: it would match every blank header."""
    order: dict[str, int] = {}
    for name in names:
        if not (folded := fold(name)):
            raise ValueError(f"{name!r} is no name of a column: it has neither letters nor digits")
        order.setdefault(folded, len(order))
    return order
