"""LinkedIn: the one form of a person's and of a company's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.linkedin import linkedin_company, linkedin_person


def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Both readings of the cell `address`; most addresses have one."""
    return {"person": linkedin_person(given["address"]), "company": linkedin_company(given["address"])}
