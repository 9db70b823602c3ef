"""Who works at a place, of those whom its pages and a directory's page about it name: the people among its prospects.

The rule is that of `domain.prospects`: whose an address is, what is a name, who is named twice. A place without a site
of its own has no host by which its addresses are known; then the host counts at which the people's own addresses are,
each made of the name beside it. A directory's own addresses are its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.domains import host_of, is_free_mail, registrable_domain
from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.mailboxes import can_be_of
from enrichment_assets.domain.names import normalise_name
from enrichment_assets.domain.prospects import Prospect, choose_prospects


@dataclass(frozen=True, slots=True)
class Staff:
    """The people of a place in the order of its pages, the host of their addresses, and what of the pages is nobody."""

    people: tuple[Prospect, ...]
    host: str | None
    dropped: tuple[tuple[str, str], ...]


def choose_staff(people: Any, addresses: Iterable[Any], host: str | None, elsewhere: Collection[str] = ()) -> Staff:
    """The people who work at a place. Never raises.

    Args:
        people: Objects with `name` and perhaps `title`, `email`, `phone`, as a model read them.
        addresses: E-mail addresses of the pages.
        host: The place's own host; None: it has none.
        elsewhere: Hosts whose addresses are never the place's: that of the directory.
    """
    own = host or _host_of_names(people, {registrable_domain(one) for one in elsewhere})
    found = choose_prospects(people, list(addresses), own)
    named = tuple(one for one in found.kept if one.name.full_name is not None)
    unnamed = [(one.email or one.key, "nobody_is_named") for one in found.kept if one.name.full_name is None]
    return Staff(named, own, (*found.dropped, *unnamed))


def _host_of_names(people: Any, elsewhere: Collection[str | None]) -> str | None:
    """The one host at which people have addresses that are made of their names; None: there is none, or several."""
    hosts: Counter[str] = Counter()
    for person in people if isinstance(people, list) else ():
        name, email = (person.get("name"), person.get("email")) if isinstance(person, Mapping) else (None, None)
        address = normalise_email(email) if isinstance(email, str) else None
        host = host_of(address)
        if not isinstance(name, str) or address is None or host is None or is_free_mail(host):
            continue
        parts = normalise_name(None, None, name)
        if registrable_domain(host) not in elsewhere and can_be_of(address, parts.first_name, parts.last_name):
            hosts[host] += 1
    return next(iter(hosts)) if len(hosts) == 1 else None
