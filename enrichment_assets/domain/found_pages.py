"""Which result of a web search is the page about a place at a kind of site: a rule over address, heading and text.

The page of the association about a course, of the chamber about a shop: of all results the one at a wanted host whose
heading or path is the name, and which says the state. A neighbour's page, the page of a namesake in another state and
the pages of platforms are none; where nothing fits, nothing is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from enrichment_assets.domain.company_names import company_name_key
from enrichment_assets.domain.domains import addresses_of, registrable_domain
from enrichment_assets.domain.places import StateNames
from enrichment_assets.domain.platforms import platform_of

MOST_RESULTS = 100
OWN = "{name}"
"""Among the wanted hosts: the place's own."""

_PARTS_OF_A_HEADING = re.compile(r"\s+[|–—·•:-]\s+|\s*[|–—·•,(]\s*")
_ARTICLE = re.compile(r"^the\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundPage:
    """The page that was chosen, or why none was: `no_results`, `no_wanted_host`, `other_names`, `other_places`.

    `is_own`: it lies on the place's own site.
    """

    url: str | None
    host: str | None
    reason: str
    is_own: bool = False


def choose_page(results: Iterable[Any], name: str | None, state: StateNames | None, hosts: Sequence[str]) -> FoundPage:
    """The page about a place of that name among search results. Never raises for what a result holds.

    Args:
        results: Objects with `url` and perhaps `title` and `text`, as search workflows give them.
        name: What the place is called.
        state: By its names; None: no state is asked for.
        hosts: Wanted hosts, the best first: a host with all below it (`txga.org`), a part of one between stars
            (`*golf-association*`), or `{name}`: one that spells the name, which is the place's own.
    """
    wanted, reason = _key(name), "no_results"
    best: tuple[int, int, str, str] | None = None
    for place, result in enumerate(list(results)[:MOST_RESULTS]):
        url, title, text = _texts(result)
        address = next(iter(addresses_of(url)), None) if url else None
        if url is None or address is None:
            continue
        rank = _rank(address.host, address.path, hosts, wanted)
        if rank is None:
            reason = reason if reason != "no_results" else "no_wanted_host"
        elif wanted is None or not _is_named(wanted, url, title):
            reason = reason if reason == "other_places" else "other_names"
        elif not _says(state, f"{title} {text} {address.host.replace('-', ' ').replace('.', ' ')}"):
            reason = "other_places"
        else:
            found = (rank, place, url, address.host)
            best = found if best is None else min(best, found)
    return FoundPage(best[2], best[3], "found", hosts[best[0]] == OWN) if best else FoundPage(None, None, reason)


def _rank(host: str, path: str, hosts: Sequence[str], name: str | None) -> int | None:
    """The place of the first wanted host that this is, or lies below; None: it is none, or a member's page."""
    suffix = (registrable_domain(host) or host).partition(".")[2]
    if platform_of(host, path, suffix) is not None:
        return None
    for rank, wanted in enumerate(hosts):
        sought = wanted.casefold().strip().removeprefix("www.")
        if sought == OWN:
            if name is not None and _letters(name) in _letters(host):
                return rank
        elif sought.startswith("*") and sought.endswith("*") and len(sought) > 2:
            if sought.strip("*") in host:
                return rank
        elif sought and (host == sought or host.endswith(f".{sought}")):
            return rank
    return None


def _is_named(wanted: str, url: str, title: str) -> bool:
    """Whether a part of the heading, or the last part of the path, is the name and nothing more."""
    segments = [part for part in unquote(urlsplit(url).path).split("/") if part]
    last = segments[-1].rpartition(".")[0] or segments[-1] if segments else ""
    parts = [title, *_PARTS_OF_A_HEADING.split(title), re.sub(r"[-_+]+", " ", last)]
    return any(_key(part) == wanted for part in parts)


def _says(state: StateNames | None, text: str) -> bool:
    """Whether the state stands in the text: by its name and not in a longer one, or by its letters behind a place."""
    if state is None:
        return True
    for longer in state.longer:
        text = re.sub(re.escape(longer), " ", text, flags=re.IGNORECASE)
    if re.search(rf"(?<!\w){re.escape(state.name)}(?!\w)", text, re.IGNORECASE):
        return True
    return state.letters is not None and re.search(rf"[,(]\s*{state.letters}(?!\w)", text) is not None


def _letters(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum())


def _key(name: str | None) -> str | None:
    return company_name_key(_ARTICLE.sub("", name.strip())) if name else None


def _texts(result: Any) -> tuple[str | None, str, str]:
    """Address, heading and text of a result; what is no text is none."""
    members = result if isinstance(result, Mapping) else {}
    url, title, text = (members.get(name) for name in ("url", "title", "text"))
    return (
        url.strip() if isinstance(url, str) and url.strip() else None,
        " ".join(title.split())[:500] if isinstance(title, str) else "",
        " ".join(text.split())[:2000] if isinstance(text, str) else "",
    )
