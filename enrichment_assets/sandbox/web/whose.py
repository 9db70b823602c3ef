"""Whose a host of the small web is, for the providers that know companies and people."""

from __future__ import annotations

from enrichment_assets.sandbox.companies import Company
from enrichment_assets.sandbox.web.courses import company_of_course, course_of_host
from enrichment_assets.sandbox.web.firms import company_of, firm_at


def known_company(seed: int, host: str) -> Company | None:
    """The company whose site is at a host of the small web; None for any other host."""
    firm = firm_at(seed, host)
    if firm is not None:
        return company_of(seed, firm)
    course = course_of_host(seed, host)
    return company_of_course(seed, course) if course is not None else None
