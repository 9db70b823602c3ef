"""Who somebody is here: the items that are theirs, and their values in every spelling that those items have.

A person is named by an e-mail address, a profile, or a name at a company. What their items say besides leads to more of
them: the same profile in another list, their private address beside the other. Of an item that is reached so, the name
has to agree where it has one, so that a shared mailbox does not make two people one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.emails import read_emails
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.linkedin import linkedin_person
from enrichment_assets.domain.mail_aliases import mailbox
from enrichment_assets.domain.name_words import fold
from enrichment_assets.domain.person_traces import Traits
from enrichment_assets.domain.phones import read_phones
from enrichment_assets.domain.record_fields import EMAIL_RECORDS, PHONE_RECORDS
from enrichment_assets.domain.suppression import (
    Hasher,
    Identity,
    Kind,
    identities_of,
    person_at_company,
    read_identity,
)
from enrichment_assets.store.database import Connection
from enrichment_assets.store.people import candidates

KINDS = frozenset({Kind.EMAIL, Kind.LINKEDIN, Kind.PERSON})
"""By these a person is found; a number may be a switchboard's."""

_ROUNDS = 4
_SAME_DOMAIN = {
    "gmail.com": ("gmail.com", "googlemail.com"),
    "proton.me": ("proton.me", "pm.me", "protonmail.com"),
    "icloud.com": ("icloud.com", "me.com", "mac.com"),
}


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a command or a stored erasure means: by identities, or, after a restore, by their hashes alone."""

    identities: frozenset[Identity]
    hashes: frozenset[bytes] = frozenset()
    hasher: Hasher | None = None

    def is_meant(self, found: Iterable[Identity]) -> bool:
        """Whether one of these identities is theirs."""
        if self.identities & set(found):
            return True
        if not self.hashes or self.hasher is None:
            return False
        return any(self.hasher.hashed(one) in self.hashes for one in found if one.kind in KINDS)

    @property
    def pattern(self) -> str | None:
        """What a cell of theirs matches in Postgres; None: every item has to be looked at."""
        if self.hashes or any(one.kind is Kind.PERSON for one in self.identities):
            return None
        return "|".join(sorted(part for one in self.identities for part in _parts(one)))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as they are known here.

    Attributes:
        items: Ids of their items.
        identities: By what they are known.
        traits: Their values as spelled.
        shared: How many of their addresses and numbers others have too; by those nothing is looked for.
    """

    items: tuple[int, ...]
    identities: frozenset[Identity]
    traits: Traits
    shared: int = 0


def identify(connection: Connection, clients: list[int] | None, whom: Whom) -> Person:
    """Find a person's items, and what they are known by; nobody's: no items, and what was given."""
    items: set[int] = set()
    known = whom.identities
    for number in range(_ROUNDS):
        looked_for = Whom(known, whom.hashes, whom.hasher) if number == 0 else Whom(known)
        lasts = _last_names(connection, items)
        found = {row["id"] for row in _theirs(connection, clients, looked_for, whom, lasts)}
        if found <= items:
            break
        items |= found
        known |= _identities(candidates.known_of(connection, sorted(items)))
    return _described(connection, tuple(sorted(items)), known, whom)


def known_as(connection: Connection, items: Sequence[int]) -> dict[int, frozenset[Identity]]:
    """By what the person of each item is known: addresses, profiles, and the name at the company."""
    return {row["id"]: _identities([row]) for row in candidates.known_of(connection, items)} if items else {}


def person_of_items(connection: Connection, items: Iterable[int], hasher: Hasher) -> Person:
    """Who these items are about, by what is known of them now; `hasher`: of the pepper by which they were known."""
    ids = tuple(sorted(items))
    known = _identities(candidates.known_of(connection, ids)) if ids else frozenset()
    return _described(connection, ids, known, Whom(frozenset(), hasher=hasher))


def meant_in_batches(
    connection: Connection, clients: list[int] | None, whom: Whom, batches: list[int]
) -> dict[int, frozenset[Identity]]:
    """Items of these batches that are a person's: id -> what they are known by there."""
    found: dict[int, frozenset[Identity]] = {}
    for row in candidates.items_like(connection, clients, whom.pattern, batches):
        seen = _fields(row)
        identities = identities_of([seen, row["fields"] or {}], {**(row["fields"] or {}), **seen}, person=True)
        if whom.is_meant(identities):
            known = frozenset(one for one in identities if one.kind in KINDS)
            found[row["id"]] = found.get(row["id"], frozenset()) | known
    return found


