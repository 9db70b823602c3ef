"""Whatever a provider answers is a typed row or a counted, explained exclusion; no batch fails, nothing is dropped."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import publish_marts, reconcile
from tests.harness.handles import hq_of
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead

HISTORY = [
    "stg_employment",
    "stg_education",
    "person_work_history",
    "work_history_exclusions",
    "person_education",
    "education_exclusions",
    "organisation_mentions",
]


def history(*entries: Any) -> Answer:
    return Answer("match", {"person": {"employment_history": list(entries)}})


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2015", date(2015, 1, 1), date(2015, 12, 31)),
        ("2015-02", date(2015, 2, 1), date(2015, 2, 28)),
        ("2016-2", date(2016, 2, 1), date(2016, 2, 29)),
        ("2015-02-03", date(2015, 2, 3), date(2015, 2, 3)),
        ("2015-02-03T10:00:00Z", date(2015, 2, 3), date(2015, 2, 3)),
        ("06/2015", date(2015, 6, 1), date(2015, 6, 30)),
        ("Jun 2015", date(2015, 6, 1), date(2015, 6, 30)),
        ("2015-02-30", None, None),
        ("0000-00-00", None, None),
        ("99999-01-01", None, None),
        ("soon", None, None),
        ("2015-13", None, None),
    ],
)
def test_a_date_is_kept_as_text_and_read_as_the_range_it_can_mean(
    shared: Build, text: str, low: date | None, high: date | None
) -> None:
    warehouse = shared([Lead({}, [history({"title": "x", "start_date": text})])], select=HISTORY)
    assert warehouse.execute("select start_date, start_from, start_to from person_work_history").fetchall() == [
        (text, low, high)
    ]


def test_education_duplicates_and_empty_entries_are_excluded_with_their_reason(build: Build) -> None:
    job = {"id": "1", "organization_name": "Acme", "title": "CTO", "start_date": "2020"}
    warehouse = build(
        [
            Lead(
                {},
                [
                    history(
                        job,
                        job,
                        {**job, "end_date": "2021"},
                        {"organization_name": "MIT", "degree": "BSc"},
                        {"organization_name": "MIT", "kind": "education"},
                        {"title": "  "},
                        {},
                        "CTO at Acme",
                        None,
                        {"organization_name": "Acme", "title": "CTO", "start_date": "2020"},
                        {"organization_name": "Acme", "title": "CTO", "start_date": "2020"},
                    )
                ],
            )
        ],
        select=HISTORY,
    )
    excluded = warehouse.execute(
        "select reason, list(ordinal order by ordinal) from work_history_exclusions group by reason order by reason"
    ).fetchall()
    assert excluded == [("duplicate", [2]), ("education", [4, 5]), ("empty", [6, 7, 9]), ("unknown_shape", [8])]
    assert warehouse.execute("select ordinal from person_work_history order by ordinal").fetchall() == [
        (1,),
        (3,),
        (10,),
        (11,),
    ]
    assert warehouse.execute("select school_name, degree from person_education order by ordinal").fetchall() == [
        ("MIT", "BSc"),
        ("MIT", None),
    ]


def test_apollo_and_pdl_shapes_in_one_list_give_the_same_columns(build: Build) -> None:
    apollo = {
        "organization_name": "Acme",
        "organization_id": 7,
        "title": "CTO",
        "current": True,
        "start_date": "2020-01",
    }
    pdl = {"company": {"name": "Globex", "id": "g"}, "title": {"name": "ceo"}, "start_date": "2018", "is_primary": True}
    past = {"company": "Initech", "title": {"name": "clerk"}, "end_date": "2017-05", "is_primary": True}
    warehouse = build([Lead({}, [history(apollo, pdl, past)])], select=HISTORY)
    rows = warehouse.execute(
        "select organisation_name, provider_organisation_id, title, is_current "
        "from person_work_history order by ordinal"
    ).fetchall()
    assert rows == [("Acme", "7", "CTO", True), ("Globex", "g", "ceo", True), ("Initech", None, "clerk", False)]


def test_ten_thousand_jobs_and_huge_strings_are_published_like_any_other(build: Build, settings: Settings) -> None:
    many = [{"id": str(i % 9_000), "organization_name": f"Org {i}", "title": "x"} for i in range(10_000)]
    huge = {"organization_name": "H" * 2_000_000, "title": "T" * 1_000_000, "start_date": "9" * 100_000}
    broken = {"person": {"employment_history": "ten years at Acme", "experience": {"0": {}}}}
    build([Lead({}, [history(*many)]), Lead({}, [history(huge)]), Lead({}, [Answer("match", broken)])], batch_key="b")
    publish_marts(hq_of(settings), settings, "b")
    assert [r for r in reconcile(hq_of(settings), settings, "b") if not r.passed] == []
    shown = {r.name: r.actual for r in reconcile(hq_of(settings), settings, "b")}
    assert shown["published person_work_history"] == 10_001
    assert shown["published work_history_exclusions"] == 2


def test_a_history_that_is_no_list_is_told(build: Build) -> None:
    warehouse = build(
        [Lead({}, [Answer("match", {"experience": "10 years", "person": {"employment_history": {"title": "CTO"}}})])],
        select=HISTORY,
    )
    told = warehouse.execute("select reason, entry from work_history_exclusions order by entry").fetchall()
    assert [reason for reason, _ in told] == ["not_a_list", "not_a_list"]
    assert {json.dumps(json.loads(entry)) for _, entry in told} == {'"10 years"', '{"title": "CTO"}'}


def test_a_mapped_history_is_read_instead_of_the_answer_it_was_mapped_from(build: Build) -> None:
    raw = [{"organization_name": "Acme", "title": "CTO"}]
    answer = Answer("n8n", {"person": {"employment_history": raw}}, {"employment_history": [*raw, {"title": "CEO"}]})
    warehouse = build([Lead({}, [answer])], select=HISTORY)
    assert warehouse.execute("select title from person_work_history order by ordinal").fetchall() == [
        ("CTO",),
        ("CEO",),
    ]
