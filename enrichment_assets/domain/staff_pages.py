"""Which page of a company's site names its people: a rule over the links of its home page.

A link counts where it stays on the company's own host and it says so, in its text (`Meet our people`) or in a whole
segment of its path (`/our-team`), the most telling word first: a page called `team` before one called `about`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from enrichment_assets.domain.domains import addresses_of, registrable_domain
from enrichment_assets.domain.name_words import fold

MOST_LINKS = 500
_MOST_WORDS = 5
"""Of the text of a link to a page: what is longer is a sentence about something."""

_WORDS: tuple[tuple[str, ...], ...] = (
    ("team", "people", "staff", "professionals", "advisors", "advisers", "attorneys", "agents", "producers", "brokers",
     "leadership", "management", "partners", "directory", "bios", "mitarbeiter", "ansprechpartner", "berater", "equipe",
     "conseillers", "collaborateurs", "equipo", "asesores", "persone", "medewerkers", "medarbetare"),
    ("about", "who", "firm", "company", "story", "ueber", "uber", "unternehmen", "wir", "kanzlei", "apropos",
     "cabinet", "sommes", "nosotros", "quienes", "firma", "chisiamo", "siamo"),
    ("contact", "contacts", "contactus", "kontakt", "impressum", "contacto", "contatti", "locations", "offices"),
)  # fmt: skip
"""Words of a link or a path, without accents, by what they promise: people, then the firm, then how to reach it."""

_NOT = re.compile(
    r"\.(?:pdf|docx?|xlsx?|zip|jpe?g|png|gif|svg|mp4|ics)$|\b(?:careers?|jobs?|login|portal|blog|news|privacy)\b",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]+")


def choose_staff_page(links: Any, host: str | None, home: str | None = None, texts: Any = None) -> str | None:
    """The page of a company's site that most likely names its people; None: no link says so. Never raises.

    Args:
        links: Absolute addresses, as `homepage_links` has them.
        host: The company's host (`acme.com`); a link below another host of its registrable domain counts too.
        home: The page the links stand on: it is no answer.
        texts: What each of the links says, in the same order, as `homepage_link_texts` has them; None: not known.
    """
    site = registrable_domain(host)
    if site is None:
        return None
    best: tuple[int, int, str] | None = None
    for link, text in _texts(links, texts):
        rank = _rank(link, site, text)
        if rank is None or _same(link, home):
            continue
        found = (*rank, link)
        best = found if best is None else min(best, found)
    return best[-1] if best else None


def _rank(link: str, site: str, text: str) -> tuple[int, int] | None:
    """How telling a link is (smaller: more), then how deep it lies: the list of people before one person's page."""
    address = next(iter(addresses_of(link)), None)
    if address is None or registrable_domain(address.host) != site or _NOT.search(address.path):
        return None
    segments = [part for part in unquote(address.path).casefold().split("/") if part]
    words = [set(_LETTERS.findall(fold(part))) for part in segments]
    said = _LETTERS.findall(fold(text))
    for rank, telling in enumerate(_WORDS):
        if len(said) <= _MOST_WORDS and set(said) & set(telling):
            return rank, len(segments)
        if any(found & set(telling) for found in words):
            is_last = bool(words[-1] & set(telling))
            return rank, len(segments) + (0 if is_last else 10)
    return None


def _same(link: str, other: str | None) -> bool:
    return other is not None and urlsplit(link)[1:3] == urlsplit(other)[1:3]


def _texts(links: Any, texts: Any) -> Iterable[tuple[str, str]]:
    given = links[:MOST_LINKS] if isinstance(links, list) else []
    said = texts if isinstance(texts, list) and len(texts) >= len(given) else [""] * len(given)
    for link, text in zip(given, said, strict=False):
        if isinstance(link, str) and link.startswith(("http://", "https://")):
            yield link, text if isinstance(text, str) else ""
