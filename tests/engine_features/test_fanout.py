"""A workflow with `emits` turns one item into child items, which are enriched further in the same run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from enrichment_assets.domain.emission import Emission, Parent, emission_of
from enrichment_assets.domain.emits import Emits
from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.planning import child_route
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.operations.budgeting import set_budget
from enrichment_assets.store.batches import fanout
from enrichment_assets.store.database import AsyncConnection, connect_async
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, Row, async_step, company_step, step
from tests.harness.handles import hq_of

TWO = ({"first_name": "{{original.one}}", "email": "{{original.one_mail}}"}, {"first_name": "Bob", "title": "Pro"})
COURSE = {"company_name": "Pine Golf", "company_domain": "pine.example", "one": "Ann", "one_mail": "Ann@pine.example"}


def search(people: Sequence[Any] = TWO, slug: str = "search", emits: Row | None = None, **fields: Any) -> Any:
    """A step whose answer is the list of people that its definition holds, filled from the row."""
    request = {"url": "/echo", "headers": {"x-api-key": slug}, "body": {"people": list(people)}}
    values = {
        "request": request,
        "provides": {},
        "response": {"found_if": "json.people"},
        "emits": {"items": "json.people", **(emits or {})},
    }
    return step(slug, **{**values, **fields})


def later(slug: str = "later", **fields: Any) -> WorkflowDefinition:
    return step(slug, **{"requires": ["first_name"], **fields})


def children(batch: Launched) -> list[Row]:
    return batch.rows(
        "select * from batch_items where batch_id = %s and parent_item_id is not null order by id", batch.batch_id
    )


def by_child(batch: Launched, slug: str) -> list[tuple[str | None, str, str | None, str | None]]:
    """(first name, status, outcome, reason) of the children's states of one step."""
    found = batch.rows(
        """select i.first_name, s.status, s.outcome, s.reason from workflow_states s
           join batch_items i on i.id = s.item_id
           where i.batch_id = %s and i.parent_item_id is not null and s.workflow_slug = %s order by i.id""",
        batch.batch_id,
        slug,
    )
    return [tuple(row.values()) for row in found]  # type: ignore[misc]


def parents(batch: Launched, slug: str) -> list[tuple[str, str | None]]:
    found = batch.rows(
        """select s.status, s.reason from workflow_states s join batch_items i on i.id = s.item_id
           where i.batch_id = %s and i.parent_item_id is null and s.workflow_slug = %s order by i.id""",
        batch.batch_id,
        slug,
    )
    return [tuple(row.values()) for row in found]  # type: ignore[misc]


def test_a_search_emits_prospects_that_are_enriched_in_the_same_run_and_its_row_goes_no_further(
    harness: BatchHarness,
) -> None:
    batch = harness.launch([COURSE], search(), later())
    assert batch.run().finished
    ann, bob = children(batch)
    parent = batch.rows("select * from batch_items where parent_item_id is null")[0]
    assert (ann["first_name"], ann["email"], ann["company_name"], ann["company_domain"]) == (
        "Ann", "ann@pine.example", "Pine Golf", "pine.example",
    )  # fmt: skip
    assert (ann["origin_key"], ann["row_number"], ann["parent_item_id"]) == (
        "search:email:ann@pine.example", 0, parent["id"],
    )  # fmt: skip
    assert ann["company_key"] == bob["company_key"] == parent["company_key"]
    assert ann["original_data"] == {"first_name": "Ann", "email": "Ann@pine.example"}
    assert bob["original_data"] == {"first_name": "Bob", "title": "Pro"}
    assert by_child(batch, "search") == [(name, "SKIPPED", None, "inherited: by search") for name in ("Ann", "Bob")]
    assert by_child(batch, "later") == [("Ann", "COMPLETED", "found", None), ("Bob", "COMPLETED", "found", None)]
    assert parents(batch, "later") == [("SKIPPED", "fanned_out: by search")]
    assert batch.asked("later") == batch.billed("later") == 2
    assert batch.rows("select 1 from item_leases where runner_id is not null") == []


def test_a_search_that_is_reused_emits_its_people_into_the_new_batch_and_is_not_asked(harness: BatchHarness) -> None:
    first = harness.launch([COURSE], search(reuse_for="1d"), later())
    first.run()
    second = harness.launch([COURSE], search(reuse_for="1d"), later())
    assert second.run().finished
    assert second.asked("search") == 1
    assert [(child["first_name"], child["origin_key"]) for child in children(second)] == [
        (child["first_name"], child["origin_key"]) for child in children(first)
    ]
    assert by_child(second, "later") == [("Ann", "COMPLETED", "found", None), ("Bob", "COMPLETED", "found", None)]


