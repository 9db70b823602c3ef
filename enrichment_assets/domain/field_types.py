"""What kind of value a field holds: the one table behind every check of a value (`domain.values`).

A field that is not in the table is free: text or JSON of any shape. A workflow may say the type of a field of its own
(`types` in docs/workflows.md); a field of this table has one type everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class FieldType(StrEnum):
    """Kinds of values. What each takes and makes of it is `domain.values.clean`."""

    EMAIL = "email"
    PHONE = "phone"
    LINKEDIN_PROFILE = "linkedin_profile"
    LINKEDIN_COMPANY = "linkedin_company"
    HOST = "host"
    URL = "url"
    PERSON_NAME = "person_name"
    COMPANY_NAME = "company_name"
    PLACE = "place"
    COUNTRY = "country"
    COUNT = "count"
    RANGE = "range"
    MONEY = "money"
    YEAR = "year"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ID = "id"
    WORD = "word"
    """A provider's own word, a status or a type: `unknown` and `none` are answers here."""
    TEXT = "text"
    LIST = "list"
    ANY = "any"


FIELD_TYPES: Mapping[str, FieldType] = {
    "first_name": FieldType.PERSON_NAME,
    "last_name": FieldType.PERSON_NAME,
    "full_name": FieldType.PERSON_NAME,
    "title": FieldType.TEXT,
    "seniority": FieldType.TEXT,
    "email": FieldType.EMAIL,
    "phone": FieldType.PHONE,
    "linkedin_url": FieldType.LINKEDIN_PROFILE,
    "company_name": FieldType.COMPANY_NAME,
    "company_domain": FieldType.HOST,
    "company_website": FieldType.URL,
    "company_linkedin_url": FieldType.LINKEDIN_COMPANY,
    "company_phone": FieldType.PHONE,
    "industry": FieldType.TEXT,
    "city": FieldType.PLACE,
    "state": FieldType.PLACE,
    "country": FieldType.COUNTRY,
    "company_city": FieldType.PLACE,
    "company_state": FieldType.PLACE,
    "company_country": FieldType.COUNTRY,
    "apollo_contact_id": FieldType.ID,
    "apollo_account_id": FieldType.ID,
    "apollo_person_id": FieldType.ID,
    "apollo_organization_id": FieldType.ID,
    "phone_type": FieldType.WORD,
    "email_status": FieldType.WORD,
    "email_score": FieldType.NUMBER,
    "company_employee_count": FieldType.COUNT,
    "company_employee_range": FieldType.RANGE,
    "company_annual_revenue": FieldType.MONEY,
    "company_annual_revenue_range": FieldType.RANGE,
    "company_founded_year": FieldType.YEAR,
    "company_description": FieldType.TEXT,
    "company_technologies": FieldType.LIST,
    "homepage_url": FieldType.URL,
}
"""Field -> its type, for every field that this platform gives a meaning to."""


def type_of(field: str, declared: Mapping[str, FieldType] | None = None) -> FieldType:
    """The type of a field: by the table, else as its workflow declares it, else free."""
    known = FIELD_TYPES.get(field)
    if known is not None:
        return known
    return (declared or {}).get(field, FieldType.ANY)
