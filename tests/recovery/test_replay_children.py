"""Reading answers again where the mending is in what they emit: child items are added, never taken away."""

from __future__ import annotations

from typing import Any

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.operations.replaying import replay
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.recovery.conftest import World


def search(world: World, **fields: Any) -> WorkflowDefinition:
    request = {
        "url": f"{world.sandbox.url}/http/echo",
        "body": {"people": [{"name": "{{ first_name }} Junior"}, {"name": "{{ last_name }} Senior"}]},
    }
    found = {"response": {"found_if": "json.people"}, "provides": {}, "price": {}}
    return world.workflow("search", **{"request": request, **found, **fields})


def names(world: World) -> list[str]:
    rows = world.rows("select first_name from batch_items where parent_item_id is not null")
    return sorted(row["first_name"] for row in rows)


FIRST = {"items": "json.people[:1].{first_name: name}"}
ALL = {"items": "json.people[].{first_name: name}"}


def test_a_mapping_that_emits_more_adds_the_children_without_a_call_and_they_go_their_way(world: World) -> None:
    world.batch(search(world, emits=FIRST), world.workflow("later"))
    world.run()
    first = names(world)
    assert first == ["Ann Junior", "Bob Junior", "Cid Junior"]
    billed = world.billed()
    world.register(search(world, emits=ALL))
    dry = replay(hq_of(world.settings), world.settings, world.key, "search", dry_run=True, actor=TESTER)
    assert (dry.emitted, dry.states, len(names(world))) == (3, 0, 3)
    report = replay(hq_of(world.settings), world.settings, world.key, "search", actor=TESTER)
    assert (report.emitted, report.states, world.billed()) == (3, 3, billed)
    assert names(world) == sorted([*first, "Archer Senior", "Brown Senior", "Carter Senior"])
    assert world.batch_row()["finished_at"] is None
    world.run()
    assert world.statuses("later") == ["SKIPPED"] * 3 + ["found"] * 6
    assert world.billed()[0] == billed[0] + 3
    assert replay(hq_of(world.settings), world.settings, world.key, "search", actor=TESTER).emitted == 0


def test_a_mapping_that_emits_fewer_leaves_the_children_that_are_there(world: World) -> None:
    world.batch(search(world, emits=ALL), world.workflow("later"))
    world.run()
    before = names(world)
    world.register(search(world, emits={**FIRST, "at_most": 5}))
    assert replay(hq_of(world.settings), world.settings, world.key, "search", actor=TESTER).emitted == 0
    assert names(world) == before


def test_a_workflow_that_learns_to_emit_makes_children_of_the_answers_that_it_has(world: World) -> None:
    world.batch(search(world), world.workflow("later"))
    world.run()
    assert names(world) == []
    world.register(search(world, emits={**ALL, "at_most": 1}))
    report = replay(hq_of(world.settings), world.settings, world.key, "search", actor=TESTER)
    assert (report.emitted, report.new_mapping) == (3, True)
    (state, *_) = world.rows("select reason from workflow_states where workflow_slug = 'search' order by item_id")
    assert state["reason"] == "1 emitted beyond the 1 that are taken"
    world.run()
    assert world.statuses("later") == ["found"] * 6
