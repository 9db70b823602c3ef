"""Phones: the first number of a cell that can be dialled, its type and its extension."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.phones import read_phones


def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """`number`, `type` and `extension` of the cell `text` in a row of `country`."""
    first = next(iter(read_phones(given["text"], given["country"]).numbers), None)
    return {"number": first and first.number, "type": first and first.type, "extension": first and first.extension}
