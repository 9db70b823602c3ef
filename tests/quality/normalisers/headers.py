"""Headers of exporting products: which column each identity field is read from first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.headers import map_headers


def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The header that each field takes first, out of `headers` and, where the case has them, `cells` (lists)."""
    headers = given["headers"]
    cells = given.get("cells") or {}
    meanings = map_headers(headers, [cells.get(header, []) for header in headers])
    first = {m.field: header for header, m in zip(headers, meanings, strict=True) if m is not None and m.rank == 0}
    return {field: first.get(field) for field in IDENTITY_FIELDS}
