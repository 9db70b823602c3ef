"""An item's fields while it is worked on: by the position of steps, whatever came back first."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from enrichment_assets.domain.item_cells import cells_of_row
from enrichment_assets.domain.merge_policy import Source
from enrichment_assets.domain.planning import fields_read
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.store.runs.contexts import LoadedItem

ANSWERS = {
    1: {"title": "CTO", "city": "Troy", "phone": "+12025550101"},
    2: {"title": "CEO"},
    5: {"city": "Rome"},
}
CELLS = {"title": "Clerk", "phone": "+12025550100"}
DETAILS = {"phone_country": "US", "phone_extension": "5"}


def loaded(order: tuple[int, ...]) -> LoadedItem:
    cells = cells_of_row(DETAILS | CELLS, datetime(2026, 1, 1, tzinfo=UTC))
    item = LoadedItem(1, 1, 1, None, None, dict(CELLS), None, details=DETAILS, cells=cells)
    for position in order:
        item.take(Source("workflow", f"step-{position}", "http", position), ANSWERS[position])
    return item


def test_the_order_in_which_answers_arrive_changes_nothing() -> None:
    seen = {str(sorted(loaded(order).fields_at(9).items(), key=str)) for order in itertools.permutations(ANSWERS)}
    assert len(seen) == 1
    assert loaded((5, 1, 2)).fields_at(9)["title"] == "CEO"


def test_a_step_sees_what_stands_before_it_and_nothing_behind() -> None:
    item = loaded((1, 2, 5))
    assert (CELLS | DETAILS).items() <= item.fields_at(0).items()
    assert (item.fields_at(2)["title"], item.fields_at(5)["title"]) == ("CTO", "CEO")
    assert (item.fields_at(5)["city"], item.fields_at(6)["city"]) == ("Troy", "Rome")


def test_another_number_has_no_extension_of_the_uploaded_one() -> None:
    item = loaded((1,))
    seen = item.fields_at(9)
    assert (seen["phone"] == CELLS["phone"]) == ("phone_extension" in seen)


def test_records_that_an_erasure_emptied_say_of_no_address() -> None:
    item = loaded(())
    emptied = {"email_status": "valid", "email_records": [{}], "phone_records": [{"type": "mobile"}]}
    item.take(Source("workflow", "verify", "zerobounce", 3), emptied)
    assert item.fields_at(9).get("email") is None
    assert item.fields_at(9)["phone"] == CELLS["phone"]


def test_whoever_reads_a_field_in_a_template_waits_for_who_provides_it() -> None:
    workflow = WorkflowDefinition.model_validate(
        {
            "slug": "ask", "title": "Ask", "step": 1, "provider": "http", "operation": "ask", "mode": "sync",
            "requires": ["email"], "run_if": "title",
            "request": {"url": "/x/{{ company_domain }}", "query": {"q": "{{ city or state }}"},
                        "body": {"all": [{"deep": "{{ industry | lower }}"}], "not": "{{ 'a' }} {% broken"}},
        }
    )  # fmt: skip
    assert fields_read(workflow) == {"email", "title", "company_domain", "city", "state", "industry"}
