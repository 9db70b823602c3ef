"""Names of people: the three cells of an upload, taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from enrichment_assets.domain.names import normalise_name


def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Every field of the name that `first_name`, `last_name` and `full_name` give."""
    return asdict(normalise_name(given.get("first_name"), given.get("last_name"), given.get("full_name")))
