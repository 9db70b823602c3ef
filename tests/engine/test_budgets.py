"""Money is set aside before it is spent: no number of workers exceeds a budget, and what is not spent comes back."""

from __future__ import annotations

import threading
from decimal import Decimal

from enrichment_assets.store.database import connect
from tests.harness.batches import BatchHarness, Launched, async_step, company_step, people, step

CENT = {"estimate": "0.01", "not_found": "0"}


def run_together(batches: list[Launched]) -> list[str]:
    """Run each in a thread of its own; the errors."""
    errors: list[str] = []

    def run(batch: Launched) -> None:
        try:
            batch.run(linger=6.0)
        except Exception as error:
            errors.append(repr(error))

    threads = [threading.Thread(target=run, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_64_workers_in_four_runs_on_two_batches_never_exceed_their_clients_budget_by_a_cent(
    harness: BatchHarness,
) -> None:
    harness.sandbox.configure(latency="5ms-40ms")
    first = harness.launch(people(150), step("one", limits={"concurrency": 16}, price=CENT))
    second = harness.launch(people(150), step("two", limits={"concurrency": 16}, price=CENT))
    first.set_budget("1.00")
    first.set_budget("0.60", batch=True)
    second.set_budget("0.70", workflow="two")
    highest: list[bool] = []
    stop = threading.Event()

    def watch() -> None:
        with connect(harness.settings.hq_database_url or "", autocommit=True) as connection:
            while not stop.wait(0.01):
                rows = connection.execute("select amount >= reserved + spent as kept from budgets").fetchall()
                highest.extend(row["kept"] for row in rows)

    watcher = threading.Thread(target=watch)
    watcher.start()
    errors = run_together([first, second, first, second])
    stop.set()
    watcher.join()
    assert errors == []
    assert highest and all(highest)
    assert not first.run().finished and not second.run().finished, "what has no room waits"
    client = next(b for b in first.budgets() if b.batch is None and b.workflow is None)
    assert (client.spent, client.reserved) == (Decimal("1.00"), 0)
    assert first.billed() == 100
    assert all(b.reserved == 0 and b.spent <= b.amount for b in first.budgets())
    done = {"first": first.statuses()["COMPLETED"], "second": second.statuses()["COMPLETED"]}
    assert sum(done.values()) == 100
    # A smaller budget is named only where it was full before the client's: the order of the runs decides.
    client_full = (
        "*",
        "of the client's budget of 1.00 USD 1.00 USD is spent: the next call needs a budget of 1.01 USD",
    )
    batch_full = ("*", "of the batch's budget of 0.60 USD 0.60 USD is spent: the next call needs a budget of 0.61 USD")
    workflow_full = (
        "two",
        "of the client's budget for two of 0.70 USD 0.70 USD is spent: the next call needs a budget of 0.71 USD",
    )
    named = {
        "first": [client_full, *([batch_full] if done["first"] == 60 else [])],
        "second": [client_full, *([workflow_full] if done["second"] == 70 else [])],
    }
    for name, batch in (("first", first), ("second", second)):
        assert set(batch.statuses()) == {"COMPLETED", "PENDING"}
        (row,) = batch.rows("select holds from batches where id = %s", batch.batch_id)
        ((held, hold),) = row["holds"].items()
        assert (hold["kind"], hold["actor"]) == ("paused", "dagster:budget")
        assert any(held == scope and why in hold["reason"] for scope, why in named[name]), hold


def test_two_runs_that_lock_several_budgets_do_not_wait_for_each_other(harness: BatchHarness) -> None:
    a, b = step("a", price=CENT), step("b", price=CENT, provides={"other": "id"})
    batch = harness.launch(people(150), a, b)
    batch.set_budget("5", workflow="a")
    batch.set_budget("100")
    batch.set_budget("5", workflow="b")
    assert run_together([batch, batch, batch]) == []
    assert batch.run().finished
    assert all(budget.reserved == 0 for budget in batch.budgets())


def test_a_miss_gives_its_money_back_and_a_failed_attempt_too(harness: BatchHarness) -> None:
    rows = [*people(3, scenario="miss"), *people(2, scenario="unavailable"), *people(4)]
    batch = harness.launch(rows, step("one", price=CENT))
    batch.set_budget("10")
    batch.run()
    (budget,) = batch.budgets()
    assert (budget.spent, budget.reserved) == (Decimal("0.04"), 0)


def test_a_call_of_unknown_fate_keeps_its_money_set_aside(harness: BatchHarness) -> None:
    batch = harness.launch(people(2, scenario="timeout"), step("one", price=CENT, retry={"timeout": 0.2}))
    batch.set_budget("0.02")
    batch.run()
    (budget,) = batch.budgets()
    assert (budget.spent, budget.reserved, budget.room) == (0, Decimal("0.02"), 0)


def test_a_submission_keeps_its_money_set_aside_until_it_is_answered(harness: BatchHarness) -> None:
    batch = harness.launch(people(3), async_step("slow", price=CENT))
    batch.set_budget("0.02")
    batch.run()
    assert sorted(s["status"] for s in batch.states()) == ["IN_PROGRESS", "IN_PROGRESS", "PENDING"]
    for call in batch.calls():
        batch.call_back(call, {"found": True, "id": "x"})
    batch.run()
    (budget,) = batch.budgets()
    assert (budget.spent, budget.reserved) == (Decimal("0.02"), 0)


def test_a_budget_that_is_set_while_calls_are_under_way_counts_them(harness: BatchHarness) -> None:
    batch = harness.launch(people(3), async_step("slow", price=CENT))
    batch.run()
    batch.set_budget("0.05")
    (budget,) = batch.budgets()
    assert (budget.reserved, budget.spent) == (Decimal("0.03"), 0)


def test_people_of_a_company_that_was_paid_for_share_its_answer_when_the_budget_is_used_up(
    harness: BatchHarness,
) -> None:
    rows = [{"first_name": f"P{n}", "company_name": "One"} for n in range(4)]
    batch = harness.launch(rows, company_step("firm", price=CENT))
    batch.set_budget("0.01")
    batch.run()
    batch.change(
        """update workflow_states s set status = 'PENDING', outcome = null, result_id = null, call_id = null
           from batch_items i where i.id = s.item_id and i.row_number > 1 and s.cost = 0"""
    )
    assert batch.run().finished
    assert batch.statuses() == {"COMPLETED": 4}
    assert batch.asked("firm") == 1
