"""Retrying: what failed goes back in line under its own key, with all that hung on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.operations.retrying import retry
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.recovery.conftest import RegisteredBatch


def test_a_retry_takes_the_same_ledger_rows_over_and_nothing_found_is_called_again(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email"), harness.workflow("find-other", provides={"other": "person.title"}))
    harness.sandbox.configure(errors=1, error_status=[503])
    harness.run()
    assert harness.statuses("find-email") == ["FAILED"] * 3
    before = harness.calls("find-email")
    assert [call["state"] for call in before] == ["failed"] * 3

    report = retry(hq_of(harness.settings), harness.settings, harness.key, workflow="find-email", actor=TESTER)
    assert (report.retried, report.calls, report.resumed) == ({"find-email": 3}, 3, True)
    assert [call["state"] for call in harness.calls("find-email")] == ["ready"] * 3
    assert harness.states("find-email") == [("PENDING", None, None, None)] * 3
    assert harness.statuses("find-other") == ["FAILED"] * 3

    harness.sandbox.configure(errors=0)
    harness.sandbox.reset()
    harness.run()
    after = harness.calls("find-email")
    assert [(c["id"], c["call_key"], c["attempt"], c["state"]) for c in after] == [
        (c["id"], c["call_key"], 2, "applied") for c in before
    ]
    assert harness.statuses("find-email") == ["found"] * 3
    assert harness.billed() == (3, 3)
    assert harness.sandbox.billing()["double_charges"] == []

    assert (
        retry(hq_of(harness.settings), harness.settings, harness.key, workflow="find-email", actor=TESTER).retried == {}
    )
    harness.run()
    assert harness.billed() == (3, 3)


def test_only_failures_of_the_named_class_are_retried(harness: RegisteredBatch) -> None:
    harness.batch(
        harness.workflow("find-email", response={"error_if": "found"}),
        harness.workflow(
            "find-other", request={"url": f"{harness.sandbox.url}/http/enrich", "body": {"bytes": "many"}}
        ),
        harness.workflow("gone", request={"url": f"{harness.sandbox.url}/http/no-such-path"}),
    )
    harness.run()
    assert {state[2] for state in harness.states("find-email")} == {"contract"}
    assert {state[0] for state in harness.states("find-other")} == {"SKIPPED"}
    assert (
        retry(hq_of(harness.settings), harness.settings, harness.key, error_class="retryable", actor=TESTER).retried
        == {}
    )
    finished = harness.batch_row()["finished_at"]
    assert finished is not None, "a retry that finds nothing does not wake a finished batch"
    report = retry(
        hq_of(harness.settings),
        harness.settings,
        harness.key,
        error_class="contract",
        workflow="find-email",
        actor=TESTER,
    )
    assert report.retried == {"find-email": 3}
    assert harness.batch_row()["finished_at"] is None
    assert harness.batch_row()["resume_at"] is not None
    assert {state[0] for state in harness.states("find-other")} == {"SKIPPED"}


def test_items_of_a_company_go_back_together_and_ask_once(harness: RegisteredBatch) -> None:
    harness.batch(harness.company_workflow("find-industry"))
    harness.sandbox.configure(errors=1, error_status=[500])
    harness.run()
    assert harness.statuses("find-industry") == ["FAILED"] * 3
    assert len(harness.calls("find-industry")) == 2
    report = retry(hq_of(harness.settings), harness.settings, harness.key, actor=TESTER)
    assert (report.retried, report.calls) == ({"find-industry": 3}, 2)
    harness.sandbox.configure(errors=0)
    harness.sandbox.reset()
    harness.run()
    assert harness.statuses("find-industry") == ["found"] * 3
    assert harness.billed() == (2, 2)
    assert len(harness.calls("find-industry")) == 2


def test_steps_skipped_for_want_of_a_failed_answer_run_after_the_retry(harness: RegisteredBatch) -> None:
    nothing = {"url": f"{harness.sandbox.url}/http/echo", "body": {"item_id": "{{ item.id }}"}}
    harness.batch(
        harness.workflow("find-email"),
        harness.check_workflow(),
        harness.check_workflow("greet", step=30, requires=["checked"], provides={"greeted": "json.email"}),
        harness.check_workflow("apart", step=40, requires=["phone"], provides={"apart": "json.email"}, request=nothing),
    )
    harness.sandbox.configure(errors=1, error_status=[500])
    harness.run()
    skipped = ("SKIPPED", None, None, "missing_input")
    assert harness.states("check-email") == harness.states("greet") == harness.states("apart") == [skipped] * 3
    report = retry(hq_of(harness.settings), harness.settings, harness.key, workflow="find-email", actor=TESTER)
    assert report.reopened == 6, "directly and indirectly dependent steps, and no other"
    assert harness.states("apart") == [skipped] * 3
    harness.sandbox.configure(errors=0)
    assert harness.run().finished
    assert harness.statuses("check-email") == harness.statuses("greet") == ["found"] * 3


def test_a_retry_lifts_the_pause_of_the_batchs_providers_only(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email"))
    harness.sandbox.configure(quota=0)
    report = harness.run()
    assert "find-email" in report.stopped
    assert harness.statuses("find-email") == ["PENDING"] * 3
    harness.hq.execute(
        "insert into rate_limits (limit_key, next_at, paused_until) values ('httpx:1', now(), now() + interval '1 h')"
    )
    harness.hq.commit()
    harness.sandbox.configure(quota=None)
    assert "find-email" in harness.run().stopped, "still resting"
    lifted = retry(hq_of(harness.settings), harness.settings, harness.key, actor=TESTER)
    assert (lifted.retried, lifted.pauses_lifted, lifted.resumed) == ({}, 1, True)
    assert [r["limit_key"] for r in harness.rows("select * from rate_limits where paused_until > now()")] == ["httpx:1"]
    assert harness.run().stopped == {}
    assert harness.statuses("find-email") == ["found"] * 3


def test_a_dry_run_says_what_a_retry_by_all_its_filters_would_do_and_changes_nothing(
    harness: RegisteredBatch, enrich: Callable[..., tuple[int, str]]
) -> None:
    key = harness.batch(harness.workflow("find-email"), harness.workflow("find-other", provides={"other": "x"}))
    harness.sandbox.configure(errors=1, error_status=[503])
    harness.run()
    harness.sandbox.configure(errors=0)
    filters = ("--workflow", "find-email", "--class", "retryable", "--provider", "http", "--since", "2026-01-01")
    rows = ("workflow_states", "provider_calls", "batches", "operator_actions", "step_stops", "enrichment_results_log")

    def kept() -> list[list[dict[str, Any]]]:
        return [harness.rows(f"select t.* from {table} t order by 1, 2") for table in rows]

    before = kept()
    code, text = enrich("retry", key, *filters, "--dry-run")
    assert (code, text.splitlines()[0]) == (0, "find-email: 3 failed item(s) will be tried again")
    assert text.endswith("nothing was changed: without --dry-run it is\n") and "find-other: 3" not in text
    assert kept() == before
    foreseen = json.loads(enrich("retry", key, *filters, "--dry-run", "--json")[1])
    done = json.loads(enrich("retry", key, *filters, "--json")[1])
    assert foreseen == done and done["retried"] == {"find-email": 3}
    assert harness.statuses("find-other") == ["FAILED"] * 3


def test_a_retry_is_written_into_the_log(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email"))
    harness.sandbox.configure(errors=1)
    harness.run()
    retry(hq_of(harness.settings), harness.settings, harness.key, actor=TESTER)
    last = harness.rows("select * from enrichment_results_log order by id desc limit 3")
    assert {(r["status"], r["message"], r["provider"]) for r in last} == {("PENDING", "retried by a person", "http")}


def test_another_clients_and_another_batchs_failures_stay(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email"), key="first")
    harness.sandbox.configure(errors=1)
    harness.run()
    harness.batch(harness.workflow("find-email"), csv=PEOPLE_AGAIN, key="second")
    harness.run()
    retry(hq_of(harness.settings), harness.settings, "second", actor=TESTER)
    counts = harness.rows(
        "select b.batch_key, s.status, count(*) as n from workflow_states s join batches b on b.id = s.batch_id "
        "group by 1, 2 order by 1"
    )
    assert [tuple(r.values()) for r in counts] == [("first", "FAILED", 3), ("second", "PENDING", 1)]


PEOPLE_AGAIN = "First Name,Last Name\nEve,East\n"


def test_what_cannot_be_meant_is_refused_by_name(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email"))
    with pytest.raises(NotFoundError, match="no batch 'nowhere'"):
        retry(hq_of(harness.settings), harness.settings, "nowhere", actor=TESTER)
    with pytest.raises(NotFoundError, match=r"no workflow 'find-phone'.*find-email"):
        retry(hq_of(harness.settings), harness.settings, harness.key, workflow="find-phone", actor=TESTER)
    with pytest.raises(ConfigurationError, match=r"error class 'bad'.*contract"):
        retry(hq_of(harness.settings), harness.settings, harness.key, error_class="bad", actor=TESTER)


def test_the_command_reports_and_says_what_to_do_next(
    harness: RegisteredBatch, enrich: Callable[..., tuple[int, str]]
) -> None:
    harness.batch(harness.workflow("find-email"))
    harness.sandbox.configure(errors=1)
    harness.run()
    code, text = enrich("retry", harness.key, "--json")
    assert code == 0, text
    said = json.loads(text)
    assert said["retried"] == {"find-email": 3}
    assert f"enrich run {harness.key}" in said["next"]["text"]
    code, text = enrich("retry", harness.key, "--class", "nonsense")
    assert (code, text.startswith("enrich: there is no error class")) == (1, True)
