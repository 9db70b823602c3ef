"""Quantities: counts, ranges and amounts out of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.values import clean


def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `value` of a field as text, and the `range` where the value is one."""
    cleaned = clean(given["field"], given["value"], {})
    value = None if cleaned.value is None else str(cleaned.value)
    details = dict(cleaned.details)
    ranges = [said for name, said in details.items() if name.endswith("_range")]
    is_range = given["field"].endswith("_range")
    return {"value": value, "range": value if is_range else next(iter(ranges), None)}
