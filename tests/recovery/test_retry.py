"""Retrying: what failed goes back in line under its own key, with all that hung on it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.operations.recovery import retry
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.recovery.conftest import World


def test_a_retry_takes_the_same_ledger_rows_over_and_nothing_found_is_called_again(world: World) -> None:
    world.batch(world.workflow("find-email"), world.workflow("find-other", provides={"other": "person.title"}))
    world.sandbox.configure(errors=1, error_status=[503])
    world.run()
    assert world.statuses("find-email") == ["FAILED"] * 3
    before = world.calls("find-email")
    assert [call["state"] for call in before] == ["failed"] * 3

    report = retry(hq_of(world.settings), world.settings, world.key, workflow="find-email", actor=TESTER)
    assert (report.retried, report.calls, report.resumed) == ({"find-email": 3}, 3, True)
    assert [call["state"] for call in world.calls("find-email")] == ["ready"] * 3
    assert world.states("find-email") == [("PENDING", None, None, None)] * 3
    assert world.statuses("find-other") == ["FAILED"] * 3

    world.sandbox.configure(errors=0)
    world.sandbox.reset()
    world.run()
    after = world.calls("find-email")
    assert [(c["id"], c["call_key"], c["attempt"], c["state"]) for c in after] == [
        (c["id"], c["call_key"], 2, "applied") for c in before
    ]
    assert world.statuses("find-email") == ["found"] * 3
    assert world.billed() == (3, 3)
    assert world.sandbox.billing()["double_charges"] == []

    assert retry(hq_of(world.settings), world.settings, world.key, workflow="find-email", actor=TESTER).retried == {}
    world.run()
    assert world.billed() == (3, 3)


def test_only_failures_of_the_named_class_are_retried(world: World) -> None:
    world.batch(
        world.workflow("find-email", response={"error_if": "found"}),
        world.workflow("find-other", request={"url": f"{world.sandbox.url}/http/enrich", "body": {"bytes": "many"}}),
        world.workflow("gone", request={"url": f"{world.sandbox.url}/http/no-such-path"}),
    )
    world.run()
    assert {state[2] for state in world.states("find-email")} == {"contract"}
    assert {state[0] for state in world.states("find-other")} == {"SKIPPED"}
    assert retry(hq_of(world.settings), world.settings, world.key, error_class="retryable", actor=TESTER).retried == {}
    finished = world.batch_row()["finished_at"]
    assert finished is not None, "a retry that finds nothing does not wake a finished batch"
    report = retry(
        hq_of(world.settings), world.settings, world.key, error_class="contract", workflow="find-email", actor=TESTER
    )
    assert report.retried == {"find-email": 3}
    assert world.batch_row()["finished_at"] is None
    assert world.batch_row()["resume_at"] is not None
    assert {state[0] for state in world.states("find-other")} == {"SKIPPED"}


def test_items_of_a_company_go_back_together_and_ask_once(world: World) -> None:
    world.batch(world.company_workflow("find-industry"))
    world.sandbox.configure(errors=1, error_status=[500])
    world.run()
    assert world.statuses("find-industry") == ["FAILED"] * 3
    assert len(world.calls("find-industry")) == 2
    report = retry(hq_of(world.settings), world.settings, world.key, actor=TESTER)
    assert (report.retried, report.calls) == ({"find-industry": 3}, 2)
    world.sandbox.configure(errors=0)
    world.sandbox.reset()
    world.run()
    assert world.statuses("find-industry") == ["found"] * 3
    assert world.billed() == (2, 2)
    assert len(world.calls("find-industry")) == 2


def test_steps_skipped_for_want_of_a_failed_answer_run_after_the_retry(world: World) -> None:
    nothing = {"url": f"{world.sandbox.url}/http/echo", "body": {"item_id": "{{ item.id }}"}}
    world.batch(
        world.workflow("find-email"),
        world.check_workflow(),
        world.check_workflow("greet", step=30, requires=["checked"], provides={"greeted": "json.email"}),
        world.check_workflow("apart", step=40, requires=["phone"], provides={"apart": "json.email"}, request=nothing),
    )
    world.sandbox.configure(errors=1, error_status=[500])
    world.run()
    skipped = ("SKIPPED", None, None, "missing_input")
    assert world.states("check-email") == world.states("greet") == world.states("apart") == [skipped] * 3
    report = retry(hq_of(world.settings), world.settings, world.key, workflow="find-email", actor=TESTER)
    assert report.reopened == 6, "directly and indirectly dependent steps, and no other"
    assert world.states("apart") == [skipped] * 3
    world.sandbox.configure(errors=0)
    assert world.run().finished
    assert world.statuses("check-email") == world.statuses("greet") == ["found"] * 3


def test_a_retry_lifts_the_pause_of_the_batchs_providers_only(world: World) -> None:
    world.batch(world.workflow("find-email"))
    world.sandbox.configure(quota=0)
    report = world.run()
    assert "find-email" in report.stopped
    assert world.statuses("find-email") == ["PENDING"] * 3
    world.hq.execute(
        "insert into rate_limits (limit_key, next_at, paused_until) values ('httpx:1', now(), now() + interval '1 h')"
    )
    world.hq.commit()
    world.sandbox.configure(quota=None)
    assert "find-email" in world.run().stopped, "still resting"
    lifted = retry(hq_of(world.settings), world.settings, world.key, actor=TESTER)
    assert (lifted.retried, lifted.pauses_lifted, lifted.resumed) == ({}, 1, True)
    assert [r["limit_key"] for r in world.rows("select * from rate_limits where paused_until > now()")] == ["httpx:1"]
    assert world.run().stopped == {}
    assert world.statuses("find-email") == ["found"] * 3


def test_a_retry_is_written_into_the_log(world: World) -> None:
    world.batch(world.workflow("find-email"))
    world.sandbox.configure(errors=1)
    world.run()
    retry(hq_of(world.settings), world.settings, world.key, actor=TESTER)
    last = world.rows("select * from enrichment_results_log order by id desc limit 3")
    assert {(r["status"], r["message"], r["provider"]) for r in last} == {("PENDING", "retried by a person", "http")}


def test_another_clients_and_another_batchs_failures_stay(world: World) -> None:
    world.batch(world.workflow("find-email"), key="first")
    world.sandbox.configure(errors=1)
    world.run()
    world.batch(world.workflow("find-email"), csv=PEOPLE_AGAIN, key="second")
    world.run()
    retry(hq_of(world.settings), world.settings, "second", actor=TESTER)
    counts = world.rows(
        "select b.batch_key, s.status, count(*) as n from workflow_states s join batches b on b.id = s.batch_id "
        "group by 1, 2 order by 1"
    )
    assert [tuple(r.values()) for r in counts] == [("first", "FAILED", 3), ("second", "PENDING", 1)]


PEOPLE_AGAIN = "First Name,Last Name\nEve,East\n"


def test_what_cannot_be_meant_is_refused_by_name(world: World) -> None:
    world.batch(world.workflow("find-email"))
    with pytest.raises(NotFoundError, match="no batch 'nowhere'"):
        retry(hq_of(world.settings), world.settings, "nowhere", actor=TESTER)
    with pytest.raises(NotFoundError, match=r"no workflow 'find-phone'.*find-email"):
        retry(hq_of(world.settings), world.settings, world.key, workflow="find-phone", actor=TESTER)
    with pytest.raises(ConfigurationError, match=r"error class 'bad'.*contract"):
        retry(hq_of(world.settings), world.settings, world.key, error_class="bad", actor=TESTER)


def test_the_command_reports_and_says_what_to_do_next(world: World, enrich: Callable[..., tuple[int, str]]) -> None:
    world.batch(world.workflow("find-email"))
    world.sandbox.configure(errors=1)
    world.run()
    code, text = enrich("retry", world.key, "--json")
    assert code == 0, text
    said = json.loads(text)
    assert said["retried"] == {"find-email": 3}
    assert f"enrich run {world.key}" in said["next"]["text"]
    code, text = enrich("retry", world.key, "--class", "nonsense")
    assert (code, text.startswith("enrich: there is no error class")) == (1, True)
