"""Hosts: the company's own site out of a cell, and none where the cell has another's page or no address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.companies import company_host


def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """`host` of a row with the cells `website`, `domain` and `company`."""
    cells = {"company_website": "website", "company_domain": "domain", "company_name": "company"}
    return {"host": company_host({field: given.get(cell) for field, cell in cells.items()})}
