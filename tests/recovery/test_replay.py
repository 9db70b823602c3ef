"""Stored answers read again with a mended mapping: rows change, the bill does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.batches.storing import store_results
from enrichment_assets.services.catalog import configuration
from enrichment_assets.services.operations.replaying import replay
from enrichment_assets.services.operations.retrying import retry
from enrichment_assets.store.database import connect
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.recovery.conftest import RegisteredBatch

BROKEN: dict[str, Any] = {"response": {"error_if": "found"}}
DESTINATION = {"table": "emails", "create": True, "columns": {"email": "fields.email", "title": "fields.title"}}


def stored(harness: RegisteredBatch) -> list[dict[str, Any]]:
    """Rows of the destination table, after storing what waits to be stored."""
    store_results(hq_of(harness.settings), harness.key)
    with connect(harness.settings.workspace_database_url or "") as workspace:
        return workspace.execute("select * from emails order by item_id").fetchall()


def test_answers_that_could_not_be_read_are_found_after_the_mapping_is_mended_without_a_call(
    harness: RegisteredBatch,
) -> None:
    harness.batch(harness.workflow("find-email", **BROKEN), harness.check_workflow())
    harness.run()
    assert {state[2] for state in harness.states("find-email")} == {"contract"}
    assert harness.statuses("check-email") == ["SKIPPED"] * 3
    billed, costs = harness.billed(), [c["cost"] for c in harness.calls("find-email")]

    harness.register(harness.workflow("find-email"))
    report = replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", actor=TESTER)
    assert (report.answers, report.found, report.recovered, report.changed, report.states) == (3, 3, 3, 3, 3)
    assert (report.reopened, report.new_mapping) == (3, True)
    assert [(one.before, one.after, one.fields["email"][0]) for one in report.examples] == [
        ("FAILED", "found", None)
    ] * 3
    assert report.launched is not None and report.current is not None
    assert (report.launched.response.error_if, report.current.response.error_if) == ("found", None)
    assert harness.billed() == billed, "no call was made"
    assert harness.states("find-email") == [("COMPLETED", "found", None, None)] * 3
    calls = harness.calls("find-email")
    assert [(c["state"], c["error_class"], c["cost"]) for c in calls] == [("applied", None, cost) for cost in costs]
    results = harness.rows("select * from enrichment_results where workflow_slug = 'find-email' order by item_id")
    assert all(r["fields"]["email"] == r["payload"]["person"]["email"] for r in results)
    assert [r["fetched_at"] for r in results] == [c["received_at"] for c in calls]
    assert len(harness.rows("select 1 from company_play_step_completions")) == 3

    harness.run()
    assert harness.statuses("check-email") == ["found"] * 3
    assert harness.batch_row()["finished_at"] is not None


def test_a_dry_run_says_the_same_and_writes_nothing(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email", **BROKEN))
    harness.run()
    harness.register(harness.workflow("find-email"))
    before = harness.rows("select * from workflow_states"), harness.calls("find-email"), harness.batch_row()
    report = replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", dry_run=True, actor=TESTER)
    assert (report.dry_run, report.found, report.recovered) == (True, 3, 3)
    assert (harness.rows("select * from workflow_states"), harness.calls("find-email"), harness.batch_row()) == before


def test_new_fields_reach_results_the_blueprint_and_the_destination(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email", destination=DESTINATION))
    harness.run()
    assert [row["title"] for row in stored(harness)] == [None] * 3
    billed = harness.billed()
    mapped = harness.workflow(
        "find-email", destination=DESTINATION, provides={"email": "person.email", "title": "person.title"}
    )
    harness.register(mapped)
    replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", actor=TESTER)
    blueprint = Blueprint.model_validate(harness.batch_row()["blueprint"])
    assert blueprint.step("find-email").workflow.provides == mapped.provides
    assert all(row["stored_at"] is None for row in harness.rows("select * from workflow_states"))
    results = harness.rows("select fields, payload from enrichment_results order by item_id")
    assert all(r["fields"]["title"] == r["payload"]["person"]["title"] for r in results)
    assert [row["title"] for row in stored(harness)] == [r["fields"]["title"] for r in results]
    assert harness.billed() == billed


def test_what_is_no_hit_any_more_leaves_the_destination(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email", destination=DESTINATION))
    harness.run()
    assert len(stored(harness)) == 3
    harness.register(
        harness.workflow("find-email", destination=DESTINATION, response={"found_if": "first_name == 'Ann'"})
    )
    report = replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", actor=TESTER)
    assert (report.found, report.not_found, report.removed) == (1, 2, 2)
    assert harness.statuses("find-email") == ["found", "not_found", "not_found"]
    assert len(stored(harness)) == 1


def test_a_worse_mapping_fails_what_it_cannot_read_and_a_better_one_brings_it_back(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email"))
    harness.run()
    before = harness.rows("select item_id, fields, payload from enrichment_results order by item_id")
    harness.register(harness.workflow("find-email", **BROKEN))
    assert replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", actor=TESTER).failed == 3
    assert {state[:3] for state in harness.states("find-email")} == {("FAILED", None, "contract")}
    assert harness.rows("select * from enrichment_results") == []
    assert harness.rows("select * from company_play_step_completions") == []
    harness.register(harness.workflow("find-email"))
    assert replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", actor=TESTER).recovered == 3
    assert harness.rows("select item_id, fields, payload from enrichment_results order by item_id") == before


def test_a_companys_answer_reaches_all_its_items_and_is_not_bought_again(harness: RegisteredBatch) -> None:
    harness.batch(harness.company_workflow("find-industry", **BROKEN))
    harness.run()
    assert len(harness.calls("find-industry")) == 2
    billed = harness.billed()
    harness.register(harness.company_workflow("find-industry"))
    report = replay(hq_of(harness.settings), harness.settings, harness.key, "find-industry", actor=TESTER)
    assert (report.answers, report.states) == (2, 3)
    assert harness.statuses("find-industry") == ["found"] * 3
    states = harness.rows("select call_id, result_id from workflow_states")
    assert len({s["result_id"] for s in states}) == len({s["call_id"] for s in states}) == 2
    # An item that comes to this step only now finds the company's answer under the key of the new version.
    harness.hq.execute(
        "update workflow_states set status = 'PENDING', outcome = null, call_id = null, result_id = null "
        "where item_id = (select max(s.item_id) from workflow_states s join provider_calls c on c.id = s.call_id "
        "and c.item_id <> s.item_id)"
    )
    harness.hq.commit()
    harness.run()
    assert harness.statuses("find-industry") == ["found"] * 3
    assert harness.billed() == billed
    assert len(harness.calls("find-industry")) == 2


def test_calls_keep_one_key_that_the_engine_finds_after_a_replay(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email", response={"error_if": "first_name == 'Bob'"}))
    harness.run()
    assert harness.statuses("find-email") == ["found", "FAILED", "found"]
    harness.register(
        harness.workflow(
            "find-email",
            response={"error_if": "first_name == 'Bob'"},
            provides={"email": "person.email", "title": "person.title"},
        )
    )
    replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", actor=TESTER)
    keys = {c["id"]: c["call_key"] for c in harness.calls("find-email")}
    retry(hq_of(harness.settings), harness.settings, harness.key, actor=TESTER)
    harness.run()
    assert {c["id"]: c["call_key"] for c in harness.calls("find-email")} == keys
    assert [c["attempt"] for c in harness.calls("find-email")] == [1, 2, 1]


def test_dead_callbacks_are_read_again_and_are_dead_no_more(harness: RegisteredBatch) -> None:
    def later(**fields: Any) -> Any:
        body = {"item_id": "{{ item.id }}", "callback_url": "{{ callback_url }}"}
        request = {"url": f"{harness.sandbox.url}/http/enrich", "body": body}
        return harness.workflow("find-later", mode="async", request=request, **fields)

    harness.batch(later(callback={"payload": "data", "error_if": "!data"}))
    harness.sandbox.configure(callback_drop=1)
    harness.run()
    for number, call in enumerate(harness.calls("find-later")):
        harness.deliver(call["callback_token"], {"person": {"email": f"p{number}@alpha.example"}})
    harness.run()
    assert {state[2] for state in harness.states("find-later")} == {"contract"}
    assert [r["status"] for r in harness.rows("select * from callback_inbox")] == ["dead"] * 3
    billed = harness.billed()
    harness.register(later())
    report = replay(hq_of(harness.settings), harness.settings, harness.key, "find-later", actor=TESTER)
    assert (report.found, report.recovered) == (3, 3)
    assert [r["fields"] for r in harness.rows("select * from enrichment_results order by item_id")] == [
        {"email": f"p{number}@alpha.example"} for number in range(3)
    ]
    assert [(r["status"], r["error"]) for r in harness.rows("select * from callback_inbox")] == [("applied", None)] * 3
    assert harness.billed() == billed


def test_a_mapping_that_asks_for_signatures_brings_the_name_of_its_secret_along(harness: RegisteredBatch) -> None:
    def later(**fields: Any) -> Any:
        body = {"item_id": "{{ item.id }}", "callback_url": "{{ callback_url }}"}
        request = {"url": f"{harness.sandbox.url}/http/enrich", "body": body}
        return harness.workflow("find-later", mode="async", request=request, **fields)

    harness.batch(later())
    harness.sandbox.configure(callback_drop=1)
    harness.run()
    harness.register(later(callback={"signature": "clay"}, secrets={"callback_secret": "ACME_SIGNS"}))
    assert replay(hq_of(harness.settings), harness.settings, harness.key, "find-later", actor=TESTER).new_mapping
    workflow = Blueprint.model_validate(harness.batch_row()["blueprint"]).step("find-later").workflow
    assert workflow.secrets == {"callback_secret": "ACME_SIGNS"}


def test_error_statuses_and_a_persons_decision_stay_as_they_are(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email"))
    harness.sandbox.configure(errors=1, error_status=[500])
    harness.run()
    harness.register(harness.workflow("find-email", provides={"email": "person.name"}))
    report = replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", actor=TESTER)
    assert (report.answers, report.states) == (0, 0)
    assert harness.statuses("find-email") == ["FAILED"] * 3


def test_the_clients_own_configuration_is_part_of_the_mapping(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email"))
    harness.run()
    configuration.set_client_config(
        hq_of(harness.settings),
        harness.settings,
        "acme",
        "find-email",
        set_values={"provides": {"full_name": "person.name"}},
        actor=TESTER,
    )
    replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", actor=TESTER)
    results = harness.rows("select fields, payload from enrichment_results")
    assert all(r["fields"] == {"full_name": r["payload"]["person"]["name"]} for r in results)


def test_a_batch_that_a_run_works_on_is_not_replayed_and_a_dead_run_does_not_hinder(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email", **BROKEN))
    harness.run()
    harness.register(harness.workflow("find-email"))
    start_runner(harness, "1 hour")
    with pytest.raises(ConfigurationError, match=r"a run works on batch acme-batch \(somewhere:1\)"):
        replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", actor=TESTER)
    assert harness.statuses("find-email") == ["FAILED"] * 3
    assert (
        replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", dry_run=True, actor=TESTER).found
        == 3
    )
    harness.hq.execute("update runners set expires_at = now() - interval '1 second' where ended_at is null")
    harness.hq.commit()
    assert replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", actor=TESTER).found == 3
    assert harness.rows("select 1 from runners where ended_at is null") == []


def start_runner(harness: RegisteredBatch, lease: str) -> None:
    harness.hq.execute(
        "insert into runners (batch_id, label, expires_at) select id, 'somewhere:1', now() + %s::interval from batches",
        (lease,),
    )
    harness.hq.commit()


def test_no_run_can_start_while_a_replay_holds_the_batch(harness: RegisteredBatch) -> None:
    from enrichment_assets.store.states.recovery import lock_batch

    harness.batch(harness.workflow("find-email"))
    with connect(harness.settings.hq_database_url or "") as replaying:
        assert lock_batch(replaying, harness.key, against_runs=True) is not None
        harness.hq.execute("set lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            start_runner(harness, "1 hour")
        harness.hq.rollback()


def test_an_open_call_whose_key_the_provider_knows_stops_a_new_mapping(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email", idempotency_header="idempotency-key"))
    harness.sandbox.configure(quota=0)
    harness.run()
    harness.register(
        harness.workflow("find-email", idempotency_header="idempotency-key", provides={"e": "person.email"})
    )
    with pytest.raises(ConfigurationError, match="have no end yet"):
        replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", actor=TESTER)
    harness.sandbox.configure(quota=None)
    retry(hq_of(harness.settings), harness.settings, harness.key, actor=TESTER)
    harness.run()
    assert replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", actor=TESTER).changed == 3


def test_what_cannot_be_replayed_is_refused_by_name(harness: RegisteredBatch) -> None:
    local = harness.workflow("tidy", provider="local", operation="normalise_name", mode="local", request=None)
    harness.batch(local, harness.workflow("find-email"))
    with pytest.raises(ConfigurationError, match="tidy is computed here"):
        replay(hq_of(harness.settings), harness.settings, harness.key, "tidy", actor=TESTER)
    with pytest.raises(NotFoundError, match="no workflow 'find-phone'"):
        replay(hq_of(harness.settings), harness.settings, harness.key, "find-phone", actor=TESTER)
    with pytest.raises(NotFoundError, match="no batch 'nowhere'"):
        replay(hq_of(harness.settings), harness.settings, "nowhere", "find-email", actor=TESTER)


def test_the_command_says_what_it_read_and_what_comes_next(
    harness: RegisteredBatch, enrich: Callable[..., tuple[int, str]]
) -> None:
    harness.batch(harness.workflow("find-email", **BROKEN))
    harness.run()
    harness.register(harness.workflow("find-email"))
    code, text = enrich("replay", harness.key, "-w", "find-email", "--dry-run")
    assert (code, "3 stored answer(s) would be read again: 3 found" in text) == (0, True), text
    code, text = enrich("replay", harness.key, "-w", "find-email", "--json")
    assert code == 0, text
    assert (json.loads(text)["recovered"], f"enrich run {harness.key}" in json.loads(text)["next"]["text"]) == (3, True)


def test_a_member_of_a_bulk_call_is_read_again_from_its_part_of_the_answer_that_all_share(
    harness: RegisteredBatch,
) -> None:
    def workflow(found: str) -> WorkflowDefinition:
        return harness.workflow(
            "find-email",
            request={"url": f"{harness.sandbox.url}/http/enrich-many", "body": {"rows": "{{ members }}"}},
            bulk={
                "at_most": 10,
                "member": {"item_id": "{{ item.id }}", "first_name": "{{ first_name }}", "company": "Alpha"},
                "answers": "results",
                "match": {"sent": "item_id", "answered": "item_id"},
            },
            provides={"email": found},
        )

    harness.batch(workflow("person.emial"))
    harness.run()
    assert harness.states("find-email")[0][:2] == ("COMPLETED", "not_found")
    assert len(harness.there.bulk_calls()) == 1
    harness.register(workflow("person.email"))
    report = replay(hq_of(harness.settings), harness.settings, harness.key, "find-email", actor=TESTER)
    assert (report.answers, report.found) == (3, 3)
    results = harness.rows("select * from enrichment_results order by item_id")
    assert [r["fields"]["email"] for r in results] == [r["payload"]["person"]["email"] for r in results]
    assert [r["payload"]["item_id"] for r in results] == [r["item_id"] for r in results]
