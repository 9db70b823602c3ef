"""Failures by their class: what is retried, what stops a provider, what ends a state, and what is kept of it."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta

import pytest

from enrichment_assets.store.database import connect_async
from enrichment_assets.store.states.batch_states import next_due_in, now
from tests.engine.hostile_server import answering
from tests.harness.batches import BatchHarness, Launched, people, step


def faults(**settings: object) -> str:
    return json.dumps(settings)


def test_an_error_of_the_provider_is_retried_and_every_attempt_is_logged(harness: BatchHarness) -> None:
    batch = harness.launch(people(3, faults=faults(errors=1, fault_attempts=2)), step("first"))
    assert batch.run().finished
    assert [(s["outcome"], s["attempts"]) for s in batch.states()] == [("found", 3)] * 3
    assert [call["attempt"] for call in batch.calls()] == [3, 3, 3]
    log = [row for row in batch.log() if row["item_id"] == batch.state("first")["item_id"]]
    assert [(row["status"], row["error_class"], row["attempt"]) for row in log] == [
        ("PENDING", "retryable", 1),
        ("PENDING", "retryable", 2),
        ("COMPLETED", None, 3),
    ]


def test_attempts_are_bounded_and_the_failure_names_its_class(harness: BatchHarness) -> None:
    batch = harness.launch(people(2, scenario="unavailable"), step("first"))
    assert batch.run().finished
    for state in batch.states():
        assert (state["status"], state["error_class"], state["attempts"]) == ("FAILED", "retryable", 3)
        assert state["reason"] == "HTTP 503 (gave up after 3 attempts)"
    assert batch.asked("first") == 6
    assert batch.billed() == 0


def test_retry_after_is_waited_for_and_is_not_counted_as_an_attempt(harness: BatchHarness) -> None:
    batch = harness.launch(people(1, faults=faults(rate_limited=1, fault_attempts=1)), step("first"))
    began = time.monotonic()
    batch.run(linger=5.0)
    assert time.monotonic() - began >= 1.0
    assert (batch.state("first")["outcome"], batch.state("first")["attempts"]) == ("found", 1)


def test_a_retry_after_that_is_longer_than_a_run_waits_is_left_to_a_later_run(harness: BatchHarness) -> None:
    with answering() as server:
        server.status, server.headers = 429, {"retry-after": "3600"}
        batch = harness.launch(people(2), step("first", request={"url": server.url + "/x", "body": {}}))
        assert not batch.run().finished
        assert batch.run().stopped["first"].startswith("the provider rests for another")
        assert sum(server.asked.values()) <= 2
    (row,) = batch.rows("select min(next_attempt_at) - now() as wait from workflow_states")
    assert row["wait"].total_seconds() > 3500
    assert batch.statuses() == {"PENDING": 2}


def test_a_refused_key_stops_the_provider_the_items_stay_pending_and_the_run_says_so(harness: BatchHarness) -> None:
    refused = step("refused", limits={"concurrency": 4})
    fine = step("fine", base_url=f"{harness.sandbox.url}/http/")
    batch = harness.launch(people(40), refused, fine)
    harness.sandbox.configure(rejected_keys=["refused"])
    report = batch.run()
    assert not report.finished
    assert set(report.stopped) == {"refused"}
    assert report.stopped["refused"].startswith("HTTP 401: the key was refused")
    assert batch.statuses("refused") == {"PENDING": 40}
    assert batch.statuses("fine") == {"COMPLETED": 40}
    assert batch.asked("refused") < 40
    assert batch.rows("select 1 from batches where id = %s and resume_at > now() + interval '5 min'", batch.batch_id)


def test_an_exhausted_quota_keeps_the_rest_pending_and_it_goes_on_when_there_is_credit_again(
    harness: BatchHarness,
) -> None:
    batch = harness.launch(people(30), step("first", limits={"concurrency": 2}))
    harness.sandbox.configure(quota="10")
    report = batch.run()
    assert "402" in report.stopped["first"]
    assert batch.statuses() == {"COMPLETED": 10, "PENDING": 20}
    harness.sandbox.configure(quota=None)
    batch.change("update rate_limits set paused_until = null")
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 30}
    assert batch.billed() == 30


def test_another_run_does_not_ask_a_provider_that_rests(harness: BatchHarness) -> None:
    batch = harness.launch(people(5), step("first", limits={"concurrency": 1}))
    harness.sandbox.configure(rejected_keys=["first"])
    batch.run()
    asked = batch.asked("first")
    report = batch.run()
    assert "rests" in report.stopped["first"]
    assert batch.asked("first") == asked


def test_a_body_that_cannot_be_read_fails_the_state_and_its_bytes_are_kept(harness: BatchHarness) -> None:
    batch = harness.launch(people(1, scenario="html"), step("first"))
    assert batch.run().finished
    state, call = batch.state("first"), batch.calls()[0]
    assert (state["status"], state["error_class"]) == ("FAILED", "contract")
    assert bytes(call["response_body"]).startswith(b"<!DOCTYPE html>")
    assert (call["state"], call["http_status"]) == ("failed", 200)
    assert batch.asked("first") == 1


def test_a_wrong_request_skips_the_item_and_says_that_its_input_was_refused(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), step("first", url="/enrich?bytes=x"))
    batch.run()
    assert batch.state("first")["status"] == "SKIPPED"
    assert batch.state("first")["reason"].startswith("invalid_input: HTTP 400")


def test_a_time_out_of_a_billed_call_is_ambiguous_and_is_never_sent_again(harness: BatchHarness) -> None:
    batch = harness.launch(people(3, scenario="timeout"), step("first", retry={**FAST_TIMEOUT}))
    assert batch.run().finished
    assert batch.run().finished
    assert batch.statuses() == {"AMBIGUOUS": 3}
    assert {call["state"] for call in batch.calls()} == {"ambiguous"}
    assert batch.billed() == 3
    assert [call["attempt"] for call in batch.calls()] == [1, 1, 1]


def test_a_time_out_is_sent_again_where_the_operation_is_free_or_idempotent(harness: BatchHarness) -> None:
    rows = people(3, faults=faults(timeouts=1, fault_attempts=1))
    batch = harness.launch(rows, step("first", free_or_idempotent=True, retry={**FAST_TIMEOUT}))
    assert batch.run().finished
    assert [(s["outcome"], s["attempts"]) for s in batch.states()] == [("found", 2)] * 3


def test_a_repeated_call_carries_the_same_idempotency_key_and_is_billed_once(harness: BatchHarness) -> None:
    rows = people(5, faults=faults(resets=1, fault_attempts=1))
    batch = harness.launch(rows, step("first", idempotency_header="idempotency-key"))
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 5}
    assert harness.sandbox.billing()["double_charges"] == []
    assert batch.billed() == 5
    assert all(call["attempt"] == 2 for call in batch.calls())


def test_a_provider_that_cannot_be_reached_is_retried_and_never_ambiguous(harness: BatchHarness) -> None:
    batch = harness.launch(people(2), step("first", base_url="http://127.0.0.1:9"))
    assert batch.run().finished
    assert {(s["status"], s["error_class"]) for s in batch.states()} == {("FAILED", "retryable")}
    assert all("could not be reached" in s["reason"] for s in batch.states())


def test_a_step_without_its_key_is_stopped_and_names_the_variable(harness: BatchHarness) -> None:
    named = step("first", secrets={"api_key": "A_KEY_THAT_IS_NOT_SET"}, base_url="http://127.0.0.1:9")
    batch = harness.launch(people(2), named)
    report = batch.run()
    assert "A_KEY_THAT_IS_NOT_SET" in report.stopped["first"]
    assert batch.statuses() == {"PENDING": 2}
    assert batch.calls() == []


FAST_TIMEOUT = {"base": 0.01, "max": 0.02, "timeout": 0.3}


def the_run_dies_again(batch: Launched, attempt: int) -> None:
    """As it is left by a run that was killed in the middle of this attempt, none of which was ever answered."""
    batch.change("update provider_calls set state = 'intent', attempt = %s", attempt)
    batch.change("update workflow_states set status = 'PENDING', attempts = 0, next_attempt_at = null")


def test_runs_that_die_in_the_middle_of_a_call_use_up_none_of_its_attempts(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), step("keyed", idempotency_header="idempotency-key"))
    batch.run()
    for death in range(5):
        the_run_dies_again(batch, attempt=1 + death)
        assert batch.run().finished
        assert batch.state("keyed")["status"] == "COMPLETED"
    assert batch.billed() == 1


@pytest.mark.parametrize(("seconds", "wait"), [(-1.0, None), (0.001, 0.0), (3600.0, 3600.0)])
async def test_what_becomes_due_while_a_run_looks_for_work_is_not_left_lying(
    harness: BatchHarness, seconds: float, wait: float | None
) -> None:
    batch = harness.launch(people(1), step("first"))
    async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as reader:
        since = await now(reader)
        batch.change("update workflow_states set next_attempt_at = %s", since + timedelta(seconds=seconds))
        await asyncio.sleep(0.01)
        found = await next_due_in(reader, batch.batch_id, ["first"], since)
    assert found is None if wait is None else found == pytest.approx(wait, abs=60)


def test_a_call_that_runs_die_of_again_and_again_is_given_up_and_what_it_may_have_cost_is_booked(
    harness: BatchHarness,
) -> None:
    batch = harness.launch(people(1), step("keyed", idempotency_header="idempotency-key"))
    batch.set_budget("1")
    batch.run()
    batch.change("update provider_calls set cost = null")
    the_run_dies_again(batch, attempt=23)
    batch.run()
    assert batch.state("keyed")["status"] == "FAILED"
    assert "gave up after 23 attempts" in batch.state("keyed")["reason"]
    assert [str(call["cost"]) for call in batch.calls()] == ["0.010000"]
    assert batch.asked("keyed") == 1