def test_a_parent_that_goes_on_takes_the_later_steps_too_and_a_condition_can_tell_it_apart(
    harness: BatchHarness,
) -> None:
    batch = harness.launch(
        [{**COURSE, "first_name": "Club"}],
        search(emits={"parent": "goes_on"}),
        later(),
        later("only-children", run_if="item.parent_id"),
    )
    assert batch.run().finished
    assert parents(batch, "later") == [("COMPLETED", None)]
    assert parents(batch, "only-children") == [("SKIPPED", "run_if: item.parent_id")]
    assert [row[1] for row in by_child(batch, "only-children")] == ["COMPLETED"] * 2


def test_a_row_that_the_search_skips_goes_on_and_one_that_is_asked_in_vain_does_not(harness: BatchHarness) -> None:
    rows = [{"first_name": "Person"}, {"first_name": "", "company_name": "Nobody Inc."}]
    nobody = search(people=[], requires=["company_name"])
    batch = harness.launch(rows, nobody, later(requires=[]))
    assert batch.run().finished
    assert parents(batch, "later") == [("COMPLETED", None), ("SKIPPED", "fanned_out: by search")]
    assert children(batch) == []


def test_two_parents_that_emit_the_same_person_have_one_child(harness: BatchHarness) -> None:
    rows = [COURSE, {**COURSE, "company_name": "Oak Golf", "one_mail": " ann@PINE.example "}]
    batch = harness.launch(rows, search(people=TWO[:1]), later())
    assert batch.run().finished
    (ann,) = children(batch)
    assert batch.asked("search") == 2
    assert batch.asked("later") == 1
    assert ann["parent_item_id"] in {row["id"] for row in batch.rows("select id from batch_items")}


def test_the_same_name_at_two_companies_is_two_people_and_at_one_company_one(harness: BatchHarness) -> None:
    rows = [{"company_name": name} for name in ("Pine Golf", "Pine Golf, Inc.", "Oak Golf")]
    batch = harness.launch(rows, search(people=[{"first_name": "Bob"}, {"first_name": " BOB "}]), later())
    assert batch.run().finished
    assert sorted(child["company_key"] for child in children(batch)) == [
        "company_name:oak golf", "company_name:pine golf",
    ]  # fmt: skip


def test_an_answer_that_is_applied_again_adds_no_child_and_leaves_those_that_are_there(harness: BatchHarness) -> None:
    batch = harness.launch([COURSE], search(), later())
    batch.run()
    before = (children(batch), by_child(batch, "later"), batch.calls("later"))
    batch.change("update workflow_states set status = 'PENDING', outcome = null where workflow_slug = 'search' "
                 "and status = 'COMPLETED'")  # fmt: skip
    batch.change("update provider_calls set state = 'received' where workflow_slug = 'search'")
    assert batch.run().finished
    assert batch.rows("select outcome from workflow_states where workflow_slug = 'search' and status = 'COMPLETED'")
    assert (children(batch), by_child(batch, "later"), batch.calls("later")) == before
    assert batch.asked("search") == 1, "the stored answer was read again"


def test_children_are_committed_with_their_parents_answer_or_not_at_all(harness: BatchHarness) -> None:
    batch = harness.launch([COURSE], search(), later())
    batch.change(
        """create function no_room() returns trigger language plpgsql as
           $$ begin raise exception 'full' using errcode = '53100'; end $$"""
    )
    batch.change("create trigger no_room before insert on workflow_states for each row execute function no_room()")
    with pytest.raises(InfrastructureError):
        batch.run()
    assert (children(batch), batch.statuses("search")) == ([], {"PENDING": 1})
    assert [call["state"] for call in batch.calls("search")] == ["received"]
    batch.change("drop trigger no_room on workflow_states")
    batch.change("update runners set expires_at = now() - interval '1 s' where ended_at is null")
    assert batch.run().finished
    assert [row[1] for row in by_child(batch, "later")] == ["COMPLETED"] * 2
    assert batch.asked("search") == 1


def test_more_children_than_allowed_are_counted_and_said_and_so_is_what_names_nobody(harness: BatchHarness) -> None:
    people: list[Any] = [{"first_name": f"P{n}", "last_name": "x"} for n in range(12)]
    people += [{"title": "nobody"}, {"first_name": ["Ann"], "email": {"x": 1}}, "text", 7, {}]
    batch = harness.launch([COURSE], search(people=people, emits={"at_most": 5}), later())
    assert batch.run().finished
    assert [child["first_name"] for child in children(batch)] == ["P0", "P1", "P2", "P3", "P4"]
    (state,) = [s for s in batch.states("search") if s["row_number"] == 1]
    assert (state["status"], state["outcome"], state["reason"]) == (
        "COMPLETED", "found", "5 emitted without a name, address or key; 7 emitted beyond the 5 that are taken",
    )  # fmt: skip
    assert "7 emitted beyond" in batch.log()[0]["message"]


