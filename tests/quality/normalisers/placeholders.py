"""Placeholders: what is no value of a field, and what only looks so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.values import clean


def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `value` of a `text` in a `field`."""
    return {"value": clean(given["field"], given["text"], {}).value}
