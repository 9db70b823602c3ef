"""How a web is written: hosts, layouts, writings of addresses, paths and labels. There are two, with nothing in common.

What finds its way through the first one alone is tuned to it: the second has other hosts, other layouts, people on home
pages, and labels in four languages (setting `web`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Labels:
    """What menus and headings say in one language."""

    home: str
    about: str
    services: str
    people: str
    contact: str
    mail: str
    phone: str


@dataclass(frozen=True, slots=True)
class Style:
    """One way to write a web.

    Attributes:
        name: The value of the setting `web`.
        firm: A firm's host, of its words, tag, city and state; `moved` is its old one.
        course: A course's host; `association` that of its state's association, `listing` the path of a course there.
        layouts: How people are laid out (`writing.py`).
        mails: How addresses are written.
        team_paths: Where people are; `/` is the home page.
        languages: Of sites, by share.
        course_labels: What the facts of a course are called, in the order of `course_pages.facts_of`.
    """

    name: str
    firm: str
    moved: str
    course: str
    association: str
    listing: str
    layouts: tuple[str, ...]
    mails: tuple[str, ...]
    team_paths: tuple[str, ...]
    languages: tuple[str, ...]
    course_labels: tuple[str, ...]


LABELS: Mapping[str, Labels] = {
    "en": Labels("Home", "About", "Services", "Our people", "Contact", "E-mail:", "Phone:"),
    "es": Labels("Inicio", "La firma", "Servicios", "Nuestro equipo", "Contacto", "Correo:", "Teléfono:"),
    "fr": Labels("Accueil", "Le cabinet", "Services", "Notre équipe", "Nous joindre", "Courriel :", "Téléphone :"),
    "de": Labels("Start", "Die Firma", "Leistungen", "Ansprechpartner", "Kontakt", "E-Mail:", "Telefon:"),
}

FIRST = Style(
    name="first",
    firm="{stems}-{tag}-{city}-{state}.com",
    moved="{stems}-{tag}-{city}-{state}.net",
    course="{slug}-{state}.com",
    association="{state}-golf-association.org",
    listing="/courses/{slug}",
    layouts=("list", "cards", "table", "lines", "sentences"),
    mails=("mailto", "mailto-name", "plain", "at-dot", "cloudflare", "entities", "json-ld", "none"),
    team_paths=("/team", "/our-team", "/people", "/about/team", "/about-us"),
    languages=("en",),
    course_labels=("Holes", "Par", "Yards", "Type", "Driving range", "Green fee", "Opened", "Architect"),
)
SECOND = Style(
    name="second",
    firm="{tag}-{city}-{state}-{stems}.us",
    moved="{tag}-{city}-{state}-{stems}.biz",
    course="{slug}-{state}.golf",
    association="golf-{state}.net",
    listing="/club/{slug}",
    layouts=("definitions", "title-above", "capitals", "letters-behind", "colon"),
    mails=("at-round", "at-only", "mailto-subject", "upper", "json-ld", "none", "split"),
    team_paths=("/", "/", "/who-we-are", "/leadership", "/p/4", "/firm/professionals", "/equipo"),
    languages=("en", "en", "es", "fr", "de"),
    course_labels=(
        "Number of holes",
        "Par",
        "Course length",
        "Who may play",
        "Practice range",
        "Rates",
        "Built",
        "Designed by",
    ),
)
STYLES: Mapping[str, Style] = {style.name: style for style in (FIRST, SECOND)}
