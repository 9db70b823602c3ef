"""An SPF record as its terms (RFC 7208): `v=spf1 include:_spf.google.com -all`."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_VERSION = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE)
_MECHANISM = re.compile(r"([+?~-]?)([a-z0-9]+)(?::([^/]*))?((?:/.*)?)", re.IGNORECASE)
_LENGTHS = re.compile(r"(?:/(0|[1-9]\d{0,1}))?(?://(0|[1-9]\d{0,2}))?")
_DOMAIN = re.compile(r"(?=.{1,253}$)[\x21-\x7e]+\.(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.?", re.IGNORECASE)
_ENDS_IN_MACRO = re.compile(r"[\x21-\x7e]*%\{[a-z]\d*r?[-.+,/_=]*\}", re.IGNORECASE)
_NEEDS_DOMAIN = frozenset({"include", "exists"})
_MAY_HAVE_DOMAIN = frozenset({"a", "mx", "ptr"})
ASKING = frozenset({"include", "a", "mx", "ptr", "exists"})
"""Mechanisms that cost one of the ten lookups (4.6.4); the modifier `redirect` costs one too."""


class SpfSyntaxError(ValueError):
    """A record that receivers do not understand: they take it for no protection at all, or refuse (`permerror`)."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One term. `domain` is empty where none was written; `lengths` are the prefix lengths of `a` and `mx`."""

    text: str
    qualifier: str
    name: str
    domain: str = ""
    network: Network | None = None
    lengths: tuple[int, int] = (32, 128)


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """A record. `redirect` is empty where there is none, or where an `all` makes it idle (6.1)."""

    text: str
    mechanisms: tuple[Mechanism, ...]
    redirect: str = ""

    @property
    def ends(self) -> str:
        """The qualifier of `all`: `-`, `~`, `?` or `+`; empty: there is none."""
        return next((one.qualifier for one in self.mechanisms if one.name == "all"), "")


def is_spf(text: str) -> bool:
    """Whether a TXT record is one of SPF (4.5): `v=spf1` alone or with a blank behind it, at the very beginning."""
    return _VERSION.match(text) is not None


def read_spf(text: str) -> SpfRecord:
    """A record by its terms. What stands behind `all` is left out: nobody reads it (5.1). Raises `SpfSyntaxError`."""
    mechanisms: list[Mechanism] = []
    modifiers: dict[str, str] = {}
    for term in text.split(" ")[1:]:
        if not term:
            continue
        if match := _MODIFIER.fullmatch(term):
            name = match[1].lower()
            if name in modifiers and name in ("redirect", "exp"):
                raise SpfSyntaxError(f"{name}= stands twice")
            modifiers[name] = match[2]
        elif not any(one.name == "all" for one in mechanisms):
            mechanisms.append(_mechanism(term))
    redirect = modifiers.get("redirect")
    if redirect is not None and not _is_domain(redirect):
        raise SpfSyntaxError(f"redirect={redirect[:60]} names no domain")
    idle = any(one.name == "all" for one in mechanisms)
    return SpfRecord(text, tuple(mechanisms), "" if idle else (redirect or "").lower().rstrip("."))


def _mechanism(term: str) -> Mechanism:
    match = _MECHANISM.fullmatch(term)
    name = match[2].lower() if match else ""
    if match is None or name not in {"all", "ip4", "ip6"} | ASKING:
        raise SpfSyntaxError(f"{term[:60]!r} is no term of SPF")
    qualifier, domain, rest = match[1] or "+", match[3], match[4]
    if name == "all":
        if domain is not None or rest:
            raise SpfSyntaxError(f"{term[:60]!r}: nothing stands behind all")
        return Mechanism(term, qualifier, name)
    if name in ("ip4", "ip6"):
        return Mechanism(term, qualifier, name, network=_network(term, name, term.partition(":")[2]))
    if (name in _NEEDS_DOMAIN or domain is not None) and not _is_domain(domain or ""):
        raise SpfSyntaxError(f"{term[:60]!r} names no domain")
    lengths = _LENGTHS.fullmatch(rest)
    if lengths is None or (rest and name not in ("a", "mx")):
        raise SpfSyntaxError(f"{term[:60]!r}: {rest[:20]!r} is no prefix length")
    four, six = int(lengths[1] or 32), int(lengths[2] or 128)
    if four > 32 or six > 128:
        raise SpfSyntaxError(f"{term[:60]!r}: a prefix is at most /32, or //128")
    return Mechanism(term, qualifier, name, (domain or "").lower().rstrip("."), lengths=(four, six))


def _network(term: str, name: str, text: str) -> Network:
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise SpfSyntaxError(f"{term[:60]!r} is no address or network") from None
    if found.version != (4 if name == "ip4" else 6):
        raise SpfSyntaxError(f"{term[:60]!r} is an address of the other kind")
    return found


def _is_domain(text: str) -> bool:
    return _DOMAIN.fullmatch(text) is not None or _ENDS_IN_MACRO.fullmatch(text) is not None
