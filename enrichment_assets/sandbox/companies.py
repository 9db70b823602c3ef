"""Companies: everything about one follows from the seed and its domain.

The domain is the identity: asked by name alone, a company gets the domain that its name spells, so that Apollo by name,
Hunter by domain and Clay by both speak of the same company.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from enrichment_assets.sandbox.seeded_random import SeededRandom, hex_id
from enrichment_assets.sandbox.words import (
    AS_OF_YEAR,
    CITIES,
    COMPANY_KINDS,
    COMPANY_STEMS,
    FUNDING_ROUNDS,
    INDUSTRIES,
    INVESTORS,
    LEGAL_FORMS,
    STREETS,
    TECHNOLOGIES,
)

_LEGAL = re.compile(r"[\s,]+(inc|llc|ltd|gmbh|corp|co|plc|ag|group)\.?$", re.IGNORECASE)
_EMAIL_PATTERNS = ("{first}.{last}", "{f}{last}", "{first}", "{first}{last}", "{first}_{last}", "{last}.{first}")
_SIZES = (8, 24, 35, 80, 140, 260, 620, 1400, 5200, 18000)


@dataclass(frozen=True, slots=True)
class Funding:
    """One funding event; `date` is an ISO day, `amount` whole US dollars."""

    date: str
    kind: str
    investors: str
    amount: int


class Position(NamedTuple):
    """Who is known to work at a company, as what."""

    first_name: str
    last_name: str
    title: str
    seniority: str
    department: str


@dataclass(frozen=True, slots=True)
class Company:
    """What the simulated world knows of one company. Money is in whole US dollars.

    `roster`: the people whom its site names, where the small web has it; others who are asked for work there too.
    """

    id: str
    name: str
    domain: str
    industry: str
    keywords: tuple[str, ...]
    employees: int
    founded: int
    revenue: int
    street: str
    city: str
    state: str
    country: str
    postal_code: str
    phone: str
    technologies: tuple[str, ...]
    funding: tuple[Funding, ...]
    email_pattern: str
    accepts_all: bool
    description: str
    roster: tuple[Position, ...] = ()

    @property
    def slug(self) -> str:
        """The company's name in addresses such as LinkedIn's."""
        return slug(self.name) or slug(self.domain)

    @property
    def linkedin_url(self) -> str:
        """Its LinkedIn page, which exists in the simulated world only."""
        return f"http://www.linkedin.com/company/{self.slug}"

    @property
    def address(self) -> str:
        """The whole postal address on one line."""
        return f"{self.street}, {self.city}, {self.state} {self.postal_code}, {self.country}"

    def email_for(self, first: str, last: str) -> str:
        """The address that this company's pattern gives a person."""
        first, last = ascii_letters(first), ascii_letters(last)
        local = self.email_pattern.format(first=first, last=last, f=first[:1]).strip("._")
        return f"{local or 'info'}@{self.domain}"


def slug(text: str) -> str:
    """Lower-case ASCII letters and digits joined by hyphens."""
    if text.isascii() and text.isalnum():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def ascii_letters(text: str) -> str:
    """Lower-case ASCII letters and digits only, as in an e-mail address."""
    return slug(text).replace("-", "")


def host_of(text: str) -> str:
    """The host named by a domain, URL or e-mail address, without `www.`; empty when there is none."""
    host = text.strip().lower().rpartition("@")[2]
    host = host.partition("://")[2] or host
    host = re.split(r"[/?#:]", host, maxsplit=1)[0].removeprefix("www.")
    return host if "." in host else ""


def domain_for(name: str) -> str:
    """The domain that a company name spells, legal form left out."""
    return f"{ascii_letters(_LEGAL.sub('', name.strip())) or 'unnamed'}.com"


def name_for(domain: str) -> str:
    """A company name that a domain suggests: `acme-labs.com` is Acme Labs."""
    return " ".join(word.capitalize() for word in re.split(r"[-_]", domain.split(".")[0]) if word) or domain


def make_company(seed: int, name: str, domain: str) -> Company:
    """The company of that domain; both names are echoed as they were asked, one of them may be empty."""
    domain = host_of(domain) or domain_for(name)
    name = name.strip() or name_for(domain)
    rng = SeededRandom(seed, "company", domain)
    industry = rng.pick(INDUSTRIES)
    city, state, country, postal_code, area = rng.pick(CITIES)
    employees = int(rng.pick(_SIZES) * (0.7 + 0.6 * rng.roll()))
    founded = rng.between(1952, AS_OF_YEAR - 3)
    return Company(
        id=hex_id(seed, "company", domain),
        name=name,
        domain=domain,
        industry=industry[0],
        keywords=industry[1:],
        employees=employees,
        founded=founded,
        revenue=employees * rng.between(60, 240) * 1000,
        street=f"{rng.between(1, 990)} {rng.pick(STREETS)}",
        city=city,
        state=state,
        country=country,
        postal_code=postal_code,
        phone=f"+1 {area}-555-01{rng.between(0, 99):02d}",
        technologies=tuple(rng.some(TECHNOLOGIES, rng.between(2, 6))),
        funding=_funding(rng, max(founded, 2012)) if rng.chance(0.35) else (),
        email_pattern=rng.pick(_EMAIL_PATTERNS),
        accepts_all=rng.chance(0.15),
        description=f"{name} is a {industry[0]} company from {city}, known for {industry[1]} and {industry[2]}.",
    )


def invented_employer(rng: SeededRandom) -> str:
    """The name of a company that nobody asked for: a former employer."""
    return f"{rng.pick(COMPANY_STEMS)} {rng.pick(COMPANY_KINDS)}{rng.pick(LEGAL_FORMS)}"


def _funding(rng: SeededRandom, start: int) -> tuple[Funding, ...]:
    events = []
    year = start
    for kind in FUNDING_ROUNDS[: rng.between(1, 4)]:
        year = min(year + rng.between(1, 3), AS_OF_YEAR - 1)
        day = f"{year}-{rng.between(1, 12):02d}-{rng.between(1, 28):02d}"
        events.append(Funding(day, kind, rng.pick(INVESTORS), rng.between(5, 400) * 100_000))
    return tuple(events)
