"""Asynchronous steps: sent, awaited, answered once; deadlines, late answers, garbage and duplicates."""

from __future__ import annotations

from decimal import Decimal

from enrichment_assets.store.inbox.callbacks import Receipt
from tests.harness.batches import BatchHarness, async_step, people, step

GOOD = {"found": True, "id": "answer-1"}


def test_a_sender_marks_in_progress_with_a_deadline_and_the_run_ends(harness: BatchHarness) -> None:
    batch = harness.launch(people(3), async_step("slow", deadline="10m"), step("later", requires=["slow"]))
    report = batch.run()
    assert not report.finished
    assert batch.statuses("slow") == {"IN_PROGRESS": 3}
    assert batch.statuses("later") == {"PENDING": 3}
    assert {c["state"] for c in batch.calls()} == {"sent"}
    assert all(c["external_id"] and len(c["callback_token"]) >= 40 for c in batch.calls())
    (row,) = batch.rows("select resume_at - now() as wait from batches")
    assert 9 * 60 < row["wait"].total_seconds() <= 600


def test_a_callback_is_applied_and_the_items_next_step_runs(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), async_step("slow"), step("later", requires=["slow"]))
    batch.run()
    assert batch.call_back(batch.calls()[0], GOOD) is Receipt.STORED
    assert batch.run().finished
    assert batch.results()[0]["fields"] == {"slow": "answer-1"}
    assert batch.state("later")["outcome"] == "found"
    assert [row["status"] for row in batch.inbox()] == ["applied"]
    assert batch.calls("slow")[0]["state"] == "applied"


def test_a_callback_that_says_nothing_was_found_is_a_miss(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), async_step("slow"))
    batch.run()
    batch.call_back(batch.calls()[0], {"found": False, "id": None})
    assert batch.run().finished
    assert (batch.state("slow")["status"], batch.state("slow")["outcome"]) == ("COMPLETED", "not_found")


def test_the_same_callback_twice_is_stored_once_and_another_one_is_superseded(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), async_step("slow"))
    batch.run()
    call = batch.calls()[0]
    assert batch.call_back(call, GOOD) is Receipt.STORED
    assert batch.call_back(call, GOOD) is Receipt.ALREADY_STORED
    batch.call_back(call, {"found": True, "id": "answer-2"})
    batch.run()
    assert [row["status"] for row in batch.inbox()] == ["applied", "superseded"]
    assert [r["fields"]["slow"] for r in batch.results()] == ["answer-1"]
    assert batch.state("slow")["cost"] == Decimal("0.01")


def test_garbage_is_a_dead_letter_and_a_good_callback_after_it_still_completes(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), async_step("slow"), step("later", requires=["slow"]))
    batch.run()
    call = batch.calls()[0]
    batch.call_back(call, b'{"found": tru')
    batch.run()
    assert (batch.state("slow")["status"], batch.state("slow")["error_class"]) == ("FAILED", "contract")
    assert batch.state("later")["reason"] == "missing_input: slow"
    (dead,) = batch.inbox()
    assert (dead["status"], bytes(dead["body"])) == ("dead", b'{"found": tru')
    batch.call_back(call, GOOD)
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 2}
    assert batch.state("slow")["cost"] == Decimal("0.01")


def test_garbage_and_a_good_callback_that_come_together_are_booked_once(harness: BatchHarness) -> None:
    batch = harness.launch(people(2), async_step("slow"))
    batch.set_budget("1")
    batch.run()
    first, second = batch.calls()
    batch.call_back(first, b"\x00\xff not json")
    batch.call_back(first, GOOD)
    assert not batch.run().finished
    assert batch.state("slow", 1)["status"] == "COMPLETED"
    (budget,) = batch.budgets()
    assert (budget.spent, budget.reserved) == (Decimal("0.01"), Decimal("0.01"))
    batch.call_back(second, GOOD)
    batch.run()
    (budget,) = batch.budgets()
    assert (budget.spent, budget.reserved) == (Decimal("0.02"), Decimal(0))


def test_a_deadline_that_passes_fails_the_state_and_books_what_was_reserved(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), async_step("slow"))
    batch.set_budget("1")
    batch.run()
    batch.overdue()
    assert batch.run().finished
    state = batch.state("slow")
    assert (state["status"], state["error_class"], state["cost"]) == ("FAILED", "deadline", Decimal("0.01"))
    (budget,) = batch.budgets()
    assert (budget.spent, budget.reserved) == (Decimal("0.01"), 0)


