"""DMARC: the record of a domain, which one counts for a sender, and when an authenticated domain is aligned with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from enrichment_assets.domain.domains import registrable_domain
from enrichment_assets.domain.mail.dns_names import Names, RecordType

_VERSION = re.compile(r"v\s*=\s*DMARC1\s*(?:;|$)", re.IGNORECASE)
_POLICIES = frozenset({"none", "quarantine", "reject"})
_URI = re.compile(r"mailto:([^@\s!]+@([^\s!,]+))(?:!\d+[kmgt]?)?", re.IGNORECASE)


class Alignment(StrEnum):
    """How close an authenticated domain has to be to that in From."""

    RELAXED = "r"
    STRICT = "s"


class DmarcError(ValueError):
    """What receivers take for no record: several at once, or one that they do not understand."""


@dataclass(frozen=True, slots=True)
class Dmarc:
    """The record that counts for a domain.

    Attributes:
        text: As it stands in the DNS.
        at: Of which domain it is: the sender's own, or the one that one can register.
        policy: What receivers are asked to do with mail of the sender's domain: `none`, `quarantine`, `reject`.
        spf: How close the envelope's domain has to be (`aspf`).
        dkim: How close the signature's has to be (`adkim`).
        reports_to: Addresses that summaries go to (`rua`).
    """

    text: str
    at: str
    policy: str
    spf: Alignment
    dkim: Alignment
    reports_to: tuple[str, ...]


def find_dmarc(domain: str, names: Names) -> Dmarc | None:
    """The record for mail whose From is at a domain: its own, else that of its organisation (RFC 7489, 6.6.3).

    Raises `DmarcError` for one that counts for nothing, and `LookupFailedError`.
    """
    organisation = registrable_domain(domain) or domain
    for at in dict.fromkeys((domain, organisation)):
        found = [text for text in names.ask(f"_dmarc.{at}", RecordType.TXT).values if is_dmarc(text)]
        if len(found) > 1:
            raise DmarcError(f"_dmarc.{at} has {len(found)} records: receivers use none of them")
        if found:
            return read_dmarc(found[0], at, below=at != domain)
    return None


def is_dmarc(text: str) -> bool:
    """Whether a TXT record is one of DMARC: the version stands first (RFC 7489, 6.3)."""
    return _VERSION.match(text) is not None


def read_dmarc(text: str, at: str, *, below: bool = False) -> Dmarc:
    """A record. `below`: it is asked about for a subdomain, for which `sp` counts. Raises `DmarcError`.

    Without a usable policy it is `none` where there is somebody to report to, and no record otherwise (6.6.3, 6).
    """
    tags = _tags(text)
    reports = tuple(match[1] for uri in tags.get("rua", "").split(",") if (match := _URI.fullmatch(uri.strip())))
    policy = tags.get("p", "").lower()
    wanted = (tags.get("sp", "").lower() or policy) if below else policy
    if policy not in _POLICIES or wanted not in _POLICIES:
        if not reports:
            raise DmarcError(f"_dmarc.{at} says no policy (p=none, quarantine or reject): receivers ignore it")
        wanted = "none"
    return Dmarc(text, at, wanted, _alignment(tags, "aspf"), _alignment(tags, "adkim"), reports)


def is_aligned(authenticated: str, sender: str, how: Alignment) -> bool:
    """Whether a domain that SPF or DKIM vouches for stands for the domain in From (RFC 7489, 3.1)."""
    one, other = authenticated.lower().rstrip("."), sender.lower().rstrip(".")
    if one == other:
        return True
    organisation = registrable_domain(one)
    return how is Alignment.RELAXED and organisation is not None and organisation == registrable_domain(other)


def may_report_to(domain: str, address: str, names: Names) -> bool:
    """Whether the receiver of reports takes those of a domain that is not its own (RFC 7489, 7.1)."""
    other = address.rpartition("@")[2].lower()
    if is_aligned(other, domain, Alignment.RELAXED):
        return True
    asked = (f"{domain}._report._dmarc.{other}", f"*._report._dmarc.{other}")
    return any(is_dmarc(text) for name in asked for text in names.ask(name, RecordType.TXT).values)


def _tags(text: str) -> dict[str, str]:
    tags: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            tags.setdefault(name.strip().lower(), value.strip())
    return tags


def _alignment(tags: dict[str, str], name: str) -> Alignment:
    return Alignment.STRICT if tags.get(name, "").lower() == "s" else Alignment.RELAXED
