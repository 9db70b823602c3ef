"""Countries: the ISO code of whatever a list calls one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.countries import region_of


def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The alpha-2 code of `text`."""
    return {"region": region_of(given["text"])}
