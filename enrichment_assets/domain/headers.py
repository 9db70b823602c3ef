"""Which uploaded column is which identity field: aliases of real exports, matched without case, spaces or punctuation.

Known shapes: Apollo contacts (current order and its drift over time) and accounts, LinkedIn Sales Navigator and its
scrapers, HubSpot, Salesforce and Pipedrive exports. Nothing is renamed: the mapping stands beside the columns.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_ALIASES = {
    "first_name": "First Name | Given Name | Contact First Name | Prospect First Name | Forename",
    "last_name": "Last Name | Surname | Family Name | Contact Last Name | Prospect Last Name",
    "full_name": "Full Name | Person Name | Contact Name | Contact Full Name | Prospect Name | Lead Name",
    "title": "Title | Job Title | Position | Job Position | Person Title | Current Title | Current Position "
    "| Contact Title | Role | Job Role",
    "seniority": "Seniority | Seniority Level | Management Level",
    "email": "Email | Email Address | E-mail | E-mail Address | Work Email | Work Email Address | Business Email "
    "| Primary Email | Contact Email | Person Email | Mail",
    "phone": "Work Direct Phone | Direct Phone | Work Direct | Direct Dial | Mobile Phone | Mobile | Mobile Number "
    "| Mobile Phone Number | Cell Phone | Cell | First Phone | Phone | Phone Number | Contact Phone | Telephone "
    "| Work Phone | Business Phone | Corporate Phone | Other Phone | Home Phone",
    "linkedin_url": "Person Linkedin Url | Linkedin Url | Linkedin | Linkedin Profile | Linkedin Profile Url "
    "| Person Linkedin | Contact Linkedin Url | Linkedin Contact Profile Url | Profile Url | Default Profile Url "
    "| Linkedin Member Profile Url | Linkedin Link",
    "company_name": "Company Name | Company | Organization Name | Organisation Name | Organization | Organisation "
    "| Account Name | Current Company | Company Account | Employer | Associated Company",
    "company_domain": "Company Domain | Domain | Company Domain Name | Primary Domain | Website Domain "
    "| Company Primary Domain | Root Domain | Organization Domain",
    "company_website": "Website | Company Website | Website Url | Company Website Url | Company Url | Homepage "
    "| Company Homepage | Organization Website | Web",
    "company_linkedin_url": "Company Linkedin Url | Company Linkedin | Linkedin Company Url | Company Linkedin Profile "
    "| Linkedin Company Page | Linkedin Company Profile Url | Regular Company Url | Company Linkedin Page "
    "| Organization Linkedin Url | Company Linkedin Link",
    "company_phone": "Company Phone | Company Phone Number | Company Main Phone | Account Phone | Organization Phone",
    "industry": "Industry | Company Industry | Account Industry | Primary Industry",
    "city": "City | Person City | Contact City | Mailing City",
    "state": "State | Person State | State/Region | State/Province | Province | Region | Mailing State",
    "country": "Country | Person Country | Country/Region | Contact Country | Mailing Country",
    "apollo_contact_id": "Apollo Contact Id | Apollo Person Id",
    "apollo_account_id": "Apollo Account Id | Apollo Organization Id | Apollo Company Id",
}
"""Identity field -> header names, the most wanted first. A row takes the first of these columns that has content."""

_FALLBACKS = {
    "full_name": "Name",
    "title": "Headline | Current Job",
    "email": "Personal Email | Email 1",
    "phone": "Phone 1 | Personal Phone",
    "company_name": "Company Name for Emails | Cleaned Company Name | Account",
    "company_website": "Url | Site",
    "city": "Company City | Billing City | Account City",
    "state": "Company State | Billing State | Account State",
    "country": "Company Country | Billing Country | Account Country",
}
"""Names that count only where the file has no column of the field's first list (`Company Name for Emails` is a mail
merge form of the name, a company's city is not the person's)."""

_PERSON_FIELDS = ("first_name", "last_name", "full_name", "email")
_RECORD_ID = "Apollo Record Id"
"""The contact's id in a contacts export, the account's in an accounts export: the other columns tell."""


@dataclass(frozen=True, slots=True)
class HeaderField:
    """What a column means: an identity field, and its rank (0 first) among the columns of that field."""

    field: str
    rank: int


def fold(header: str) -> str:
    """Letters and digits only, compatibility forms unified, without case: `LinkedIn_URL ` -> `linkedinurl`."""
    text = unicodedata.normalize("NFKC", header).casefold()
    return "".join(character for character in text if character.isalnum())


def map_headers(headers: Sequence[str]) -> list[HeaderField | None]:
    """The meaning of each header cell, in order; None for a column that is no identity field."""
    folded = [fold(header) for header in headers]
    found: dict[str, list[int]] = {}
    for field, aliases in _ALIASES.items():
        found[field] = _columns(folded, aliases) or _columns(folded, _FALLBACKS.get(field, ""))
    of_person = any(found[field] for field in _PERSON_FIELDS)
    id_field = "apollo_contact_id" if of_person else "apollo_account_id"
    found[id_field] = found[id_field] or _columns(folded, _RECORD_ID)
    meanings: list[HeaderField | None] = [None] * len(folded)
    for field, columns in found.items():
        for rank, column in enumerate(columns):
            meanings[column] = HeaderField(field, rank)
    return meanings


def _columns(folded: list[str], aliases: str) -> list[int]:
    """Positions of the columns with these names, in the order of the aliases, then of the file."""
    order = {fold(alias): rank for rank, alias in reversed(list(enumerate(aliases.split("|"))))}
    return sorted((n for n, name in enumerate(folded) if name in order), key=lambda n: (order[folded[n]], n))
