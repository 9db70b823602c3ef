"""The pages of a firm's site: home, about, people, contact."""

from __future__ import annotations

from enrichment_assets.sandbox.companies import Company
from enrichment_assets.sandbox.seeded_random import SeededRandom
from enrichment_assets.sandbox.web.firms import READABLE, Firm
from enrichment_assets.sandbox.web.page import (
    Block,
    Card,
    Heading,
    Lines,
    Link,
    Links,
    Mailbox,
    Page,
    People,
    Picture,
    Text,
)
from enrichment_assets.sandbox.web.styles import LABELS

_BUILDERS = ("Pixel & Loom", "Studio Nine", "Bright Fern Web")


def firm_page(seed: int, firm: Firm, company: Company, path: str) -> Page | None:
    """The page at a path of a firm's site; None where there is none. Where its people are at home, `/` has them too."""
    place = path.rstrip("/").casefold() or "/"
    makers = {"/about": _about, "/services": _services, "/contact": _contact, firm.team_path: _team, "/": _home}
    maker = makers.get(place)
    if maker is None:
        return None
    title, blocks = maker(seed, firm, company)
    has_people = place == firm.team_path
    if has_people and place == "/":
        blocks = (*blocks, *_team(seed, firm, company)[1])
    return Page(
        title=title,
        blocks=(_menu(firm), *blocks, *_footer(seed, firm, company)),
        language=firm.language,
        linked_data=_linked_data(firm, company) if has_people else (),
        is_shell=firm.site == "script-only",
        is_walled=firm.site == "consent-wall",
    )


def cards_of(firm: Firm, company: Company) -> tuple[Card, ...]:
    """The firm's people as their page has them: the last one perhaps without an address."""
    return tuple(
        Card(
            f"{one.first_name} {one.last_name}",
            one.title,
            company.email_for(one.first_name, one.last_name) if number < firm.written else "",
        )
        for number, one in enumerate(firm.staff)
    )


_Made = tuple[str, tuple[Block, ...]]


def _home(seed: int, firm: Firm, company: Company) -> _Made:
    rng = SeededRandom(seed, "home", firm.host)
    kind = firm.industry
    blocks: list[Block] = [
        Heading(firm.name, 1),
        Text(company.description),
        Heading("What we do"),
        Lines(tuple(service.capitalize() for service in kind.services)),
        Text(
            f"Founded in {company.founded}, {firm.name} serves {kind.clients[1]} and {kind.clients[2]} across "
            f"{company.state} from its office in {firm.city}."
        ),
    ]
    if rng.chance(0.4):
        blocks += [Heading("What clients say"), Text(_praise(rng))]
    return f"{firm.name} | {kind.label.title()} in {firm.city}, {firm.state}", tuple(blocks)


def _about(seed: int, firm: Firm, company: Company) -> _Made:
    return f"About {firm.name}", (
        Heading(f"About {firm.name}", 1),
        Text(f"{firm.name} was founded in {company.founded} and has {company.employees} employees in {firm.city}."),
        Text(f"We answer to our clients alone: {firm.industry.clients[0]} and {firm.industry.clients[1]}."),
    )


def _services(seed: int, firm: Firm, company: Company) -> _Made:
    return f"Services | {firm.name}", (
        Heading("Our services", 1),
        *(Text(f"{service.capitalize()} for {firm.industry.clients[0]}.") for service in firm.industry.services),
    )


def _team(seed: int, firm: Firm, company: Company) -> _Made:
    heading = LABELS[firm.language].people
    title = f"{heading} | {firm.name}"
    if firm.site == "no-people":
        return title, (
            Heading(heading, 1),
            Text("Our team has decades of experience. Call the office, and the right person will call you back."),
            Mailbox("Write to us:", f"info@{firm.host}"),
        )
    if firm.site == "image-only":
        return title, (Heading(heading, 1), *(Picture(f"/images/team-{n}.jpg") for n in range(len(firm.staff))))
    return title, (
        Heading(heading, 1 if firm.team_path != "/" else 2),
        Text(f"The people of {firm.name} in {firm.city}."),
        People(cards_of(firm, company), firm.layout, firm.mails),
    )


def _contact(seed: int, firm: Firm, company: Company) -> _Made:
    labels = LABELS[firm.language]
    return f"{labels.contact} | {firm.name}", (
        Heading(labels.contact, 1),
        Text(f"{company.street}, {company.city}, {firm.state} {company.postal_code}"),
        Text(f"{labels.phone} {company.phone}"),
        Mailbox(labels.mail, f"info@{firm.host}"),
    )


def _menu(firm: Firm) -> Links:
    site, labels = f"https://www.{firm.host}", LABELS[firm.language]
    places = {"/": labels.home, "/about": labels.about, "/services": labels.services, "/contact": labels.contact}
    if firm.team_path != "/":
        places = {**places, firm.team_path: labels.people}
    return Links(tuple(Link(name, f"{site}{path}") for path, name in places.items()), is_menu=True)


def _footer(seed: int, firm: Firm, company: Company) -> tuple[Block, ...]:
    """Where the office is, the firm's page on LinkedIn, and who built the site: that address is nobody's here."""
    rng = SeededRandom(seed, "footer", firm.host)
    builder = rng.pick(_BUILDERS)
    by = builder.lower().replace(" & ", "-").replace(" ", "-")
    return (
        Text(f"{firm.name}, {company.street}, {company.city}, {firm.state} {company.postal_code}, {company.phone}"),
        Links((Link("LinkedIn", company.linkedin_url.replace("http:", "https:")),)),
        *((Mailbox(f"Website by {builder},", f"hello@{by}.com"),) if rng.chance(0.3) else ()),
    )


def _praise(rng: SeededRandom) -> str:
    first, last = rng.pick(("Harold", "Edith", "Walter", "Irene")), rng.pick(("Fairbanks", "Ashcroft", "Pemberton"))
    return (
        f"They answer the phone, and they explain what they do. {first} {last}, client since {rng.between(2004, 2022)}"
    )


def _linked_data(firm: Firm, company: Company) -> tuple[dict[str, object], ...]:
    if firm.mails != "json-ld" or firm.site not in READABLE:
        return ()
    people = [
        {"@type": "Person", "name": card.name, "jobTitle": card.title, **({"email": card.email} if card.email else {})}
        for card in cards_of(firm, company)
    ]
    return ({"@context": "https://schema.org", "@type": "Organization", "name": firm.name, "employee": people},)
