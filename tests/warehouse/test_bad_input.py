"""Whatever a provider answers is a typed row or a counted, explained exclusion; no batch fails, nothing is dropped."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import publish_marts, reconcile
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead

HISTORY = [
    "stg_employment",
    "person_work_history",
    "work_history_exclusions",
    "person_education",
    "organisation_mentions",
]

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), max_size=30)
SCALAR = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT)
JSON = st.recursive(
    SCALAR, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)), max_leaves=8
)
DATE = st.one_of(
    st.dates().map(str),
    st.sampled_from(
        ["2015", "2015-06", "06/2015", "Jun 2015", "2015-02-30", "0000-00-00", "99999-01-01", "Present", "", "?"]
    ),
    JSON,
)
APOLLO = st.fixed_dictionaries(
    {},
    optional={
        "id": st.one_of(st.sampled_from(["a", "b"]), JSON),
        "organization_name": st.one_of(TEXT, JSON),
        "organization_id": JSON,
        "title": st.one_of(TEXT, JSON),
        "start_date": DATE,
        "end_date": DATE,
        "current": JSON,
        "kind": st.one_of(st.none(), st.just("education"), JSON),
        "degree": JSON,
    },
)
PDL = st.fixed_dictionaries(
    {},
    optional={
        "company": st.one_of(st.fixed_dictionaries({"name": JSON, "id": JSON}), JSON),
        "title": st.one_of(st.fixed_dictionaries({"name": JSON}), JSON),
        "start_date": DATE,
        "end_date": DATE,
        "is_primary": JSON,
    },
)
ENTRIES = st.one_of(st.lists(st.one_of(APOLLO, PDL, JSON), max_size=8), JSON)
PAYLOAD = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "person": st.one_of(st.fixed_dictionaries({"employment_history": ENTRIES}), JSON),
            "data": st.one_of(st.fixed_dictionaries({"experience": ENTRIES, "education": JSON}), JSON),
            "employment_history": ENTRIES,
            "experience": ENTRIES,
            "education": st.one_of(st.lists(JSON, max_size=3), JSON),
            "organization": st.one_of(st.fixed_dictionaries({"id": JSON, "name": JSON, "website_url": JSON}), JSON),
        },
    ),
    JSON,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(payloads=st.lists(PAYLOAD, min_size=1, max_size=40))
def test_entries_are_rows_or_exclusions_for_any_payload(shared: Build, payloads: list[Any]) -> None:
    warehouse = shared([Lead({"full_name": "A"}, [Answer("match", p)]) for p in payloads], select=HISTORY)
    entries = sum(_entries(p) for p in payloads)
    rows, excluded = warehouse.execute(
        "select (select count(*) from person_work_history), "
        "(select count(*) from work_history_exclusions where reason <> 'not_a_list')"
    ).fetchall()[0]
    assert rows + excluded == entries


def _entries(payload: Any) -> int:
    """The number of entries in all histories of a payload, counted in Python."""
    if not isinstance(payload, dict):
        return 0
    total = 0
    for place in (payload, payload.get("person"), payload.get("data")):
        if isinstance(place, dict):
            total += sum(len(v) for k in ("employment_history", "experience") if isinstance(v := place.get(k), list))
    return total


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
    assert excluded == [("duplicate", [2]), ("education", [4, 5]), ("empty", [6, 7, 8, 9])]
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
    publish_marts(settings, "b")
    assert [r for r in reconcile(settings, "b") if not r.passed] == []
    shown = {r.name: r.actual for r in reconcile(settings, "b")}
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
