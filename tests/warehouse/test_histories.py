"""Job histories and educations by their shapes: every provider's entries become rows, or exclusions that say why."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.warehouse.history_models import HistoryModels
from tests.warehouse.history_payloads import PAYLOAD
from tests.warehouse.history_shapes import SHAPES

JOB = "organisation_name, provider_organisation_id, title, start_date, end_date, is_current"


@pytest.fixture(scope="module")
def models() -> HistoryModels:
    return HistoryModels()


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_a_job_history_is_read(models: HistoryModels, shape: str) -> None:
    payload, expected = SHAPES[shape]
    models.read([payload])
    assert models.rows(f"select {JOB} from person_work_history order by ordinal") == expected
    assert models.rows("select * from work_history_exclusions") == []
    assert models.balances()[0] == (len(expected), len(expected))


def test_what_fits_no_shape_is_excluded_as_it_came(models: HistoryModels) -> None:
    entries: list[Any] = [
        {"firm": "Acme", "duties": "all"},
        "CTO at Acme",
        5,
        {"company_ref": "Acme", "title": "CTO"},
        {"company": "Acme", "occupation": "CTO"},
        {"name": "Python", "years": 3},
        {"start_date": "2015"},
        {"company": True, "title": False},
    ]
    models.read([{"experience": entries}])
    assert models.rows("select ordinal, reason from work_history_exclusions order by ordinal") == [
        (number, "unknown_shape") for number in range(1, 9)
    ]
    kept = models.rows("select entry from work_history_exclusions where ordinal = 1")
    assert kept == [('{"firm":"Acme","duties":"all"}',)]


def test_a_start_is_missing_only_where_no_member_is_like_a_date(models: HistoryModels) -> None:
    entries = [
        {"company": "Acme", "title": "CTO"},
        {"company": "Acme", "title": "CTO", "start_date": None},
        {"company": "Acme", "title": "CTO", "created_at": "2020-01-01"},
        {"company": "Acme", "title": "CTO", "beginning": "2015"},
        {"company": "Acme", "title": "CTO", "hireDate": "2015-01-01"},
        {"company": "Acme", "title": "CTO", "start_date": "once"},
        {"company": "Acme", "title": "CTO", "start_date": {"quarter": 3}},
    ]
    models.read([{"experience": entries}])
    notes = models.rows("select date_note from person_work_history order by ordinal")
    assert [note for (note,) in notes] == ["start_missing"] * 3 + ["start_unreadable"] * 2 + [
        "start_unreadable",
        "start_missing",
    ]


def test_an_end_by_a_name_that_nobody_knows_is_noted(models: HistoryModels) -> None:
    job = {"company": "Acme", "title": "CTO", "start_date": "2015"}
    unread = [
        {"finished": "2019"},
        {"endYearOfJob": 2019},
        {"left_company_on": "May"},
        {"date_until": "2019"},
        {"exitDate": "2019"},
    ]
    none = [{"endorsements": 5}, {"gender": "f"}, {"leave_reason": "moved"}, {"finished": None}, {"end_date": None}]
    models.read([{"experience": [{**job, **member} for member in [*unread, *none]]}])
    notes = models.rows("select date_note from person_work_history order by ordinal")
    assert [note for (note,) in notes] == ["end_unreadable"] * 5 + [None] * 5


def test_what_a_provider_deleted_is_no_job(models: HistoryModels) -> None:
    models.read([{"member_experience_collection": [{"title": "CTO", "company_name": "Acme", "deleted": 1}]}])
    assert models.rows("select reason from work_history_exclusions") == [("deleted",)]


def test_educations_of_every_shape_are_read_and_none_is_a_row_of_nulls(models: HistoryModels) -> None:
    pdl = {"school": {"name": "mit"}, "degrees": ["bachelors"], "majors": ["physics", "maths"], "start_date": "2010"}
    clay = {"school_name": "ETH", "degree": "MSc", "field_of_study": "Law", "start_date": "2001-09", "end_date": "2004"}
    bright = {"title": "Uni", "degree": "BSc", "field": "Art", "start_year": "2010", "end_year": "2014"}
    proxy = {"school": "LSE", "degree_name": "BA", "starts_at": {"year": 1999, "month": 9, "day": 1}, "ends_at": None}
    lead = {"institution_name": "TUM", "attendance_period": "2010 - 2014"}
    mixed = {"organization_name": "KTH", "degree": "PhD", "kind": "education", "end_date": "2009"}
    bare = {"kind": "education"}
    models.read(
        [
            {"data": {"education": [pdl, {"school": None, "degrees": [], "majors": []}]}},
            {"education": [clay, bright, proxy, lead, {"grade": "A"}, "MIT"]},
            {"person": {"employment_history": [mixed, bare], "education": "some"}},
        ]
    )
    rows = models.rows(
        "select school_name, degree, major, start_date, end_date, found_in from person_education "
        "order by item_id, found_in, ordinal"
    )
    assert [(row[0], *row[3:]) for row in rows] == [
        ("mit", "2010", None, "education"),
        ("ETH", "2001-09", "2004", "education"),
        ("Uni", "2010", "2014", "education"),
        ("LSE", "1999-09-01", None, "education"),
        ("TUM", "2010", "2014", "education"),
        ("KTH", None, "2009", "history"),
    ]
    assert rows[0][1:3] == ("bachelors", "physics, maths")
    assert rows[2][1:3] == ("BSc", "Art")
    excluded = models.rows(
        "select item_id, ordinal, reason from education_exclusions order by item_id, ordinal nulls last"
    )
    assert excluded == [
        (1, 2, "empty"),
        (2, 5, "unknown_shape"),
        (2, 6, "unknown_shape"),
        (3, 2, "empty"),
        (3, None, "not_a_list"),
    ]
    assert models.balances() == [(2, 2), (10, 10)]


def test_the_order_of_entries_changes_no_row(models: HistoryModels) -> None:
    entries = [entry for payload, _ in SHAPES.values() for entry in _lists(payload)]
    random.Random(7).shuffle(entries)
    query = f"select {JOB}, start_from, start_to, end_from, end_to, date_note from person_work_history order by all"
    models.read([{"experience": entries}])
    first = models.rows(query)
    models.read([{"experience": entries[::-1]}])
    assert models.rows(query) == first
    assert len(first) > 20


def _lists(value: Any) -> list[Any]:
    """Every entry in the histories of a payload."""
    if isinstance(value, dict):
        return [entry for member in value.values() for entry in _lists(member)]
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(payloads=st.lists(PAYLOAD, min_size=1, max_size=40))
def test_any_json_in_place_of_an_entry_is_a_row_or_an_exclusion(models: HistoryModels, payloads: list[Any]) -> None:
    models.read(payloads)
    jobs, educations = models.balances()
    assert jobs[0] == jobs[1] == sum(_entries(payload) for payload in payloads)
    assert educations[0] == educations[1]
    nulls = "select count(*) from person_education where coalesce(school_name, degree, major) is null"
    assert models.rows(nulls) == [(0,)]


def _entries(payload: Any) -> int:
    """The number of entries in all job histories of a payload, counted in Python; groups count by their positions."""
    if isinstance(payload, list):
        return _entries(payload[0]) if len(payload) == 1 and isinstance(payload[0], dict) else 0
    if not isinstance(payload, dict):
        return 0
    data = payload.get("data")
    if isinstance(data, list):
        return _entries_of(data[0]) if len(data) == 1 and isinstance(data[0], dict) else 0
    return _entries_of(payload)


def _entries_of(document: dict[str, Any]) -> int:
    places = (document, document.get("person"), document.get("data"))
    lists = [
        found
        for place in places
        if isinstance(place, dict)
        for name in ("employment_history", "experience")
        if isinstance(found := place.get(name), list)
    ]
    return sum(_size(entry) for found in lists for entry in found)


def _size(entry: Any) -> int:
    positions = entry.get("positions") if isinstance(entry, dict) else None
    return len(positions) if isinstance(positions, list) and positions and isinstance(positions[0], dict) else 1
