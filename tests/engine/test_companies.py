"""A company is asked once, whoever asks and however many runs work on the batch."""

from __future__ import annotations

import json

from tests.harness.batches import BatchHarness, async_step, company_step, step


def rows(companies: int, people_each: int, **columns: str) -> list[dict[str, str]]:
    return [
        {"first_name": f"P{p}", "company_name": f"Company {c}", **columns}
        for p in range(people_each)
        for c in range(companies)
    ]


def test_a_company_is_asked_once_and_its_people_share_the_result(harness: BatchHarness) -> None:
    batch = harness.launch(rows(5, 8), company_step("firm"), step("later", requires=["firm"]))
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 80}
    assert batch.asked("firm") == batch.billed("firm") == len(batch.calls("firm")) == 5
    firms = batch.states("firm")
    assert len({s["result_id"] for s in firms}) == 5
    assert sum(1 for s in firms if s["cost"] > 0) == 5
    assert batch.asked("later") == 40


def test_two_runs_at_once_ask_each_company_once(harness: BatchHarness) -> None:
    harness.sandbox.configure(latency="80ms")
    batch = harness.launch(rows(30, 12), company_step("firm"))
    batch.run_twice_at_once(linger=8.0)
    batch.due()
    assert batch.run(linger=8.0).finished
    assert batch.statuses() == {"COMPLETED": 360}
    assert batch.asked("firm") == 30
    assert harness.sandbox.billing()["double_charges"] == []


def test_a_company_that_fails_fails_for_all_its_people_with_one_call(harness: BatchHarness) -> None:
    batch = harness.launch(rows(1, 5, scenario="html"), company_step("firm"))
    batch.run()
    assert [(s["status"], s["error_class"]) for s in batch.states()] == [("FAILED", "contract")] * 5
    assert batch.asked("firm") == 1


def test_a_row_without_a_company_is_asked_for_itself(harness: BatchHarness) -> None:
    people = [{"first_name": "Ann", "city": "Bern"}, {"first_name": "Bob", "city": "Bern"}]
    batch = harness.launch(people, company_step("firm", requires=["city"]))
    batch.run()
    assert len({c["subject_key"] for c in batch.calls()}) == 2


def company_by_callback(**fields: object):  # type: ignore[no-untyped-def]
    request = {
        "url": "/enrich",
        "headers": {"x-api-key": "firm"},
        "body": {"entity": "company", "company": "{{company_name}}", "callback_url": "{{callback_url}}"},
    }
    return async_step("firm", entity="company", requires=["company_name"], request=request, **fields)


def test_a_companys_callback_completes_all_its_people_and_their_next_steps(harness: BatchHarness) -> None:
    batch = harness.launch(rows(1, 4), company_by_callback(), step("later", requires=["firm"]))
    batch.run()
    assert batch.statuses("firm") == {"IN_PROGRESS": 4}
    (call,) = batch.calls("firm")
    batch.call_back(call, {"found": True, "id": "c-1"})
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 8}
    assert batch.asked("firm") == 1


def test_a_late_callback_reaches_all_people_of_the_company_and_reopens_their_next_steps(harness: BatchHarness) -> None:
    batch = harness.launch(rows(1, 4), company_by_callback(), step("later", requires=["firm"]))
    batch.run()
    batch.overdue()
    assert batch.run().finished
    assert batch.statuses("firm") == {"FAILED": 4}
    assert batch.statuses("later") == {"SKIPPED": 4}
    (call,) = batch.calls("firm")
    batch.call_back(call, {"found": True, "id": "c-1"})
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 8}
    assert len({s["result_id"] for s in batch.states("firm")}) == 1
    assert json.dumps(batch.state("later", 4)["outcome"]) == '"found"'
