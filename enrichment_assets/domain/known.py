"""Leads that a client has already: by which identities a new one is compared with earlier ones, and never by a name.

A lead is one of two sorts, and is compared within its sort. It names **a person** where its cells say a name, a title,
a profile, a contact's id, or an address that is somebody's own. Any other lead is **a company's**: its office's
mailbox, or nothing but the company. So a new person at a known company is new, and a company that was only somebody's
employer is new as well.

| lead | is compared by | is known later by |
| --- | --- | --- |
| a person's | their addresses, their profile | the same, and every address and profile that is found |
| a company's, with an office's mailbox | that mailbox | it, the company's host and page, and what is found |
| a company's, without one | the company's host and page | the same, and what is found |

`info@acme.com` in a row that names Ann is no identity of Ann's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.companies import company_host, normalise_linkedin_company
from enrichment_assets.domain.emails import read_emails
from enrichment_assets.domain.linkedin import linkedin_person
from enrichment_assets.domain.mail_aliases import mailbox
from enrichment_assets.domain.record_fields import EMAIL_RECORDS
from enrichment_assets.domain.role_mailboxes import is_role_mailbox
from enrichment_assets.domain.suppression import Hasher, Identity, Kind

_NAMES_A_PERSON = ("first_name", "last_name", "full_name", "title", "seniority", "linkedin_url", "apollo_contact_id")


@dataclass(frozen=True, slots=True)
class KnownBy:
    """Identities of one lead: by those `compared` it may turn out to be known; by all of them later leads may."""

    compared: frozenset[Identity]
    further: frozenset[Identity] = frozenset()


def known_by(
    cells: Mapping[str, Any],
    found: Iterable[Mapping[str, Any]] = (),
    of_company: Iterable[Mapping[str, Any]] = (),
) -> KnownBy:
    """The identities of a lead.

    Args:
        cells: Its identity columns and its details, before any step.
        found: The fields of answers about it and of corrections, each apart.
        of_company: The fields of answers about its company, which say nothing of a person.
    """
    addresses = {mailbox(address) for address in _addresses(cells)}
    own = {address for address in addresses if not is_role_mailbox(address)}
    if own or any(cells.get(name) for name in _NAMES_A_PERSON):
        compared = {*_mailboxes(own), *_profile(cells)}
        return KnownBy(frozenset(compared), frozenset(_found_of_person(found)) - compared)
    company = _company(cells)
    compared = set(_mailboxes(addresses)) or company
    further = {*company, *_found_of_company([*found, *of_company], has_host=bool(company))}
    return KnownBy(frozenset(compared), frozenset(further) - compared)


def hashed(known: KnownBy, hasher: Hasher) -> tuple[bytes, bytes]:
    """The hashes of both sets, each in a row, as statements take them."""
    return hasher.together(known.compared), hasher.together(known.further)


def found_fields(provided: Iterable[str]) -> list[str]:
    """Those of the fields that a workflow provides which may hold an identity of a lead."""
    named = {name for name in provided if _is_address(name) or name in _FOUND}
    return sorted(named | ({EMAIL_RECORDS} if "email" in named else set()))


_FOUND = frozenset({"linkedin_url", "company_domain", "company_website", "company_linkedin_url"})


def _found_of_person(found: Iterable[Mapping[str, Any]]) -> Iterator[Identity]:
    for fields in found:
        boxes = {mailbox(address) for address in _addresses(fields)}
        yield from _mailboxes(box for box in boxes if not is_role_mailbox(box))
        yield from _profile(fields)


def _found_of_company(found: Iterable[Mapping[str, Any]], *, has_host: bool) -> Iterator[Identity]:
    for fields in found:
        yield from _mailboxes(mailbox(address) for address in _addresses(fields))
        yield from _profile(fields)
        if not has_host:
            yield from _company(fields)


def _company(fields: Mapping[str, Any]) -> set[Identity]:
    """The company by its own full host, never a platform's or a mail provider's, and by its page."""
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    host, page = company_host(texts), normalise_linkedin_company(texts.get("company_linkedin_url"))
    found = {Identity(Kind.DOMAIN, host)} if host is not None else set()
    return found | ({Identity(Kind.LINKEDIN, page)} if page is not None else set())


def _profile(fields: Mapping[str, Any]) -> Iterator[Identity]:
    profile = fields.get("linkedin_url")
    if isinstance(profile, str) and (page := linkedin_person(profile)) is not None:
        yield Identity(Kind.LINKEDIN, page)


def _mailboxes(boxes: Iterable[str]) -> Iterator[Identity]:
    for box in boxes:
        yield Identity(Kind.EMAIL, box)


def _is_address(name: str) -> bool:
    return name == "email" or (name.endswith("_email") and name != "company_email")


def _addresses(fields: Mapping[str, Any]) -> Iterator[str]:
    """Every address that is said to be the lead's: no candidates, and none that is only judged."""
    for name, value in fields.items():
        if isinstance(value, str) and _is_address(name):
            yield from read_emails(value).addresses
    records = fields.get(EMAIL_RECORDS)
    for record in records if isinstance(records, list) else ():
        if isinstance(record, Mapping) and "role" not in record and "rejected" not in record:
            yield from read_emails(str(record.get("address"))).addresses
