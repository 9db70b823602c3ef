"""What a model's calls cost: reserved as a bound, booked by what the answer says, kept by kinds of tokens."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest

from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.prompts.token_prices import ADDED
from enrichment_assets.services.operations.budgeting import set_budget
from enrichment_assets.services.operations.statistics import batch_statistics
from enrichment_assets.store.database import connect
from enrichment_assets.store.results.statistics import TokensUsed
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Row
from tests.harness.handles import hq_of
from tests.harness.models import chat, playing, prompt_step, question_in, said

PRICE = {"tokens": {"input": "1", "cached_input": "0.5", "output": "4", "as_of": "2026-11-28"}}
TAKEN = Decimal("0.00105")
"""800 tokens at 1, 100 at 0.5, 50 at 4 dollars a million."""


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


def rows(*traps: str) -> list[Row]:
    return [{"company_name": f"Pumps {n}", "page": f"We build pumps. [{trap}]"} for n, trap in enumerate(traps)]


def using(usage: Any) -> Row:
    return {**chat(said()), "usage": usage}


ANSWERS: dict[str, Any] = {
    "plain": (200, chat(said())),
    "money": (200, using({"prompt_tokens": 900, "completion_tokens": 50, "cost": 0.0007})),
    "gateway": (200, using({"prompt_tokens": 900, "completion_tokens": 50}), {"x-litellm-response-cost": "0.0009"}),
    "free": (200, using({"prompt_tokens": 900, "completion_tokens": 50, "cost": 0})),
    "silent": (200, using(None)),
    "negative": (200, using({"prompt_tokens": -900, "completion_tokens": 50})),
    "fraction": (200, using({"prompt_tokens": 900.5, "completion_tokens": 50})),
    "overfull": (
        200,
        using({"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 10}}),
    ),
    "huge": (200, using({"prompt_tokens": 400_000_000, "completion_tokens": 100_000_000})),
    "cut-silent": (200, {**chat("{", finish="length"), "usage": None}),
}


def play(_: str, body: Row) -> Any:
    return ANSWERS[question_in(body).partition("[")[2].partition("]")[0]]


def test_a_call_is_booked_by_what_its_answer_says_and_at_its_bound_where_it_says_nothing(harness: BatchHarness) -> None:
    traps = list(ANSWERS)
    with playing(play) as model:
        batch = harness.launch(rows(*traps), prompt_step("score", model, price=PRICE))
        batch.set_budget("10000")
        assert batch.run().finished
        sizes = [len(json_bytes(body)) for _, body in model.asked]
    calls = dict(zip(traps, batch.calls(), strict=True))
    states = dict(zip(traps, batch.states(), strict=True))
    bounds = {trap: call["estimated_cost"] for trap, call in calls.items()}
    names = ("cost", "cost_basis", "input_tokens", "cached_input_tokens", "output_tokens")
    kept = {trap: tuple(call[name] for name in names) for trap, call in calls.items()}
    assert kept == {
        "plain": (TAKEN, "usage", 900, 100, 50),
        "money": (Decimal("0.0007"), "reported", 900, 0, 50),
        "gateway": (Decimal("0.0009"), "reported", 900, 0, 50),
        "free": (Decimal(0), "reported", 900, 0, 50),
        "huge": (Decimal(800), "usage", 400_000_000, 0, 100_000_000),
        **{trap: (bounds[trap], "reserved", None, None, None)
           for trap in ("silent", "negative", "fraction", "overfull", "cut-silent")},
    }  # fmt: skip
    assert {call["model"] for call in calls.values()} == {"gpt-5.2-2026-08-01"}

    # The bound is that of the request's bytes and of all the output that is allowed.
    assert sorted(bounds.values()) == sorted(Decimal(size + ADDED + 4 * 200) / 1_000_000 for size in sizes)
    untold = "the answer does not say what it used: booked at what was reserved for it"
    assert states["silent"]["reason"] == untold
    assert states["plain"]["reason"] is None
    assert states["cut-silent"]["reason"].endswith(f"which is 200; {untold}")

    (stats,) = batch_statistics(hq_of(harness.settings), batch.key)
    assert (stats.calls, stats.answers, stats.accepted) == (10, 10, 9)
    assert stats.tokens == TokensUsed(
        input=400_003_600, cached_input=100, cache_write=0, output=100_000_200, searches=0, untold=5
    )
    assert stats.cost_per_answer == (stats.cost / 10).quantize(Decimal("0.000001"))
    assert stats.cost_per_accepted == (stats.cost / 9).quantize(Decimal("0.000001"))

    # A call that was dearer than its bound is booked as it is; nothing stays reserved.
    (budget,) = batch.budgets()
    assert (budget.reserved, budget.spent) == (0, sum(call["cost"] for call in calls.values()))
    assert {trap: state["cost"] for trap, state in states.items()} == {t: c["cost"] for t, c in calls.items()}


def test_money_of_another_currency_is_not_taken_for_ours_and_an_estimate_stands_for_a_price_that_is_missing(
    harness: BatchHarness,
) -> None:
    euros = {"tokens": {**PRICE["tokens"], "currency": "EUR"}}
    free = {"tokens": {"input": "0", "output": "0", "as_of": "2026-11-28"}}
    with playing(play) as model:
        steps = {
            name: prompt_step(name, model, price=price, provides={f"score_{name}": "score"}, types={})
            for name, price in {"euros": euros, "estimate": {"estimate": "0.02"}, "free": free}.items()
        }
        batch = harness.launch(rows("money", "silent"), *steps.values())
        assert batch.run().finished
    found = {name: [(call["cost"], call["cost_basis"]) for call in batch.calls(name)] for name in steps}
    assert found["euros"][0] == (Decimal("0.0011"), "usage")  # 900 at 1 and 50 at 4 euros a million
    assert found["estimate"] == [(Decimal("0.0007"), "reported"), (Decimal("0.02"), "reserved")]
    assert found["free"] == [(Decimal("0.0007"), "reported"), (Decimal(0), "reserved")]


def test_a_budget_below_the_bound_stops_the_step_before_a_call_and_a_greater_one_lets_it_go_on(
    harness: BatchHarness,
) -> None:
    with playing(play) as model:
        batch = harness.launch(rows("plain", "plain"), prompt_step("score", model, price=PRICE))
        batch.set_budget("0.002")  # more than both calls cost together, and less than the bound of one
        stopped = batch.run().stopped
        assert [state["status"] for state in batch.states()] == ["PENDING", "PENDING"]
        assert (
            "a call of score takes 0.003856 USD, and of the client's budget of 0.002 USD 0.00 USD is"
            in stopped["score"]
        )
        assert model.asked == []
        assert [(budget.reserved, budget.spent) for budget in batch.budgets()] == [(0, 0)]
        report = set_budget(hq_of(batch.settings), batch.client, "1", actor=TESTER)
        assert report.resumed == (batch.key,)
        assert batch.run().finished and batch.statuses() == {"COMPLETED": 2}


def test_calls_that_fit_one_after_the_other_wait_for_the_money_that_bounds_have_taken_up(harness: BatchHarness) -> None:
    highest: list[bool] = []
    stop = threading.Event()

    def watch() -> None:
        with connect(harness.settings.hq_database_url or "", autocommit=True) as connection:
            while not stop.wait(0.01):
                found = connection.execute("select amount >= reserved + spent as kept from budgets").fetchall()
                highest.extend(row["kept"] for row in found)

    with playing(play) as model:
        step = prompt_step("score", model, price=PRICE, limits={"concurrency": 12})
        batch = harness.launch(rows(*["plain"] * 12), step)
        batch.set_budget("0.02")  # three or four bounds at once, 12 calls of 0.00105
        watcher = threading.Thread(target=watch)
        watcher.start()
        batch.run_twice_at_once()
        stop.set()
        watcher.join()
        assert batch.run().finished
    assert highest and all(highest)
    assert batch.statuses() == {"COMPLETED": 12}
    assert [(budget.reserved, budget.spent) for budget in batch.budgets()] == [(0, 12 * TAKEN)]


def test_a_retried_call_books_each_attempt_and_adds_up_its_tokens(harness: BatchHarness) -> None:
    times = {"n": 0}

    def failing_first(_: str, body: Row) -> Any:
        times["n"] += 1
        return ANSWERS["plain"] if times["n"] > 1 else (503, {"error": {"message": "busy", "type": "server_error"}})

    with playing(failing_first) as model:
        batch = harness.launch(rows("plain"), prompt_step("score", model, price=PRICE))
        batch.set_budget("1")
        assert batch.run().finished
    (call,) = batch.calls()
    assert (call["attempt"], call["cost"], call["input_tokens"], call["output_tokens"]) == (2, TAKEN, 900, 50)
    assert [(budget.reserved, budget.spent) for budget in batch.budgets()] == [(0, TAKEN)]
