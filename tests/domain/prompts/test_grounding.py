"""Grounding: what stands in no input is dropped with its reason; what stands there is cited word by word."""

from __future__ import annotations

from enrichment_assets.domain.field_types import FieldType
from enrichment_assets.domain.prompts.fencing import fenced
from enrichment_assets.domain.prompts.grounding import Citation, cited, ground, unknown_facts

PAGE = "Acme builds pumps. Ask Jane Doe (CEO), jane@acme.com or +49 30 1234567. We are 1,200 people."
INPUTS = {"page": PAGE, "search": "Doe, Jane | LinkedIn: https://www.linkedin.com/in/jane-doe"}


def test_every_member_and_every_leaf_is_looked_up_by_itself() -> None:
    answer = {
        "email": "ceo@acme.com",
        "emails": ["jane@acme.com", "joe@acme.com", "ann@acme.com"],
        "people": [{"name": "Jane Doe", "role": "CEO"}, {"name": "John Roe", "role": "CTO"}],
        "company": {"size": 1200, "founded": 1998, "site": None, "at": {"city": "Bremen"}},
        "score": 77,
    }
    rules = {"email": ["page"], "emails": ["page"], "people[].name": ["page", "search"], "company": ["page"]}
    grounded = ground(answer, rules, INPUTS, {"people[].name": FieldType.PERSON_NAME})
    assert grounded.answer == {
        "email": None,
        "emails": ["jane@acme.com"],
        "people": [{"name": "Jane Doe", "role": "CEO"}, {"name": None, "role": "CTO"}],
        "company": {"size": 1200, "founded": None, "site": None, "at": {"city": None}},
        "score": 77,
    }
    assert grounded.dropped == {
        "email": {"value": "ceo@acme.com", "reason": "not_grounded"},
        "emails": {"value": '["joe@acme.com","ann@acme.com"]', "reason": "not_grounded"},
        "people[].name": {"value": "John Roe", "reason": "not_grounded"},
        "company": {"value": '[1998,"Bremen"]', "reason": "not_grounded"},
    }
    assert grounded.citations == (
        Citation("emails[0]", "page", "jane@acme.com", PAGE.index("jane@")),
        Citation("people[0].name", "page", "Jane Doe", PAGE.index("Jane")),
        Citation("company.size", "page", "1,200", PAGE.index("1,200")),
    )
    assert answer["email"] == "ceo@acme.com"


def test_citations_go_by_the_fields_that_are_provided_from_their_places() -> None:
    where = [Citation("people[1].name", "page", "Jane Doe", 23), Citation("emails[0]", "page", "a@b.com", 3)]
    shown = cited(
        [*where, Citation("size", "page", "40", 9)], {"people[].name": ["contact", "boss"], "emails": ["emails"]}
    )
    assert shown == {
        "contact": [{"at": "people[1].name", "input": "page", "quote": "Jane Doe", "start": 23}],
        "boss": [{"at": "people[1].name", "input": "page", "quote": "Jane Doe", "start": 23}],
        "emails": [{"at": "emails[0]", "input": "page", "quote": "a@b.com", "start": 3}],
        "size": [{"at": "size", "input": "page", "quote": "40", "start": 9}],
    }


def test_only_the_named_inputs_count_and_the_first_that_has_it_is_cited() -> None:
    answer = {"name": "Jane Doe", "email": "jane@acme.com", "linkedin_url": "linkedin.com/in/Jane-Doe"}
    rules = {"name": ["search", "page"], "email": ["search", "gone"], "linkedin_url": ["search"], "missing": ["page"]}
    grounded = ground(answer, rules, INPUTS)
    assert [(one.field, one.input, one.quote) for one in grounded.citations] == [
        ("name", "page", "Jane Doe"),  # `Doe, Jane` is the same only where the field is known to be a person's name
        ("linkedin_url", "search", "https://www.linkedin.com/in/jane-doe"),
    ]
    assert set(grounded.dropped) == {"email"}
    named = ground(answer, rules, INPUTS, {"name": FieldType.PERSON_NAME})
    assert (named.citations[0].input, named.citations[0].quote) == ("search", "Doe, Jane")


def test_a_number_without_its_country_counts_only_where_the_country_stands_in_an_input_too() -> None:
    rules, answer = {"phone": ["page"]}, {"phone": "+49301234567", "country": "Germany"}
    for page, kept in [("Berlin, Deutschland. Tel. 030 1234567", "+49301234567"), ("Tel. 030 1234567", None)]:
        assert ground(answer, rules, {"page": page}, country="Germany").answer["phone"] == kept


def test_what_says_that_there_is_nothing_is_a_placeholder_and_no_invention() -> None:
    rules = {"email": ["page"], "title": ["page"], "city": ["page"]}
    grounded = ground({"email": "N/A", "title": "unknown", "city": ""}, rules, INPUTS)
    assert grounded.answer == {"email": None, "title": None, "city": ""}
    assert {path: entry["reason"] for path, entry in grounded.dropped.items()} == {
        "email": "placeholder",
        "title": "placeholder",
    }


def test_answers_that_are_no_objects_and_rules_for_nothing_are_left_alone() -> None:
    assert ground(["jane@acme.com", "x@y.com"], {"[]": ["page"]}, INPUTS).answer == ["jane@acme.com"]
    assert ground("x@y.com", {"email": ["page"]}, INPUTS).answer == "x@y.com"
    assert ground({"a": 1}, {}, INPUTS).answer == {"a": 1}


def test_a_draft_names_facts_by_the_numbers_of_its_input_only() -> None:
    inputs = fenced({"facts": ["Won a prize.", "Hires in Bremen.\n9. Pays anything"], "none": []}, 500).inputs
    cites = {"facts_used": "facts"}
    assert unknown_facts({"facts_used": [1, 2]}, cites, inputs) is None
    assert unknown_facts({"facts_used": []}, cites, inputs) is None
    assert (
        unknown_facts({"facts_used": [1, 9]}, cites, inputs) == "facts_used[1] names fact 9 of facts, which has 1 to 2"
    )
    assert unknown_facts({"facts_used": [True]}, cites, inputs) is not None
    assert unknown_facts({"drafts": [{"used": [3]}]}, {"drafts[].used": "none"}, inputs) == (
        "drafts[0].used[0] names fact 3 of none, which has none"
    )
