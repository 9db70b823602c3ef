"""Stop means stop: after the commit of a pause or a cancellation no call leaves, and what was under way is settled."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.pipeline import Guard, PipelineDefinition
from enrichment_assets.engine.run.guard import ErrorGuard
from enrichment_assets.services.batches.status import status
from enrichment_assets.services.operations.history import list_history
from enrichment_assets.services.operations.holding import cancel, pause, resume
from enrichment_assets.services.operations.retrying import retry
from enrichment_assets.store.states.waiting_batches import batches_to_resume
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, async_step, company_step, people, step
from tests.harness.handles import hq_of
from tests.recovery.conftest import RegisteredBatch

SLOW = {"limits": {"per_second": 20, "concurrency": 2}}


@pytest.fixture
def launcher(harness: RegisteredBatch) -> BatchHarness:
    return BatchHarness(harness.settings, harness.hq, harness.sandbox, harness.folder)


def while_running(batch: Launched, change: Callable[[], Any], runs: int = 1) -> Any:
    """Make a change in the middle of runs; what it returned, when the runs have ended."""
    threads = [threading.Thread(target=batch.run) for _ in range(runs)]
    for thread in threads:
        thread.start()
    while len(batch.calls("find")) < 3:
        assert any(thread.is_alive() for thread in threads)
        time.sleep(0.01)
    done = change()
    for thread in threads:
        thread.join()
    return done


def test_after_a_cancellation_nothing_leaves_whoever_runs_and_a_retry_asks_the_rest_once(
    launcher: BatchHarness,
) -> None:
    launcher.sandbox.configure(latency="100ms")
    batch = launcher.launch(people(30), step("find", **SLOW), company_step("firm"))
    seen: list[int] = []

    def stop() -> Any:
        report = cancel(hq_of(batch.settings), batch.key, actor=TESTER, reason="wrong\n list")
        seen.append(len(batch.calls()))
        return report

    report = while_running(batch, stop, runs=2)
    intents = len(batch.calls("find"))
    assert len(batch.calls()) == seen[0] and intents < 30, "an intent is committed before, or never"
    assert batch.statuses("find") == {"COMPLETED": intents, "CANCELLED": 30 - intents}
    assert report.states["find"] == 30 - intents
    assert sum(one.calls for one in report.under_way if one.workflow == "find") <= 2 * 2, "two runs of two each"
    assert sum(money.amount for money in report.may_cost) == sum(one.reserved for one in report.under_way)
    assert {row["reason"] for row in batch.states("find") if row["status"] == "CANCELLED"} == {
        "cancelled by cli:tester: wrong list"
    }
    batch.run()
    shown = status(hq_of(batch.settings), batch.settings, batch.key)
    assert (len(batch.calls()), shown.finished) == (seen[0], True)
    assert {one.cause for one in shown.reasons if one.status == "CANCELLED"} == {"cancelled"}
    assert cancel(hq_of(batch.settings), batch.key, actor=TESTER).again
    batch.change("update workflow_states set status = 'PENDING' where status = 'CANCELLED'")
    batch.run()
    assert len(batch.calls()) == seen[0] and batch.statuses("find")["CANCELLED"] == 30 - intents, "by no other way"

    launcher.sandbox.configure(latency="0ms")
    again = retry(hq_of(batch.settings), batch.settings, batch.key, actor=TESTER)
    assert again.uncancelled["find"] == 30 - intents and again.resumed
    batch.run()
    assert batch.statuses("find") == {"COMPLETED": 30}
    assert (batch.asked("find"), batch.billed("find")) == (30, 30), "each row once"
    assert [a.action for a in list_history(hq_of(batch.settings), batch=batch.key)][:2] == [
        "batch.retry",
        "batch.cancel",
    ]


def test_one_workflow_is_cancelled_alone_and_the_others_go_on(launcher: BatchHarness) -> None:
    batch = launcher.launch(
        people(4), step("find", provides={"token": "id"}), step("check", requires=["token"]), step("other")
    )
    cancel(hq_of(batch.settings), batch.key, actor=TESTER, workflow="find")
    batch.run()
    assert batch.statuses("find") == {"CANCELLED": 4}
    assert batch.statuses("other") == {"COMPLETED": 4}
    assert {row["reason"] for row in batch.states("check")} == {"missing_input: token"}
    assert (batch.asked("find"), batch.asked("check")) == (0, 0)
    retry(hq_of(batch.settings), batch.settings, batch.key, actor=TESTER, workflow="find")
    batch.run()
    assert batch.statuses() == {"COMPLETED": 12}, "what was skipped for want of it runs after all"


def test_a_whole_cancellation_is_taken_back_for_one_workflow_and_stays_for_the_rest(launcher: BatchHarness) -> None:
    batch = launcher.launch(people(3), step("find"), step("other"))
    cancel(hq_of(batch.settings), batch.key, actor=TESTER)
    retry(hq_of(batch.settings), batch.settings, batch.key, actor=TESTER, workflow="find")
    batch.run()
    assert (batch.statuses("find"), batch.statuses("other")) == ({"COMPLETED": 3}, {"CANCELLED": 3})
    batch.change("update workflow_states set status = 'PENDING' where workflow_slug = 'other'")
    batch.run()
    assert batch.asked("other") == 0


def test_a_paused_batch_keeps_what_is_pending_takes_answers_and_goes_on_as_if_nothing_was(
    launcher: BatchHarness,
) -> None:
    launcher.sandbox.configure(latency="100ms")
    batch = launcher.launch(people(20), step("find", **SLOW), async_step("later", requires=["first_name"]))
    while_running(batch, lambda: pause(hq_of(batch.settings), batch.key, actor=TESTER, reason="a moment"))
    intents = len(batch.calls("find"))
    assert batch.statuses("find") == {"COMPLETED": intents, "PENDING": 20 - intents}
    waiting = batch.calls("later")
    batch.run()
    assert len(batch.calls()) == intents + len(waiting), "a run of a paused batch asks nothing"
    shown = status(hq_of(batch.settings), batch.settings, batch.key)
    (standing,) = [one for one in shown.reasons if one.status == "PENDING" and one.workflow == "find"]
    assert (standing.cause, standing.reason) == ("paused", "paused by cli:tester: a moment")
    with hq_of(batch.settings).transaction() as connection:
        assert batch.key not in [one.batch_key for one in batches_to_resume(connection)], "nobody starts runs for it"
    for call in waiting:
        batch.call_back(call, {"found": True, "id": "x"})
    batch.run()
    assert batch.statuses("later")["COMPLETED"] == len(waiting), "what was under way is settled"

    launcher.sandbox.configure(latency="0ms")
    assert pause(hq_of(batch.settings), batch.key, actor=TESTER).again
    done = resume(hq_of(batch.settings), batch.key, actor=TESTER)
    assert done.states["find"] == 20 - intents and done.hold is None
    assert resume(hq_of(batch.settings), batch.key, actor=TESTER).again
    batch.run()
    assert batch.statuses("find") == {"COMPLETED": 20}
    assert (batch.asked("find"), batch.billed("find")) == (20, 20)


def test_what_was_under_way_at_a_cancellation_is_shown_and_later_what_it_came_to(
    launcher: BatchHarness, enrich: Callable[..., tuple[int, str]]
) -> None:
    price = {"estimate": "0.02", "not_found": "0"}
    batch = launcher.launch(people(4), async_step("later", price=price, limits={"concurrency": 1}), step("find"))
    batch.run()
    first, second, third, fourth = batch.calls("later")
    batch.call_back(first, {"found": True, "id": "x"})
    batch.run()
    hq = hq_of(batch.settings)
    report = cancel(hq, batch.key, actor=TESTER, workflow="later")
    ((flying, money),) = zip(report.under_way, report.may_cost, strict=True)
    assert (flying.calls, money.amount, flying.spent) == (3, Decimal("0.06"), Decimal("0.02"))
    batch.call_back(second, {"found": True, "id": "x"})
    batch.call_back(third, {"found": False})
    batch.run()
    ((then,),) = status(hq, batch.settings, batch.key).held_calls.values()
    assert (then.calls, then.reserved, then.still) == (3, Decimal("0.06"), 1)
    assert (then.may_cost, then.came_to, then.unknown) == (Decimal("0.02"), Decimal("0.02"), 0)
    told = (
        "3 call(s) were under way, for 0.06 USD at most; 2 have ended and came to 0.02 USD; 1 may still cost 0.02 USD"
    )
    assert told in " ".join(enrich("status", batch.key)[1].split())
    assert told in " ".join(enrich("cancel", batch.key, "--workflow", "later")[1].split())
    shown = json.loads(enrich("cancel", batch.key, "--workflow", "later", "--json")[1])
    assert (shown["under_way"], shown["may_cost"]) == ({"later": 1}, {"USD": "0.02"})
    assert [(one["calls"], one["came_to"]) for one in shown["hold"]["under_way"]] == [(3, "0.02")]
    batch.call_back(fourth, {"found": True, "id": "x"})
    batch.run()
    assert "3 have ended and came to 0.04 USD" in " ".join(enrich("status", batch.key)[1].split())


def test_a_run_heeds_a_resumption_and_a_paused_step_that_answers_slowly_is_still_polled(
    launcher: BatchHarness,
) -> None:
    batch = launcher.launch(people(2), async_step("later", deadline=60), step("find"))
    pause(hq_of(batch.settings), batch.key, actor=TESTER, workflow="find")
    report = batch.run()
    assert report.stopped == {"find": "paused by cli:tester"}
    pause(hq_of(batch.settings), batch.key, actor=TESTER)
    batch.overdue()
    batch.run()
    assert batch.statuses("later") == {"FAILED": 2}, "a deadline is a deadline, held or not"
    with pytest.raises(ConfigurationError, match="all of it: one workflow alone cannot go on"):
        resume(hq_of(batch.settings), batch.key, actor=TESTER, workflow="later")
    cancel(hq_of(batch.settings), batch.key, actor=TESTER)
    left = resume(hq_of(batch.settings), batch.key, actor=TESTER)
    assert left.hold is not None and left.hold.kind == "cancelled", "a cancellation is not resumed"
    assert retry(hq_of(batch.settings), batch.settings, batch.key, actor=TESTER).let_go
    assert not retry(hq_of(batch.settings), batch.settings, batch.key, actor=TESTER).let_go


def test_too_many_failures_pause_the_batch_once_and_who_resumes_it_is_not_stopped_again(
    launcher: BatchHarness,
) -> None:
    rows = people(60)
    guarded = step("find", limits={"concurrency": 1}, response={"found_if": "found", "error_if": "`true`"})
    batch = launcher.launch(rows, guarded, guard={"failed": "20%", "of_first": 20})
    batch.run()
    failed = batch.statuses("find")["FAILED"]
    assert 4 <= failed < 20, "the fourth failure, and those whose intents stood already"
    (hold,) = status(hq_of(batch.settings), batch.settings, batch.key).holds.values()
    assert (hold.kind, hold.actor) == ("paused", "dagster:guard")
    assert hold.reason == "4 of 4 calls of find failed (guard: 20% of the first 20 or more)"
    resume(hq_of(batch.settings), batch.key, actor=TESTER)
    batch.run()
    assert batch.statuses("find") == {"FAILED": 60}
    assert [a.action for a in list_history(hq_of(batch.settings), batch=batch.key)][:2] == [
        "batch.resume",
        "batch.pause",
    ]


@pytest.mark.parametrize(
    ("said", "limit"), [("20%", 0.2), ("0.5%", 0.005), (0.25, 0.25), ("100%", 1.0), (1, 1.0), (" 7.5 %", 0.075)]
)
def test_a_guards_share_is_a_percentage_or_a_number(said: object, limit: float) -> None:
    pipeline = PipelineDefinition.model_validate({"slug": "p", "steps": ["find"], "guard": {"failed": said}})
    assert pipeline.guard is not None and pipeline.guard.failed == pytest.approx(limit)
    assert pipeline.guard.of_first == 50


@pytest.mark.parametrize("said", ["120%", "0%", "-5%", "many", "5 percent", None, "%", "nan%", "inf%"])
def test_what_is_no_share_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match="failed"):
        PipelineDefinition.model_validate({"slug": "p", "steps": ["find"], "guard": {"failed": said}})


def test_a_guard_counts_what_earlier_runs_saw_and_each_workflow_by_itself() -> None:
    guard = ErrorGuard.after(Guard(failed=0.5, of_first=4), {"find": (3, 1)})
    assert not guard.saw("other", failed=True)
    assert (
        guard.saw("find", failed=True)
        and guard.spoke == "2 of 4 calls of find failed (guard: 50% of the first 4 or more)"
    )
    assert not guard.saw("find", failed=True), "it speaks once"
    later = ErrorGuard.after(Guard(failed=0.5, of_first=4), {"find": (100, 48)})
    assert [later.saw("find", failed=True) for _ in range(4)] == [False, False, False, True], "52 of 104"


def test_failures_are_retried_by_provider_and_by_time(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email"), harness.workflow("find-other", provides={"other": "person.title"}))
    harness.sandbox.configure(errors=1, error_status=[503])
    harness.run()
    harness.there.change(
        "update workflow_states set advanced_at = now() - interval '2 days' where workflow_slug = 'find-email'"
    )
    yesterday = datetime.now(UTC) - timedelta(days=1)
    hq = hq_of(harness.settings)
    done = retry(hq, harness.settings, harness.key, since=yesterday, actor=TESTER)
    assert done.retried == {"find-other": 3}
    with pytest.raises(NotFoundError, match=r"asks no provider 'htp'; did you mean 'http'\? \(it has: http\)"):
        retry(hq, harness.settings, harness.key, provider="htp", actor=TESTER)
    assert retry(hq, harness.settings, harness.key, provider="http", actor=TESTER).retried == {"find-email": 3}


def test_the_commands_say_what_waits_what_may_still_be_spent_and_what_to_do(
    harness: RegisteredBatch, enrich: Callable[..., tuple[int, str]]
) -> None:
    key = harness.batch(harness.workflow("find-email"), harness.workflow("find-other", provides={"other": "x"}))
    assert enrich("pause", key, "--workflow", "find-email", "--reason", "the offer changes") == (
        0,
        f"find-email of batch {key} is paused: nothing more of it is sent\nfind-email: 3 item(s) wait\n"
        f"no call is under way: nothing more is spent\nnext: enrich resume {key}\n",
    )
    code, text = enrich("status", key)
    assert code == 0 and "find-email is paused by cli:" in text and ": the offer changes" in text
    assert "do   resume it" in text
    code, text = enrich("resume", key)
    assert code == 0 and text.startswith(f"batch {key} goes on\n") and "find-email: 3 item(s) go on" in text
    shown = json.loads(enrich("cancel", key, "--workflow", "find-other", "--json")[1])
    assert (shown["workflow"], shown["hold"]["kind"], shown["states"]) == ("find-other", "cancelled", {"find-other": 3})
    assert (shown["under_way"], shown["may_cost"], shown["again"]) == ({}, {}, False)
    code, text = enrich("status", key)
    assert "cancelled" in text and "retry it, if it is wanted after all" in text
    assert "did you mean 'find-email'" in enrich("cancel", key, "--workflow", "find-emial")[1]
    assert "did you mean" in enrich("pause", f"{key}x")[1]
    assert "at most 500 are kept" in enrich("pause", key, "--reason", "x" * 501)[1]
    assert enrich("give-up", key, "--yes")[0] == 0
    code, text = enrich("pause", key)
    assert code == 1 and f"batch {key} was given up or archived: nothing more of it is sent anyway" in text