def given_traits(identities: Iterable[Identity]) -> Traits:
    """What an identity says by itself, where no item says more."""
    traits = Traits()
    for one in identities:
        if one.kind is Kind.EMAIL:
            traits |= Traits(emails=frozenset(_spellings(one.value)))
        elif one.kind is Kind.LINKEDIN:
            traits |= Traits(profiles=frozenset({one.value}))
        elif one.kind is Kind.PERSON:
            first, _, last = one.value.partition("|")[0].partition(" ")
            traits |= Traits(names=frozenset({(first, last)}))
    return traits


def whom_of(email: str | None, linkedin: str | None, name: str | None, company: str | None) -> Whom:
    """Whom the options of a command mean.

    Raises:
        ConfigurationError: They name nobody, or are no address, profile or name.
    """
    found = set()
    if email is not None:
        found.add(read_identity(email, Kind.EMAIL))
    if linkedin is not None:
        found.add(read_identity(linkedin, Kind.LINKEDIN))
    if name is not None and company is not None:
        found.add(person_at_company(name, company))
    if not found or (name is None) != (company is None):
        raise ConfigurationError(
            "say whom: an e-mail address, a LinkedIn profile, or a name together with a company", code="person.whom"
        )
    return Whom(frozenset(found))


def _parts(one: Identity) -> Iterator[str]:
    """What stands in every spelling of an identity, as an expression."""
    if one.kind is Kind.EMAIL:
        domain = one.value.rpartition("@")[2]
        for name in _SAME_DOMAIN.get(domain, (domain,)):
            yield f"@{_escaped(name)}"
        if not domain.isascii() or "xn--" in domain:
            yield "@"
    elif one.kind is Kind.LINKEDIN:
        yield _escaped(one.value.rpartition("/")[2]) if one.value.isascii() and "%" not in one.value else "linkedin"


def _escaped(text: str) -> str:
    return "".join(letter if letter.isalnum() else f"\\{letter}" for letter in text)


def _spellings(address: str) -> Iterator[str]:
    local, _, domain = address.rpartition("@")
    for name in _SAME_DOMAIN.get(domain, (domain,)):
        yield f"{local}@{name}"


def _theirs(
    connection: Connection, clients: list[int] | None, looked_for: Whom, given: Whom, lasts: set[str]
) -> Iterator[Mapping[str, Any]]:
    names = {one.value.partition("|")[0].rpartition(" ")[2] for one in looked_for.identities if one.kind is Kind.PERSON}
    parts = [part for one in looked_for.identities for part in _parts(one)]
    strong = re.compile("|".join(parts), re.IGNORECASE) if parts else None
    for row in candidates.items_like(connection, clients, looked_for.pattern):
        seen = _fields(row)
        if not looked_for.hashes and not _may_be(seen, row["fields"], strong, names):
            continue
        found = identities_of([seen, row["fields"] or {}], {**(row["fields"] or {}), **seen}, person=True)
        if given.is_meant(found) or (looked_for.is_meant(found) and _agrees(seen, lasts)):
            yield row


def _may_be(
    seen: Mapping[str, Any], found: Mapping[str, Any] | None, strong: re.Pattern[str] | None, names: set[str]
) -> bool:
    """A quick look, for most rows are others': whether a text could be an identity, or the name has such a word."""
    if strong is not None and strong.search(f"{seen} {found}"):
        return True
    folded = fold(_whole_name(seen)) if names else ""
    return any(name in folded for name in names)


def _agrees(seen: Mapping[str, Any], lasts: set[str]) -> bool:
    """Whether an item's last name is one of the person's, or it has none."""
    last = _last(seen)
    return not lasts or last is None or last in lasts


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    identity = {name: row[name] for name in IDENTITY_FIELDS if row[name] is not None}
    return {**(row["details"] or {}), **identity}


def _whole_name(fields: Mapping[str, Any]) -> str:
    return " ".join(str(fields.get(name) or "") for name in ("first_name", "last_name", "full_name"))


