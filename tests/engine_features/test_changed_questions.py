"""What a step asks changes in the middle of a batch (another merge rule, a correction): nothing is paid again, and no
answer is filed under a question that it was not given to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from enrichment_assets.assets.instance import InstancePartitions
from enrichment_assets.domain.merging import RULE
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.run.advance import EngineOptions
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.advancing import advance_batch
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.batches.replacing import launch_instead
from enrichment_assets.services.catalog.configuration import (
    add_client,
    add_pipeline,
    add_workflow,
    pipeline_from_steps,
)
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.services.operations.recovery import resolve
from enrichment_assets.services.operations.replaying import replay
from enrichment_assets.services.operations.retrying import retry
from enrichment_assets.services.uploads.upload import upload_file
from tests.actors import TESTER
from tests.engine.hostile_server import Answers, answering
from tests.engine_features.test_pilots_and_replacements import Desk, say_where
from tests.harness.batches import RECEIVER, BatchHarness, Launched, async_step, people, step
from tests.harness.handles import hq_of


def find(**fields: Any) -> WorkflowDefinition:
    """A billed step whose answers may be reused, of a provider that takes repetitions by their key."""
    return step("find", **{"reuse_for": "1d", "idempotency_header": "idempotency-key", **fields})


def correct_all(batch: Launched) -> None:
    """Every request is another one from now on: what a new merge rule does to a batch that is under way."""
    for row in batch.rows("select id, first_name from batch_items where batch_id = %s", batch.batch_id):
        edit_lead(
            hq_of(batch.settings),
            batch.settings,
            batch.key,
            row["id"],
            "first_name",
            f"{row['first_name']}bel",
            by="ada",
            actor=TESTER,
        )


def left_behind(batch: Launched, row_number: int, call: str) -> None:
    """One item's step as a run leaves it that dies; `call`: what is set in its ledger row."""
    item = batch.state("find", row_number)["item_id"]
    batch.change(f"update provider_calls set {call} where item_id = %s and workflow_slug = 'find'", item)
    batch.change(
        "update workflow_states set status = 'PENDING', outcome = null, result_id = null, cost = 0 "
        "where item_id = %s and workflow_slug = 'find'",
        item,
    )
    batch.change("delete from enrichment_results where item_id = %s and workflow_slug = 'find'", item)


UNANSWERED = "response_body = null, received_at = null, cost = null"


def test_a_question_that_changes_under_way_is_not_paid_again_and_keeps_its_answers(harness: BatchHarness) -> None:
    slow = async_step("slow", reuse_for="1d")
    batch = harness.launch(people(6), find(), slow)
    batch.run()
    assert batch.asked("find") == batch.billed("find") == 6
    asked = {call["item_id"]: call for call in batch.calls("find")}
    left_behind(batch, 2, "state = 'received', cost = null")
    left_behind(batch, 3, f"state = 'intent', {UNANSWERED}, http_status = null")
    left_behind(batch, 4, f"state = 'ready', error_class = 'retryable', {UNANSWERED}, http_status = null")
    left_behind(batch, 5, f"state = 'ready', error_class = 'retryable', {UNANSWERED}, http_status = 429")
    left_behind(batch, 6, "state = 'ready'")
    batch.change("delete from provider_calls where id = %s", asked[batch.state("find", 6)["item_id"]]["id"])
    correct_all(batch)
    for call in batch.calls("slow"):
        batch.call_back(call, {"found": True, "id": "slow-1"})
    batch.run()

    assert [(s["status"], s["error_class"], s["cost"]) for s in batch.states("find")] == [
        ("COMPLETED", None, Decimal("0.01")),
        ("COMPLETED", None, Decimal("0.01")),
        ("AMBIGUOUS", "ambiguous", Decimal(0)),
        ("FAILED", "ambiguous", Decimal("0.01")),
        ("COMPLETED", None, Decimal("0.01")),
        ("COMPLETED", None, Decimal("0.01")),
    ]
    assert batch.asked("find") == 8, "only who came too early, and who was not asked, is asked what is right now"
    twice = {charge["subject"] for charge in harness.sandbox.billing()["double_charges"]}
    assert twice == {f"id={batch.state('find', row)['item_id']}" for row in (5, 6)}, "for which nothing was done before"
    assert batch.statuses("slow") == {"COMPLETED": 6}, "a callback finds its call, whatever would be asked now"
    assert len(batch.calls("slow")) == batch.asked("slow") == 6
    for call in batch.calls("find"):
        before = asked[call["item_id"]]
        assert call["id"] != before["id"] or call["question_hash"] == before["question_hash"]
    assert len({call["question_hash"] for call in batch.calls("find")}) == 7

    same = harness.launch(people(6), find(), slow)  # the questions as they were before
    same.run()
    taken = {s["row_number"]: s for s in same.states("find")}
    assert [n for n, s in taken.items() if (s["reason"] or "").startswith("reused")] == [1, 2]
    assert same.statuses("slow") == {"COMPLETED": 6}
    assert same.asked("slow") == 6, "what was submitted before the change answers what was asked then"
    for row, origin in ((1, 1), (2, 2)):
        call = next(c for c in same.calls("find") if c["id"] == taken[row]["call_id"])
        assert call["reused_from"] == asked[batch.state("find", origin)["item_id"]]["id"]


