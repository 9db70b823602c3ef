"""What answers at an address of the small web, for every scraper."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from enrichment_assets.sandbox.companies import host_of
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.web.course_pages import association_page, course_page
from enrichment_assets.sandbox.web.courses import Course, association_of, course_of_host
from enrichment_assets.sandbox.web.firm_pages import firm_page
from enrichment_assets.sandbox.web.firms import Firm, firm_at
from enrichment_assets.sandbox.web.other_pages import other_page
from enrichment_assets.sandbox.web.page import Heading, Link, Links, Page, Text

SLOW_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came from an address.

    Attributes:
        status: Of the page's own server.
        url: Where the answer came from, after redirects.
        page: The page, also that of an error.
        after: Seconds that the server takes.
    """

    status: int
    url: str
    page: Page
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Address:
    """A URL in its parts; the host without `www.`."""

    url: str
    host: str
    path: str
    query: dict[str, str]

    @classmethod
    def of(cls, url: str) -> Address:
        """Read a URL; without a scheme it is https."""
        whole = url if "://" in url else f"https://{url}"
        parts = urlsplit(whole)
        path = parts.path or "/"
        shown = whole if parts.path else f"{whole}/"
        return cls(shown, host_of(url), path, dict(parse_qsl(parts.query)))


def fetched(population: Population, url: str) -> Fetched | None:
    """What answers at an address; None for a host that is none of the small web's."""
    try:
        at = Address.of(url)
    except ValueError:
        return None
    firm = firm_at(population.seed, at.host)
    if firm is not None:
        return _of_firm(population, firm, at)
    if (course := course_of_host(population.seed, at.host)) is not None:
        return _of_course(population, course, at)
    if (association := association_of(at.host)) is not None:
        state, style = association
        if at.path.strip("/").count("/") == 1:
            population.meet_course(state, at.path.rpartition("/")[2])
        listed = association_page(population.seed, state, at.path, at.query.get("page", "1"), style)
        return Fetched(200, at.url, listed) if listed is not None else Fetched(404, at.url, NOT_FOUND)
    page = other_page(population.seed, at.host, at.path)
    return Fetched(200, at.url, page) if page is not None else None


def _of_firm(population: Population, firm: Firm, at: Address) -> Fetched:
    if firm.site == "gone":
        return Fetched(404, at.url, NOT_FOUND)
    if firm.site == "parked":
        return Fetched(200, at.url, parked(at.host))
    if at.host != firm.host:
        if firm.site != "moved":
            return Fetched(404, at.url, NOT_FOUND)
        at = Address.of(f"https://www.{firm.host}{at.path}")
    page = firm_page(population.seed, firm, population.company(domain=firm.host), at.path)
    after = SLOW_SECONDS if firm.site == "slow" else 0.0
    return Fetched(404, at.url, NOT_FOUND, after) if page is None else Fetched(200, at.url, page, after)


def _of_course(population: Population, course: Course, at: Address) -> Fetched:
    population.meet_course(course.state, course.slug)
    if course.site == "parked":
        return Fetched(200, at.url, parked(at.host))
    page = course_page(population.seed, course, at.path) if course.site != "none" else None
    return Fetched(404, at.url, NOT_FOUND) if page is None else Fetched(200, at.url, page)


NOT_FOUND = Page("404 Not Found", (Heading("Not Found", 1), Text("The page that you asked for was not found.")))


def parked(host: str) -> Page:
    """What a registrar shows for a domain that nobody renewed."""
    return Page(
        host,
        (
            Heading(host, 1),
            Text(f"The domain {host} is for sale. Make an offer on this domain."),
            Links((Link("Buy this domain", f"https://www.domain-bazaar.com/offer/{host}"),)),
            Text("Related searches:"),
        ),
    )
