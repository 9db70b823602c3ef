"""What a domain's SPF record does when a receiver follows it (RFC 7208, 4.6): its lookups, and for whom it passes.

A receiver stops after ten terms that cost a lookup, and after two that find nothing; then the record counts for nobody.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass, field

from enrichment_assets.domain.mail.dns_names import Names, RecordType
from enrichment_assets.domain.mail.spf_records import Mechanism, SpfRecord, SpfSyntaxError, is_spf, read_spf

MOST_LOOKUPS, MOST_VOID, MOST_MX = 10, 2, 10
_LOOKED_AT = 40
"""Lookups after which a record is not followed any further: what is wrong with it is known by then."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Fault:
    """Why receivers give a record up (`permerror`). `kind` is `missing`, `multiple`, `syntax`, `loop` or `mx`."""

    kind: str
    domain: str
    text: str


@dataclass(slots=True)
class SpfStanding:
    """What was seen on the way through a record.

    Attributes:
        record: The domain's own record; None: it has none, or none that can be read.
        lookups: Terms that cost a lookup, of all records that are included.
        void: Of these, those that found nothing.
        faults: What makes receivers give up, the domain's own first.
        reached: Included domain -> lookups when it was done with.
        asks_ptr: Whether `ptr` is used, which receivers may ignore (5.5).
    """

    record: SpfRecord | None = None
    lookups: int = 0
    void: int = 0
    faults: list[Fault] = field(default_factory=list)
    reached: dict[str, int] = field(default_factory=dict)
    asks_ptr: bool = False


def follow_spf(domain: str, names: Names) -> SpfStanding:
    """All of a domain's record, as for a sender whom no term matches. Raises `LookupFailedError`."""
    walk = _Walk(names, None)
    walk.check(domain, top=True)
    return walk.standing


def passes_for(domain: str, sender: Address, names: Names) -> bool:
    """Whether mail of a domain that comes from an address passes (`check_host`). Raises `LookupFailedError`."""
    return _passes(_Walk(names, sender, strict=True), domain)


def passes_by(domain: str, includes: Collection[str], names: Names) -> bool:
    """Whether mail passes that comes from a service which one of these domains stands for. Raises `LookupFailedError`.

    The include has to be reached before a receiver gives up; what stands behind it is not looked at any more.
    """
    return _passes(_Walk(names, None, frozenset(includes), strict=True), domain)


def _passes(walk: _Walk, domain: str) -> bool:
    try:
        return walk.check(domain, top=True) == "+"
    except _PermError:
        return False


class _PermError(Exception):
    """The record counts for nobody."""


class _Walk:
    """One way through a record: for a sender, which ends where a term matches; or, for nobody, through all of it."""

    def __init__(
        self, names: Names, sender: Address | None, wanted: frozenset[str] = frozenset(), *, strict: bool = False
    ) -> None:
        """Go for a sender, or for whom one of the `wanted` includes names. `strict`: as a receiver, who gives up."""
        self._names = names
        self._sender = sender
        self._wanted = wanted
        self._strict = strict
        self._under_way: list[str] = []
        self.standing = SpfStanding()

    def check(self, domain: str, *, top: bool = False) -> str:
        """The qualifier of the term that matched; `?` where none did, empty where there is no usable record."""
        record = self._record(domain)
        if top:
            self.standing.record = record
        if domain in self._under_way:
            self._fault(Fault("loop", domain, f"the record of {domain} comes back to itself"))
            return ""
        if record is None:
            return ""
        self._under_way.append(domain)
        try:
            return self._follow(record, domain)
        finally:
            self._under_way.pop()

    def _follow(self, record: SpfRecord, domain: str) -> str:
        for one in record.mechanisms:
            if self.standing.lookups > _LOOKED_AT:
                return "?"
            if self._matches(one, domain) and self._strict:
                return one.qualifier
        if record.redirect:
            self._count()
            if "%" not in record.redirect:
                result = self.check(record.redirect)
                self.standing.reached[record.redirect] = self.standing.lookups
                return "+" if record.redirect in self._wanted else result
        return "?"

    def _record(self, domain: str) -> SpfRecord | None:
        answer = self._names.ask(domain, RecordType.TXT)
        found = [text for text in answer.values if is_spf(text)]
        if self._under_way and not answer.values:
            self._found_nothing()
        if len(found) != 1:
            kind = "multiple" if found else "missing"
            self._fault(Fault(kind, domain, f"{domain} has {len(found) or 'no'} SPF record{'s' if found else ''}"))
            return None
        try:
            return read_spf(found[0])
        except SpfSyntaxError as error:
            self._fault(Fault("syntax", domain, f"{domain}: {error}"))
            return None

    def _matches(self, one: Mechanism, domain: str) -> bool:
        if one.name == "all":
            return True
        if one.network is not None:
            return self._sender is not None and self._sender in one.network
        self._count()
        target = one.domain.replace("%{d}", domain) or domain
        if "%" in target:  # says what it means for a certain mail only
            return False
        if one.name == "include":
            result = self.check(target)
            self.standing.reached[target] = self.standing.lookups
            return result == "+" or target in self._wanted
        if one.name == "ptr":
            self.standing.asks_ptr = True
            return False
        if one.name == "exists":
            found = self._names.ask(target, RecordType.A).values
            if not found:
                self._found_nothing()
            return bool(found)
        return self._is_host(one, target)

    def _is_host(self, one: Mechanism, target: str) -> bool:
        hosts = [target] if one.name == "a" else self._mx_hosts(target)
        addresses = [address for host in hosts for address in addresses_of(host, self._names)]
        if not (addresses if one.name == "a" else hosts):
            self._found_nothing()
        return any(self._is_near(address, one.lengths) for address in addresses)

    def _mx_hosts(self, target: str) -> list[str]:
        hosts = [value.partition(" ")[2] for value in self._names.ask(target, RecordType.MX).values]
        if len(hosts) > MOST_MX:
            self._fault(
                Fault("mx", target, f"mx of {target} names {len(hosts)} hosts: at most {MOST_MX} are looked up")
            )
        return [host for host in hosts if host][:MOST_MX]

    def _is_near(self, address: Address, lengths: tuple[int, int]) -> bool:
        if self._sender is None or self._sender.version != address.version:
            return False
        length = lengths[0] if address.version == 4 else lengths[1]
        return self._sender in ipaddress.ip_network(f"{address}/{length}", strict=False)

    def _count(self) -> None:
        self.standing.lookups += 1
        if self._strict and self.standing.lookups > MOST_LOOKUPS:
            raise _PermError

    def _found_nothing(self) -> None:
        self.standing.void += 1
        if self._strict and self.standing.void > MOST_VOID:
            raise _PermError

    def _fault(self, fault: Fault) -> None:
        self.standing.faults.append(fault)
        if self._strict:
            raise _PermError


def addresses_of(host: str, names: Names) -> list[Address]:
    """The addresses of a host, of both kinds. Raises `LookupFailedError`."""
    found = (*names.ask(host, RecordType.A).values, *names.ask(host, RecordType.AAAA).values)
    return [ipaddress.ip_address(text) for text in found]
