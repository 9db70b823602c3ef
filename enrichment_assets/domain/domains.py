"""Hosts and domains out of whatever a cell holds: a URL, a domain, an e-mail address, or nonsense."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

import idna
import tldextract

from enrichment_assets.domain.host_lists import FREE_MAIL_BRANDS, FREE_MAIL_DOMAINS, MEMBER_HOSTS, SOCIAL_DOMAINS

_MAX_CHARS = 4096
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:/*", re.IGNORECASE)
_HOST = re.compile(r"^(?=.{1,253}$)(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))+$")
_WEB_SCHEMES = frozenset({"http", "https", "ftp", ""})
_EXTRACT = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=False)


@lru_cache(maxsize=65_536)
def host_of(text: str | None) -> str | None:
    """The full host in lower-case ASCII (punycode), without `www.`, port and trailing dot; None when there is none.

    Takes URLs with or without scheme, bare domains and e-mail addresses. An IP address, `localhost` and a single
    word are no host of a company. Never raises.
    """
    if not text or len(text) > _MAX_CHARS:
        return None
    cleaned = text.strip().strip("'\"<>()[]").strip()
    scheme = _SCHEME.match(cleaned)
    has_scheme = scheme is not None and "//" in scheme.group()
    if not has_scheme and cleaned.lower().startswith("mailto:"):
        cleaned = cleaned[7:]
    try:
        parts = urlsplit(cleaned if has_scheme else f"//{cleaned.lstrip('/')}")
        host = parts.hostname
    except ValueError:
        return None
    if host is None or parts.scheme.lower() not in _WEB_SCHEMES:
        return None
    return _ascii_host(host)


def linkedin_path(text: str) -> str | None:
    """The path of a page at linkedin.com, out of any spelling of its URL; None when it is none. Never raises."""
    url = text.strip()
    try:
        path = urlsplit(url if "://" in url else f"//{url.lstrip('/')}").path
    except ValueError:
        return None
    host = host_of(url)
    return path if host is not None and (host == "linkedin.com" or host.endswith(".linkedin.com")) else None


def registrable_domain(host: str | None) -> str | None:
    """The domain one can register (`shop.example.co.uk` -> `example.co.uk`), by the bundled public suffix list.

    Two hosts of one registrable domain are often two organisations (house.gov): it is no identity of a company.
    """
    if not host or (clean := host_of(host)) is None:
        return None
    return _registrable(clean)


def is_free_mail(host: str | None) -> bool:
    """True when mail at this host is a private mailbox (gmail.com, yahoo.co.uk, gmx.net)."""
    domain = registrable_domain(host)
    if domain is None:
        return False
    return domain in FREE_MAIL_DOMAINS or domain.partition(".")[0] in FREE_MAIL_BRANDS


def is_social_host(host: str | None) -> bool:
    """True when a page at this host is a profile on a platform (linkedin.com/in/...), not a company's own site."""
    clean = host_of(host) if host else None
    if clean is None:
        return False
    return _registrable(clean) in SOCIAL_DOMAINS or any(clean == m or clean.endswith(f".{m}") for m in MEMBER_HOSTS)


@lru_cache(maxsize=65_536)
def _registrable(host: str) -> str | None:
    return _EXTRACT(host).top_domain_under_public_suffix or None


def _ascii_host(host: str) -> str | None:
    host = host.strip().strip(".").lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True, transitional=False).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    while host.startswith("www.") and host.count(".") > 1:
        host = host[4:]
    if not _HOST.match(host) or _is_address(host) or host.rpartition(".")[2].isdigit():
        return None
    return host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
