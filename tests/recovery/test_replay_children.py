"""Reading answers again where the mending is in what they emit: child items are added, never taken away."""

from __future__ import annotations

from typing import Any

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.operations.replaying import replay
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.recovery.conftest import RegisteredBatch


def search(harness: RegisteredBatch, **fields: Any) -> WorkflowDefinition:
    request = {
        "url": f"{harness.sandbox.url}/http/echo",
        "body": {"people": [{"name": "{{ first_name }} Junior"}, {"name": "{{ last_name }} Senior"}]},
    }
    found = {"response": {"found_if": "json.people"}, "provides": {}, "price": {}}
    return harness.workflow("search", **{"request": request, **found, **fields})


def names(harness: RegisteredBatch) -> list[str]:
    rows = harness.rows("select first_name from batch_items where parent_item_id is not null")
    return sorted(row["first_name"] for row in rows)


FIRST = {"items": "json.people[:1].{first_name: name}"}
ALL = {"items": "json.people[].{first_name: name}"}


def test_a_mapping_that_emits_more_adds_the_children_without_a_call_and_they_go_their_way(
    harness: RegisteredBatch,
) -> None:
    harness.batch(search(harness, emits=FIRST), harness.workflow("later"))
    harness.run()
    first = names(harness)
    assert first == ["Ann Junior", "Bob Junior", "Cid Junior"]
    billed = harness.billed()
    harness.register(search(harness, emits=ALL))
    dry = replay(hq_of(harness.settings), harness.settings, harness.key, "search", dry_run=True, actor=TESTER)
    assert (dry.emitted, dry.states, len(names(harness))) == (3, 0, 3)
    report = replay(hq_of(harness.settings), harness.settings, harness.key, "search", actor=TESTER)
    assert (report.emitted, report.states, harness.billed()) == (3, 3, billed)
    assert names(harness) == sorted([*first, "Archer Senior", "Brown Senior", "Carter Senior"])
    assert harness.batch_row()["finished_at"] is None
    harness.run()
    assert harness.statuses("later") == ["SKIPPED"] * 3 + ["found"] * 6
    assert harness.billed()[0] == billed[0] + 3
    assert replay(hq_of(harness.settings), harness.settings, harness.key, "search", actor=TESTER).emitted == 0


def test_a_mapping_that_emits_fewer_leaves_the_children_that_are_there(harness: RegisteredBatch) -> None:
    harness.batch(search(harness, emits=ALL), harness.workflow("later"))
    harness.run()
    before = names(harness)
    harness.register(search(harness, emits={**FIRST, "at_most": 5}))
    assert replay(hq_of(harness.settings), harness.settings, harness.key, "search", actor=TESTER).emitted == 0
    assert names(harness) == before


def test_a_workflow_that_learns_to_emit_makes_children_of_the_answers_that_it_has(harness: RegisteredBatch) -> None:
    harness.batch(search(harness), harness.workflow("later"))
    harness.run()
    assert names(harness) == []
    harness.register(search(harness, emits={**ALL, "at_most": 1}))
    report = replay(hq_of(harness.settings), harness.settings, harness.key, "search", actor=TESTER)
    assert (report.emitted, report.new_mapping) == (3, True)
    (state, *_) = harness.rows("select reason from workflow_states where workflow_slug = 'search' order by item_id")
    assert state["reason"] == "1 emitted beyond the 1 that are taken"
    harness.run()
    assert harness.statuses("later") == ["found"] * 6
