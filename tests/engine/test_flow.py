"""Items go their way: every step ends, in order, with a reason where it did not run."""

from __future__ import annotations

from decimal import Decimal

from tests.harness.batches import BatchHarness, people, step


def test_every_item_ends_terminal_in_every_step_and_the_batch_says_that_it_is_finished(harness: BatchHarness) -> None:
    batch = harness.launch(people(30), step("first"), step("second", requires=["first"], provides={"out": "id"}))
    report = batch.run()
    assert report.finished
    assert batch.statuses() == {"COMPLETED": 60}
    assert len(batch.results()) == 60
    assert batch.rows("select 1 from batches where id = %s and finished_at is not null and resume_at is null",
                      batch.batch_id)  # fmt: skip
    assert batch.billed() == 60
    assert {call["state"] for call in batch.calls()} == {"applied"}
    assert len(batch.rows("select 1 from company_play_step_completions")) == 60


def test_a_step_runs_after_the_steps_that_provide_what_it_reads_and_sees_their_values(harness: BatchHarness) -> None:
    second = step("second", requires=["first"], url="/echo", provides={"seen": "json.n"}, response={})
    template = second.model_dump(mode="json")
    template["request"]["body"]["n"] = "{{first}}"
    batch = harness.launch(people(3), step("first"), type(second).model_validate(template))
    batch.run()
    answers = {(r["item_id"], r["workflow_slug"]): r["fields"] for r in batch.results()}
    for (item, slug), fields in answers.items():
        if slug == "second":
            assert fields["seen"] == answers[item, "first"]["first"]


def test_a_miss_is_an_outcome_and_what_needs_its_value_is_skipped_and_names_the_field(harness: BatchHarness) -> None:
    batch = harness.launch(people(2, scenario="miss"), step("first"), step("second", requires=["first"]))
    report = batch.run()
    assert report.finished
    assert [(s["status"], s["outcome"]) for s in batch.states("first")] == [("COMPLETED", "not_found")] * 2
    assert {s["reason"] for s in batch.states("second")} == {"missing_input: first"}
    assert batch.asked("second") == 0
    assert [r["fields"] for r in batch.results()] == [{}, {}]


def test_run_if_that_does_not_hold_skips_with_the_condition_as_the_reason(harness: BatchHarness) -> None:
    rows = [{"first_name": "Ann", "title": "CEO"}, {"first_name": "Bob", "title": "Clerk"}]
    batch = harness.launch(rows, step("only-ceo", run_if="title == 'CEO'"))
    batch.run()
    assert batch.state("only-ceo", 1)["outcome"] == "found"
    assert batch.state("only-ceo", 2)["reason"] == "run_if: title == 'CEO'"
    assert batch.asked("only-ceo") == 1


def test_a_waterfall_asks_the_next_only_where_the_former_missed(harness: BatchHarness) -> None:
    rows = [{"first_name": "Ann", "scenario": ""}, {"first_name": "Bob", "scenario": "miss"}]
    values = {"provides": {"email": "id"}}
    batch = harness.launch(rows, step("one", **values), step("two", **values), steps=[{"waterfall": ["one", "two"]}])
    batch.run()
    assert (batch.state("two", 1)["status"], batch.state("two", 1)["reason"]) == ("SKIPPED", "already_found: by one")
    assert batch.state("one", 2)["outcome"] == "not_found"
    assert batch.state("two", 2)["status"] == "COMPLETED"
    assert batch.asked("two") == 1


def test_a_second_run_finds_nothing_to_do_and_calls_nobody(harness: BatchHarness) -> None:
    batch = harness.launch(people(10), step("first"))
    batch.run()
    before = (batch.states(), batch.calls(), batch.asked("first"))
    report = batch.run()
    assert report.finished and not report.moved
    assert (batch.states(), batch.calls(), batch.asked("first")) == before


def test_only_selected_steps_run_and_the_rest_stays_pending(harness: BatchHarness) -> None:
    batch = harness.launch(people(4), step("first"), step("second", requires=["first"]))
    assert not batch.run({"first"}).finished
    assert batch.statuses("first") == {"COMPLETED": 4}
    assert batch.statuses("second") == {"PENDING": 4}
    assert batch.run({"second"}).finished


def test_a_price_is_booked_exactly_and_a_miss_costs_what_a_miss_costs(harness: BatchHarness) -> None:
    rows = [*people(7), *people(3, scenario="miss")]
    batch = harness.launch(rows, step("first", price={"estimate": "0.013", "not_found": "0.001"}))
    batch.run()
    cost = batch.rows("select sum(cost) as cost from provider_calls")[0]["cost"]
    assert cost == Decimal("0.094000")
    assert sum(s["cost"] for s in batch.states()) == cost


def test_a_step_that_needs_a_cell_the_row_does_not_have_is_skipped_before_any_call(harness: BatchHarness) -> None:
    batch = harness.launch([{"first_name": "Ann", "email": "  "}], step("mail", requires=["email"]))
    batch.run()
    assert batch.state("mail")["reason"] == "missing_input: email"
    assert batch.calls() == []
