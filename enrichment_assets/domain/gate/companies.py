"""A lead's company as the gate compares it: by every host that is said of it, and by its name.

`mail.acme.com` is below `acme.com`, and so is of the same company; two hosts beside each other (`a.house.gov`,
`b.house.gov`) are two organisations. A mailbox at gmail.com and a page on a platform name no company.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from enrichment_assets.domain.company_names import company_name_key
from enrichment_assets.domain.domains import host_of, is_free_mail, is_platform_page, registrable_domain

DOMAIN, NAME, PERSON = "domain:", "name:", "person:"
"""Beginnings of a key in a client's lists."""


@dataclass(frozen=True, slots=True)
class Company:
    """What is known of a company.

    Attributes:
        host: Its own host, or that of the person's mailbox; None: none is known.
        hosts: Every host that is said of it.
        above: These, and what is above each, down to what can be registered.
        name: Its name as it is compared.
        shown: Its name as the lead has it.
    """

    host: str | None
    hosts: frozenset[str]
    above: frozenset[str]
    name: str | None
    shown: str | None

    @property
    def keys(self) -> list[str]:
        """Keys of entries in a client's lists that mean this company."""
        named = [] if self.name is None else [f"{NAME}{self.name}"]
        return [*(f"{DOMAIN}{host}" for host in sorted(self.above)), *named]


def company_of(lead: Mapping[str, Any]) -> Company:
    """The company of a lead, out of its columns."""
    own = [_host(lead.get(name)) for name in ("company_domain", "company_website")]
    email = lead.get("email")
    box = _host(email.rpartition("@")[2]) if isinstance(email, str) and "@" in email else None
    hosts = [host for host in (*own, box) if host is not None]
    name = lead.get("company_name")
    shown = name.strip() if isinstance(name, str) and name.strip() else None
    above = frozenset(one for host in hosts for one in with_above(host))
    return Company(hosts[0] if hosts else None, frozenset(hosts), above, company_name_key(shown), shown)


def _host(text: Any) -> str | None:
    return _company_host(text) if isinstance(text, str) else None


@lru_cache(maxsize=65_536)
def _company_host(text: str) -> str | None:
    host = host_of(text)
    return None if host is None or is_free_mail(host) or is_platform_page(text) else host


@lru_cache(maxsize=65_536)
def with_above(host: str) -> tuple[str, ...]:
    """A host and what is above it, down to what can be registered: `mail.acme.co.uk`, `acme.co.uk`."""
    top, found = registrable_domain(host), []
    while top is not None and host.endswith(top):
        found.append(host)
        if host == top:
            break
        host = host.partition(".")[2]
    return tuple(found)


SHORT = 8
"""Bytes of a person's hash by which people of one company are told apart: there may be a million."""

_People = dict[str, tuple[bytes, ...]]


class Seats:
    """Who was contacted at which company: people by the hosts and names that are said of theirs."""

    def __init__(self) -> None:
        self._at: _People = {}
        self._below: _People = {}
        self._named: _People = {}

    def add(self, person: bytes, hosts: Iterable[str], name: str | None) -> None:
        """Somebody was contacted, or is about to be."""
        who = person[:SHORT]
        for host in hosts:
            _sit(self._at, host, who)
            for above in with_above(host)[1:]:
                _sit(self._below, above, who)
        if name is not None:
            _sit(self._named, name, who)

    def others(self, company: Company, person: bytes) -> set[bytes]:
        """Everybody else at the company: at its hosts, below them, at what is above them; or at one of its name."""
        found: set[bytes] = set()
        for host in company.hosts:
            found.update(self._below.get(host, ()))
            for above in with_above(host):
                found.update(self._at.get(above, ()))
        if company.name is not None:
            found.update(self._named.get(company.name, ()))
        return found - {person[:SHORT]}


def _sit(seats: _People, where: str, who: bytes) -> None:
    there = seats.get(where, ())
    if who not in there:
        seats[where] = (*there, who)
