"""The sandbox's language model reads the small web's pages: people, companies, courses and kinds of sites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from enrichment_assets.domain.pages.reading import page_of_text
from enrichment_assets.domain.prompts.fencing import fenced
from enrichment_assets.sandbox.language.material import material
from enrichment_assets.sandbox.language.people import people_in
from enrichment_assets.sandbox.language.quoting import QuotingMaker
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.seeded_random import SeededRandom
from enrichment_assets.sandbox.web.course_pages import association_page, cards_of_course, course_page
from enrichment_assets.sandbox.web.courses import Course, company_of_course, courses_in
from enrichment_assets.sandbox.web.firm_pages import cards_of, firm_page
from enrichment_assets.sandbox.web.firms import READABLE, Firm, company_of, firms_in
from enrichment_assets.sandbox.web.industries import INDUSTRIES
from enrichment_assets.sandbox.web.other_pages import other_page
from enrichment_assets.sandbox.web.page import Page
from enrichment_assets.sandbox.web.searching import found_in_web
from enrichment_assets.sandbox.web.styles import FIRST, SECOND, Style
from enrichment_assets.sandbox.web.writing import html_of, markdown_of

NULLABLE = {"type": ["string", "null"]}
PERSON = {"name": {"type": "string"}, "title": NULLABLE, "email": NULLABLE, "phone": NULLABLE}
PEOPLE = {"type": "array", "items": {"type": "object", "properties": PERSON, "required": list(PERSON)}}
KIND = {"type": "string", "enum": ["company", "directory", "news", "association", "other_company", "personal", "other"]}
WRITTEN = {"mailto", "plain", "at-dot", "cloudflare", "entities", "at-round", "at-only", "upper", "split"}


def answered(properties: dict[str, Any], **pages: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    shown = material(fenced(pages, 20_000).text)
    return QuotingMaker(schema, SeededRandom(7), shown).value(schema, 0)  # type: ignore[no-any-return]


def texts_of(page: Page) -> Iterator[str]:
    """The page as the platform reads it, from HTML and from Markdown, and Markdown as it came."""
    for text in (html_of(page, has_run_scripts=True), markdown_of(page)):
        yield page_of_text(text, "https://x.example/", is_html=text.startswith("<!")).text
    yield markdown_of(page)


def firms() -> list[Firm]:
    return [one for kind in INDUSTRIES for one in firms_in(7, kind, "boston", "MA") if one.site in READABLE]


@pytest.mark.parametrize("style", [FIRST, SECOND], ids=["first", "second"])
@pytest.mark.parametrize("industry", INDUSTRIES, ids=[one.slug for one in INDUSTRIES])
def test_the_people_of_firms_are_read_from_every_layout(industry: Any, style: Style) -> None:
    for firm in firms_in(7, industry, "boston", "MA", style):
        if firm.site in READABLE:
            company = company_of(7, firm)
            page, cards = firm_page(7, firm, company, firm.team_path), cards_of(firm, company)
            assert page is not None
            for text in texts_of(page):
                found = answered({"people": PEOPLE, "company_name": NULLABLE}, staff_page=text)
                assert found["company_name"] == firm.name
                people = [(one["name"].casefold(), one["title"]) for one in found["people"]]
                assert people == [(card.name.casefold(), card.title) for card in cards], text
                if firm.mails in WRITTEN:
                    assert [one["email"] or "" for one in found["people"]] == [card.email for card in cards], firm


def test_the_staff_and_the_facts_of_courses_are_read_from_both_of_their_sites() -> None:
    asked = {
        "holes": {"type": "integer"},
        "course_type": {"type": "string", "enum": ["public", "private", "semi_private", "municipal", "unknown"]},
        "has_driving_range": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "green_fee_weekday": {"type": ["number", "null"]},
        "green_fee_weekend": {"type": ["number", "null"]},
        "year_opened": {"type": "integer"},
        "architect": {"type": "string"},
        "people": PEOPLE,
    }
    for course in courses_in(7, "TX"):
        listing = association_page(7, "TX", f"/courses/{course.slug}", "1")
        assert listing is not None
        company = company_of_course(7, course)
        for text in texts_of(listing):
            found = answered({**asked, "city": {"type": "string"}, "course_name": {"type": "string"}}, listing=text)
            assert facts_found(found) == facts_that_are(course), course.name
            assert (found["city"], found["course_name"]) == (course.city, course.name)
            cards = cards_of_course(course, company, course.written)
            assert [(one["name"], one["title"]) for one in found["people"]] == [(c.name, c.title) for c in cards]
        own = course_page(7, course, "/course")
        assert own is not None
        for text in texts_of(own):
            assert facts_found(answered(asked, page=text)) == facts_that_are(course)


def test_addresses_and_segments_are_judged_for_the_course_that_is_asked_about() -> None:
    text, url = {"type": ["string", "null"]}, {"url": {"type": ["string", "null"]}}
    for course in courses_in(7, "TX")[:20]:
        listing = association_page(7, "TX", f"/courses/{course.slug}", "1")
        assert listing is not None
        page = page_of_text(html_of(listing, has_run_scripts=True), course.listing, is_html=True)
        asked = {"website": text, "phone": text, "segment": {"type": "string", "enum": ["high-end", "budget", "both"]}}
        found = answered(asked, course=course.name, page=page.text, links="\n".join(page.links))
        own = None if course.site == "none" else f"https://www.{course.host}/"
        assert (found["website"], found["phone"]) == (own, company_of_course(7, course).phone)
        assert (found["segment"] == "high-end") is (course.fee is None or course.fee >= 90)
        results = found_in_web(Population(7), f'"{course.name}" Texas golf association')
        links = "\n".join(f"{one.title}\n{one.link}" for one in results or [])
        assert answered(url, course=course.name, state="Texas", results=links)["url"] == course.listing


def facts_found(found: dict[str, Any]) -> list[Any]:
    names = ("holes", "course_type", "has_driving_range", "green_fee_weekday", "green_fee_weekend", "year_opened")
    return [found[name] for name in (*names, "architect")]


def facts_that_are(course: Course) -> list[Any]:
    access = course.access.replace("-", "_")
    fees = [course.fee, course.weekend_fee]
    return [course.holes, access, course.range_stations > 0, *fees, course.opened, course.architect]


@pytest.mark.parametrize(
    ("host", "path", "kind"),
    [
        ("wealthscout.io", "/us/co/denver", "directory"),
        ("denverobserver-co.com", "/money/wealth", "news"),
        ("cowealthguild.org", "/", "association"),
        ("orbitwealth.app", "/", "other_company"),
        ("denver-co-talentbridge.co", "/wealth", "other_company"),
        ("mywealthdiary.me", "/denver-co", "personal"),
        ("wealth-firm-finder.com", "/ma/boston", "directory"),
        ("boston-ma-gazette.com", "/business/wealth-management-outlook", "news"),
        ("ma-wealth-association.org", "/", "association"),
        ("ledgerline-software-for-wealth.com", "/", "other_company"),
    ],
)
def test_what_kind_of_site_a_page_is_of_is_said_by_its_words(host: str, path: str, kind: str) -> None:
    page = other_page(7, host, path)
    assert page is not None
    assert {answered({"site_kind": KIND}, home_page=text)["site_kind"] for text in texts_of(page)} == {kind}


def test_a_firms_own_pages_are_a_companys() -> None:
    for firm in firms()[:40]:
        page = firm_page(7, firm, company_of(7, firm), "/")
        assert page is not None
        for text in texts_of(page):
            assert answered({"site_kind": KIND}, home_page=text)["site_kind"] == "company", firm.host


@pytest.mark.parametrize(
    "text",
    [
        # Who stands in a sentence, wrote an article, praises a firm or gives a building its name is nobody's staff.
        "They answer the phone. Harold Fairbanks, client since 2012",
        "Most firms expect to hire. Priya Costa, President of Onyx Partners, said so.",
        "By Dana Whitlock, staff writer",
        "Umber Silver Wealth Advisors, 362 Harbor Drive, Boston, MA 02108, +1 617-555-0112",
        "Our Senior Advisors\nMeet Our Team\nClient Service Manager",
        "Architect: Dorothea Lund\nOpened 1954",
        "Read more\nPrivacy Policy\nContact Us",
    ],
)
def test_nobody_is_read_where_nobody_works(text: str) -> None:
    assert people_in(text) == []


@pytest.mark.parametrize(
    ("text", "name", "title", "email"),
    [
        ("- **Mary Ann O'Neil**, Head Golf Professional", "Mary Ann O'Neil", "Head Golf Professional", ""),
        (
            "Jean-Luc Picard | Managing Director | jl@enterprise.example",
            "Jean-Luc Picard",
            "Managing Director",
            "jl@enterprise.example",
        ),
        ("General Manager: Rosa Diaz", "Rosa Diaz", "General Manager", ""),
        ("### Bob Lee\n\nSuperintendent\n\nbob [at] pines [dot] com", "Bob Lee", "Superintendent", "bob@pines.com"),
        ("Ana Ruiz is our VP of Sales. Write to ana@acme.example", "Ana Ruiz", "VP of Sales", "ana@acme.example"),
        ("Karl Groß, Geschäftsführer, karl(at)firma.de", "Karl Groß", "Geschäftsführer", "karl@firma.de"),
    ],
)
def test_a_person_is_read_in_the_usual_writings(text: str, name: str, title: str, email: str) -> None:
    assert [(one.name, one.title, one.email) for one in people_in(text)] == [(name, title, email)]
