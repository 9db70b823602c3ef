"""Budgets by hand: exact, checked, and money that is added lets skipped work go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.catalog import configuration
from enrichment_assets.services.operations.budgeting import list_budgets, remove_budget, set_budget
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.recovery.conftest import RegisteredBatch


@pytest.fixture
def poor(harness: RegisteredBatch) -> RegisteredBatch:
    """A batch of three whose client can pay for one call."""
    set_budget(hq_of(harness.settings), "acme", "0.01", actor=TESTER)
    harness.batch(harness.workflow("find-email", limits={"concurrency": 1}), harness.check_workflow())
    harness.run()
    assert sorted(harness.statuses("find-email")) == ["SKIPPED", "SKIPPED", "found"]
    assert sorted(harness.statuses("check-email")) == ["SKIPPED", "SKIPPED", "found"]
    assert harness.batch_row()["finished_at"] is not None
    return harness


def test_raising_a_budget_reopens_what_it_had_skipped_and_what_hung_on_it(poor: RegisteredBatch) -> None:
    report = set_budget(hq_of(poor.settings), "acme", Decimal("0.02"), actor=TESTER)
    assert (report.before, report.batches, report.reopened) == (Decimal("0.01"), {poor.key: 2}, 2)
    row = poor.batch_row()
    assert (row["finished_at"], row["resume_at"] is not None) == (None, True)
    poor.run()
    assert sorted(poor.statuses("find-email")) == ["SKIPPED", "found", "found"]
    set_budget(hq_of(poor.settings), "acme", "5", actor=TESTER)
    poor.run()
    assert poor.statuses("find-email") == poor.statuses("check-email") == ["found"] * 3
    [budget] = list_budgets(hq_of(poor.settings), "acme")
    assert (budget.spent, budget.reserved, budget.room) == (Decimal("0.03"), Decimal(0), Decimal("4.97"))


def test_lowering_or_repeating_a_budget_reopens_nothing(poor: RegisteredBatch) -> None:
    assert set_budget(hq_of(poor.settings), "acme", "0.01", actor=TESTER).batches == {}
    assert set_budget(hq_of(poor.settings), "acme", "0", actor=TESTER).batches == {}
    assert poor.batch_row()["finished_at"] is not None


def test_removing_the_budget_reopens_what_it_had_skipped(poor: RegisteredBatch) -> None:
    assert remove_budget(hq_of(poor.settings), "acme", actor=TESTER).batches == {poor.key: 2}
    assert list_budgets(hq_of(poor.settings)) == []
    poor.run()
    assert poor.statuses("find-email") == ["found"] * 3


def test_a_budget_reaches_only_its_own_batch_and_workflow(poor: RegisteredBatch) -> None:
    set_budget(hq_of(poor.settings), "acme", "0", workflow="check-email", actor=TESTER)
    assert set_budget(hq_of(poor.settings), "acme", "1", workflow="check-email", actor=TESTER).batches == {}
    set_budget(hq_of(poor.settings), "acme", "0", batch=poor.key, actor=TESTER)
    assert set_budget(hq_of(poor.settings), "acme", "1", batch=poor.key, actor=TESTER).batches == {poor.key: 2}
    assert poor.statuses("find-email").count("PENDING") == 2
    poor.run()
    assert poor.statuses("find-email").count("SKIPPED") == 2, "the client's budget still binds"


def test_another_clients_skipped_steps_stay(poor: RegisteredBatch) -> None:
    configuration.add_client(hq_of(poor.settings), "other", "Other", actor=TESTER)
    set_budget(hq_of(poor.settings), "other", "1", actor=TESTER)
    assert set_budget(hq_of(poor.settings), "other", "2", actor=TESTER).batches == {}
    with pytest.raises(NotFoundError, match="client other has no batch"):
        set_budget(hq_of(poor.settings), "other", "2", batch=poor.key, actor=TESTER)
    assert poor.statuses("find-email").count("SKIPPED") == 2


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
