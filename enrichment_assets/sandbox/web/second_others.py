"""Who else is found in the second web: nobody's host says what it is, and each has people and addresses of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping

from enrichment_assets.sandbox.companies import slug
from enrichment_assets.sandbox.seeded_random import SeededRandom
from enrichment_assets.sandbox.web.firms import city_name, company_of, firms_in
from enrichment_assets.sandbox.web.industries import BY_TAG, Industry
from enrichment_assets.sandbox.web.page import Block, Card, Heading, Link, Links, Mailbox, Page, People, Text
from enrichment_assets.sandbox.web.results import Found
from enrichment_assets.sandbox.web.states import STATES
from enrichment_assets.sandbox.web.styles import SECOND

_TAGS = "|".join(BY_TAG)
_HOSTS: Mapping[str, re.Pattern[str]] = {
    "scout": re.compile(rf"(?P<tag>{_TAGS})scout\.io"),
    "observer": re.compile(r"(?P<city>[a-z0-9-]+)observer-(?P<state>[a-z]{2})\.com"),
    "guild": re.compile(rf"(?P<state>[a-z]{{2}})(?P<tag>{_TAGS})guild\.org"),
    "orbit": re.compile(rf"orbit(?P<tag>{_TAGS})\.app"),
    "bridge": re.compile(r"(?P<city>[a-z0-9-]+)-(?P<state>[a-z]{2})-talentbridge\.co"),
    "diary": re.compile(rf"my(?P<tag>{_TAGS})diary\.me"),
}


def second_hosts(industry: Industry, city: str, state: str) -> list[Found]:
    """What a search finds of them."""
    place, label, tag = f"{city_name(city)}, {state}", industry.label, industry.tag
    return [
        Found(
            f"{city_name(city)} {label} specialists compared",
            f"https://{tag}scout.io/us/{state.lower()}/{city}",
            f"Who is good at {label} in {place}? Ratings and fees side by side.",
        ),
        Found(
            f"What {city_name(city)} clients expect of {label} this year",
            f"https://www.{city}observer-{state.lower()}.com/money/{slug(label)}",
            f"Three {label} firms in {place} told us.",
            "2 days ago",
        ),
        Found(
            f"{STATES[state].name} Guild of {label.title()} Professionals",
            f"https://{state.lower()}{tag}guild.org/",
            f"Since 1958 the voice of {label} in {STATES[state].name}.",
        ),
        Found(
            f"Orbit | The workspace of modern {label} firms",
            f"https://orbit{tag}.app/",
            f"Everything a {label} firm in {place} needs, in one place.",
        ),
        Found(
            f"Talent Bridge {city_name(city)} | {label.title()} careers",
            f"https://www.{city}-{state.lower()}-talentbridge.co/{slug(label)}",
            f"We place {label} professionals in {place}.",
        ),
        Found(
            f"How I chose a {label} firm in {city_name(city)}",
            f"https://my{tag}diary.me/{city}-{state.lower()}",
            f"Notes of a client of {label} firms in {place}.",
        ),
    ]


def second_page(seed: int, host: str, path: str) -> Page | None:
    """The page at an address of one of them; None for any other host."""
    for kind, pattern in _HOSTS.items():
        found = pattern.fullmatch(host)
        if found is not None:
            title, blocks = _MAKERS[kind](seed, host, path.strip("/"), found.groupdict())
            return Page(title, blocks)
    return None


_Made = tuple[str, tuple[Block, ...]]


def _scout(seed: int, host: str, path: str, said: dict[str, str]) -> _Made:
    industry = BY_TAG[said["tag"]]
    parts = path.split("/")
    blocks: list[Block] = [
        Heading(f"{industry.label.title()} specialists compared", 1),
        Text("Reviewed by our analysts"),
        People((Card("Gwen Ibarra", "Lead Analyst", f"gwen@{host}"),), "colon", "mailto-subject"),
    ]
    if len(parts) == 3 and parts[1].upper() in STATES:
        for firm in firms_in(seed, industry, parts[2], parts[1].upper(), SECOND)[:8]:
            company = company_of(seed, firm)
            blocks += [
                Heading(firm.name, 3),
                Text(f"Rating 4.2/5 from 31 clients. {company.phone}"),
                Links((Link("To their site", f"https://{firm.found_at}/"),)),
            ]
    return f"{industry.label} compared", tuple(blocks)


def _observer(seed: int, host: str, path: str, said: dict[str, str]) -> _Made:
    rng = SeededRandom(seed, "observer", host, path)
    industry = rng.pick(tuple(BY_TAG.values()))
    firm = rng.pick(firms_in(seed, industry, said["city"], said["state"].upper(), SECOND))
    quoted = firm.staff[0]
    title = f"What {city_name(said['city'])} clients expect this year"
    return title, (
        Heading(title, 1),
        Text("Text: Robin Mercer"),
        Text(f'"They ask more," says {quoted.first_name} {quoted.last_name}, {quoted.title} of {firm.name}.'),
        Heading("The newsroom"),
        People((Card("Dana Whitlock", "Managing Editor", f"whitlock@{host}"),), "definitions", "split"),
        Text("Subscribe to the paper for 3 dollars a week."),
    )


def _guild(seed: int, host: str, path: str, said: dict[str, str]) -> _Made:
    industry = BY_TAG[said["tag"]]
    return f"Guild of {industry.label.title()} Professionals", (
        Heading(f"Guild of {industry.label.title()} Professionals", 1),
        Text("The guild represents four hundred member firms. Become a member."),
        People(
            (
                Card("Alvin Prescott", "Executive Director", f"prescott@{host}"),
                Card("Moira Sandoval", "Education Manager", f"sandoval@{host}"),
            ),
            "title-above",
            "at-round",
        ),
    )


def _orbit(seed: int, host: str, path: str, said: dict[str, str]) -> _Made:
    industry = BY_TAG[said["tag"]]
    return "Orbit", (
        Heading("Orbit", 1),
        Text(f"The workspace that 900 {industry.label} firms run on. Start your free trial."),
        People(
            (
                Card("Ingrid Vance", "Chief Executive Officer", f"ingrid@{host}"),
                Card("Theo Marchetti", "Head of Partnerships", f"theo@{host}"),
            ),
            "capitals",
            "at-only",
        ),
    )


def _bridge(seed: int, host: str, path: str, said: dict[str, str]) -> _Made:
    return "Talent Bridge", (
        Heading(f"Talent Bridge {city_name(said['city'])}", 1),
        Text("We place professionals with the firms that need them. Send us your CV."),
        People((Card("Nadine Osborne", "Managing Partner", f"nadine@{host}"),), "letters-behind", "upper"),
    )


def _diary(seed: int, host: str, path: str, said: dict[str, str]) -> _Made:
    return "My money diary", (
        Heading("How I chose a firm", 1),
        Text("I am a retired teacher, and I write about what I learn. This is my blog, and no advice."),
        Mailbox("Write to me:", f"edith.pemberton@{host}", "at-round"),
    )


_MAKERS = {
    "scout": _scout,
    "observer": _observer,
    "guild": _guild,
    "orbit": _orbit,
    "bridge": _bridge,
    "diary": _diary,
}
