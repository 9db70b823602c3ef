"""Who may not be bought, called or written to: identities in the one form by which they are compared, and their hashes.

`Ann.Archer+news@GMail.com` and `annarcher@googlemail.com` are one mailbox, `(212) 555-0123` and `+1 212 555 0123` one
number, `https://de.linkedin.com/in/Ann/` and `linkedin.com/in/ann` one profile. What is compared is a keyed hash
(HMAC-SHA256): whoever reads the database, but not the key, learns of nobody that they said no.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from enrichment_assets.domain.companies import company_host
from enrichment_assets.domain.company_names import company_name_key
from enrichment_assets.domain.domains import host_of, is_free_mail, is_platform_page, registrable_domain
from enrichment_assets.domain.emails import normalise_email, read_emails
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.linkedin import linkedin_person
from enrichment_assets.domain.mail_aliases import mailbox
from enrichment_assets.domain.name_words import fold
from enrichment_assets.domain.names import normalise_name
from enrichment_assets.domain.phones import normalise_phone, read_phones
from enrichment_assets.domain.record_fields import EMAIL_RECORDS, PHONE_RECORDS

LEAST_PEPPER = 16
"""Characters of a pepper: a shorter one can be tried out."""


class Kind(StrEnum):
    """What an identity is."""

    EMAIL = "email"
    DOMAIN = "domain"
    PHONE = "phone"
    LINKEDIN = "linkedin"
    PERSON = "person"
    """A name at a company."""


PERSONAL = frozenset({Kind.EMAIL, Kind.PHONE, Kind.LINKEDIN, Kind.PERSON})
"""Kinds that name one person; a domain names everybody at a company, and the company."""


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """Whom or what is meant, as it is compared."""

    kind: Kind
    value: str


def read_identity(text: str, kind: Kind | None = None, country: str | None = None) -> Identity:
    """The identity that a text names.

    Args:
        text: An e-mail address, a phone number, a LinkedIn profile, or a domain.
        kind: What it is said to be; None: what it looks like.
        country: Name or code of the country by which a number without `+` is read.

    Raises:
        ConfigurationError: It is none, of that kind or of any; or it would suppress everybody at a mail provider.
    """
    if kind is Kind.PERSON:
        raise ConfigurationError(
            "a person at a company has a name and a company: say both", code="suppression.person_needs_company"
        )
    wanted = [kind] if kind is not None else [Kind.LINKEDIN, Kind.EMAIL, Kind.PHONE, Kind.DOMAIN]
    for one in wanted:
        value = _READ[one](text, country)
        if value is not None:
            return Identity(one, value)
    what = f"no {NAMES[kind]}" if kind is not None else "no e-mail address, phone number, LinkedIn profile or domain"
    hint = "; a number needs + or a country" if kind in (None, Kind.PHONE) and any(map(str.isdigit, text)) else ""
    raise ConfigurationError(f"{text.strip()[:80]!r} is {what}{hint}", code="suppression.not_an_identity")


def person_at_company(name: str, company: str) -> Identity:
    """A person at a company; the company by its domain, where it is written so, else by its name.

    Raises `ConfigurationError` where one of them is none.
    """
    person = normalise_name(full=name)
    who = _folded_name(person.first_name, person.last_name)
    if who is None:
        raise ConfigurationError(f"{name.strip()[:80]!r} is no first and last name", code="suppression.not_a_name")
    where = host_of(company) or company_name_key(company)
    if where is None:
        raise ConfigurationError(f"{company.strip()[:80]!r} is no company", code="suppression.not_a_company")
    return Identity(Kind.PERSON, f"{who}|{where}")


def identities_of(given: Iterable[Mapping[str, Any]], seen: Mapping[str, Any], *, person: bool) -> set[Identity]:
    """Everybody and everything that a lead, or its company, could be suppressed by.

    Args:
        given: The fields that each source gave: every address and number counts, not only those that won.
        seen: The merged fields: name and company.
        person: Whether the person is meant; else the company alone, which only a domain names.
    """
    found = {Identity(Kind.DOMAIN, domain) for domain in _domains_of(company_host(_texts(seen)))}
    for text in (seen.get("company_domain"), seen.get("company_website")):
        if isinstance(text, str) and not is_platform_page(text):
            found |= {Identity(Kind.DOMAIN, domain) for domain in _domains_of(host_of(text))}
    if not person:
        return found
    for fields in [*given, seen]:
        for address in _emails(fields):
            found.add(Identity(Kind.EMAIL, mailbox(address)))
            found |= {Identity(Kind.DOMAIN, domain) for domain in _domains_of(address.rpartition("@")[2])}
        found |= {Identity(Kind.PHONE, number) for number in _numbers(fields)}
        profile = fields.get("linkedin_url")
        if isinstance(profile, str) and (page := linkedin_person(profile)) is not None:
            found.add(Identity(Kind.LINKEDIN, page))
    return found | set(_at_company(seen))


class Hasher:
    """Hashes identities with the installation's pepper.

    Raises:
        ConfigurationError: The pepper is too short to be one.
    """

    def __init__(self, pepper: str) -> None:
        if len(pepper.strip()) < LEAST_PEPPER:
            raise ConfigurationError(
                f"the suppression pepper has fewer than {LEAST_PEPPER} characters: make one with 64 random ones",
                code="suppression.pepper_too_short",
            )
        self._key = pepper.strip().encode()

    def hashed(self, identity: Identity) -> bytes:
        """The hash by which an identity is found: 32 bytes."""
        return self._mac("identity", f"{identity.kind.value}\x1f{identity.value}")

    @property
    def mark(self) -> bytes:
        """By this it is seen whether stored hashes were made with this pepper; says nothing of it."""
        return self._mac("mark", "")[:8]

    def key(self) -> bytes:
        """A key for sealing plain values, which is another one than that of the hashes: 64 bytes."""
        return self._mac("seal", "1") + self._mac("seal", "2")

    def together(self, identities: Iterable[Identity]) -> bytes:
        """The hashes of several identities in a row, as the ledger takes them; sorted, so that they tell no order."""
        return b"".join(sorted(self.hashed(one) for one in identities))

    def _mac(self, purpose: str, text: str) -> bytes:
        return hmac.new(self._key, f"enrich-suppression\x1f{purpose}\x1f{text}".encode(), hashlib.sha256).digest()


def hasher_of(pepper: str | None) -> Hasher | None:
    """The hasher of a pepper, where there is one."""
    return None if pepper is None else Hasher(pepper)


def masked(identity: Identity) -> str:
    """The identity for a list that others see: `a***@acme.com`, `+1212***23`."""
    if identity.kind is Kind.EMAIL:
        local, _, domain = identity.value.rpartition("@")
        return f"{local[:1]}***@{domain}"
    if identity.kind is Kind.DOMAIN:
        return identity.value
    if identity.kind is Kind.PHONE:
        return f"{identity.value[:4]}***{identity.value[-2:]}"
    if identity.kind is Kind.LINKEDIN:
        base, _, slug = identity.value.rpartition("/")
        return f"{base}/{slug[:2]}***"
    name, _, company = identity.value.partition("|")
    return f"{' '.join(f'{word[:1]}***' for word in name.split())} at {company}"


def _email(text: str, country: str | None) -> str | None:
    address = normalise_email(text)
    return None if address is None else mailbox(address)


def _phone(text: str, country: str | None) -> str | None:
    return None if "@" in text else normalise_phone(text, country)


def _linkedin(text: str, country: str | None) -> str | None:
    return linkedin_person(text)


def _domain(text: str, country: str | None) -> str | None:
    host = None if " " in text.strip() or "@" in text.strip().lstrip("@") else host_of(text.strip().lstrip("@"))
    if host is None:
        return None
    if is_free_mail(host):
        raise ConfigurationError(
            f"{host} is a mail provider's: suppressing it would suppress everybody with a mailbox there",
            code="suppression.mail_provider",
        )
    if is_platform_page(text):
        raise ConfigurationError(
            f"{text.strip()[:80]!r} is a page on a platform, and no company's domain", code="suppression.platform_page"
        )
    return host


_READ = {Kind.EMAIL: _email, Kind.PHONE: _phone, Kind.LINKEDIN: _linkedin, Kind.DOMAIN: _domain}
NAMES = {
    Kind.EMAIL: "e-mail address",
    Kind.PHONE: "phone number",
    Kind.LINKEDIN: "LinkedIn profile",
    Kind.DOMAIN: "domain",
    Kind.PERSON: "person at that company",
}
"""What an identity is called in a sentence."""


def _domains_of(host: str | None) -> Iterator[str]:
    """A host and what is above it, down to the domain one can register: `mail.acme.co.uk`, `acme.co.uk`."""
    if host is None or (top := registrable_domain(host)) is None:
        return
    while host.endswith(top):
        yield host
        if host == top:
            return
        host = host.partition(".")[2]


def _emails(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if isinstance(value, str) and (name == "email" or name.endswith("_email")):
            yield from read_emails(value).addresses
    for record in _records(fields, EMAIL_RECORDS):
        if isinstance(address := record.get("address"), str):
            yield from read_emails(address).addresses


def _numbers(fields: Mapping[str, Any]) -> Iterator[str]:
    country = fields.get("country")
    where = country if isinstance(country, str) else None
    texts = [value for name, value in fields.items() if name in ("phone", "mobile_phone", "direct_phone")]
    texts += [record.get("number") for record in _records(fields, PHONE_RECORDS)]
    for text in texts:
        if isinstance(text, str):
            yield from (number.number for number in read_phones(text, where).numbers)


def _records(fields: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    records = fields.get(name)
    if isinstance(records, list):
        yield from (record for record in records if isinstance(record, Mapping))


def _at_company(seen: Mapping[str, Any]) -> Iterator[Identity]:
    """A person by every way in which their company is known: its host, what is above that, and its name."""
    texts = _texts(seen)
    person = normalise_name(texts.get("first_name"), texts.get("last_name"), texts.get("full_name"))
    who = _folded_name(person.first_name, person.last_name)
    if who is None:
        return
    for where in {*_domains_of(company_host(texts)), company_name_key(texts.get("company_name"))}:
        if where is not None:
            yield Identity(Kind.PERSON, f"{who}|{where}")


def _folded_name(first: str | None, last: str | None) -> str | None:
    return fold(f"{first} {last}") if first and last else None


def _texts(fields: Mapping[str, Any]) -> dict[str, str | None]:
    return {name: value for name, value in fields.items() if isinstance(value, str)}
