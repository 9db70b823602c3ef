"""Budgets by hand: exact, checked; a batch without money pauses, and money that is added lets it go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.catalog import configuration
from enrichment_assets.services.operations.budgeting import list_budgets, remove_budget, set_budget
from enrichment_assets.services.operations.history import list_history
from enrichment_assets.services.operations.holding import pause, resume
from enrichment_assets.store.states.waiting_batches import batches_to_resume
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, people, step
from tests.harness.handles import hq_of
from tests.recovery.conftest import RegisteredBatch


@pytest.fixture
def launcher(harness: RegisteredBatch) -> BatchHarness:
    return BatchHarness(harness.settings, harness.hq, harness.sandbox, harness.folder)


@pytest.fixture
def poor(harness: RegisteredBatch) -> RegisteredBatch:
    """A batch of three whose client can pay for one call."""
    set_budget(hq_of(harness.settings), "acme", "0.01", actor=TESTER)
    harness.batch(harness.workflow("find-email", limits={"concurrency": 1}), harness.check_workflow())
    harness.run()
    assert sorted(harness.statuses("find-email")) == ["PENDING", "PENDING", "found"]
    assert harness.batch_row()["finished_at"] is None
    return harness


def held(batch: RegisteredBatch) -> dict[str, str]:
    """Workflow slug, or `*` -> why it is paused for want of money."""
    return {name: hold["reason"] for name, hold in batch.batch_row()["holds"].items() if hold["actor"] == BUDGET}


BUDGET = "dagster:budget"
WHY = (
    "a call of find-email takes 0.01 USD, and of the client's budget of 0.01 USD 0.01 USD is spent: "
    "the next call needs a budget of 0.02 USD, all 2 that wait there 0.03 USD, besides what later steps cost"
)


def test_a_batch_over_a_budget_pauses_and_raising_the_budget_lets_it_go_on_until_that_is_used_up(
    poor: RegisteredBatch, enrich: Callable[..., tuple[int, str]]
) -> None:
    assert held(poor) == {"*": WHY}
    asked = len(poor.there.calls())
    poor.run()
    assert len(poor.there.calls()) == asked, "a run of it spends nothing"
    with hq_of(poor.settings).transaction() as connection:
        assert poor.key not in [one.batch_key for one in batches_to_resume(connection)], "nobody starts runs for it"
    printed = " ".join(enrich("status", poor.key)[1].split())
    assert f"paused by dagster:budget: {WHY}" in printed
    assert "do raise that budget: what waits for it then goes on by itself" in printed

    report = set_budget(hq_of(poor.settings), "acme", Decimal("0.02"), actor=TESTER)
    assert (report.before, report.resumed, report.batches) == (Decimal("0.01"), (poor.key,), {})
    assert (held(poor), poor.batch_row()["resume_at"] is not None) == ({}, True)
    poor.run()
    assert sorted(poor.statuses("find-email")) == ["PENDING", "found", "found"]
    (told,) = held(poor).values()
    assert told.endswith("of 0.02 USD 0.02 USD is spent: the next call needs a budget of 0.03 USD")
    text = enrich("budget", "set", "5", "--client", "acme")[1]
    assert f"batch {poor.key} had paused for want of money and goes on" in text
    poor.run()
    assert poor.statuses("find-email") == poor.statuses("check-email") == ["found"] * 3
    [budget] = list_budgets(hq_of(poor.settings), "acme")
    assert (budget.spent, budget.reserved, budget.room) == (Decimal("0.03"), Decimal(0), Decimal("4.97"))
    actions = [(one.action, one.actor) for one in list_history(hq_of(poor.settings), batch=poor.key)]
    assert actions[:4] == [
        ("batch.resume", actions[0][1]),
        ("batch.pause", BUDGET),
        ("batch.resume", str(TESTER)),
        ("batch.pause", BUDGET),
    ]


def test_a_batch_that_is_resumed_without_more_money_pauses_again_and_spends_nothing(poor: RegisteredBatch) -> None:
    resume(hq_of(poor.settings), poor.key, actor=TESTER)
    assert held(poor) == {}
    poor.run()
    assert held(poor) == {"*": WHY}
    assert len(poor.calls("find-email")) == 1


def test_lowering_a_budget_or_setting_another_lets_nothing_go_on(poor: RegisteredBatch) -> None:
    hq = hq_of(poor.settings)
    assert set_budget(hq, "acme", "0", actor=TESTER).resumed == ()
    set_budget(hq, "acme", "0", workflow="check-email", actor=TESTER)
    assert set_budget(hq, "acme", "1", workflow="check-email", actor=TESTER).resumed == ()
    configuration.add_client(hq, "other", "Other", actor=TESTER)
    set_budget(hq, "other", "1", actor=TESTER)
    assert set_budget(hq, "other", "2", actor=TESTER).resumed == ()
    with pytest.raises(NotFoundError, match="client other has no batch"):
        set_budget(hq, "other", "2", batch=poor.key, actor=TESTER)
    assert held(poor) == {"*": WHY}


def test_what_a_person_holds_stays_held_when_a_budget_is_raised_and_is_not_held_twice(poor: RegisteredBatch) -> None:
    hq = hq_of(poor.settings)
    resume(hq, poor.key, actor=TESTER)
    pause(hq, poor.key, actor=TESTER, reason="the offer changes")
    poor.run()
    assert set_budget(hq, "acme", "5", actor=TESTER).resumed == ()
    assert poor.batch_row()["holds"]["*"]["reason"] == "the offer changes"
    poor.run()
    assert poor.statuses("find-email").count("PENDING") == 2


def test_removing_the_budget_lets_what_it_had_paused_go_on(poor: RegisteredBatch) -> None:
    assert remove_budget(hq_of(poor.settings), "acme", actor=TESTER).resumed == (poor.key,)
    assert list_budgets(hq_of(poor.settings)) == []
    poor.run()
    assert poor.statuses("find-email") == ["found"] * 3


def test_a_budget_for_one_workflow_pauses_only_that_and_the_others_go_on(harness: RegisteredBatch) -> None:
    hq = hq_of(harness.settings)
    other = harness.workflow("find-other", provides={"other": "person.title"})
    key = harness.batch(harness.workflow("find-email"), other)
    set_budget(hq, "acme", "0.01", workflow="find-email", batch=key, actor=TESTER)
    set_budget(hq, "acme", "9", actor=TESTER)
    harness.run()
    assert harness.statuses("find-other") == ["found"] * 3
    assert sorted(harness.statuses("find-email")) == ["PENDING", "PENDING", "found"]
    (workflow, reason), *more = held(harness).items()
    assert (workflow, more) == ("find-email", [])
    assert "of the batch's budget for find-email of 0.01 USD 0.01 USD is spent: the next" in reason
    assert set_budget(hq, "acme", "99", actor=TESTER).resumed == (), "it was not that one"
    assert set_budget(hq, "acme", "1", workflow="find-email", batch=key, actor=TESTER).resumed == (key,)
    harness.run()
    assert harness.statuses("find-email") == ["found"] * 3


def test_what_earlier_versions_skipped_for_want_of_money_goes_on_when_the_budget_is_raised(
    poor: RegisteredBatch,
) -> None:
    resume(hq_of(poor.settings), poor.key, actor=TESTER)
    poor.there.change(
        "update workflow_states set status = 'SKIPPED', reason = case workflow_slug when 'find-email' "
        "then 'budget: the client''s budget of 0.01 has no room for this call' else 'missing_input: email' end "
        "where status = 'PENDING'"
    )
    poor.there.change("update batches set finished_at = now()")
    report = set_budget(hq_of(poor.settings), "acme", Decimal("5"), actor=TESTER)
    assert (report.batches, report.reopened, report.resumed) == ({poor.key: 2}, 2, ())
    poor.run()
    assert poor.statuses("find-email") == poor.statuses("check-email") == ["found"] * 3


def test_money_that_comes_back_from_calls_under_way_is_waited_for_before_a_batch_pauses(
    launcher: BatchHarness,
) -> None:
    launcher.sandbox.configure(latency="100ms-300ms")
    batch = launcher.launch(people(12, scenario="miss"), step("find", limits={"concurrency": 12}))
    batch.set_budget("0.02")  # two calls at a time, and a miss costs nothing
    assert batch.run(linger=10.0).finished
    assert batch.statuses() == {"COMPLETED": 12}


@pytest.mark.parametrize("amount", ["-1", "-0.01", "NaN", "sNaN", "inf", "ten", "", "0.0000001", "1000000000000"])
def test_what_is_no_amount_of_money_is_refused(harness: RegisteredBatch, amount: str) -> None:
    with pytest.raises(ConfigurationError):
        set_budget(hq_of(harness.settings), "acme", amount, actor=TESTER)
    assert list_budgets(hq_of(harness.settings)) == []


def test_scopes_that_do_not_exist_are_refused(harness: RegisteredBatch) -> None:
    with pytest.raises(NotFoundError, match="no client 'nobody'"):
        set_budget(hq_of(harness.settings), "nobody", "1", actor=TESTER)
    with pytest.raises(NotFoundError, match="no workflow 'nothing'"):
        set_budget(hq_of(harness.settings), "acme", "1", workflow="nothing", actor=TESTER)
    with pytest.raises(NotFoundError, match="no such budget"):
        remove_budget(hq_of(harness.settings), "acme", actor=TESTER)


def test_the_commands_keep_amounts_exact_and_refuse_negative_ones(
    harness: RegisteredBatch, enrich: Callable[..., tuple[int, str]]
) -> None:
    code, text = enrich("budget", "set", "0.100001", "--client", "acme", "--json")
    assert code == 0, text
    assert Decimal(json.loads(text)["amount"]) == Decimal("0.100001")
    code, text = enrich("budget", "set", "-5", "--client", "acme")
    assert (code, "negative" in text) == (1, True), text
    code, text = enrich("budget", "list", "--json")
    assert [(b["client"], b["batch"], Decimal(b["room"])) for b in json.loads(text)] == [
        ("acme", None, Decimal("0.100001"))
    ]
    code, text = enrich("budget", "remove", "--client", "acme")
    assert (code, list_budgets(hq_of(harness.settings))) == (0, []), text
