"""Which people of a company are prospects: what a model read on its pages, and what stands there without one.

A prospect has a name, or an address of their own; an address counts only at the company's own domain, or where the page
gives it to that person. Whose an address is that stands alone is decided by its pattern, and only where it can be one
person's. A shared mailbox (`info@`) is a prospect only where the pages name nobody. What cannot be known stays empty.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from enrichment_assets.domain.domains import host_of, is_free_mail, registrable_domain
from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.linkedin import linkedin_person
from enrichment_assets.domain.mailboxes import Mailbox, can_be_of, mailbox_of
from enrichment_assets.domain.name_words import fold
from enrichment_assets.domain.names import NormalisedName, normalise_name

MOST_PEOPLE = 500
_MAX_TITLE = 200


@dataclass(frozen=True, slots=True)
class Prospect:
    """One prospect. `key` names them at their company, whatever else is learnt: the name, else the address."""

    key: str
    name: NormalisedName
    title: str | None = None
    email: str | None = None
    phone: str | None = None
    linkedin_url: str | None = None
    mailbox: Mailbox | None = None


@dataclass(frozen=True, slots=True)
class Prospects:
    """The prospects of a company in the order of its pages, and (what, why) of what is none."""

    kept: tuple[Prospect, ...]
    dropped: tuple[tuple[str, str], ...]


def choose_prospects(people: Any, addresses: Iterable[Any], host: str | None, moved_to: str | None = None) -> Prospects:
    """The prospects among people that were read on pages, and addresses that stand there. Never raises.

    Args:
        people: Objects with `name` and perhaps `title`, `email`, `phone`, `linkedin_url`; what is no list gives none.
        addresses: E-mail addresses of the pages.
        host: The company's own host: without it no address can be known to be the company's.
        moved_to: The host at which its pages were read, where it is another: the company is there now.
    """
    dropped: list[tuple[str, str]] = []
    at = _Site(tuple(filter(None, {registrable_domain(one) for one in (host, moved_to)})), moved_to or host)
    named = _people(people, at, dropped)
    free, shared = _addresses(addresses, at, {one.email for one in named.values() if one.email}, dropped)
    kept, left = _given_out(list(named.values()), free)
    kept += [
        Prospect(f"{at.host}/{address}", NormalisedName(), email=address, mailbox=Mailbox.PERSONAL) for address in left
    ]
    if not kept and shared:
        kept = [Prospect(f"{at.host}/{shared[0]}", NormalisedName(), email=shared[0], mailbox=Mailbox.SHARED)]
        shared = shared[1:]
    dropped += [(address, "shared_mailbox") for address in shared]
    return Prospects(tuple(kept), tuple(dropped))


@dataclass(frozen=True, slots=True)
class _Site:
    """Whose addresses are the company's own, by registrable domain, and the host that names it in keys."""

    domains: tuple[str, ...]
    host: str | None

    def has(self, address: str) -> bool:
        return registrable_domain(host_of(address)) in self.domains


def _people(people: Any, at: _Site, dropped: list[tuple[str, str]]) -> dict[str, Prospect]:
    """Everybody with a name, by key; somebody who is named twice is one, with what each naming says."""
    found: dict[str, Prospect] = {}
    for person in people[:MOST_PEOPLE] if isinstance(people, list) else ():
        if not isinstance(person, Mapping):
            continue
        name = normalise_name(None, None, _text(person.get("name")))
        if name.full_name is None or not _can_be_a_name(name.full_name):
            dropped.append((str(person.get("name"))[:100], "no_name_of_a_person"))
            continue
        key = f"{at.host}/{_folded(name.full_name)}" + (f" {name.suffix.casefold()}" if name.suffix else "")
        one = Prospect(
            key,
            name,
            title=(_text(person.get("title")) or "")[:_MAX_TITLE] or None,
            email=_own_address(person.get("email"), at, dropped),
            phone=_text(person.get("phone")),
            linkedin_url=linkedin_person(_text(person.get("linkedin_url"))),
        )
        found[key] = _together(found[key], one) if key in found else one
    return _each_address_once(found)