def test_a_person_decides_about_a_call_whose_question_changed_and_is_asked_once(harness: BatchHarness) -> None:
    batch = harness.launch(people(2), find())
    batch.run()
    left_behind(batch, 1, f"state = 'intent', {UNANSWERED}, http_status = null")
    left_behind(batch, 2, f"state = 'ready', error_class = 'retryable', {UNANSWERED}, http_status = null")
    correct_all(batch)
    batch.run()
    batch.run()
    assert batch.statuses() == {"AMBIGUOUS": 1, "FAILED": 1}
    assert batch.asked("find") == 2
    resolve(hq_of(batch.settings), batch.key, "retry", actor=TESTER)
    retry(hq_of(batch.settings), batch.settings, batch.key, actor=TESTER)
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 2}
    assert batch.asked("find") == 4
    assert [s["cost"] for s in batch.states()] == [Decimal("0.01"), Decimal("0.02")], "what may be paid stays booked"


def test_without_keys_a_call_that_was_refused_is_asked_as_it_is_right_now(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), step("find", reuse_for="1d"))
    batch.run()
    left_behind(batch, 1, f"state = 'ready', error_class = 'retryable', {UNANSWERED}, http_status = null")
    correct_all(batch)
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 1}


# Two steps: the first one's answer spells the company in its own way. Before there was one rule the second was asked
# about `Alder Incorporated`, the latest spelling; the rule of final_leads takes the uploaded one.
FIRM = b'{"found": true, "id": "firm-1", "company_name": "Alder Incorporated"}'
BODY = {"company": "{{company_name}}", "first_name": "{{first_name}}"}


@pytest.fixture
def desk(harness: BatchHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    settings = replace(harness.settings, sandbox_url=None)  # the provider is the one of the test
    say_where(monkeypatch, settings)
    add_client(hq_of(settings), "acme", actor=TESTER)
    path = tmp_path / "people.csv"
    path.write_text("First Name,Company\nAnn,Alder\nBen,Alder Incorporated\n")
    return Desk(harness, settings, upload_file(hq_of(settings), settings, path, "acme", actor=TESTER).upload_id)


def match(provider: Answers, **provides: str) -> WorkflowDefinition:
    request = {"url": f"{provider.url}/match", "body": {"first_name": "{{first_name}}"}}
    return step("match", request=request, provides={"company_name": "company_name", **provides})


def run(desk: Desk, key: str) -> Launched:
    """The batch after a run that calls the test's own provider."""
    create_items(hq_of(desk.settings), desk.settings, key)
    advance_batch(
        hq_of(desk.settings), desk.settings, key, build_providers(None), options=EngineOptions(RECEIVER, None)
    )
    return desk.batch(key)


def replaced(desk: Desk, provider: Answers, before: Callable[[Launched, Answers], None]) -> Launched:
    """A batch that ran, in which something was so when another one replaces it; the other one, after its run."""
    provider.bodies["/match"] = FIRM
    score = step("score", request={"url": f"{provider.url}/score", "body": BODY}, uses=["company_name"])
    for workflow in (match(provider), score):
        add_workflow(hq_of(desk.settings), desk.settings, workflow, actor=TESTER)
    add_pipeline(hq_of(desk.settings), pipeline_from_steps("mine", "match,score"), "acme", actor=TESTER)
    first = launch(hq_of(desk.settings), desk.settings, desk.upload, "mine", add_partition=lambda _: None, actor=TESTER)
    old = run(desk, first.batch_key)
    assert provider.asked == {"/match": 2, "/score": 2}
    assert {call["merge_rule"] for call in old.calls()} == {RULE}
    before(old, provider)
    done = launch_instead(
        hq_of(desk.settings),
        desk.settings,
        first.batch_key,
        desk.upload,
        "mine",
        partitions=InstancePartitions(desk.settings),
        actor=TESTER,
    )
    new = run(desk, done.launched.batch_key)
    assert new.statuses() == {"COMPLETED": 4}
    return new


def test_a_batch_that_replaces_another_takes_what_the_same_rule_asked(desk: Desk) -> None:
    with answering() as provider:
        new = replaced(desk, provider, lambda *_: None)
        assert provider.asked == {"/match": 2, "/score": 2}
    assert len([call for call in new.calls() if call["reused_from"]]) == 4


def by_the_earlier_rule(old: Launched, _: Answers) -> None:
    old.change("update provider_calls set merge_rule = null where batch_id = %s", old.batch_id)


def read_again(old: Launched, provider: Answers) -> None:
    """The first step's answer is read otherwise now: what the second was asked is not known any more."""
    add_workflow(hq_of(old.settings), old.settings, match(provider, industry="id"), actor=TESTER)
    assert replay(hq_of(old.settings), old.settings, old.key, "match", actor=TESTER).changed == 2


def test_what_an_earlier_rule_may_have_asked_otherwise_is_nobodys_answer(desk: Desk) -> None:
    """Ann's company was spelled in two ways: nobody knows which the step was asked about. Ben's in one."""
    with answering() as provider:
        new = replaced(desk, provider, by_the_earlier_rule)
        assert provider.asked == {"/match": 2, "/score": 3}
    assert [bool(call["reused_from"]) for call in new.calls("score")] == [False, True]


def test_an_answer_that_was_read_again_since_leaves_later_questions_unknown(desk: Desk) -> None:
    with answering() as provider:
        replaced(desk, provider, read_again)
        assert provider.asked["/score"] == 4
