"""Hosts and domains out of whatever a cell holds: a URL, a domain, an e-mail address, several of them, or nonsense."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import idna

from enrichment_assets.domain.host_lists import FREE_MAIL_BRANDS, FREE_MAIL_DOMAINS, throw_away_domains
from enrichment_assets.domain.platforms import Platform, members_page

if TYPE_CHECKING:
    import tldextract

_MAX_CHARS = 4096
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_SLIPPED_SCHEME = re.compile(
    r"""(?:^|(?<=[\s,;|<>"'(\[]))"""
    r"(?:(?:www\.)?(?:[htps]{3,7}\s*[:;.,]*\s*[/\\][/\\\s]*|https?:\s*(?=[\w%])))+",
    re.IGNORECASE,
)
"""`http:/x`, `https//x`, `htp://x`, `http:\\\\x`, `http:x`, `https:// x`, `http://https://x`."""
_SEPARATORS = re.compile(r"""[\s,;|<>"()\[\]{}`]+""")
EDGES = "*.:!#?=&_-'‘’“”"
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*):/*", re.IGNORECASE)
_HOST = re.compile(r"^(?=.{1,253}$)(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))+$")
_WEB = re.compile(r"^w{2,4}\.+(?=.)")
_WEB_SCHEMES = frozenset({"http", "https", "ftp", "mailto"})
_RESERVED = ("example", "test")
"""Top-level domains of RFC 2606 for examples and tests: no list has them, and what is made up stands below them."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address in a cell. `host` as `host_of` gives it; `path` begins with a slash or is empty."""

    host: str
    path: str

    @property
    def platform(self) -> Platform | None:
        """The platform on which this is somebody's page; None: it is of whom the host belongs to."""
        return members_page(self.host, self.path, _suffix(self.host))

    def is_at(self, domain: str) -> bool:
        """True at this domain and below it; `amazon.*` is one under every public suffix."""
        name = f"{self.host.removesuffix(_suffix(self.host))}*" if domain.endswith(".*") else self.host
        return name == domain or name.endswith(f".{domain}")


@lru_cache(maxsize=65_536)
def addresses_of(text: str | None) -> tuple[Address, ...]:
    """Every web or e-mail address in a cell, in its order: `acme.com; https://beta.com/x` has two. Never raises.

    Takes URLs with or without scheme, bare domains and e-mail addresses, and mends what browsers mend. An address whose
    end is no public suffix (`n.a`), which is one (`co.uk`), an IP address and `localhost` are none.
    """
    if not text or len(text) > _MAX_CHARS:
        return ()
    mended = _SLIPPED_SCHEME.sub("http://", _INVISIBLE.sub("", text).strip())
    return tuple(address for piece in _SEPARATORS.split(mended) if (address := _address(piece)) is not None)


def host_of(text: str | None) -> str | None:
    """The full host of the first address in a cell: lower-case ASCII (punycode), without `www.`, port, trailing dot.

    None when there is none (`addresses_of`). Never raises.
    """
    return next((address.host for address in addresses_of(text)), None)


def address_on(domain: str, text: str | None) -> str | None:
    """The path of the first address in a cell at this domain or below it (`/company/acme`); None when there is none."""
    return next((address.path for address in addresses_of(text) if address.is_at(domain)), None)


def registrable_domain(host: str | None) -> str | None:
    """The domain one can register (`shop.example.co.uk` -> `example.co.uk`), by the bundled public suffix list.

    Two hosts of one registrable domain are often two organisations (house.gov): it is no identity of a company.
    """
    if not host or (clean := host_of(host)) is None:
        return None
    return _registrable(clean)


def is_free_mail(host: str | None) -> bool:
    """True when mail at this host is a private or a throw-away mailbox (gmail.com, yahoo.co.uk, mailinator.com)."""
    clean = host_of(host)
    domain = _registrable(clean) if clean else None
    if clean is None or domain is None:
        return False
    if domain.partition(".")[0] in FREE_MAIL_BRANDS:
        return True
    return any(name in hosts for name in (domain, clean) for hosts in (FREE_MAIL_DOMAINS, throw_away_domains()))


def is_platform_page(text: str | None) -> bool:
    """True when the first address in a cell is somebody's page on a platform (linkedin.com/in/jo)."""
    first = next(iter(addresses_of(text)), None)
    return first is not None and first.platform is not None


@lru_cache(maxsize=65_536)
def _registrable(host: str) -> str | None:
    return _extract()(host).top_domain_under_public_suffix or None


@lru_cache(maxsize=1)
def _extract() -> tldextract.TLDExtract:
    """The public suffixes, loaded when they are first asked for: tldextract brings an HTTP client with it."""
    import tldextract

    return tldextract.TLDExtract(
        suffix_list_urls=(), cache_dir=None, include_psl_private_domains=False, extra_suffixes=_RESERVED
    )


def _suffix(host: str) -> str:
    return (_registrable(host) or host).partition(".")[2]


def _address(piece: str) -> Address | None:
    """The address that a piece without separators is; None when it is none."""
    cleaned = piece.replace("\\", "/").strip(EDGES).lstrip("/")
    scheme = _SCHEME.match(cleaned)
    if scheme is not None and (scheme.group().endswith("/") or scheme.group(1).lower() == "mailto"):
        if scheme.group(1).lower() not in _WEB_SCHEMES:
            return None
        cleaned = cleaned[scheme.end() :]
    try:
        parts = urlsplit(f"//{cleaned}")
        host = _ascii_host(unquote(parts.hostname or ""))
    except ValueError:
        return None
    return Address(host, parts.path) if host is not None else None


def _ascii_host(host: str) -> str | None:
    host = host.strip().strip(".").lower()
    if "." not in host and host.isascii():
        return None
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True, transitional=False).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    while (bare := _WEB.sub("", host)) != host and _registrable(bare) is not None:
        host = bare
    is_named = _HOST.match(host) is not None and not _is_address(host) and _registrable(host) is not None
    return host if is_named else None


def _is_address(host: str) -> bool:
    if not host[-1:].isdigit() and ":" not in host:  # nearly all: an IPv4 address ends with a digit
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
