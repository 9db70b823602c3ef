"""What becomes of leads that the client has already, and which cells of a lead are looked at for that.

How they are compared is in `domain.known`, which loads more than commands need that only name a policy.
"""

from __future__ import annotations

from enum import StrEnum


class Known(StrEnum):
    """What becomes of leads that the client has from earlier batches."""

    SKIP = "skip"
    """All of their steps end as SKIPPED(known)."""
    REFRESH = "refresh"
    """They are asked about again, like any other."""


CELLS = (
    "first_name",
    "last_name",
    "full_name",
    "title",
    "seniority",
    "email",
    "linkedin_url",
    "company_name",
    "company_domain",
    "company_website",
    "company_linkedin_url",
    "apollo_contact_id",
)
"""Identity columns that are looked at; besides them the `email_records` of a row's details."""