def test_what_is_no_list_is_a_broken_contract(harness: BatchHarness) -> None:
    batch = harness.launch([COURSE], search(emits={"items": "json"}), later())
    batch.run()
    (state,) = batch.states("search")
    assert (state["status"], state["error_class"]) == ("FAILED", "contract")
    assert parents(batch, "later") == [("SKIPPED", "fanned_out: by search")]


def test_a_callback_emits_and_so_does_one_that_comes_after_the_deadline(harness: BatchHarness) -> None:
    slow = async_step("slow", emits="people", provides={}, callback={"found_if": "people"})
    batch = harness.launch([COURSE, COURSE | {"one": "Eve"}], slow, later())
    batch.run()
    assert (batch.statuses("slow"), children(batch)) == ({"IN_PROGRESS": 2}, [])
    first, second = batch.calls("slow")
    batch.call_back(first, {"people": [{"first_name": "Ann", "email": "ann@pine.example"}]})
    assert not batch.run().finished
    assert by_child(batch, "later") == [("Ann", "COMPLETED", "found", None)]
    batch.overdue()
    assert batch.run().finished
    batch.call_back(second, {"people": [{"first_name": "Ann", "email": "ANN@pine.example"}, {"first_name": "Eve"}]})
    assert batch.run().finished
    assert by_child(batch, "later") == [("Ann", "COMPLETED", "found", None), ("Eve", "COMPLETED", "found", None)]
    assert parents(batch, "later") == [("SKIPPED", "fanned_out: by slow")] * 2
    assert batch.rows("select 1 from batches where finished_at is not null")


def test_children_share_what_was_learnt_about_their_parents_company_and_nobody_elses(harness: BatchHarness) -> None:
    people = [{"first_name": "Ann"}, {"first_name": "Gus", "company_name": "CallInFlight"}]
    batch = harness.launch(
        [COURSE], company_step("firm"), search(people=people), company_step("after"), later(uses=["firm"])
    )
    assert batch.run().finished
    assert by_child(batch, "firm") == [
        ("Ann", "COMPLETED", "found", None), ("Gus", "SKIPPED", None, "inherited: by search"),
    ]  # fmt: skip
    firms = batch.rows("select distinct result_id from workflow_states where workflow_slug = 'firm' and "
                       "outcome = 'found'")  # fmt: skip
    assert (len(firms), batch.asked("firm")) == (1, 1)
    assert batch.asked("after") == 2, "once per company, the guest's included"


def test_a_child_goes_through_what_is_computed_here_wherever_it_stands(harness: BatchHarness) -> None:
    tidy = {"provider": "local", "mode": "local", "request": None, "price": {}, "response": {}}
    name = step("names", **tidy, operation="normalise_name", provides={"first_name": "first_name"})
    batch = harness.launch([COURSE], name, step("person-before"), search(people=[{"first_name": "ANN"}]), later())
    assert batch.run().finished
    assert by_child(batch, "names") == [("ANN", "COMPLETED", "found", None)]
    assert by_child(batch, "person-before") == [("ANN", "SKIPPED", None, "inherited: by search")]
    tidied = batch.rows("select fields from enrichment_results where workflow_slug = 'names' and fields <> '{}'")
    assert tidied == [{"fields": {"first_name": "Ann"}}]


def test_a_child_can_have_children_and_there_is_an_end(harness: BatchHarness) -> None:
    courses = search(people=[{"company_name": "Pine"}, {"company_name": "Oak"}], slug="courses")
    staff = search(people=[{"first_name": "Ann"}], slug="staff", requires=["company_name"])
    batch = harness.launch([{"city": "Bern"}], courses, staff, later())
    assert batch.run().finished
    found = batch.rows(
        "select i.first_name, i.company_name, p.company_name as of from batch_items i "
        "join batch_items p on p.id = i.parent_item_id order by i.company_name, i.first_name nulls first"
    )
    assert [tuple(row.values()) for row in found] == [
        (None, "Oak", None), ("Ann", "Oak", "Oak"), (None, "Pine", None), ("Ann", "Pine", "Pine"),
    ]  # fmt: skip
    assert (batch.asked("courses"), batch.asked("staff"), batch.asked("later")) == (1, 2, 2)


