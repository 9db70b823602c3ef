"""A pipeline asks a person: the step waits for as long as they take, and nothing else waits with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.workflow_checks import check_workflow
from enrichment_assets.providers import PROVIDERS, build_providers
from enrichment_assets.services.batches.taking import take_in_callbacks
from enrichment_assets.services.review import asking
from enrichment_assets.store.batches.extracted import mark_extracted
from enrichment_assets.store.states.groups import outlooks
from enrichment_assets.store.states.waiting_batches import batches_to_resume
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, async_step, people, step
from tests.harness.handles import hq_of

ANSWER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["worth_a_call"],
    "properties": {
        "worth_a_call": {"type": "boolean"},
        "fit": {"type": "integer", "minimum": 1, "maximum": 10},
        "remark": {"type": "string"},
    },
}


def review(**fields: Any) -> WorkflowDefinition:
    """Somebody is asked about a lead."""
    values = {
        "slug": "review-lead",
        "title": "Look at the lead",
        "step": 2,
        "provider": "person",
        "review": {"question": "Worth a call?", "shows": ["first_name", "find"], "answer": ANSWER},
    }
    return WorkflowDefinition.model_validate({**values, **fields})


def take_in(batch: Launched) -> None:
    """One look of the daemon."""
    providers = build_providers(batch.sandbox.url)
    take_in_callbacks(hq_of(batch.settings), batch.settings, batch.key, providers, 30.0)


def wanted(batch: Launched, ago: str = "10 seconds") -> list[str]:
    """Why the sequencer would start a run, once the batch has waited for so long."""
    batch.change("update batches set waits_since = waits_since - %s::interval", ago)
    with hq_of(batch.settings).transaction() as connection:
        return [one.reason for one in batches_to_resume(connection)]


def extracted(batch: Launched) -> None:
    with hq_of(batch.settings).transaction() as connection:
        mark_extracted(connection, batch.key)


def test_a_lead_waits_for_a_person_and_goes_on_with_what_they_say(harness: BatchHarness) -> None:
    call = step("call", step=3, requires=["worth_a_call"], run_if="worth_a_call", uses=["remark"])
    batch = harness.launch(people(3), step("find"), review(), call)
    hq, items = hq_of(batch.settings), [row["item_id"] for row in batch.states("find")]
    batch.run()
    asked = batch.states("review-lead")
    assert [(row["status"], row["deadline_at"], row["next_poll_at"]) for row in asked] == [
        ("IN_PROGRESS", None, None)
    ] * 3
    calls = batch.calls("review-lead")
    assert [(c["state"], c["http_status"], c["cost"], c["token_expires_at"]) for c in calls] == [
        ("sent", 202, None, None)
    ] * 3
    assert batch.statuses("call") == {"PENDING": 3}
    # Nothing else is open: the tables are made now, and then nothing runs until somebody answers.
    (row,) = batch.rows("select finished_at, resume_at, waits_since is not null as waits from batches")
    assert row == {"finished_at": None, "resume_at": None, "waits": True}
    assert wanted(batch) == ["waits for people"]
    with hq.transaction() as connection:
        assert outlooks(connection, [batch.key])[batch.key].may_finish
    extracted(batch)
    assert wanted(batch, "0 seconds") == []

    shown = sorted(asking.list_questions(hq, batch=batch.key), key=lambda one: one.item_id)  # three answers at once
    assert [one.item_id for one in shown] == items
    assert shown[0].shows["first_name"] == "Ann1" and shown[0].shows["find"]
    wrong = (
        {"worth_a_call": "maybe"},
        {"fit": "3"},
        {"worth_a_call": "true", "fit": "11"},
        {"worth_a_call": "true", "x": "1"},
    )
    for given in wrong:
        with pytest.raises(ConfigurationError, match="not as asked"):
            asking.answer(hq, f"{items[0]}/review-lead", given, actor=TESTER)
    assert batch.inbox() == []
    asking.answer(hq, str(items[0]), {"worth_a_call": "true", "remark": "007"}, actor=TESTER)
    with pytest.raises(ConfigurationError, match="has an answer already"):
        asking.answer(hq, str(items[0]), {"worth_a_call": "false"}, actor=TESTER)
    asking.answer(hq, str(items[1]), {"worth_a_call": "false"}, actor=TESTER)
    # What is no answer, whoever sent it, is a dead letter; the person goes on being asked.
    for body in (b"{}", b"[1]", b"yes", b'{"worth_a_call": "yes"}'):
        batch.call_back(calls[2], body)
    take_in(batch)
    assert [(s["status"], s["outcome"]) for s in batch.states("review-lead")] == [
        ("COMPLETED", "found"),
        ("COMPLETED", "found"),
        ("IN_PROGRESS", None),
    ]
    assert [row["fields"] for row in batch.results() if row["workflow_slug"] == "review-lead"] == [
        {"worth_a_call": True, "remark": "007"},
        {"worth_a_call": False},
    ]
    assert sorted(row["status"] for row in batch.inbox()) == ["applied"] * 2 + ["dead"] * 4
    (action, _) = batch.rows(
        "select actor, name, after from operator_actions where action = 'review.answer' order by id"
    )
    assert (action["actor"], action["name"], set(action["after"])) == (
        "cli:tester",
        f"{items[0]}/review-lead",
        {"inbox_id"},
    )
    batch.run()
    assert [s["status"] for s in batch.states("call")] == ["COMPLETED", "SKIPPED", "PENDING"]
    assert batch.asked("call") == 1
    # Further tables come in groups: not before a minute, or before as long as the batch had been under way.
    assert wanted(batch, "0 seconds") == []
    batch.change("update batches set extracted_at = extracted_at - interval '2 minutes'")
    assert wanted(batch) == ["waits for people"]
    asking.answer(hq, str(items[2]), {"worth_a_call": "false"}, actor=TESTER)
    assert batch.run().finished
    (row,) = batch.rows("select finished_at is not null as finished, waits_since from batches")
    assert row == {"finished": True, "waits_since": None}
    with pytest.raises(NotFoundError, match="nobody is asked"):
        asking.answer(hq, str(items[2]), {"worth_a_call": "true"}, actor=TESTER)


def test_where_a_machine_is_waited_for_too_the_tables_wait(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), async_step("slow", deadline="2h"), review(review={
        "question": "Well?", "shows": ["first_name"], "answer": ANSWER}))  # fmt: skip
    batch.run()
    assert batch.statuses("slow") == batch.statuses("review-lead") == {"IN_PROGRESS": 1}
    assert batch.rows("select waits_since from batches") == [{"waits_since": None}]
    (call,) = batch.calls("slow")
    batch.call_back(call, {"found": True, "id": "answer-1"})
    take_in(batch)
    assert batch.rows("select waits_since is not null as waits from batches") == [{"waits": True}]
    assert wanted(batch, str(timedelta(seconds=10))) == ["waits for people"]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"provider": "http"}, "a `review` asks a person"),
        ({"review": None, "request": {"url": "/"}, "mode": "sync", "operation": "x"}, "a person is asked by `review`"),
        ({"mode": "sync"}, "a person answers later"),
        ({"poll": {"request": {"url": "/x"}}}, "a `review` stands alone: remove `poll`"),
    ],
)
def test_a_review_that_cannot_work_is_refused(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        review(**fields)


@pytest.mark.parametrize("answer", [{"type": "array"}, {"type": "object", "properties": {"a": {"type": "nothing"}}}])
def test_a_schema_of_no_answer_is_refused_when_the_workflow_is_saved(answer: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"review.answer"):
        check_workflow(review(review={"question": "?", "shows": ["first_name"], "answer": answer}), PROVIDERS)


def test_what_is_asked_orders_the_step_and_provides_the_answer() -> None:
    workflow = review()
    check_workflow(workflow, PROVIDERS, known={"first_name", "find"})
    assert workflow.uses == ["first_name", "find"]
    assert list(workflow.provides) == ["worth_a_call", "fit", "remark"]
    assert WorkflowDefinition.model_validate(workflow.model_dump(mode="json", by_alias=True)) == workflow
