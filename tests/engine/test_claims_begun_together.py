"""Local steps and skips of a claim are made together: in one record, with the rows that each would leave by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.commit.group_transaction import Together
from enrichment_assets.engine.commit.group_writer import GroupWriter
from enrichment_assets.engine.run import item_window
from enrichment_assets.engine.run import local as local_steps
from enrichment_assets.engine.run.context import Run
from enrichment_assets.store.runs.contexts import LoadedItem
from tests.harness.batches import BatchHarness, Launched, people, step

Load = Callable[[], Awaitable[list[LoadedItem]]]


def local(slug: str, operation: str, *fields: str, **more: Any) -> WorkflowDefinition:
    values = {"slug": slug, "title": slug, "step": 1, "provider": "local", "operation": operation, "mode": "local"}
    return WorkflowDefinition.model_validate({**values, "provides": {name: name for name in fields}, **more})


NAME = local("tidy-name", "normalise_name", "first_name", "last_name", "full_name")
CONTACT = local("tidy-contact", "normalise_contact", "email", requires=["email"])
LEAD = {"last_name": "SMITH", "email": "Ann@Acme.example"}


def standing(batch: Launched) -> list[tuple[Any, ...]]:
    """Everything that a batch left, without ids and times."""
    results = batch.rows(
        "select i.row_number, r.workflow_slug, r.outcome, r.payload, r.fields, r.provider from enrichment_results r "
        "join batch_items i on i.id = r.item_id where r.batch_id = %s order by 1, 2",
        batch.batch_id,
    )
    logged = batch.rows(
        "select i.row_number, l.workflow_slug, l.attempt, l.status, l.outcome, l.message from enrichment_results_log l "
        "join batch_items i on i.id = l.item_id where l.batch_id = %s order by 1, 2",
        batch.batch_id,
    )
    states = [
        (s["row_number"], s["workflow_slug"], s["status"], s["outcome"], s["reason"], s["attempts"])
        for s in batch.states()
    ]
    return [*states, *(tuple(row.values()) for row in (*results, *logged))]


def free(batch: Launched) -> int:
    query = "select count(*) as n from item_leases where batch_id = %s and runner_id is null"
    return int(batch.rows(query, batch.batch_id)[0]["n"])


def test_a_list_of_local_steps_is_one_record_of_the_ledger_and_leaves_what_step_by_step_leaves(
    harness: BatchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [*people(30, **LEAD), *people(3, last_name="O'HARA", email=""), {"first_name": "", "email": "n/a"}]
    together = harness.launch(rows, NAME, CONTACT)
    report = together.run()
    assert report.finished and report.commits == 1
    assert report.moved == {
        ("tidy-name", "found"): 33,
        ("tidy-name", "not_found"): 1,
        ("tidy-contact", "found"): 30,
        ("tidy-contact", "skipped"): 4,
    }
    assert free(together) == len(rows)

    async def nothing_together(run: Run, items: Sequence[LoadedItem], load_again: Load) -> list[LoadedItem]:
        return list(items)

    monkeypatch.setattr(item_window, "begin_together", nothing_together)
    one_by_one = harness.launch(rows, NAME, CONTACT)
    assert one_by_one.run().finished
    assert standing(together) == standing(one_by_one)


def test_a_call_after_local_steps_sees_their_values_and_what_a_row_lacks_skips_it_with_its_reason(
    harness: BatchHarness,
) -> None:
    asks = step("asks", requires=["full_name"], provides={"seen": "json.n"}, url="/echo", response={})
    template = asks.model_dump(mode="json")
    template["request"]["body"]["n"] = "{{full_name}}"
    rows = [*people(3, last_name="SMITH"), {"email": "ann@acme.example"}]
    batch = harness.launch(rows, NAME, type(asks).model_validate(template))
    assert batch.run().finished
    seen = [r["fields"]["seen"] for r in batch.results() if r["workflow_slug"] == "asks"]
    assert sorted(seen) == ["Ann1 Smith", "Ann2 Smith", "Ann3 Smith"]
    assert batch.state("asks", 4)["reason"] == "missing_input: full_name"
    assert len(batch.calls()) == 3


def test_an_item_that_another_run_took_meanwhile_is_not_written_and_the_others_are(
    harness: BatchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = harness.launch(people(5, **LEAD), NAME, CONTACT)
    stolen = batch.first_item()
    before = GroupWriter.apply_together

    async def robbed(writer: GroupWriter, claim: Together) -> list[bool]:
        batch.change("update item_leases set fence = fence + 1 where item_id = %s and fence = 1", stolen)
        return await before(writer, claim)

    monkeypatch.setattr(GroupWriter, "apply_together", robbed)
    batch.run()
    assert {s["status"] for s in batch.states() if s["item_id"] == stolen} == {"PENDING"}
    assert {s["status"] for s in batch.states() if s["item_id"] != stolen} == {"COMPLETED"}
    assert free(batch) == 4


def test_a_value_that_the_database_refuses_fails_its_own_step_and_no_other_row(
    harness: BatchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_nul(context: Any) -> dict[str, Any]:
        name = "Ann" if context["item"]["row_number"] != 2 else "A\0n"
        return {"first_name": name, "unprintable": name}

    monkeypatch.setitem(local_steps.OPERATIONS, "normalise_name", with_nul)
    batch = harness.launch(people(4, **LEAD), NAME, CONTACT)
    assert batch.run().finished
    assert batch.state("tidy-name", 2)["status"] == "FAILED"
    assert batch.state("tidy-name", 2)["error_class"] == "contract"
    assert [s["status"] for s in batch.states("tidy-contact")] == ["COMPLETED"] * 4
    assert [s["status"] for s in batch.states("tidy-name") if s["row_number"] != 2] == ["COMPLETED"] * 3
