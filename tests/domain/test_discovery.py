"""What local workflows of discovery give: objects whose keys are fields, and what was dropped."""

from __future__ import annotations

from enrichment_assets.domain.discovery import companies_found, listed_people_found, prospects_found, staff_page_found

PLAN = {"query": 'accounting firms in "Erie, PA"', "region": "Erie, PA"}
SAID = {"discovery_query": PLAN["query"], "region": "Erie, PA"}


def test_companies_say_what_found_them_and_so_do_their_prospects() -> None:
    found = companies_found({
        "original": PLAN, "industry": "Accounting", "parameters": {"not_these": ["rival.com", 3]},
        "web_results": [{"url": "https://www.acme.com/x", "title": "Acme"}, {"url": "https://rival.com"}, None],
    })  # fmt: skip
    assert found["companies"] == [{
        "company_domain": "acme.com", "company_website": "https://www.acme.com/", "found_at": "https://www.acme.com/x",
        "industry": "Accounting", "discovery_source": "web_search", **SAID,
    }]  # fmt: skip
    assert (found["kept"], found["dropped"]) == (1, [{"what": "rival.com", "why": "not_wanted"}])
    people = prospects_found({
        "original": found["companies"][0], "company_domain": "acme.com",
        "people_on_site": [{"name": "Ann Day", "title": "Partner"}], "homepage_emails": ["aday@acme.com", "x@y.com"],
    })  # fmt: skip
    assert people["prospects"] == [{
        "key": "acme.com/ann day", "first_name": "Ann", "last_name": "Day", "full_name": "Ann Day", "title": "Partner",
        "email": "aday@acme.com", "mailbox": "personal", "discovery_source": "web_search", **SAID,
    }]  # fmt: skip
    assert people["dropped"] == [{"what": "x@y.com", "why": "of_another_company"}]


def test_a_company_from_a_list_has_no_source_to_hand_down_and_nothing_read_gives_nothing() -> None:
    assert prospects_found({"company_domain": "acme.com", "original": {"Website": "acme.com"}})["prospects"] == []
    assert prospects_found({})["prospects"] == []
    assert companies_found({}) == {"companies": [], "kept": 0, "dropped": []}
    assert staff_page_found({}) == {"company_staff_page_url": None}
    moved = {
        "company_domain": "old.com",
        "homepage_url": "https://new.com/",
        "homepage_links": ["https://new.com/team"],
    }
    assert staff_page_found(moved) == {"company_staff_page_url": "https://new.com/team"}


def test_of_listed_people_those_with_an_address_are_taken_each_once() -> None:
    listed = [
        {"apollo_person_id": "1", "first_name": "Ann", "title": None, "company_name": "Acme", "has_email": True},
        {"apollo_person_id": "1", "first_name": "Ann", "title": "CPA", "company_name": "Acme", "has_email": True},
        {"apollo_person_id": "2", "first_name": "Bob", "has_email": False},
        {"apollo_person_id": "3", "first_name": "Cy", "has_email": "yes"},  # Apollo's `has_direct_phone` is such a text
        {"first_name": "Di", "has_email": True},
        "nobody",
    ]
    found = listed_people_found({"people_listed": listed, "original": PLAN, "industry": "Accounting"})
    assert found["prospects"] == [{
        "apollo_person_id": "1", "first_name": "Ann", "title": None, "company_name": "Acme", "industry": "Accounting",
        "discovery_source": "people_search", **SAID,
    }]  # fmt: skip
    assert [one["why"] for one in found["dropped"]] == ["no_address_known", "no_address_known", "no_id", "no_id"]
    everybody = listed_people_found({"people_listed": listed, "parameters": {"without_email": True}})
    assert [one["apollo_person_id"] for one in everybody["prospects"]] == ["1", "2", "3"]
