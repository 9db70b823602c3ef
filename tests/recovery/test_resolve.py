"""Calls of unknown fate: listed, called again, or accepted as a miss; the budget follows to the cent."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.services.operations.budgeting import list_budgets, set_budget
from enrichment_assets.services.operations.recovery import list_ambiguous, resolve
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.recovery.conftest import RegisteredBatch


@pytest.fixture
def lost(harness: RegisteredBatch) -> RegisteredBatch:
    """Three items whose calls were cut off in the middle of the answer, under a budget of ten cents."""
    set_budget(hq_of(harness.settings), "acme", "0.10", actor=TESTER)
    harness.batch(harness.workflow("find-email"), harness.check_workflow())
    harness.sandbox.configure(resets=1)
    harness.run()
    harness.sandbox.configure(resets=0)
    assert harness.statuses("find-email") == ["AMBIGUOUS"] * 3
    assert harness.statuses("check-email") == ["SKIPPED"] * 3
    return harness


def money(harness: RegisteredBatch) -> tuple[Decimal, Decimal]:
    """(reserved, spent) of the one budget."""
    [budget] = list_budgets(hq_of(harness.settings))
    return budget.reserved, budget.spent


def test_the_list_says_which_items_since_when_why_and_what_it_may_cost(lost: RegisteredBatch) -> None:
    found = list_ambiguous(hq_of(lost.settings), lost.key)
    assert [(a.row_number, a.workflow, a.shared, a.estimated_cost) for a in found] == [
        (n, "find-email", False, Decimal("0.01")) for n in (1, 2, 3)
    ]
    assert all(a.since is not None and a.reason and a.reason.startswith("no answer") for a in found)
    assert list_ambiguous(hq_of(lost.settings), lost.key, item_id=found[1].item_id) == [found[1]]


def test_a_run_never_calls_again_by_itself_what_may_have_been_billed(lost: RegisteredBatch) -> None:
    before = lost.billed()
    lost.run()
    assert lost.billed() == before
    assert money(lost) == (Decimal("0.03"), Decimal(0))


def test_calling_again_takes_over_the_ledger_row_and_gives_the_reservation_back(lost: RegisteredBatch) -> None:
    calls = lost.calls("find-email")
    report = resolve(hq_of(lost.settings), lost.key, "retry", actor=TESTER)
    assert (report.states, report.calls, report.reopened, report.left) == (3, 3, 3, 0)
    assert money(lost) == (Decimal(0), Decimal(0))
    assert lost.states("find-email") == [("PENDING", None, None, None)] * 3
    lost.run()
    assert lost.statuses("find-email") == lost.statuses("check-email") == ["found"] * 3
    assert [(c["id"], c["call_key"], c["state"]) for c in lost.calls("find-email")] == [
        (c["id"], c["call_key"], "applied") for c in calls
    ]
    assert money(lost) == (Decimal(0), Decimal("0.03"))


def test_only_the_named_item_is_called_again(lost: RegisteredBatch) -> None:
    first = list_ambiguous(hq_of(lost.settings), lost.key)[0]
    assert resolve(hq_of(lost.settings), lost.key, "retry", item_id=first.item_id, actor=TESTER).states == 1
    assert lost.statuses("find-email") == ["PENDING", "AMBIGUOUS", "AMBIGUOUS"]
    assert money(lost) == (Decimal("0.02"), Decimal(0))


def test_an_accepted_miss_is_completed_not_found_and_booked_at_its_estimate(lost: RegisteredBatch) -> None:
    before = lost.billed()
    report = resolve(hq_of(lost.settings), lost.key, "accept-miss", actor=TESTER)
    assert (report.states, report.calls, report.cost) == (3, 3, Decimal("0.03"))
    reason = "accepted as a miss by a person"
    assert lost.states("find-email") == [("COMPLETED", "not_found", None, reason)] * 3
    assert [(c["state"], c["cost"]) for c in lost.calls("find-email")] == [("applied", Decimal("0.01"))] * 3
    assert money(lost) == (Decimal(0), Decimal("0.03"))
    results = lost.rows("select * from enrichment_results order by item_id")
    assert [(r["outcome"], r["payload"], r["fields"]) for r in results] == [("not_found", None, {})] * 3
    states = lost.rows("select * from workflow_states where workflow_slug = 'find-email' order by item_id")
    assert [s["result_id"] for s in states] == [r["id"] for r in results]
    assert {s["cost"] for s in states} == {Decimal("0.01")}
    assert len(lost.rows("select 1 from company_play_step_completions where workflow_slug = 'find-email'")) == 3
    log = lost.rows("select * from enrichment_results_log order by id desc limit 3")
    assert {(r["status"], r["outcome"], r["message"], r["cost"]) for r in log} == {
        ("COMPLETED", "not_found", reason, Decimal("0.01"))
    }
    assert lost.batch_row()["resume_at"] is not None, "a finished batch is extracted again"
    lost.run()
    assert lost.billed() == before
    assert lost.statuses("find-email") == ["not_found"] * 3


def test_a_miss_that_did_cost_something_else_is_booked_exactly(lost: RegisteredBatch) -> None:
    assert resolve(hq_of(lost.settings), lost.key, "accept-miss", cost="0.000001", actor=TESTER).cost == Decimal(
        "0.000003"
    )
    assert {c["cost"] for c in lost.calls("find-email")} == {Decimal("0.000001")}
    assert money(lost) == (Decimal(0), Decimal("0.000003"))


@pytest.mark.parametrize("cost", ["-1", "NaN", "Infinity", "a lot", "0.0000001", "1e12"])
def test_a_cost_that_is_no_amount_of_money_changes_nothing(lost: RegisteredBatch, cost: str) -> None:
    with pytest.raises(ConfigurationError):
        resolve(hq_of(lost.settings), lost.key, "accept-miss", cost=cost, actor=TESTER)
    assert lost.statuses("find-email") == ["AMBIGUOUS"] * 3


def test_a_companys_items_share_the_decision_and_one_pays(harness: RegisteredBatch) -> None:
    harness.batch(harness.company_workflow("find-industry"))
    harness.sandbox.configure(resets=1)
    harness.run()
    harness.sandbox.configure(resets=0)
    found = list_ambiguous(hq_of(harness.settings), harness.key)
    assert [a.shared for a in found].count(True) == 1
    sharer = next(a for a in found if a.shared)
    report = resolve(hq_of(harness.settings), harness.key, "accept-miss", item_id=sharer.item_id, actor=TESTER)
    assert (report.states, report.calls, report.cost) == (2, 1, Decimal("0.01"))
    costs = harness.rows("select cost, outcome, result_id from workflow_states where outcome = 'not_found'")
    assert sorted(r["cost"] for r in costs) == [Decimal(0), Decimal("0.01")]
    assert len({r["result_id"] for r in costs}) == 1
    before = harness.billed()
    assert resolve(hq_of(harness.settings), harness.key, "retry", actor=TESTER).calls == 1
    harness.run()
    assert harness.billed() == (before[0] + 1, before[1] + 1)


def test_a_callback_that_came_meanwhile_wins_over_the_person(harness: RegisteredBatch) -> None:
    """An asynchronous submission was cut off, yet the provider had taken it and called back."""
    asynchronous = harness.workflow(
        "find-later",
        mode="async",
        request={
            "url": f"{harness.sandbox.url}/http/enrich",
            "body": {"item_id": "{{ item.id }}", "callback_url": "{{ callback_url }}"},
        },
    )
    harness.batch(asynchronous)
    harness.sandbox.configure(resets=1, callback_drop=1)
    harness.run()
    harness.sandbox.configure(resets=0)
    assert harness.statuses("find-later") == ["AMBIGUOUS"] * 3
    harness.deliver(harness.calls("find-later")[0]["callback_token"], {"person": {"email": "ann@alpha.example"}})
    report = resolve(hq_of(harness.settings), harness.key, "accept-miss", workflow="find-later", actor=TESTER)
    assert (report.states, report.left) == (2, 1), "an answer that waits in the inbox is not thrown away"
    harness.run()
    assert harness.statuses("find-later") == ["found", "not_found", "not_found"]


def test_the_command_lists_first_and_decides_only_when_told(
    lost: RegisteredBatch, enrich: Callable[..., tuple[int, str]]
) -> None:
    code, text = enrich("resolve", lost.key)
    assert code == 0, text
    assert "find-email" in text
    assert "--accept-miss" in text
    assert lost.statuses("find-email") == ["AMBIGUOUS"] * 3
    assert enrich("resolve", lost.key, "--retry", "--accept-miss")[0] == 2
    code, text = enrich("resolve", lost.key, "--accept-miss", "--cost", "0.5", "--json")
    assert code == 0, text
    said = json.loads(text)
    assert (said["cost"], said["currency"], said["costs"]) == ("1.50", "USD", {"USD": "1.50"})
    assert lost.statuses("find-email") == ["not_found"] * 3
