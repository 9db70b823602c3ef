"""Rules about places: which page is about one, who works there, how long somebody has been there."""

from __future__ import annotations

from typing import Any

import pytest

from enrichment_assets.domain.career import read_career
from enrichment_assets.domain.found_pages import choose_page
from enrichment_assets.domain.places import state_names
from enrichment_assets.domain.staff_members import choose_staff
from enrichment_assets.domain.template_expressions import compile_text

HOSTS = ["txga.org", "*golf-association*", "{name}"]
LISTING = "https://www.texas-golf-association.org/courses/pine-hills-golf-club"
PINE = "Pine Hills Golf Club"


def result(url: str, title: str = "", text: str = "") -> dict[str, str]:
    return {"url": url, "title": title, "text": text}


@pytest.mark.parametrize(
    ("results", "name", "state", "chosen"),
    [
        ([result(LISTING, f"{PINE} | Texas Golf Association")], PINE, "TX", LISTING),
        ([result(LISTING, "Member course", "Texas")], PINE, "Texas", LISTING),  # by its path
        ([result(LISTING, f"The {PINE} - Texas")], f"The {PINE}", "Texas", LISTING),
        ([result("https://txga.org/c/1", f"{PINE}, Milford, TX"), result(LISTING, PINE)], PINE, "TX", "https://txga.org/c/1"),
        ([result("https://www.pinehillsgolfclub.com/", f"{PINE} | Milford, TX")], PINE, "TX", "https://www.pinehillsgolfclub.com/"),
        # a neighbour, a longer name, a namesake elsewhere, platforms, sellers, and what nobody asked for
        ([result(LISTING.replace("pine", "oak"), "Oak Hills Golf Club | Texas Golf Association")], PINE, "TX", None),
        ([result(LISTING + "-north", "Pine Hills Golf Club North | Texas Golf Association")], PINE, "TX", None),
        ([result("https://ohio-golf-association.org/pine-hills-golf-club", f"{PINE} | Ohio")], PINE, "TX", None),
        ([result("https://www.facebook.com/pinehillsgolfclub", f"{PINE}, Texas")], PINE, "TX", None),
        ([result("https://teetimes.example/tx/pine-hills-golf-club", f"{PINE} in Texas")], PINE, "TX", None),
        ([result("https://wv-golf-association.org/x", f"{PINE} | West Virginia")], PINE, "Virginia", None),
        ([result("https://wv-golf-association.org/x", f"{PINE} | West Virginia")], PINE, "WV", "https://wv-golf-association.org/x"),
        ([result(LISTING, PINE), {"url": 7}, None, "text", {"title": PINE}], None, "TX", None),
        ([], PINE, "TX", None),
    ],
)  # fmt: skip
def test_the_page_about_a_place_is_the_one_of_its_name_and_state_at_a_wanted_host(
    results: list[Any], name: str | None, state: str, chosen: str | None
) -> None:
    assert choose_page(results, name, state_names(state, None), HOSTS).url == chosen


def test_why_no_page_was_chosen_is_said() -> None:
    texas = state_names("TX", None)
    reasons = [
        choose_page(results, PINE, texas, HOSTS).reason
        for results in (
            [],
            [result("https://other.example/", PINE)],
            [result(LISTING.replace("pine", "oak"), "Oak")],
            [result("https://ohio-golf-association.org/pine-hills-golf-club", PINE)],
        )
    ]
    assert reasons == ["no_results", "no_wanted_host", "other_names", "other_places"]
    assert choose_page([result("https://pinehillsgolfclub.com/x", PINE, "Texas")], PINE, texas, HOSTS).is_own


def test_staff_are_the_named_people_with_the_addresses_that_can_only_be_theirs() -> None:
    people = [
        {"name": "Jane Doe", "title": "Head Professional", "email": "proshop@pine.example", "phone": None},
        {"name": "Bob Roe", "title": "Superintendent", "email": None, "phone": None},
        {"name": "Jane Doe", "title": None, "email": None, "phone": "+1 512 555 0100"},
        {"name": "Our Staff", "title": None, "email": None, "phone": None},
    ]
    addresses = ["bob.roe@pine.example", "info@pine.example", "x@txga.org", "jane@other.example"]
    found = choose_staff(people, addresses, "pine.example", ["txga.org"])
    assert [(one.name.full_name, one.email, one.phone) for one in found.people] == [
        ("Jane Doe", None, "+1 512 555 0100"),
        ("Bob Roe", "bob.roe@pine.example", None),
    ]
    nobody = choose_staff([], ["info@pine.example", "bob.roe@pine.example"], "pine.example")
    assert nobody.people == ()
    assert choose_staff(None, [None, 3], None).people == ()


def test_a_place_without_a_site_has_the_host_at_which_its_people_have_addresses_of_their_names() -> None:
    people = [
        {"name": "Jane Doe", "email": "jdoe@pine.example"},
        {"name": "Bob Roe", "email": "handicaps@txga.org"},
        {"name": "Ann Poe", "email": "annpoe@gmail.com"},
    ]
    found = choose_staff(people, [], None, ["www.txga.org"])
    assert found.host == "pine.example"
    assert [one.email for one in found.people] == ["jdoe@pine.example", None, "annpoe@gmail.com"]
    two = [{"name": "Jane Doe", "email": "jdoe@a.example"}, {"name": "Bob Roe", "email": "broe@b.example"}]
    assert choose_staff(two, [], None).host is None


def job(company: str, start: Any = None, end: Any = None, title: str | None = "Pro") -> dict[str, Any]:
    return {"company": company, "title": title, "starts_at": start, "ends_at": end}


@pytest.mark.parametrize(
    ("jobs", "tenure", "previous"),
    [
        ([job(PINE, {"year": 2019, "month": 4})], "Pro since 2019-04", []),
        ([job(f"The {PINE}", {"year": 2019, "month": None}), job("Oak Country Club", "2001", "2010-05")],
         "Pro since 2019", ["Oak Country Club"]),
        ([job("PINE HILLS GOLF CLUB, INC.", "2019-04-01")], "Pro since 2019-04", []),
        ([job(PINE, "2020"), job(PINE, "2015", None, "Assistant")], "Pro since 2015", []),  # promoted
        ([job(PINE, "2011", "2014"), job("Acme", "2015")], None, []),  # left
        ([job("Acme"), job("Elm Golf Club", None, "2012"), job("Elm Golf Club")], None, ["Elm Golf Club"]),
        ([job(PINE, title=None)], None, []),
        ([job(PINE)], "Pro", []),
        ([job(PINE, {"year": "x"}), None, {"company": 7}, job("")], "Pro", []),
        ("none", None, []),
    ],
)  # fmt: skip
def test_a_tenure_is_of_the_present_job_at_the_company_and_earlier_clubs_are_of_the_kind(
    jobs: Any, tenure: str | None, previous: list[str]
) -> None:
    career = read_career(jobs, PINE, ["golf", "country club"])
    assert (career.tenure, [one.company for one in career.previous]) == (tenure, previous)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("Pine Hills", "Pine Hills"),
        ('St. Andrew\'s "Old"', "St. Andrew.s .Old."),
        ("A (B) [C] {D} | $E^ *F+ ?\\G", "A .B. .C. .D. . .E. .F. ..G"),
        ("Öst­er\nGolf", "Öst.er Golf"),
        (None, ""),
    ],
)
def test_a_name_in_a_query_is_a_pattern_that_cannot_leave_its_quotes(name: str | None, pattern: str) -> None:
    render = compile_text(None, "{{ name | pattern }}")
    assert callable(render)
    assert (render({"name": name}) or "") == pattern
