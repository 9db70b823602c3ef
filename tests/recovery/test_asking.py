"""Chosen steps for chosen leads: what is asked and paid, what is left alone and why; an answer is paid once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.suppression import read_identity
from enrichment_assets.services.operations import holding
from enrichment_assets.services.operations.asking import Asking, Wanted, ask_chosen, plan_asking
from enrichment_assets.services.people import suppressing
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.recovery.conftest import RegisteredBatch


def plan(harness: RegisteredBatch, *workflows: str, **wanted: Any) -> Asking:
    return plan_asking(hq_of(harness.settings), harness.settings, harness.key, Wanted(workflows, **wanted))


def ask(harness: RegisteredBatch, *workflows: str, seen: int | None = None, **wanted: Any) -> Asking:
    hq = hq_of(harness.settings)
    return ask_chosen(hq, harness.settings, harness.key, Wanted(workflows, **wanted), actor=TESTER, seen=seen)


def items(harness: RegisteredBatch) -> list[int]:
    rows = harness.rows("select i.id from batch_items i join batches b on b.id = i.batch_id where b.batch_key = %s "
                        "order by i.id", harness.key)  # fmt: skip
    return [row["id"] for row in rows]


def counts(report: Asking) -> dict[str, tuple[dict[str, int], dict[str, int], int]]:
    return {step.workflow: (dict(step.asked), dict(step.left), step.calls_at_most) for step in report.steps}


def test_what_failed_is_asked_for_the_chosen_leads_alone_and_what_has_an_answer_is_not_paid_again(
    harness: RegisteredBatch,
) -> None:
    harness.batch(harness.workflow("find-email"), harness.workflow("find-other", provides={"other": "person.title"}))
    harness.sandbox.configure(errors=1, error_status=[503])
    harness.run()
    first, second, third = items(harness)
    harness.sandbox.configure(errors=0)
    ask(harness, "find-email", items=[first])
    harness.run()
    assert harness.statuses("find-email") == ["found", "FAILED", "FAILED"]
    assert harness.statuses("find-other") == ["FAILED"] * 3

    seen = plan(harness, "find-other", "find-email", items=[first, second])
    assert counts(seen) == {
        "find-email": ({"failed": 1}, {"found": 1}, 1),
        "find-other": ({"failed": 2}, {}, 2),
    }
    assert (seen.items, seen.calls_at_most, seen.answered, seen.started) == (2, 3, 1, False)
    assert [str(cost) for cost in seen.costs] == ["0.03 USD"]
    assert harness.statuses("find-email") == ["found", "FAILED", "FAILED"], "a plan changes nothing"

    harness.sandbox.reset()
    done = ask(harness, "find-other", "find-email", items=[first, second], seen=3)
    assert (done.started, counts(done)) == (True, counts(seen))
    harness.run()
    assert harness.statuses("find-email") == ["found", "found", "FAILED"]
    assert harness.statuses("find-other") == ["found", "found", "FAILED"]
    assert harness.billed() == (3, 3)
    nothing = ask(harness, "find-email", items=[first, second])
    assert (nothing.started, nothing.asked, nothing.calls_at_most) == (False, 0, 0)
    noted = harness.rows("select name, after from operator_actions where action = 'batch.ask' order by id")
    assert [row["after"]["asked"] for row in noted] == [{"failed": 1}, {"failed": 3}]
    assert noted[1]["after"]["calls_at_most"] == 3
    assert third not in (first, second)


def test_again_is_another_call_under_another_key_which_is_paid_once_however_often_runs_come(
    harness: RegisteredBatch,
) -> None:
    harness.batch(harness.workflow("find-email"), harness.check_workflow())
    harness.run()
    first, *_ = items(harness)
    (before,) = [call for call in harness.calls("find-email") if call["item_id"] == first]
    seen = plan(harness, "find-email", items=[first], again=True)
    assert counts(seen) == {"find-email": ({"again": 1}, {}, 1)}
    assert seen.later == {"check-email": 1}
    with pytest.raises(ConfigurationError, match="1 calls at most by now, and 0 were shown"):
        ask(harness, "find-email", items=[first], again=True, seen=0)
    harness.sandbox.reset()
    ask(harness, "find-email", items=[first], again=True, seen=1)
    completed = "select * from company_play_step_completions where workflow_slug = 'find-email' order by item_id"
    assert [row["item_id"] for row in harness.rows(completed)] == items(harness)[1:]
    assert harness.run().finished
    harness.run()
    calls = [call for call in harness.calls("find-email") if call["item_id"] == first]
    assert [call["state"] for call in calls] == ["applied", "applied"]
    assert calls[0]["id"] == before["id"]
    assert calls[0]["call_key"] == before["call_key"] != calls[1]["call_key"]
    assert harness.billed() == (1, 1)
    assert harness.statuses("find-email") == harness.statuses("check-email") == ["found"] * 3
    assert [row["item_id"] for row in harness.rows(completed)] == items(harness)
    (state,) = harness.rows(
        "select asked_again, call_id from workflow_states where item_id = %s and workflow_slug = 'find-email'", first
    )
    assert state == {"asked_again": 1, "call_id": calls[1]["id"]}


def test_again_goes_around_answers_that_are_kept_for_reuse_and_is_the_one_that_is_reused_then(
    harness: RegisteredBatch,
) -> None:
    request = {"url": f"{harness.sandbox.url}/http/enrich", "body": {"first_name": "{{ first_name }}"}}
    harness.batch(harness.workflow("find-email", reuse_for=86_400, request=request))
    harness.run()
    first, *_ = items(harness)
    harness.sandbox.reset()
    ask(harness, "find-email", items=[first], again=True)
    harness.run()
    assert harness.billed() == (1, 1)
    newest = harness.calls("find-email")[-1]
    harness.batch(harness.workflow("find-email", reuse_for=86_400, request=request), key="acme-later")
    harness.run()
    assert harness.billed() == (1, 1), "a later batch takes what was paid for"
    assert newest["id"] in {call["reused_from"] for call in harness.calls("find-email")}


def test_items_of_a_company_are_asked_anew_together_by_one_call(harness: RegisteredBatch) -> None:
    harness.batch(harness.company_workflow("find-industry"))
    harness.run()
    first, second, _ = items(harness)
    seen = plan(harness, "find-industry", items=[first], again=True)
    assert [(step.shared, step.calls_at_most) for step in seen.steps] == [(1, 1)]
    harness.sandbox.reset()
    ask(harness, "find-industry", items=[second], again=True)
    assert harness.statuses("find-industry") == ["PENDING", "PENDING", "found"]
    harness.run()
    assert harness.statuses("find-industry") == ["found"] * 3
    assert harness.billed() == (1, 1)
    harness.sandbox.configure(errors=1, error_status=[500])
    ask(harness, "find-industry", items=[first], again=True)
    harness.run()
    assert harness.statuses("find-industry") == ["FAILED", "FAILED", "found"]


def test_a_step_that_was_skipped_runs_once_its_value_is_there(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email", requires=["phone"]), harness.check_workflow())
    harness.run()
    assert harness.statuses("find-email") == ["SKIPPED"] * 3
    first, *_ = items(harness)
    harness.hq.execute(
        "insert into item_edits (client_id, batch_id, item_id, field, value, edited_by) "
        "select client_id, batch_id, id, 'phone', '\"+1 202 555 0199\"', 'ada' from batch_items where id = %s",
        (first,),
    )
    harness.hq.commit()
    report = ask(harness, "find-email")
    assert counts(report) == {"find-email": ({"skipped": 3}, {}, 3)}
    assert report.reopened == 3
    assert harness.run().finished
    assert harness.statuses("find-email") == harness.statuses("check-email") == ["found", "SKIPPED", "SKIPPED"]


def test_nobody_who_is_suppressed_loses_an_answer_and_nobody_is_asked_about_them(harness: RegisteredBatch) -> None:
    csv = "First Name,Email\nAnn,ann@alpha.example\nBob,bob@beta.example\n"
    harness.batch(harness.workflow("find-title", provides={"title": "person.title"}), csv=csv)
    harness.run()
    hq = hq_of(harness.settings)
    suppressing.suppress(
        hq, harness.settings, read_identity("ann@alpha.example"), suppressing.Terms("said no"), actor=TESTER
    )
    harness.sandbox.reset()
    report = ask(harness, "find-title", again=True)
    assert counts(report) == {"find-title": ({"again": 1}, {"suppressed": 1}, 1)}
    harness.run()
    assert harness.statuses("find-title") == ["found"] * 2
    assert harness.billed() == (1, 1)


def test_a_batch_or_step_that_is_held_or_over_refuses_in_words(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email"), harness.workflow("find-other", provides={"other": "x"}))
    hq = hq_of(harness.settings)
    with pytest.raises(NotFoundError, match="no workflow 'find-emial'; did you mean 'find-email'"):
        plan(harness, "find-emial")
    with pytest.raises(NotFoundError, match="has no item 999999"):
        plan(harness, "find-email", items=[999_999])
    with pytest.raises(ConfigurationError, match="no step is chosen"):
        plan(harness)
    holding.pause(hq, harness.key, actor=TESTER, workflow="find-email", reason="the offer changes")
    for act in (plan, ask):
        with pytest.raises(ConfigurationError, match=r"nothing of find-email is asked .*paused by .*the offer changes"):
            act(harness, "find-email")
    assert plan(harness, "find-other").calls_at_most == 3
    holding.cancel(hq, harness.key, actor=TESTER)
    with pytest.raises(ConfigurationError, match="cancelled by"):
        ask(harness, "find-other")
    harness.hq.execute("update batches set retired_at = now()")
    harness.hq.commit()
    with pytest.raises(ConfigurationError, match="given up or archived"):
        ask(harness, "find-other")


def test_the_command_says_first_and_does_then(harness: RegisteredBatch, enrich: Callable[..., tuple[int, str]]) -> None:
    key = harness.batch(harness.workflow("find-email"))
    harness.sandbox.configure(errors=1, error_status=[503])
    harness.run()
    first, *_ = items(harness)
    code, said = enrich("ask", key, "-w", "find-email", "-i", str(first), "--dry-run")
    assert (code, "1 failed" in said, "nothing was changed" in said) == (0, True, True), said
    assert harness.statuses("find-email") == ["FAILED"] * 3
    code, said = enrich("ask", key, "-w", "find-email", "-i", str(first), "--json")
    told = json.loads(said)
    assert (code, told["started"], told["costs"]) == (0, True, {"USD": "0.01"})
    assert harness.statuses("find-email") == ["PENDING", "FAILED", "FAILED"]


def answers(harness: RegisteredBatch, slug: str) -> list[str | None]:
    """The address that each item has of a step, by item, whatever became of the step."""
    rows = harness.rows(
        "select r.fields ->> 'email' as email from workflow_states s "
        "left join enrichment_results r on r.id = s.result_id where s.workflow_slug = %s order by s.item_id", slug,
    )  # fmt: skip
    return [row["email"] for row in rows]


def test_the_earlier_answer_counts_until_another_one_is_there(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email"), harness.check_workflow())
    harness.run()
    first, second, _ = items(harness)
    before = answers(harness, "find-email")
    assert all(before)
    ask(harness, "find-email", items=[first, second], again=True)
    assert harness.statuses("find-email") == ["PENDING", "PENDING", "found"]
    assert answers(harness, "find-email") == before
    harness.sandbox.configure(errors=1, error_status=[500])
    harness.run()
    assert harness.statuses("find-email") == ["FAILED", "FAILED", "found"]
    assert answers(harness, "find-email") == before
    harness.sandbox.configure(errors=0, miss=1)
    ask(harness, "find-email", "check-email", items=[first], again=True)
    harness.run()
    assert harness.statuses("find-email") == ["not_found", "FAILED", "found"]
    assert answers(harness, "find-email") == [None, *before[1:]]
    # In the same run the step behind it does not see what is an answer no more, though it was loaded with it.
    assert harness.states("check-email")[0] == ("SKIPPED", None, None, "missing_input")


def test_of_a_waterfall_the_fallbacks_are_asked_where_the_member_finds_nothing_this_time(
    harness: RegisteredBatch,
) -> None:
    fallback = harness.workflow("find-other", price={"estimate": "0.02"})
    harness.batch(harness.workflow("find-email"), fallback, waterfall=True)
    harness.run()
    assert harness.states("find-other") == [("SKIPPED", None, None, "already_found")] * 3
    first, second, _ = items(harness)
    seen = plan(harness, "find-email", items=[first, second], again=True)
    assert counts(seen) == {"find-email": ({"again": 2}, {}, 2), "find-other": ({"fallback": 2}, {}, 2)}
    assert (seen.calls_at_most, [str(cost) for cost in seen.costs]) == (4, ["0.06 USD"])
    ask(harness, "find-email", items=[first], again=True, seen=2)
    harness.run()
    assert harness.statuses("find-email") == ["found"] * 3
    assert harness.states("find-other") == [("SKIPPED", None, None, "already_found")] * 3
    assert harness.calls("find-other") == []
    harness.sandbox.configure(miss=1)
    ask(harness, "find-email", items=[second], again=True)
    harness.run()
    assert harness.statuses("find-email") == ["found", "not_found", "found"]
    assert harness.statuses("find-other") == ["SKIPPED", "not_found", "SKIPPED"]
    assert [call["item_id"] for call in harness.calls("find-other")] == [second]
    assert plan(harness, "find-email", items=[second]).steps[0].left == {"not_found": 1}
