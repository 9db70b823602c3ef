"""The numbered facts of a lead: each once, in their order, nothing but texts."""

from __future__ import annotations

from enrichment_assets.domain.facts import MOST_CHARS, MOST_FACTS, gathered_facts


def test_facts_of_company_and_person_stand_in_one_list_each_once() -> None:
    company = ["Founded in 1976.", "  Serves\n 40 hotels. ", "founded in 1976."]
    assert gathered_facts(company, ["Runs the Kiel office.", "SERVES 40 HOTELS."]) == [
        "Founded in 1976.",
        "Serves 40 hotels.",
        "Runs the Kiel office.",
    ]


def test_what_is_no_text_is_no_fact_and_too_much_is_left_out() -> None:
    assert gathered_facts(None, "Founded in 1976.", 7, {"a": "b"}, [None, 7, "", " ", {"fact": "x"}, ["y"]]) == []
    assert gathered_facts([f"Fact {n}." for n in range(100)])[-1] == f"Fact {MOST_FACTS - 1}."
    assert len(gathered_facts(["x" * 10_000])[0]) == MOST_CHARS
