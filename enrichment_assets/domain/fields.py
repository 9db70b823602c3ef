"""The identity columns of a batch item: what every workflow may ask for by name, whatever the upload called it."""

from __future__ import annotations

IDENTITY_FIELDS: tuple[str, ...] = (
    "first_name",
    "last_name",
    "full_name",
    "title",
    "seniority",
    "email",
    "phone",
    "linkedin_url",
    "company_name",
    "company_domain",
    "company_website",
    "company_linkedin_url",
    "company_phone",
    "industry",
    "city",
    "state",
    "country",
    "apollo_contact_id",
    "apollo_account_id",
)
"""Columns of `batch_items`, all text, in table order. Mapped from the upload's header by alias, and clean
values of their kind or null (`domain.values`); the cells as they came are in `original_data`."""
