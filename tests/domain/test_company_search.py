"""Which results of a web search are companies, and which page of a company's site names its people."""

from __future__ import annotations

import pytest

from enrichment_assets.domain.company_search import choose_companies
from enrichment_assets.domain.staff_pages import choose_staff_page


def result(url: str, title: str | None = None) -> dict[str, str | None]:
    return {"url": url, "title": title, "text": "...", "date": None}


def test_one_host_is_one_company_whichever_of_its_pages_was_found() -> None:
    found = choose_companies([
        result("https://www.Harbor-Wealth.com/about?x=1", "Harbor Wealth | About"),
        result("http://harbor-wealth.com", "Harbor Wealth"),
        result("https://planning.harbor-wealth.com/", "Planning at Harbor"),
    ])  # fmt: skip
    assert [(one.host, one.website) for one in found.companies] == [
        ("harbor-wealth.com", "https://www.harbor-wealth.com/"),
        ("planning.harbor-wealth.com", "https://planning.harbor-wealth.com/"),
    ]


@pytest.mark.parametrize(
    ("url", "title", "why"),
    [
        ("https://www.linkedin.com/company/harbor", "Harbor | LinkedIn", "social"),
        ("https://www.facebook.com/harborwealth/", None, "social"),
        ("https://www.yelp.com/search?find_loc=Boston", "THE BEST 10 Financial Advising", "review"),
        ("https://www.indeed.com/q-wealth-jobs.html", "Wealth Jobs", "jobs"),
        ("https://en.wikipedia.org/wiki/Wealth_management", "Wealth management - Wikipedia", "directory"),
        ("https://smartasset.com/financial-advisor/boston", "Top Financial Advisors in Boston", "directory"),
        ("https://advisors.wiseradvisor.com/x", "Advisors", "directory"),
        ("https://www.forbes.com/best-in-state", "Best In State", "news"),
        ("https://news.bbc.co.uk/1", "News", "news"),
        ("https://adviserinfo.sec.gov/firm/1", "IAPD", "government"),
        ("https://www.mass.gov/accountants", "Licensed accountants", "government"),
        ("https://sloan.mit.edu/", "MIT Sloan", "education"),
        ("https://www.google.co.uk/maps/place/x", "Harbor - Google Maps", "maps"),
        ("https://money.example/list", "Top 10 Wealth Management Firms in Boston (2026)", "list_of_companies"),
        ("https://money.example/list", "25 Largest Venture Capital Firms", "list_of_companies"),
        ("https://money.example/list", "The 15 Best CPA Firms in Austin", "list_of_companies"),
        ("https://money.example/list", "Best Insurance Agencies in Denver, CO", "list_of_companies"),
        ("https://money.example/list", "Find a Financial Advisor", "list_of_companies"),
        ("https://money.example/list", "Accountants near me", "list_of_companies"),
        ("https://money.example/x", "Massachusetts Wealth Management Association", "about_companies"),
        ("https://money.example/x", "Software for accounting firms", "about_companies"),
        ("https://www.erie-pa-gazette.com/outlook", "How firms see the year ahead", "news"),
        ("https://www.realty-firm-finder.com/", "Realty", "directory"),
        ("https://pa-cpa-association.org/", "PA CPAs", "association"),
        ("https://gmail.com/", "Gmail", "mail_provider"),
    ],
)
def test_what_is_no_company_is_dropped_with_its_reason(url: str, title: str | None, why: str) -> None:
    found = choose_companies([result(url, title)])
    assert found.companies == ()
    assert [reason for _, reason in found.dropped] == [why]


@pytest.mark.parametrize(
    "title",
    [
        "Best Choice Advisors | Boston",  # a name, not a list
        "Top Shelf Insurance",
        "First 5 Financial - Wealth Management",
        "1st Source Equipment Finance",
        "Harbor Advisors: Wealth Management in Boston",
        "Find Financial",
        "360 Wealth Partners",
        "Times Square Capital | News and Insights",
    ],
)
def test_a_company_whose_name_begins_like_a_list_is_one(title: str) -> None:
    assert [one.host for one in choose_companies([result("https://acme.example/", title)]).companies] == [
        "acme.example"
    ]


def test_a_client_names_further_hosts_to_drop_and_what_is_no_address_is_none() -> None:
    found = choose_companies(
        [result("https://www.rival.com/a"), result("https://eu.rival.com"), result("https://notrival.com"), "x", {},
         result("not an address"), result("https://localhost/"), result("https://192.168.0.1/")],
        not_these=["www.Rival.com "],
    )  # fmt: skip
    assert [one.host for one in found.companies] == ["notrival.com"]
    assert dict(found.dropped) == {
        "rival.com": "not_wanted", "eu.rival.com": "not_wanted", "not an address": "no_site",
        "https://localhost/": "no_site", "https://192.168.0.1/": "no_site",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("links", "page"),
    [
        (["/about", "/our-team", "/our-team/jane-doe", "/contact"], "/our-team"),
        (["/about-us", "/about-us/our-people", "/contact-us"], "/about-us/our-people"),
        (["/contact-us", "/company/about"], "/company/about"),
        (["/services", "/contact"], "/contact"),
        (["/careers/team", "/blog/our-team-grows", "/team-brochure.pdf", "/services"], None),
        (["/Meet-The-Team/"], "/Meet-The-Team/"),
        (["/steam-cleaning", "/peoples-choice-award"], None),  # a part of a word says nothing
        ([], None),
    ],
)
def test_the_page_that_names_the_people_is_the_one_whose_path_says_so_most_clearly(
    links: list[str], page: str | None
) -> None:
    site = "https://www.acme.com"
    assert choose_staff_page([site + link for link in links], "acme.com") == (site + page if page else None)


def test_a_link_to_another_company_is_never_taken_and_a_host_below_the_own_domain_is() -> None:
    links = ["https://other.com/team", "https://acme.com.evil.net/team", "https://team.acme.com/people"]
    assert choose_staff_page(links, "acme.com") == "https://team.acme.com/people"
    assert choose_staff_page(links[:2], "acme.com") is None
    assert choose_staff_page(links, None) is None
    assert choose_staff_page("no list", "acme.com") is None


@pytest.mark.parametrize(
    ("links", "chosen"),
    [
        # What a link says is what a reader goes by; its address counts where it says nothing.
        ({"/about": "About", "/about-us": "Our people"}, "/about-us"),
        ({"/p?id=7": "Meet the Team", "/about": "About us"}, "/p?id=7"),
        ({"/firm": "", "/who-we-are": "Leadership"}, "/who-we-are"),
        ({"/who": "Who we are", "/kontakt": "Kontakt"}, "/who"),
        ({"/equipo": "Nuestro equipo", "/nosotros": "Nosotros"}, "/equipo"),
        ({"/x": "Why people trust our team with their savings", "/about": "About"}, "/about"),
        ({"/blog/people": "Our people", "/contact": ""}, "/contact"),
        ({"/x": "", "/y": ""}, None),
    ],
)
def test_the_page_of_a_companys_people_is_known_by_what_its_link_says(
    links: dict[str, str], chosen: str | None
) -> None:
    site = "https://www.acme.com"
    found = choose_staff_page([site + link for link in links], "acme.com", f"{site}/", list(links.values()))
    assert found == (site + chosen if chosen else None)
