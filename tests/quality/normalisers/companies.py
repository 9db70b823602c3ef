"""Names of companies: the key they are compared by, and whether two names are one company's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.company_names import company_name_key


def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """`key` of the name, and `same` (`yes`, `no`) where the case has another name beside it."""
    key = company_name_key(given["name"])
    other = given.get("other")
    return {"key": key, "same": None if other is None else "yes" if key == company_name_key(other) else "no"}
