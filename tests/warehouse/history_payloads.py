"""Answers with anything in place of a history, an entry or a member: for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

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
        "positions": st.lists(st.one_of(JSON, st.fixed_dictionaries({"title": TEXT})), max_size=3),
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
