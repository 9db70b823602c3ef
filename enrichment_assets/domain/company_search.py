"""Which companies a web search has found: a rule over the address and the heading of each result.

A result is a company where its host can be a company's own site. What lies on a social network, in a directory, on a
marketplace or at a newspaper is none (`data/platforms.csv`, `data/search_hosts.csv`), nor is a list of companies
(`Top 10 wealth managers in Boston`), whoever wrote it. One host is one company, whichever of its pages was found.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from enrichment_assets.domain.companies import own_host
from enrichment_assets.domain.domains import addresses_of, registrable_domain
from enrichment_assets.domain.platforms import platform_of

MOST_RESULTS = 200
"""Results of one search that are looked at: engines give at most a hundred."""

_NOUNS = (
    "firms?|compan(?:y|ies)|advis[eo]rs?|managers?|agenc(?:y|ies)|accountants?|cpas?|planners?|brokers?|lenders?|"
    "investors?|funds?|realtors?|agents?|providers?|services|specialists|vcs?|list|directory"
)
_LISTING = re.compile(
    rf"^\W*(?:the\s+)?(?:(?:top|best)\W+\d+|\d+\W+(?:of\s+the\s+)?(?:top|best|leading|largest|biggest)"
    rf"|\d+\+?\s+(?:[\w&/-]+\s+){{0,5}}(?:{_NOUNS})\b"
    rf"|(?:top|best|leading|largest|biggest)\s+(?:[\w&/-]+\s+){{0,5}}(?:{_NOUNS})\s+(?:in|of|near|for|to)\b"
    rf"|list\s+of\b|find\s+an?\b|(?:[\w&/-]+\s+){{0,5}}(?:{_NOUNS})\s+near\s+(?:me|you)\b"
    rf"|how\s+to\s+(?:find|choose|pick)\b)",
    re.IGNORECASE,
)
"""Headings of pages that list companies or say how to choose one."""

_NOT_OF_THEM = re.compile(
    r"\b(?:association|federation|chamber\s+of\s+commerce)\b|\bsoftware\s+for\b|\bnews\s*$|\bjobs?\s+in\b",
    re.IGNORECASE,
)
"""Headings of sites that are about companies of a kind, or sell to them."""


@dataclass(frozen=True, slots=True)
class FoundCompany:
    """A company's own site: `host` without `www.`, `website` its front page, and the result that led there."""

    host: str
    website: str
    found_at: str
    heading: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """The companies of some results in their order, each host once, and (host or address, why) of what is none."""

    companies: tuple[FoundCompany, ...]
    dropped: tuple[tuple[str, str], ...]


def choose_companies(results: Iterable[Any], not_these: Collection[str] = ()) -> Choice:
    """The companies that search results lead to. Never raises for what a result holds.

    Args:
        results: Objects with `url` and perhaps `title`, as search workflows give them (`web_results`).
        not_these: Further hosts to drop, with all below them (a client's own competitors and directories).

    Example: results at `https://www.acme.com/about` and `https://acme.com/` are one company, `acme.com`.
    """
    companies: dict[str, FoundCompany] = {}
    dropped: dict[str, str] = {}
    for result in list(results)[:MOST_RESULTS]:
        url, title = _texts(result)
        if url is None:
            continue
        host, why = _judged(url, title, not_these)
        if host is None or why is not None:
            dropped.setdefault(host or url[:200], why or "no_site")
        elif host not in companies:
            companies[host] = FoundCompany(host, _front_page(url, host), url, title)
    return Choice(tuple(companies.values()), tuple(dropped.items()))


def _judged(url: str, title: str | None, not_these: Collection[str]) -> tuple[str | None, str | None]:
    """The host of a result, and why it is no company; None: it is one."""
    address = next(iter(addresses_of(url)), None)
    if address is None:
        return None, None
    host = address.host
    suffix = (registrable_domain(host) or host).partition(".")[2]
    if (platform := platform_of(host, address.path, suffix)) is not None:
        return host, platform.kind
    if (kind := _listed(host, suffix)) is not None:
        return host, kind
    if any(address.is_at(one.casefold().strip().removeprefix("www.")) for one in not_these):
        return host, "not_wanted"
    if title is not None and _LISTING.match(title):
        return host, "list_of_companies"
    if title is not None and _NOT_OF_THEM.search(title):
        return host, "about_companies"
    return host, None if own_host(url, None) is not None else "mail_provider"


def _listed(host: str, suffix: str) -> str | None:
    """What the list says of a host: by the host and all above it, its name under any suffix, a word of its name."""
    known = _hosts()
    labels = host.split(".")
    for start in range(len(labels)):
        above = ".".join(labels[start:])
        if (kind := known.get(above) or known.get(f".{above}")) is not None:
            return kind
    name = host.removesuffix(f".{suffix}")
    words = [known[f"*{word}*"] for word in re.split(r"[.-]", name) if f"*{word}*" in known]
    return known.get(f"{name.rpartition('.')[2]}.*") or next(iter(words), None)


def _texts(result: Any) -> tuple[str | None, str | None]:
    """Address and heading of a result; what is no text is none."""
    members = result if isinstance(result, Mapping) else {}
    url, title = (members.get(name) for name in ("url", "title"))
    return (
        url.strip() if isinstance(url, str) and url.strip() else None,
        " ".join(title.split()) if isinstance(title, str) and title.strip() else None,
    )


def _front_page(url: str, host: str) -> str:
    """The front page, below `www.` where the result is: not every site answers without."""
    begins = re.match(r"(?i)\s*(https?)://(www\.)?", url)
    scheme, www = (begins[1].lower(), (begins[2] or "").lower()) if begins else ("https", "")
    return f"{scheme}://{www}{host}/"


# opens files of ours: the package's own lists
@lru_cache(maxsize=1)
def _hosts() -> dict[str, str]:
    text = files("enrichment_assets.domain").joinpath("data/search_hosts.csv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {row["host"]: row["kind"] for row in csv.DictReader(lines, strict=True)}