def _can_be_a_name(text: str) -> bool:
    """Whether a name has more than one word, and neither begins nor ends as what pages say besides names."""
    words = _folded(text).replace(".", "").split()
    return len(words) > 1 and words[0] not in _page_words()["begins"] and words[-1] not in _page_words()["ends"]


# opens files of ours: the package's own lists
@lru_cache(maxsize=1)
def _page_words() -> Mapping[str, frozenset[str]]:
    text = files("enrichment_assets.domain").joinpath("data/page_words.toml").read_text(encoding="utf-8")
    return {name: frozenset(words.split()) for name, words in tomllib.loads(text).items()}


def _each_address_once(found: dict[str, Prospect]) -> dict[str, Prospect]:
    """An address that several people are said to have is nobody's own, but for the one whose name it is made of."""
    owners: dict[str, list[Prospect]] = {}
    for one in found.values():
        if one.email is not None:
            owners.setdefault(one.email, []).append(one)
    for address, several in owners.items():
        if len(several) == 1:
            continue
        fitting = [one for one in several if _can_be_theirs(address, one.name)]
        for one in several:
            if fitting != [one]:
                found[one.key] = replace(one, email=None, mailbox=None)
    return found


def _own_address(value: Any, at: _Site, dropped: list[tuple[str, str]]) -> str | None:
    """The address that a page gives to a person: at the company, or a private one; a shared mailbox is nobody's own."""
    address = normalise_email(_text(value))
    if address is None:
        return None
    if mailbox_of(address) is not Mailbox.PERSONAL:
        return None
    if not (at.has(address) or is_free_mail(host_of(address))):
        dropped.append((address, "of_another_company"))
        return None
    return address


def _addresses(
    addresses: Iterable[Any], at: _Site, taken: set[str], dropped: list[tuple[str, str]]
) -> tuple[list[str], list[str]]:
    """The company's own addresses that nobody has yet: those of persons, and shared ones."""
    free: dict[str, None] = {}
    shared: dict[str, None] = {}
    for value in addresses:
        address = normalise_email(_text(value))
        if address is None or address in taken or address in free or address in shared:
            continue
        kind = mailbox_of(address)
        if not at.has(address):
            dropped.append((address, "of_another_company"))
        elif kind is Mailbox.NEVER:
            dropped.append((address, "not_to_be_written_to"))
        else:
            (free if kind is Mailbox.PERSONAL else shared)[address] = None
    return list(free), list(shared)


def _given_out(people: Sequence[Prospect], addresses: Iterable[str]) -> tuple[list[Prospect], list[str]]:
    """People with the addresses that can only be theirs, and the addresses that are left."""
    by_key = {one.key: one for one in people}
    left = []
    for address in addresses:
        fitting = [one for one in people if _can_be_theirs(address, one.name)]
        if len(fitting) != 1:
            # What could be of two is not guessed at, and would be one of them a second time.
            left += [address] if not fitting else []
        elif not (known := by_key[fitting[0].key]).email or is_free_mail(host_of(known.email)):
            by_key[known.key] = replace(known, email=address)
    kept = [replace(one, mailbox=Mailbox.PERSONAL if one.email else None) for one in by_key.values()]
    return kept, left


def _can_be_theirs(address: str, name: NormalisedName) -> bool:
    """Whether an address is made of a name; of one whose order is not known, in either order."""
    if name.first_name or name.last_name:
        return can_be_of(address, name.first_name, name.last_name)
    words = (name.full_name or "").split()
    return len(words) > 1 and any(can_be_of(address, *pair) for pair in ((words[0], words[-1]), (words[-1], words[0])))


def _together(one: Prospect, other: Prospect) -> Prospect:
    return replace(
        one,
        title=one.title or other.title,
        email=one.email or other.email,
        phone=one.phone or other.phone,
        linkedin_url=one.linkedin_url or other.linkedin_url,
    )


def _folded(text: str) -> str:
    return " ".join(fold(text).casefold().split())


def _text(value: Any) -> str | None:
    return " ".join(value.split()) or None if isinstance(value, str) else None