def test_in_a_waterfall_the_next_is_asked_about_the_row_and_never_about_a_child(harness: BatchHarness) -> None:
    rows = [COURSE, {"company_name": "Unknown", "one": "Eve", "one_mail": "eve@x.example"}]
    one = search(people=["{{ {'first_name': original.one} if company_domain else none }}"], slug="one",
                 response={"found_if": "json.people[0]"})  # fmt: skip
    two = search(people=TWO[:1], slug="two")
    batch = harness.launch(rows, one, two, later(), steps=[{"waterfall": ["one", "two"]}, "later"])
    assert batch.run().finished
    assert [child["origin_key"].split(":")[0] for child in children(batch)] == ["one", "two"]
    assert (batch.asked("one"), batch.asked("two"), batch.asked("later")) == (2, 1, 2)
    assert parents(batch, "later") == [("SKIPPED", "fanned_out: by one")] * 2


def test_a_company_search_is_asked_once_and_emits_once_for_all_rows_of_the_company(harness: BatchHarness) -> None:
    batch = harness.launch([COURSE] * 5, search(entity="company"), later())
    assert batch.run().finished
    assert (batch.asked("search"), len(children(batch)), batch.asked("later")) == (1, 2, 2)
    assert parents(batch, "later") == [("SKIPPED", "fanned_out: by search")] * 5


def test_two_runs_that_meet_the_same_people_in_another_order_make_each_once(harness: BatchHarness) -> None:
    harness.sandbox.configure(latency="1ms-30ms")
    people = [{"first_name": f"P{n}", "email": f"p{n}@x.example"} for n in range(40)]
    turned = "json.turn == '1' && reverse(json.people) || json.people"
    request = {"url": "/echo", "body": {"people": people, "turn": "{{original.turn}}"}}
    batch = harness.launch(
        [{"company_name": f"C{n}", "turn": str(n % 2)} for n in range(60)],
        search(request=request, emits={"items": turned}),
        later(),
    )
    batch.run_twice_at_once(linger=5.0)
    assert batch.run(linger=5.0).finished
    assert sorted(child["origin_key"] for child in children(batch)) == sorted(
        f"search:email:p{n}@x.example" for n in range(40)
    )
    assert batch.asked("later") == 40
    assert harness.sandbox.billing()["double_charges"] == []


def test_two_transactions_that_would_wait_for_each_others_people_take_turns(harness: BatchHarness) -> None:
    batch = harness.launch([COURSE, COURSE], search(), later())
    blueprint = Blueprint.model_validate(batch.rows("select blueprint from batches")[0]["blueprint"])
    client, items = (
        batch.rows("select client_id from batches")[0]["client_id"],
        [s["item_id"] for s in batch.states("search")],
    )
    url = batch.settings.hq_database_url or ""

    def emitted(item: int, name: str) -> list[tuple[int, Emission]]:
        people = emission_of(
            [{"first_name": name}], Parent(item, "one", {}), workflow="search", emits=Emits(items="@"),
            key_of=lambda _: None, route=child_route(blueprint, "search"), company_rules=[],
        )  # fmt: skip
        return [(item, people)]

    async def add(connection: AsyncConnection, item: int, name: str) -> None:
        await fanout.take_turn(connection, batch.batch_id)
        await fanout.insert_children(connection, client, batch.batch_id, emitted(item, name))

    async def other(there: asyncio.Event) -> None:
        async with await connect_async(url) as two:
            there.set()
            await add(two, items[1], "Bob")
            await add(two, items[1], "Ann")

    async def cross() -> None:
        there = asyncio.Event()
        async with await connect_async(url) as one:
            await add(one, items[0], "Ann")
            task = asyncio.create_task(other(there))
            await there.wait()
            async with await connect_async(url, autocommit=True) as watcher:
                waiting = (
                    "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
                )
                while not await (await watcher.execute(waiting)).fetchone():  # noqa: ASYNC110 - nobody says so
                    await asyncio.sleep(0.01)
            await add(one, items[0], "Bob")
            await one.commit()
            await task

    asyncio.run(cross())
    assert [(child["first_name"], child["parent_item_id"]) for child in children(batch)] == [
        ("Ann", items[0]),
        ("Bob", items[0]),
    ]


def test_children_run_out_of_the_same_budget_and_go_on_when_it_is_raised(harness: BatchHarness) -> None:
    people = [{"first_name": f"P{n}"} for n in range(6)]
    batch = harness.launch([COURSE], search(people=people, price={}), later())
    batch.set_budget("0.04")
    stopped = batch.run().stopped
    assert batch.billed("later") == 4 and batch.statuses("later")["PENDING"] >= 2
    assert "of the client's budget of 0.04 USD 0.04 USD is spent" in stopped["later"]
    set_budget(hq_of(batch.settings), batch.client, "1", actor=TESTER)
    assert batch.run().finished
    assert batch.billed("later") == 6