def test_a_late_callback_is_applied_once_paid_once_and_reopens_what_was_skipped_for_want_of_it(
    harness: BatchHarness,
) -> None:
    batch = harness.launch(
        people(1), async_step("slow"), step("later", requires=["slow"]), step("last", requires=["later"])
    )
    batch.run()
    batch.overdue()
    batch.run()
    assert batch.statuses() == {"FAILED": 1, "SKIPPED": 2}
    call = batch.calls()[0]
    batch.call_back(call, GOOD)
    batch.call_back(call, {**GOOD, "again": True})
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 3}
    assert [row["status"] for row in batch.inbox()] == ["applied", "superseded"]
    assert batch.state("slow")["cost"] == Decimal("0.01")
    assert batch.asked("slow") == 1


def test_a_late_callback_does_not_let_a_step_go_on_that_is_paused_for_want_of_money(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), async_step("slow"), step("dear", uses=["slow"], price={"estimate": "5"}))
    batch.set_budget("1")
    batch.run()
    batch.overdue()
    batch.run()
    assert batch.state("dear")["status"] == "PENDING"
    batch.set_budget("100")  # behind the service's back: nobody has let the batch go on
    batch.call_back(batch.calls("slow")[0], GOOD)
    assert "paused by dagster:budget" in batch.run().stopped["dear"]
    assert batch.state("slow")["outcome"] == "found"
    assert (batch.state("dear")["status"], batch.asked("dear")) == ("PENDING", 0)
    assert batch.rows("select 1 from item_leases where runner_id is not null") == []


def test_a_deadline_with_the_policy_retry_sends_again_with_the_same_token(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), async_step("slow", callback={"found_if": "found", "on_deadline": "retry"}))
    batch.run()
    token = batch.calls()[0]["callback_token"]
    batch.overdue()
    batch.run()
    (call,) = batch.calls()
    assert (call["state"], call["attempt"], call["callback_token"]) == ("sent", 2, token)
    assert batch.state("slow")["status"] == "IN_PROGRESS"
    batch.call_back(call, GOOD)
    assert batch.run().finished
    assert batch.asked("slow") == 2


def test_a_submission_that_was_repeated_after_its_deadline_is_paid_for_twice_in_the_books_too(
    harness: BatchHarness,
) -> None:
    batch = harness.launch(people(1), async_step("slow", callback={"found_if": "found", "on_deadline": "retry"}))
    batch.set_budget("1")
    batch.run()
    batch.overdue()
    batch.run()
    batch.call_back(batch.calls()[0], GOOD)
    batch.run()
    (budget,) = batch.budgets()
    assert batch.billed("slow") == 2
    assert (budget.spent, budget.reserved) == (Decimal("0.02"), 0)
    assert batch.calls()[0]["cost"] == Decimal("0.02")


def polled(**poll: object) -> dict[str, object]:
    return {"poll": {"request": {"method": "GET", "url": "/results/{{external_id}}"}, "pending_status": [202], **poll}}


def test_a_deadline_where_the_provider_can_be_asked_fetches_the_answer(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), async_step("slow", **polled()))
    batch.run()
    batch.overdue()
    assert batch.run().finished
    assert (batch.state("slow")["status"], batch.state("slow")["outcome"]) == ("COMPLETED", "found")
    assert batch.results()[0]["payload"]["found"] is True


def test_an_answer_that_is_not_ready_yet_is_asked_for_again_and_then_given_up(harness: BatchHarness) -> None:
    harness.sandbox.configure(callback_delay="600s")
    batch = harness.launch(people(1), async_step("slow", **polled(every="1h")))
    batch.run()
    for _ in range(2):  # of the three times that `retry.attempts` allows
        batch.overdue()
        assert not batch.run().finished
        assert batch.state("slow")["status"] == "IN_PROGRESS"
    batch.overdue()
    assert batch.run().finished
    assert batch.state("slow")["error_class"] == "deadline"


def test_a_poll_that_is_refused_for_its_key_does_not_end_the_item(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), async_step("slow", **polled(every="1h")))
    batch.run()
    harness.sandbox.configure(rejected_keys=[""])
    batch.overdue()
    batch.run()
    assert batch.state("slow")["status"] == "IN_PROGRESS"


def test_a_callback_that_comes_before_the_acknowledgement_is_applied_and_the_reservation_settled(
    harness: BatchHarness,
) -> None:
    """The run died between storing the acknowledgement and applying it; the callback is there already."""
    batch = harness.launch(people(1), async_step("slow"))
    batch.set_budget("1")
    batch.run()
    batch.change("update provider_calls set state = 'received', external_id = null")
    batch.change("update workflow_states set status = 'PENDING', deadline_at = null, call_id = null")
    batch.call_back(batch.calls()[0], GOOD)
    assert batch.run().finished
    (budget,) = batch.budgets()
    assert (budget.spent, budget.reserved) == (Decimal("0.01"), 0)
    assert batch.asked("slow") == 1
