"""Questions about careers where dates are partial, open, missing or written in words."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from enrichment_assets.services.insight.work_history import Found, job_changes, moves, together_with, worked_at
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import open_warehouse
from tests.harness.handles import hq_of
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead


def person(name: str, *jobs: tuple[str, str | None, Any], **flags: Any) -> Lead:
    """Somebody with jobs of (organisation, start, end), the youngest first."""
    entries = [{"organization_name": o, "title": "x", "start_date": s, "end_date": e, **flags} for o, s, e in jobs]
    return Lead({"full_name": name}, [Answer("match", {"person": {"employment_history": entries}})])


@pytest.fixture(scope="module")
def careers(shared: Build) -> Settings:
    """One batch for all questions here."""
    shared(
        [
            person("Present", ("Acme", "March 2015", "Present")),
            person("Heute", ("Acme", "März 2018", "heute")),
            person("Far", ("Acme", "2016", "9999-12-31")),
            person("Past", ("Acme", "2010", "2014")),
            person("Later", ("Acme", "2021-05-01", None)),
            person("Unread", ("Acme", "2012", "some day")),
            person("Over", ("Acme", "2013", None), current=False),
            person("Halves", ("Globex", "2017", "2019"), ("Initech", "2014", "2017")),
            person("Stays", ("Globex", "2019", None), ("Initech", "2016", "Present")),
            person("Months", ("Globex", "July, 2018", "Present"), ("Initech", "May 2015", "June 2018")),
            person("Back", ("Initech", "2018", "2020"), ("Globex", "2015", "2016")),
            person("Undated", ("Globex", None, "Present"), ("Initech", "2015", "2016")),
            person("Year", ("Umbrella", "2020", "Present"), ("Hooli", "2018", "2020")),
            person("Season", ("Umbrella", "Spring 2019", None), ("Hooli", "2018", "2019")),
        ]
    )
    return shared.settings


def told(found: Found, name: str = "person_name") -> dict[str, str]:
    """Name of each person to the certainty."""
    at = found.columns.index
    return {row[at(name)]: row[at("certainty")] for row in found.rows}


def test_a_job_that_goes_on_is_current_whatever_word_says_so_and_what_is_unknown_is_null(careers: Settings) -> None:
    rows = open_warehouse(careers).execute(
        "select person_name, is_current, date_note from person_work_history where organisation_name = 'Acme'"
    )
    assert {name: (current, note) for name, current, note in rows.fetchall()} == {
        "Present": (True, None),
        "Heute": (True, None),
        "Far": (True, None),
        "Past": (False, None),
        "Later": (None, None),
        "Unread": (None, "end_unreadable"),
        "Over": (False, None),
    }


def test_colleagues_of_somebody_whose_end_is_present_are_those_of_today_too(careers: Settings) -> None:
    found = together_with(hq_of(careers), careers, "acme", "present")
    assert told(found) == {
        "Heute": "certain",
        "Far": "certain",
        "Later": "certain",
        "Unread": "possible",
        "Over": "possible",
    }
    spans = {row[2]: row[5:7] for row in found.rows}
    assert spans["Heute"] == (date(2018, 3, 1), None)
    assert "Past" in told(together_with(hq_of(careers), careers, "acme", "unread"))


def test_who_was_there_on_a_day_follows_the_same_ends(careers: Settings) -> None:
    assert told(worked_at(hq_of(careers), careers, "acme", on=date(2019, 1, 1))) == {
        "Present": "certain",
        "Heute": "certain",
        "Far": "certain",
        "Unread": "possible",
        "Over": "possible",
    }
    assert told(worked_at(hq_of(careers), careers, "acme", on=date(2015, 3, 15)))["Present"] == "possible"
    assert told(worked_at(hq_of(careers), careers, "acme", after=date(2025, 1, 1)))["Heute"] == "certain"
    assert "Past" not in told(worked_at(hq_of(careers), careers, "acme", after=date(2025, 1, 1)))


def test_moves_keep_partial_dates_and_leave_out_who_has_not_left(careers: Settings) -> None:
    assert told(moves(hq_of(careers), careers, "initech", "globex")) == {
        "Halves": "possible",
        "Months": "certain",
        "Undated": "possible",
    }
    assert told(moves(hq_of(careers), careers, "globex", "initech")) == {"Back": "certain"}


def test_job_changes_keep_a_year_of_which_a_part_is_late_enough(careers: Settings) -> None:
    assert told(job_changes(hq_of(careers), careers, date(2020, 6, 1)))["Year"] == "possible"
    assert told(job_changes(hq_of(careers), careers, date(2020, 1, 1)))["Year"] == "certain"
    assert told(job_changes(hq_of(careers), careers, date(2019, 5, 1)))["Season"] == "possible"
    assert "Season" not in told(job_changes(hq_of(careers), careers, date(2019, 6, 1)))
