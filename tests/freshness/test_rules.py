"""What a profile and a verdict say of a lead that was known, and who stands in for somebody who left."""

from __future__ import annotations

from typing import Any

import pytest

from enrichment_assets.domain.freshness import compared, replacement

DAY = "2026-11-29"
KNOWN = {
    "company_name": "Globex Corp.",
    "title": "CTO",
    "freshness_email_status": "valid",
    "freshness_day": DAY,
}


def job(company: str, title: str | None = None, *, ended: bool = False) -> dict[str, Any]:
    return {"company": company, "title": title, "ended": ended}


def change(field: str, old: str | None, new: str | None) -> dict[str, Any]:
    workflow = "verify-email-via-zerobounce" if field == "email_status" else "recheck-profile"
    return {"field": field, "old": old, "new": new, "workflow": workflow}


@pytest.mark.parametrize(
    ("jobs", "verdict", "standing", "is_active", "changes"),
    [
        ([job("Globex Corporation", "cto")], None, "confirmed", True, []),
        ([job("GLOBEX", None)], "unknown", "confirmed", True, []),
        ([job("Globex", "CEO")], "valid", "new_title", True, [change("title", "CTO", "CEO")]),
        # A second job there that goes on, in the known role, is no change.
        ([job("Globex", "Advisor"), job("Globex", "CTO")], None, "confirmed", True, []),
        # They left and came back.
        ([job("Globex", "Intern", ended=True), job("Globex", "CTO")], None, "confirmed", True, []),
        (
            [job("Initech", "COO"), job("Globex", "CTO", ended=True)],
            "valid",
            "moved",
            False,
            [change("company_name", "Globex Corp.", "Initech"), change("title", "CTO", "COO")],
        ),
        (
            [job("Initech", "CTO"), job("Globex", "CTO", ended=True)],
            None,
            "moved",
            False,
            [change("company_name", "Globex Corp.", "Initech")],
        ),
        # Where they are now is not known where two jobs go on, or none.
        (
            [job("Initech", "COO"), job("Hooli", "Advisor"), job("Globex", ended=True)],
            None,
            "moved",
            False,
            [change("company_name", "Globex Corp.", None)],
        ),
        ([job("Globex", "CTO", ended=True)], None, "moved", False, [change("company_name", "Globex Corp.", None)]),
        # A company that the profile does not know by that name proves nothing.
        ([job("Initech", "COO")], None, None, None, []),
        ([job("Initech", "COO")], "valid", "confirmed", True, []),
        ([job("Initech", "COO")], "invalid", "address_dead", False, [change("email_status", "valid", "invalid")]),
        (
            [job("Globex", "CTO")],
            "do_not_mail",
            "address_dead",
            False,
            [change("email_status", "valid", "do_not_mail")],
        ),
        (
            [job("Globex", ended=True)],
            "invalid",
            "moved",
            False,
            [change("company_name", "Globex Corp.", None), change("email_status", "valid", "invalid")],
        ),
        ([], "accept_all", None, None, []),
        ([], None, None, None, []),
        (None, "valid", "confirmed", True, []),
        ("not a list", "valid", "confirmed", True, []),
        ([{"company": 7}, "x", None], None, None, None, []),
    ],
)
def test_what_is_said_now_is_compared_with_what_was_known(
    jobs: Any, verdict: str | None, standing: str | None, is_active: bool | None, changes: list[dict[str, Any]]
) -> None:
    found = compared({"original": KNOWN, "profile_jobs": jobs, "email_verdict": verdict})
    assert (found["standing"], found["is_active"], found["changes"]) == (standing, is_active, changes)
    assert found["last_verified"] == (None if standing is None else DAY)


def test_nothing_is_said_of_what_was_not_known() -> None:
    """No company: no job can be told from another. A dead address that was dead is no change."""
    jobs = [job("Globex", ended=True)]
    assert compared({"original": {"freshness_day": DAY}, "profile_jobs": jobs})["standing"] is None
    assert compared({"profile_jobs": jobs})["standing"] is None
    dead = {**KNOWN, "freshness_email_status": "invalid"}
    found = compared({"original": dead, "email_verdict": "invalid"})
    assert (found["standing"], found["changes"]) == ("address_dead", [])


def person(first: str, last: str | None, title: str | None, email: str = "") -> dict[str, Any]:
    return {"first_name": first, "last_name": last, "title": title, "email": email}


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ([person("Bo", "Ek", "Office Manager"), person("Cy", "Lund", "Head of Sales")], "Cy"),
        # Whoever left may still be listed, by name or by address.
        ([person("ADA", "byron", "Head of Sales"), person("Cy", "Lund", "Sales Assistant")], "Cy"),
        ([person("A.", "B.", "Head of Sales", "ADA@globex.com"), person("Cy", "Lund", "Sales Assistant")], "Cy"),
        # The title that shares most of its words; of two alike the first.
        ([person("Bo", "Ek", "Sales"), person("Cy", "Lund", "Head of Sales, North")], "Cy"),
        ([person("Bo", "Ek", "Head of Sales"), person("Cy", "Lund", "Head of Sales")], "Bo"),
        # Words that every title has say nothing.
        ([person("Bo", "Ek", "Captain of the Team")], None),
        ([person("Bo", "Ek", None), person("", None, "Head of Sales")], None),
        ([], None),
        (None, None),
    ],
)
def test_a_replacement_has_a_title_that_shares_words_and_is_not_who_left(people: Any, expected: str | None) -> None:
    context = {
        "original": {"title": "Head of Sales"},
        "full_name": "Ada Byron",
        "first_name": "Ada",
        "last_name": "Byron",
        "email": "ada@globex.com",
        "colleagues": people,
    }
    found = replacement(context)
    assert [one["first_name"] for one in found["replacement"]] == ([] if expected is None else [expected])
    assert found["found"] == len(found["replacement"])
