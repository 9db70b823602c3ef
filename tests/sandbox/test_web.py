"""The small web: a search leads to firms and to noise, sites can be scraped, and everybody knows the same people."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from enrichment_assets.domain.pages.reading import page_of
from enrichment_assets.sandbox.companies import host_of
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.web.course_pages import cards_of_course
from enrichment_assets.sandbox.web.course_search import asked_course
from enrichment_assets.sandbox.web.courses import company_of_course, courses_in, known_course
from enrichment_assets.sandbox.web.firm_pages import cards_of
from enrichment_assets.sandbox.web.firms import Firm, company_of, firms_in
from enrichment_assets.sandbox.web.industries import BY_SLUG
from enrichment_assets.sandbox.web.searching import asked_for
from enrichment_assets.sandbox.web.styles import SECOND

from .conftest import Client

KEY = {"x-api-key": "k"}
WEALTH = BY_SLUG["wealth-management"]
QUERY = 'wealth management firms in "Boston, MA"'


async def serper(sandbox: Client, words: str, page: int = 1) -> list[dict[str, Any]]:
    got = await sandbox.post("/serper/search", {"q": words, "page": page}, headers=KEY)
    return list(got.json["organic"])


async def scraped(sandbox: Client, url: str, options: str = "") -> Any:
    got = await sandbox.get(f"/zenrows/v1/?apikey=k&url={quote(url, safe='')}{options}")
    return got, page_of(got.body, got.headers["content-type"], got.headers.get("zr-final-url"))


def firm_of_kind(kind: str) -> Firm:
    return next(
        firm for city in ("boston", "austin", "tulsa") for firm in firms_in(7, WEALTH, city, "MA") if firm.site == kind
    )


async def test_a_search_goes_through_its_pages_to_an_honest_end_and_bills_each(sandbox: Client) -> None:
    pages = [await serper(sandbox, QUERY, page) for page in range(1, 7)]
    sizes = [len(page) for page in pages]
    assert sizes[0] == 10
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 0
    links = [one["link"] for page in pages for one in page]
    assert len(set(links)) == len(links)
    assert await serper(sandbox, QUERY, 2) == pages[1]
    brave = await sandbox.get(
        f"/brave/res/v1/web/search?q={quote(QUERY)}&count=10&offset=1", headers={"x-subscription-token": "k"}
    )
    assert [one["url"] for one in brave.json["web"]["results"]] == links[10:20]
    assert brave.json["query"]["more_results_available"] is True
    assert (await sandbox.billing())["units"] == "8"


async def test_a_search_mixes_firms_with_directories_networks_and_articles(sandbox: Client) -> None:
    hosts = {host_of(one["link"]) for page in range(1, 6) for one in await serper(sandbox, QUERY, page)}
    firms = firms_in(7, WEALTH, "boston", "MA")
    listed = {firm.found_at for firm in firms if firm.is_listed}
    assert listed <= hosts
    assert {"yelp.com", "linkedin.com", "facebook.com"} <= hosts
    assert len(hosts & {"wealth-firm-finder.com", "boston-ma-gazette.com", "ma-wealth-association.org"}) >= 2
    assert 0.3 < len(listed) / len([one for page in range(1, 6) for one in await serper(sandbox, QUERY, page)]) < 0.8


async def test_the_page_of_a_firms_people_says_whom_every_provider_knows(sandbox: Client) -> None:
    firm = next(one for one in firms_in(7, WEALTH, "boston", "MA") if one.site == "good" and one.mails == "mailto")
    company = company_of(7, firm)
    _, home = await scraped(sandbox, f"https://www.{firm.host}/")
    _, team = await scraped(sandbox, next(link for link in home.links if link.endswith(firm.team_path)))
    cards = cards_of(firm, company)
    assert [card.email for card in cards if card.email] == [one for one in team.emails if host_of(one) == firm.host]
    assert all(card.name in team.text and card.title in team.text for card in cards)
    population = Population(7)
    assert [population.colleague(company, n).email for n in range(firm.written)] == [c.email for c in cards if c.email]
    first = firm.staff[0]
    match = await sandbox.match({"first_name": first.first_name, "last_name": first.last_name, "domain": firm.host})
    assert (match.json["person"]["title"], match.json["person"]["city"]) == (first.title, "Boston")
    by_mail = await sandbox.match({"email": cards[0].email})
    assert by_mail.json["person"]["name"] == cards[0].name


async def test_a_profile_that_a_search_finds_is_of_whom_the_page_names(sandbox: Client) -> None:
    course = known_course(7, "TX", "pine-hills-golf-club")
    await scraped(sandbox, course.listing)
    read = []
    for one in course.staff:
        name = f"{one.first_name} {one.last_name}"
        links = [found["link"] for found in await serper(sandbox, f'site:linkedin.com/in "{name}" "{course.name}"')]
        for link in [link for link in links if course.slug in link]:
            path = f"/enrichlayer/api/v2/profile?profile_url={link}"
            profile = (await sandbox.get(path, headers={"authorization": "Bearer k"})).json
            now = profile["experiences"][0]
            assert (profile["full_name"], now["company"], now["title"]) == (name, course.name, one.title)
            read.append(name)
    assert len(read) >= len(course.staff) // 2


async def test_a_course_is_found_by_its_name_among_its_namesakes_and_leads_to_its_staff(sandbox: Client) -> None:
    asked = '"Pine Hills Golf Club" Texas golf association'
    links = [one["link"] for one in await serper(sandbox, asked)]
    course = known_course(7, "TX", "pine-hills-golf-club")
    assert {course.listing, f"https://www.{course.host}/"} <= set(links)
    assert len([link for link in links if "golf-association.org" in link]) > 1
    same = [
        "Pine Hills Golf Club, Texas golf association",
        'site:texas-golf-association.org "Pine Hills Golf Club" TX',
        'golf course "Pine Hills Golf Club" "Texas"',
    ]
    for words in same:
        assert course.listing in [one["link"] for one in await serper(sandbox, words)], words
    _, page = await scraped(sandbox, course.listing)
    facts = f"Holes {course.holes}\nPar {course.par}\nYards {course.yards:,}\nType {course.access.capitalize()}"
    assert facts in page.text
    assert f"https://www.{course.host}/" in page.links
    cards = cards_of_course(course, company_of_course(7, course), course.written)
    assert all(f"{card.name} {card.title}" in page.text for card in cards)
    _, staff = await scraped(sandbox, f"https://www.{course.host}/staff")
    assert [one for one in staff.emails if host_of(one) == course.host] == [
        company_of_course(7, course).email_for(one.first_name, one.last_name) for one in course.staff
    ]


async def test_the_second_web_has_other_hosts_and_the_same_contract(sandbox: Client) -> None:
    await sandbox.configure(web="second")
    listed = [one for one in firms_in(7, WEALTH, "boston", "MA", SECOND) if one.is_listed]
    links = [one["link"] for page in range(1, 6) for one in await serper(sandbox, QUERY, page)]
    assert {firm.found_at for firm in listed} <= {host_of(link) for link in links}
    assert not any("wealth-boston-ma.com" in link for link in links)
    firm = next(one for one in listed if one.site == "good" and one.team_path == "/")
    _, home = await scraped(sandbox, f"https://{firm.host}/")
    assert all(one.last_name.casefold() in home.text.casefold() for one in firm.staff)
    match = await sandbox.match({"domain": firm.host, "first_name": firm.staff[0][0], "last_name": firm.staff[0][1]})
    assert match.json["person"]["title"] == firm.staff[0].title
    course = known_course(7, "TX", "pine-hills-golf-club", SECOND)
    found = [one["link"] for one in await serper(sandbox, '"Pine Hills Golf Club" Texas golf association')]
    assert course.listing in found
    _, page = await scraped(sandbox, course.listing)
    assert f"Number of holes {course.holes}" in " ".join(page.text.split())


async def test_the_courses_of_a_state_are_listed_page_by_page(sandbox: Client) -> None:
    courses = courses_in(7, "VA")
    first = (await serper(sandbox, "golf courses in Virginia"))[0]["link"]
    assert first == "https://www.virginia-golf-association.org/courses"
    listed: list[str] = []
    for number in (1, 2, 3):
        _, page = await scraped(sandbox, f"{first}?page={number}")
        listed += [link for link in page.links if "/courses/" in link]
    assert listed == [course.listing for course in courses]
    gone, _ = await scraped(sandbox, f"{first}/no/such/page")
    assert gone.status == 404


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        # A name is quoted or stands before the state; a state is a name in any case, or a code in capitals.
        ('"TPC Sawgrass" Florida golf association', ("TPC Sawgrass", "FL")),
        ('"Virginia Oaks Golf Club" "Virginia" golf', ("Virginia Oaks Golf Club", "VA")),
        ("Richmond Country Club, VA golf association", ("Richmond Country Club", "VA")),
        ('"Texas Star Golf Course" "West Virginia" golf', ("Texas Star Golf Course", "WV")),
        ("golf courses in north carolina", ("", "NC")),
        ("best public golf courses in the District of Columbia", ("", "DC")),
        ("golf clubs in or near me", None),
        ('"Pine Hills Golf Club"', None),
        ('wealth management in "Boston, MA"', None),
    ],
)
def test_a_query_about_golf_is_read_as_it_is_meant(words: str, meant: tuple[str, str] | None) -> None:
    assert asked_course(words) == meant


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ('wealth management firms in "Boston, MA"', ("wealth-management", "boston", "MA", False)),
        ("boutique accounting firms in Springfield, Illinois", ("accounting", "springfield", "IL", True)),
        ("CPA firms St. Louis, MO", ("accounting", "st-louis", "MO", False)),
        ("equipment leasing companies near Winston-Salem, NC", ("equipment-financing", "winston-salem", "NC", False)),
        ("top insurance agencies in New York, New York", ("insurance-agencies", "new-york", "NY", True)),
        ('"financial advisors" in "Santa Fe, NM"', ("financial-advisors", "santa-fe", "NM", False)),
        ("commercial real estate brokers Las Vegas, NV", ("real-estate", "las-vegas", "NV", False)),
        ("venture capital firms in San Francisco, CA", ("venture-capital", "san-francisco", "CA", False)),
        ("wealth management firms", None),
        ("bakeries in Boston, MA", None),
    ],
)
def test_a_query_about_firms_is_read_as_it_is_meant(words: str, meant: tuple[str, str, str, bool] | None) -> None:
    asked = asked_for(words)
    assert (asked and (asked.industry.slug, *asked[1:])) == meant


async def test_scrapers_meet_each_kind_of_site_as_it_is(sandbox: Client) -> None:
    shell = firm_of_kind("script-only")
    _, empty = await scraped(sandbox, f"https://{shell.host}/")
    _, shown = await scraped(sandbox, f"https://{shell.host}/", "&js_render=true")
    assert (empty.fault, shown.fault) == ("empty_page", None)
    _, parked = await scraped(sandbox, f"https://{firm_of_kind('parked').host}/")
    _, walled = await scraped(sandbox, f"https://{firm_of_kind('consent-wall').host}/", "&js_render=true")
    assert (parked.fault, walled.fault) == ("parked_domain", "consent_wall")
    gone, _ = await scraped(sandbox, f"https://{firm_of_kind('gone').host}/")
    assert (gone.status, gone.json["code"], gone.headers["x-request-cost"]) == (404, "RESP002", "0.001")
    moved = firm_of_kind("moved")
    landed, _ = await scraped(sandbox, f"https://{moved.found_at}/contact")
    assert landed.headers["zr-final-url"] == f"https://www.{moved.host}/contact"
    for path, body in (("/firecrawl/scrape", {"url": f"https://{shell.host}/"}), ("/jina/", {"url": shell.host})):
        got = await sandbox.post(path, body, headers={"authorization": "Bearer k", "accept": "application/json"})
        assert shell.name in got.body.decode()