def _last(fields: Mapping[str, Any]) -> str | None:
    text = fields.get("last_name") or str(fields.get("full_name") or "").rpartition(" ")[2]
    return fold(text) or None


def _last_names(connection: Connection, items: set[int]) -> set[str]:
    rows = candidates.known_of(connection, sorted(items)) if items else []
    return {last for row in rows if (last := _last(_fields(row))) is not None}


def _sources(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_fields(row), *row["found"], *row["edited"]]


def _identities(rows: list[dict[str, Any]]) -> frozenset[Identity]:
    found: set[Identity] = set()
    for row in rows:
        seen = {name: value for source in reversed(_sources(row)) for name, value in source.items()}
        found |= identities_of(_sources(row), seen, person=True)
    return frozenset(one for one in found if one.kind in KINDS)


def _described(connection: Connection, items: tuple[int, ...], known: frozenset[Identity], whom: Whom) -> Person:
    rows = candidates.known_of(connection, items) if items else []
    traits = given_traits(known)
    for row in rows:
        for source in _sources(row):
            traits |= _traits(source, row["original_data"])
        if row["company_key"]:
            traits |= Traits(company_keys=frozenset({row["company_key"]}))
    others = candidates.held_by_others(
        connection, sorted({one.lower() for one in traits.emails} | traits.phones), items
    )
    given = {one.value for one in whom.identities}
    emails = frozenset(one for one in traits.emails if one.lower() not in others or mailbox(one.lower()) in given)
    phones = frozenset(one for one in traits.phones if one not in others)
    shared = len(traits.emails | traits.phones) - len(emails | phones)
    boxes = {mailbox(one) for one in (traits.emails - emails)}
    known = frozenset(one for one in known if one.kind is not Kind.EMAIL or one.value not in boxes)
    alone = Traits(emails, traits.profiles, phones, traits.names, traits.company_keys)
    return Person(items, known, alone, shared)


def _traits(fields: Mapping[str, Any], original: Mapping[str, Any]) -> Traits:
    """The values of one source, and the cells of the list that say the same otherwise."""
    texts = [value for name, value in fields.items() if isinstance(value, str) and _is_email(name)]
    texts += [str(one.get("address")) for one in _records(fields, EMAIL_RECORDS)]
    emails = {address for text in texts for address in read_emails(text).addresses}
    numbers = [value for name, value in fields.items() if name in ("phone", "mobile_phone", "direct_phone")]
    numbers += [one.get("number") for one in _records(fields, PHONE_RECORDS)]
    country = fields.get("country")
    where = country if isinstance(country, str) else None
    phones = {n.number for text in numbers if isinstance(text, str) for n in read_phones(text, where).numbers}
    profiles = {str(fields["linkedin_url"])} if isinstance(fields.get("linkedin_url"), str) else set()
    boxes = {mailbox(one) for one in emails}
    for cell in original.values():
        if not isinstance(cell, str) or len(cell) > 500:
            continue
        emails |= {one for one in read_emails(cell).addresses if mailbox(one) in boxes} if "@" in cell else set()
        if phones and sum(map(str.isdigit, cell)) >= 7:
            phones |= {cell for n in read_phones(cell, where).numbers if n.number in phones}
        if "linkedin" in cell.lower() and linkedin_person(cell) in {linkedin_person(one) for one in profiles}:
            profiles.add(cell)
    return Traits(frozenset(emails), frozenset(profiles), frozenset(phones), frozenset(_names(fields)))


def traits_of(fields: Mapping[str, Any]) -> Traits:
    """The values of a row's identity fields."""
    return _traits(fields, {})


def _names(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    first, last, full = (fields.get(name) for name in ("first_name", "last_name", "full_name"))
    if isinstance(first, str) and isinstance(last, str) and first.strip() and last.strip():
        yield first.strip(), last.strip()
    if isinstance(full, str) and " " in full.strip():
        head, _, tail = full.strip().partition(" ")
        yield head, tail.strip()


def _is_email(name: str) -> bool:
    return name == "email" or name.endswith("_email")


def _records(fields: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    records = fields.get(name)
    return [one for one in records if isinstance(one, Mapping)] if isinstance(records, list) else []
