"""Pages of those who are no firm: invented directories, a newspaper, an association, a supplier.

Each has people and addresses of its own, or of others, that are nobody's at the firms that a search looked for.
"""

from __future__ import annotations

from enrichment_assets.sandbox.companies import slug
from enrichment_assets.sandbox.seeded_random import SeededRandom
from enrichment_assets.sandbox.web.firms import city_name, company_of, firms_in
from enrichment_assets.sandbox.web.industries import BY_TAG, INDUSTRIES
from enrichment_assets.sandbox.web.others import CHAMBER, FINDER, GAZETTE, OTHER_HOSTS, SUPPLIER
from enrichment_assets.sandbox.web.page import Block, Card, Heading, Lines, Link, Links, Mailbox, Page, People, Text
from enrichment_assets.sandbox.web.second_others import second_page
from enrichment_assets.sandbox.web.states import STATES

_LISTED = 12


def other_page(seed: int, host: str, path: str) -> Page | None:
    """The page at an address of somebody who is no firm; None for a host that is none of theirs."""
    for kind, pattern in OTHER_HOSTS.items():
        found = pattern.fullmatch(host)
        if found is not None:
            return _MAKERS[kind](seed, host, path.rstrip("/"), found.groupdict())
    return second_page(seed, host, path)


def _finder(seed: int, host: str, path: str, said: dict[str, str]) -> Page:
    """A directory: firms of the city with their sites, and addresses of the directory's own."""
    industry = BY_TAG[said["tag"]]
    state, _, city = path.strip("/").partition("/")
    blocks: list[Block] = [Heading(f"{industry.label.title()} firm finder", 1)]
    if state.upper() in STATES and city:
        firms = firms_in(seed, industry, city, state.upper())[:_LISTED]
        blocks.append(Text(f"Compare {len(firms)} {industry.label} firms in {city_name(city)}, {state.upper()}."))
        for number, firm in enumerate(firms, 1):
            company = company_of(seed, firm)
            blocks += [
                Heading(f"{number}. {firm.name}"),
                Text(f"{company.street}, {company.city}, {firm.state}. {company.phone}. 4.{number % 10} stars."),
                Links((Link("Visit website", f"https://www.{firm.found_at}/"),)),
            ]
    blocks += [
        Text("Is your firm missing? List your business with us."),
        Mailbox("Advertise:", f"listings@{host}"),
    ]
    return Page(f"Best {industry.label} firms", tuple(blocks))


def _gazette(seed: int, host: str, path: str, said: dict[str, str]) -> Page:
    """An article that names firms and quotes a person, by a journalist with an address."""
    city, state = said["city"], said["state"].upper()
    industry = next((one for one in INDUSTRIES if slug(one.label) in path), INDUSTRIES[0])
    rng = SeededRandom(seed, "article", host, path)
    firm = rng.pick(firms_in(seed, industry, city, state))
    one, name = firm.staff[0], f"{rng.pick(('Dana', 'Corey', 'Robin'))} {rng.pick(('Whitlock', 'Mercer', 'Sandoval'))}"
    return Page(
        f"How {city_name(city)} firms see the year ahead",
        (
            Heading(f"How {city_name(city)} firms see the year ahead", 1),
            Text(f"By {name}, staff writer"),
            Text(
                f"Most {industry.label} firms expect to hire. {one.first_name} {one.last_name}, {one.title} "
                f"of {firm.name}, said that clients ask more than they did."
            ),
            Text("Two firms said that they had lost people to larger rivals."),
            Mailbox("Write to the author:", f"{slug(name).replace('-', '.')}@{host}"),
        ),
    )


def _chamber(seed: int, host: str, path: str, said: dict[str, str]) -> Page:
    """An association with a staff of its own."""
    industry, state = BY_TAG[said["tag"]], STATES.get(said["state"].upper())
    name = f"{state.name if state else said['state']} {industry.label.title()} Association"
    return Page(
        name,
        (
            Heading(name, 1),
            Text(f"We speak for {industry.label} firms since 1961. Membership is open to every licensed firm."),
            Heading("Staff"),
            People(
                (
                    Card("Lorraine Ashby", "Executive Director", f"lashby@{host}"),
                    Card("Desmond Pryce", "Membership Manager", f"dpryce@{host}"),
                ),
                "list",
                "mailto",
            ),
        ),
    )


def _supplier(seed: int, host: str, path: str, said: dict[str, str]) -> Page:
    """A business that sells software to firms, with people of its own."""
    industry, name = BY_TAG[said["tag"]], said["stem"].capitalize()
    return Page(
        f"{name} | Software for {industry.label} firms",
        (
            Heading(f"{name}: software for {industry.label} firms", 1),
            Text(f"{name} is the cloud platform that 1,200 {industry.label} firms run on. Book a demo."),
            Lines(("Client portal", "Document storage", "Billing")),
            Heading("Our team"),
            People(
                (
                    Card("Marcus Thorne", "Chief Technology Officer", f"marcus@{host}"),
                    Card("Bettina Roux", "Head of Sales", f"bettina@{host}"),
                ),
                "cards",
                "mailto",
            ),
        ),
    )


_MAKERS = {FINDER: _finder, GAZETTE: _gazette, CHAMBER: _chamber, SUPPLIER: _supplier}
