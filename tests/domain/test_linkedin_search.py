"""Which search result is the person's LinkedIn profile, and when nobody can tell.

Headings and texts are written as Google writes them for `site:linkedin.com/in` (serper.dev, organic[].title and
.snippet); the people are made up.
"""

from __future__ import annotations

from typing import Any

import pytest

from enrichment_assets.domain.linkedin_search import choose_profile, wanted

JANE: dict[str, Any] = {"full_name": "Jane Doe", "title": "CFO", "company_name": "Acme Labs, Inc."}


def result(title: str, text: str = "", slug: str = "jane-doe-1") -> dict[str, Any]:
    return {"title": title, "url": f"https://de.linkedin.com/in/{slug}?trk=x", "text": text}


HERS = [
    result("Jane Doe - CFO - Acme Labs | LinkedIn"),
    result("Jane Doe – Acme Labs – LinkedIn"),
    result("Jane Doe - Chief Financial Officer at ACME LABS INC - Berlin | LinkedIn"),
    result("Jane Doe, MBA - Finance leader | LinkedIn", "Experience: Acme Labs · Education: Yale · Location: Austin"),
    result("Jane M. Doe | LinkedIn", "CFO at Acme Labs · 500+ connections"),
    result("Jane Doe - LinkedIn", "Berufserfahrung: Acme Labs · Ort: Berlin"),
    result("Jane Doe - Finance ...", "Jane Doe. CFO of a robotics firm that Acme Labs bought."),
    result("Jane Doe - Angel investor", "Speaker and author. CFO at Acme Labs, Inc. Austin, Texas."),
    result("JANE DOE - CFO | LinkedIn", "Current: Acme Labs; Location: Austin"),
]
STRANGERS = [
    (result("Jane Doe - CFO - Beta Foods | LinkedIn", "Experience: Beta Foods"), "same_name_elsewhere"),
    (result("Jane Doe - Nurse", "I like the products of Acme Labs"), "same_name_elsewhere"),
    (result("Jane Doe - Student", "Education: Acme Labs Academy"), "same_name_elsewhere"),
    (result("Jane Doe - Sales - Former Acme Labs | LinkedIn", "Experience: Beta Foods"), "same_name_elsewhere"),
    (result("Janet Doe - CFO - Acme Labs | LinkedIn"), "no_such_name"),
    (result("Jane D. - CFO - Acme Labs | LinkedIn"), "no_such_name"),
    (result("J. Doe - CFO - Acme Labs | LinkedIn"), "no_such_name"),
    (result("Jane Doering - CFO - Acme Labs | LinkedIn"), "no_such_name"),
    (result('10+ "Jane Doe" profiles | LinkedIn', "Jane Doe, Acme Labs"), "no_such_name"),
    ({"title": "Jane Doe - CFO - Acme Labs", "url": "https://www.linkedin.com/posts/jane-doe_acme"}, "no_such_name"),
    ({"title": "Jane Doe - CFO - Acme Labs", "url": "https://linkedin.com.evil.example/in/jane-doe"}, "no_such_name"),
]


@pytest.mark.parametrize("hers", HERS, ids=lambda hers: hers["title"])
def test_a_profile_of_that_name_that_names_the_employer_is_hers(hers: dict[str, Any]) -> None:
    match = choose_profile(wanted(JANE), [result("Jane Doe - Baker", "Toronto", "stranger"), hers])
    assert match.url == "https://www.linkedin.com/in/jane-doe-1"
    assert (match.reason, match.namesakes) == (None, 1)


@pytest.mark.parametrize(("stranger", "reason"), STRANGERS, ids=lambda value: str(value)[:50])
def test_somebody_else_is_not_found(stranger: dict[str, Any], reason: str) -> None:
    match = choose_profile(wanted(JANE), [stranger])
    assert (match.url, match.matched, match.reason) == (None, None, reason)


def test_the_title_decides_between_two_at_the_company_and_nobody_where_it_cannot() -> None:
    cfo = result("Jane Doe - CFO - Acme Labs | LinkedIn")
    intern = result("Jane Doe - Intern - Acme Labs | LinkedIn", slug="jane-doe-2")
    assert choose_profile(wanted(JANE), [intern, cfo]).url == "https://www.linkedin.com/in/jane-doe-1"
    assert choose_profile(wanted(JANE), [intern, cfo]).matched == "name, company, title"
    untitled = choose_profile(wanted(JANE | {"title": None}), [intern, cfo])
    assert (untitled.url, untitled.reason, untitled.namesakes) == (None, "several_of_that_name", 2)


def test_one_profile_under_two_addresses_is_one() -> None:
    twice = [
        result("Jane Doe - CFO - Acme Labs | LinkedIn"),
        result("Jane Doe - CFO - Acme Labs", slug="Jane-Doe-1/en"),
    ]
    assert choose_profile(wanted(JANE), twice).namesakes == 0


@pytest.mark.parametrize(
    ("row", "heading", "found"),
    [
        ({"full_name": "José Núñez", "company_name": "Café Señor"}, "Jose Nunez - Chef - Cafe Senor | LinkedIn", True),
        ({"first_name": "Anna", "last_name": "Groß", "company_name": "Weiß GmbH"}, "Anna Gross - WEISS", True),
        ({"full_name": "John A. Smith", "company_name": "Acme"}, "John B. Smith - CEO - Acme | LinkedIn", False),
        ({"full_name": "John A. Smith", "company_name": "Acme"}, "John Smith - CEO - Acme | LinkedIn", True),
        ({"full_name": "John Smith Jr.", "company_name": "Acme"}, "John Smith III - CEO - Acme | LinkedIn", False),
        ({"full_name": "Li Wei", "company_name": "Acme"}, "Li Wei - CEO - Acme | LinkedIn", True),
        ({"full_name": "Mary-Jane Watson", "company_name": "Acme"}, "Mary-Jane Watson - CEO - Acme | LinkedIn", True),
        ({"full_name": "Jo Roe", "company_domain": "acme-labs.com"}, "Jo Roe - CEO - acme-labs.com | LinkedIn", True),
        ({"full_name": "Jo Roe", "company_name": "West Virginia"}, "Jo Roe - CEO - Virginia | LinkedIn", False),
        ({"full_name": "Jo Roe", "company_name": "Virginia"}, "Jo Roe - CEO - West Virginia | LinkedIn", False),
        ({"full_name": "LinkedIn Member", "company_name": "Acme"}, "LinkedIn Member - CEO - Acme | LinkedIn", False),
        ({"full_name": "Jo Roe", "company_name": "N/A"}, "Jo Roe - N/A | LinkedIn", False),
        ({"full_name": "Jo Roe"}, "Jo Roe - CEO | LinkedIn", False),
    ],
)
def test_names_of_people_and_companies_are_compared_as_everywhere(
    row: dict[str, Any], heading: str, found: bool
) -> None:
    assert (choose_profile(wanted(row), [result(heading)]).url is not None) is found


@pytest.mark.parametrize(
    "results",
    [[None], ["x"], [{}], [{"title": None, "url": 1, "text": []}], [{"title": "", "url": "linkedin.com/in/x"}]],
)
def test_results_of_any_shape_are_nobody(results: list[Any]) -> None:
    assert choose_profile(wanted(JANE), results).reason == "no_such_name"
