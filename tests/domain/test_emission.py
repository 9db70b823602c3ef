"""What an emitted object becomes: who it is, what it has from its parent, what makes two of them one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment_assets.domain.companies import COMPANY_RULES
from enrichment_assets.domain.emission import Child, Emission, Parent, emission_of
from enrichment_assets.domain.emits import Emits
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.mapping import ResponseReader
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.planning import build_blueprint, child_route
from enrichment_assets.domain.workflow import WorkflowDefinition

PARENT = Parent(
    7,
    "company_name:pine golf",
    {"company_name": "Pine Golf", "company_domain": "pine.example", "industry": "golf", "email": "club@pine.example"},
)


def emit(*elements: Any, parent: Parent = PARENT, key: str | None = None, at_most: int = 1000) -> Emission:
    emits = Emits(items="people", key=key, at_most=at_most)
    return emission_of(
        elements,
        parent,
        workflow="search",
        emits=emits,
        key_of=ResponseReader(workflow("search", emits=emits.model_dump())).emitted_key,
        route=(),
        company_rules=COMPANY_RULES,
    )


def workflow(slug: str, **fields: Any) -> WorkflowDefinition:
    values = {"title": slug, "step": 1, "provider": "http", "operation": slug, "mode": "sync"}
    return WorkflowDefinition.model_validate(
        {"slug": slug, **values, "request": {"url": "https://x.example"}, **fields}
    )


def cells(child: Child) -> dict[str, str]:
    return {name: cell for name, cell in zip(IDENTITY_FIELDS, child.identity, strict=True) if cell is not None}


def origins(*elements: Any, **more: Any) -> list[str]:
    return [child.origin_key.removeprefix("search:") for child in emit(*elements, **more).children]


def test_the_surest_name_is_the_key_address_then_profile_then_id_then_all_fields() -> None:
    ann = {"first_name": "Ann", "email": " Ann@Pine.example", "linkedin_url": "https://www.linkedin.com/in/Ann-A/?x=1"}
    assert origins(ann) == ["email:ann@pine.example"]
    assert origins({**ann, "email": "nonsense"}) == ["linkedin:ann-a"]
    assert origins({"first_name": "Ann", "linkedin_url": "linkedin.com/company/pine", "apollo_contact_id": "a1"}) == [
        "apollo:a1"
    ]
    (by_fields,) = origins({"first_name": "Ann", "title": "Pro"})
    assert by_fields.startswith("fields:")
    assert origins({"title": " PRO", "first_name": "ann ", "other": 1}) == [by_fields]


def test_a_placeholder_address_names_nobody_and_merges_no_strangers() -> None:
    hidden = "email_not_unlocked@domain.com"
    emission = emit({"first_name": "Ann", "email": hidden}, {"first_name": "Bob", "email": hidden}, {"email": hidden})
    assert [cells(child)["first_name"] for child in emission.children] == ["Ann", "Bob"]
    assert all("email" not in cells(child) for child in emission.children)
    assert emission.unusable == 1


def test_a_key_of_ones_own_decides_and_where_it_is_empty_the_usual_rules_do() -> None:
    elements = [{"id": 5, "first_name": "Ann"}, {"id": 5, "first_name": "Anna"}, {"id": " ", "first_name": "Bob"}]
    first, second = origins(*elements, key="id")
    assert (first, second.partition(":")[0]) == ("key:5", "fields")
    assert origins({"id": 5}, key="id") == ["key:5"], "a key names a child that has no other name"
    assert origins({"id": {"x": 1}}, {"id": True}, key="id") == []
    assert origins({"id": "x", "first_name": "Ann"}, key="length(id) > `1` && abs(id)") != []


def test_an_object_without_a_company_is_at_its_parents_and_one_with_a_company_has_nothing_of_it() -> None:
    ann, gus = emit(
        {"first_name": "Ann", "industry": "sport"}, {"first_name": "Gus", "company_domain": "oak.example"}
    ).children
    assert cells(ann) == {
        "first_name": "Ann", "company_name": "Pine Golf", "company_domain": "pine.example", "industry": "sport",
    }  # fmt: skip
    assert (ann.company_key, ann.same_company) == (PARENT.company_key, True)
    assert cells(gus) == {"first_name": "Gus", "company_domain": "oak.example"}
    assert (gus.company_key, gus.same_company) == ("company_host:oak.example", False)


def test_the_key_of_a_child_does_not_depend_on_what_was_learnt_about_its_parent() -> None:
    wiser = Parent(7, PARENT.company_key, {**PARENT.fields, "company_name": "Pine Golf Club LLC", "industry": None})
    assert origins({"first_name": "Bob"}) == origins({"first_name": "Bob"}, parent=wiser)
    nowhere = [Parent(item, None, {}) for item in (1, 2)]
    assert origins({"first_name": "Bob"}, parent=nowhere[0]) != origins({"first_name": "Bob"}, parent=nowhere[1])


def test_text_has_no_blanks_around_it_and_what_is_no_value_of_its_field_is_no_cell() -> None:
    element = {"first_name": " Ann\t", "phone": 41791234567, "title": ["CEO"], "city": True, "state": "x" * 501}
    (child,) = emit(element).children
    assert {name: cells(child).get(name) for name in element} == {
        "first_name": "Ann", "phone": None, "title": None, "city": None, "state": None,
    }  # fmt: skip
    assert json.loads(child.original) == element


@pytest.mark.parametrize(
    ("country", "element", "phone", "reason"),
    [
        ("United States", {"phone": "(202) 555-0123"}, "+12025550123", None),
        ("Germany", {"phone": "030 901820"}, "+4930901820", None),
        ("US", {"phone": "tel:202.555.0123;ext=5"}, "+12025550123", None),
        (None, {"phone": "(202) 555-0123"}, None, "no_country"),
        ("Germany", {"phone": "+1 202-555-0181"}, "+12025550181", None),
        ("Germany", {"phone": "202-555-0123", "country": "US"}, "+12025550123", None),
        ("Germany", {"phone": "030 901820", "company_name": "Elm"}, None, "no_country"),  # another company, anywhere
        (
            "Germany",
            {"phone": "030 901820", "company_domain": "elm.example", "company_country": "DE"},
            "+4930901820",
            None,
        ),
        ("Germany", {"phone": "(202) 555-0123"}, None, "not_callable"),
    ],
)
def test_a_childs_number_is_read_by_its_own_country_then_by_its_parents(
    country: str | None, element: dict[str, Any], phone: str | None, reason: str | None
) -> None:
    parent = Parent(7, "company_name:pine golf", {**PARENT.fields, "company_country": "FR"}, country)
    (child,) = emit({"first_name": "Ann", **element}, parent=parent).children
    assert cells(child).get("phone") == phone
    assert (json.loads(child.rejected)["phone"]["reason"] if child.rejected else None) == reason


def test_long_and_unprintable_keys_become_digests_that_an_index_can_hold() -> None:
    long, odd = origins({"id": "x" * 5000}, {"id": "a\u2028b"}, key="id")
    assert long.startswith("sha256:") and odd.startswith("sha256:")
    assert long != odd and len(long) < 60


def test_what_is_left_out_is_counted_once_and_said() -> None:
    people = [{"first_name": f"P{n}"} for n in (1, 2, 3, 4, 1, 4)]
    emission = emit(*people, None, [], {"title": "CEO"}, at_most=2)
    assert (len(emission.children), emission.beyond, emission.unusable) == (2, 2, 3)
    assert emission.note == "3 emitted without a name, address or key; 2 emitted beyond the 2 that are taken"
    assert emit({"first_name": "Ann"}).note is None


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(_json | st.dictionaries(st.sampled_from([*IDENTITY_FIELDS, "id"]), _json, max_size=5), max_size=6))
def test_nothing_that_an_answer_can_hold_raises_and_every_element_is_a_child_a_repetition_or_counted(
    elements: list[Any],
) -> None:
    emission = emit(*elements, key="id", at_most=2)
    assert len(emission.children) + emission.beyond + emission.unusable <= len(elements)
    assert len({child.origin_key for child in emission.children}) == len(emission.children) <= 2
    assert emit(*elements, key="id", at_most=2) == emission
    assert all(len(child.origin_key) < 256 and json.loads(child.original) is not None for child in emission.children)


def test_emits_can_be_a_path_alone_and_keeps_its_version() -> None:
    short, long = workflow("a", emits="people"), workflow("a", emits={"items": "people"})
    assert short == long and short.version() == long.version()
    assert workflow("a").version() != short.version()


@pytest.mark.parametrize(
    ("emitter", "expected"),
    [
        ("find", {"tidy": "runs", "firm": "shares", "person": "inherited", "last": "runs", "again": "runs"}),
        ("again", {"tidy": "runs", "firm": "shares", "find": "inherited", "other": "inherited", "last": "inherited"}),
    ],
)
def test_a_childs_route(emitter: str, expected: dict[str, str]) -> None:
    steps = [
        workflow("tidy", provider="local", mode="local", operation="normalise_name", request=None),
        workflow("firm", entity="company"),
        workflow("person"),
        workflow("find", emits="people"),
        workflow("other", emits="people"),
        workflow("last"),
        workflow("again", emits="people"),
    ]
    pipeline = PipelineDefinition.model_validate(
        {"slug": "p", "steps": ["tidy", "firm", "person", {"waterfall": ["find", "other"]}, "last", "again"]}
    )
    blueprint = build_blueprint("acme", pipeline, {step.slug: step for step in steps}, {})
    ways = {step.slug: step.way for step in child_route(blueprint, emitter)}
    assert {slug: ways[slug] for slug in expected} == expected
    assert ways["find"] == ways["other"] == ways[emitter] == "inherited"
    assert blueprint.step("last").after == ["find", "other"], "it waits to learn whether its item goes on"
