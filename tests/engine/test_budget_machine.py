"""Money in any order: reserved, settled, resolved, replayed, budgets set and raised, on real Postgres.

Hypothesis plays a run that is killed and replaced at any moment, and an operator. Intents are committed many at once,
as the group writer does it; answers cost at most what was estimated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.item_cells import StepSources
from enrichment_assets.engine.commit.group_writer import GroupWriter
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.operations import recovery
from enrichment_assets.services.operations.replaying import replay
from enrichment_assets.store.calls.intents import Intent, IntentVerdict
from enrichment_assets.store.calls.ledger import Applied, Received, Scope
from enrichment_assets.store.database import AsyncConnection, connect, connect_async
from enrichment_assets.store.runs import claims, contexts
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, async_step, people, start_runner, step
from tests.harness.handles import hq_of

NO_STEPS = StepSources({}, {})

T = TypeVar("T")
ITEMS = 3
SYNC, ASYNC = "plain", "slow"
PRICES = {SYNC: Decimal("0.01"), ASYNC: Decimal("0.02")}
OPEN = ("intent", "received")
HELD = ("intent", "received", "sent", "ambiguous")
"""States of a call for which money is set aside."""

CENTS = st.integers(0, 12).map(lambda cents: Decimal(cents) / 100)
SHARES = st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(1)])
SCOPES = st.sampled_from(["client", "batch", SYNC, ASYNC])
Pair = tuple[int, str]


def workflows() -> list[Any]:
    """Two steps of each item, at different prices."""
    return [
        replace_price(step(SYNC), PRICES[SYNC]),
        replace_price(async_step(ASYNC), PRICES[ASYNC]),
    ]


def replace_price(workflow: Any, estimate: Decimal) -> Any:
    """The workflow at another price."""
    return workflow.model_copy(update={"price": workflow.price.model_copy(update={"estimate": estimate})})


@dataclass
class Runner:
    """The run that works now."""

    scope: Scope
    connection: AsyncConnection
    held: dict[int, int]


class Money(RuleBasedStateMachine):
    """The rules are what a run, an operator and chance do to money."""

    harness: BatchHarness

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.granted: dict[Pair, IntentVerdict] = {}
        self.lowered: set[str] = set()
        self.amounts: dict[str, Decimal] = {}

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    @initialize(cents=st.integers(2, 8))
    def launch(self, cents: int) -> None:
        self.batch: Launched = self.harness.launch(people(ITEMS), *workflows())
        self.set_a_budget("batch", Decimal(cents) / 100)
        found = self.batch.rows("select id from batch_items where batch_id = %s order by id", self.batch.batch_id)
        self.items = [r["id"] for r in found]
        self.pairs = [(item, slug) for item in self.items for slug in PRICES]
        self.runner = self.do(self._start())
        self.intend(self.pairs)  # more than there is money for, so that the laws are at stake from the beginning

    # What a run does

    @rule(data=st.data())
    def calls_are_intended_together(self, data: st.DataObject) -> None:
        self.intend(data.draw(st.lists(st.sampled_from(self.pairs), min_size=1, max_size=6, unique=True)))

    def intend(self, pairs: list[Pair]) -> None:
        """One group commit; what is granted may be sent."""
        intents = [
            Intent(item, self.runner.held[item], slug, f"{slug}-{item}", f"item:{item}", "http", slug, PRICES[slug])
            for item, slug in pairs
            if (item, slug) not in self.granted
        ]
        verdicts = self._committed([lambda w, i=intent: w.intend(i) for intent in intents])
        for intent, verdict in zip(intents, verdicts, strict=True):
            if verdict.granted:
                self.granted[intent.item_id, intent.workflow_slug] = verdict

    @precondition(lambda self: self.granted)
    @rule(data=st.data(), share=SHARES, fails=st.booleans())
    def an_answer_comes(self, data: st.DataObject, share: Decimal, fails: bool) -> None:
        item, slug = pair = data.draw(st.sampled_from(sorted(self.granted)))
        call_id = self.granted.pop(pair).call_id
        assert call_id is not None
        body = b'{"found": true, "id": "x"}'
        received = Received(call_id, item, self.runner.held[item], 200, "{}", body)
        assert self._committed([lambda w: w.receive(received)]) == [True]
        record = self._applied(pair, call_id)
        if fails:
            record = replace(record, status="PENDING", outcome=None, own_result=False, call_state="ready")
            record = replace(record, cost=Decimal(0) if share < 1 else PRICES[slug], error_class="retryable")
        elif slug == ASYNC:
            record = replace(record, status="IN_PROGRESS", outcome=None, own_result=False, call_state="sent")
            record = replace(record, cost=None, reserved=Decimal(0))
        else:
            record = replace(record, cost=share * PRICES[slug])
        self._committed([lambda w: w.apply(record)])

    @rule(data=st.data(), share=SHARES, gives_up=st.booleans())
    def a_call_is_called_back_or_given_up(self, data: st.DataObject, share: Decimal, gives_up: bool) -> None:
        """Late callbacks of ambiguous calls too."""
        waiting = [c for c in self.batch.calls(ASYNC) if c["state"] in ("sent", "ambiguous")]
        if not waiting:
            return
        call = data.draw(st.sampled_from(waiting))
        record = self._applied((call["item_id"], ASYNC), call["id"])
        record = replace(record, cost=share * PRICES[ASYNC])
        if gives_up and call["state"] == "sent":
            record = replace(record, status="FAILED", outcome=None, own_result=False, call_state="failed")
            record = replace(record, cost=PRICES[ASYNC], error_class="deadline")
        self._committed([lambda w: w.apply(record)])

    @rule()
    def the_run_dies_and_the_next_one_finds_calls_of_unknown_fate(self) -> None:
        self.batch.change("update runners set expires_at = now() - interval '1 s' where ended_at is null")
        self.do(claims.retire_expired_runners(self.runner.connection, self.batch.batch_id))
        self.do(self.runner.connection.close())
        self.granted.clear()
        self.runner = self.do(self._start())
        held = list(self.runner.held.items())
        loaded = self.do(
            contexts.load_items(
                self.runner.connection, self.batch.batch_id, held, sources=NO_STEPS, with_original=False
            )
        )
        found = [
            (item.item_id, call) for item in loaded for call in item.open_calls if call.state in ("intent", "received")
        ]
        records = [
            replace(
                self._applied((item, call.workflow_slug), call.call_id),
                status="AMBIGUOUS", outcome=None, own_result=False, call_state="ambiguous", reserved=Decimal(0),
            )
            for item, call in found
        ]  # fmt: skip
        self._committed([lambda w, r=record: w.apply(r) for record in records])

    # What an operator does

    @rule(scope=SCOPES, amount=CENTS)
    def a_budget_is_set(self, scope: str, amount: Decimal) -> None:
        self.set_a_budget(scope, amount)

    @rule(data=st.data(), more=CENTS)
    def a_budget_is_raised(self, data: st.DataObject, more: Decimal) -> None:
        scope = data.draw(st.sampled_from(sorted(self.amounts)))
        self.set_a_budget(scope, self.amounts[scope] + more)

    @rule(call_again=st.booleans(), share=SHARES)
    def calls_of_unknown_fate_are_resolved(self, call_again: bool, share: Decimal) -> None:
        if not any(call["state"] == "ambiguous" for call in self.batch.calls()):
            self.the_run_dies_and_the_next_one_finds_calls_of_unknown_fate()
        if call_again:
            recovery.resolve(hq_of(self.batch.settings), self.batch.key, "retry", actor=TESTER)
            return
        for slug, price in PRICES.items():
            recovery.resolve(
                hq_of(self.batch.settings),
                self.batch.key,
                "accept-miss",
                workflow=slug,
                cost=share * price,
                actor=TESTER,
            )

    @rule()
    def stored_answers_are_read_again(self) -> None:
        """Refused while the run works; it makes no call, so it moves no money."""
        before = self.batch.calls()
        try:
            replay(hq_of(self.batch.settings), self.batch.settings, self.batch.key, SYNC, actor=TESTER)
        except ConfigurationError as error:
            assert "run" in str(error)
        self.do(claims.end_runner(self.runner.connection, self.runner.scope.runner_id))
        try:
            replay(hq_of(self.batch.settings), self.batch.settings, self.batch.key, SYNC, actor=TESTER)
        except ConfigurationError:
            assert any(call["state"] in HELD for call in self.batch.calls(SYNC))
        assert [(c["id"], c["attempt"], c["cost"]) for c in self.batch.calls()] == [
            (c["id"], c["attempt"], c["cost"]) for c in before
        ]
        self.the_run_dies_and_the_next_one_finds_calls_of_unknown_fate()

    # The laws

    @invariant()
    def what_is_reserved_and_spent_is_what_the_ledger_says(self) -> None:
        for scope, budget in self._budgets().items():
            calls = self.batch.calls(scope if scope in PRICES else None)
            assert budget.reserved == sum((c["estimated_cost"] for c in calls if c["state"] in HELD), Decimal(0)), scope
            assert budget.spent == sum((c["cost"] or Decimal(0) for c in calls), Decimal(0)), scope

    @invariant()
    def no_budget_that_was_never_lowered_is_exceeded(self) -> None:
        for scope, budget in self._budgets().items():
            if scope not in self.lowered:
                assert budget.reserved + budget.spent <= budget.amount, scope

    @invariant()
    def what_a_state_cost_is_what_its_calls_cost(self) -> None:
        spent = sum((c["cost"] or Decimal(0) for c in self.batch.calls()), Decimal(0))
        assert sum((s["cost"] for s in self.batch.states()), Decimal(0)) == spent

    def teardown(self) -> None:
        self.do(self.runner.connection.close())
        self.loop.close()
        with connect(self.harness.settings.hq_database_url or "") as hq:
            hq.execute("truncate provider_calls, callback_inbox, enrichment_results, runners, budgets restart identity")
            hq.execute("truncate workflow_states, item_leases, batch_items, company_play_step_completions")
            hq.commit()

    def set_a_budget(self, scope: str, amount: Decimal) -> None:
        """Set it, and note where less than before was allowed, or less than what was under way already."""
        slug = scope if scope in PRICES else None
        calls = self.batch.calls(slug)
        used = sum(c["estimated_cost"] if c["state"] in HELD else 0 for c in calls) + sum(c["cost"] or 0 for c in calls)
        if amount < self.amounts.get(scope, amount) or amount < used:
            self.lowered.add(scope)
        self.amounts[scope] = amount
        self.batch.set_budget(str(amount), batch=scope == "batch", workflow=slug)

    def _budgets(self) -> dict[str, Any]:
        return {b.workflow or ("batch" if b.batch else "client"): b for b in self.batch.budgets()}

    async def _start(self) -> Runner:
        connection = await connect_async(self.batch.settings.hq_database_url or "", autocommit=True)
        scope = await start_runner(connection, self.batch, 3600.0)
        held = dict(await claims.claim(connection, self.batch.batch_id, scope.runner_id, self.items))
        assert len(held) == ITEMS
        return Runner(scope, connection, held)

    def _applied(self, pair: Pair, call_id: int) -> Applied:
        """A found answer to a call; variants replace what differs."""
        item, slug = pair
        return Applied(
            item, self.runner.held[item], slug, "COMPLETED", "http", outcome="found", call_id=call_id,
            call_state="applied", own_result=True, payload="{}", reserved=PRICES[slug],
        )  # fmt: skip

    def _committed(self, writes: list[Any]) -> list[Any]:
        """What the writes say, all in one group commit."""

        async def commit() -> list[Any]:
            writer = GroupWriter(self.runner.connection, self.runner.scope)
            pending = [asyncio.create_task(write(writer)) for write in writes]
            await asyncio.sleep(0)
            writing = asyncio.create_task(writer.run())
            try:
                return await asyncio.gather(*pending)
            finally:
                await writer.close()
                await writing

        return self.do(commit())


def play(harness: BatchHarness, examples: int, steps: int, *, shrink: bool = True) -> None:
    """Play the machine; raises the AssertionError of a law that is broken."""
    for workflow in workflows():
        add_workflow(hq_of(harness.settings), harness.settings, workflow, actor=TESTER)

    # Without chance, Hypothesis seeds itself by the text of this class: another name plays other examples, and a
    # dozen of them have to find every guard gone (tests/laws).
    class InThisWorld(Money):
        pass

    InThisWorld.harness = harness
    run_state_machine_as_test(
        InThisWorld,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=not shrink,
            report_multiple_bugs=False,
            phases=tuple(Phase) if shrink else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(300)
def test_budgets_add_up_and_are_kept_in_any_order_of_calls_deaths_and_decisions(harness: BatchHarness) -> None:
    play(harness, examples=20, steps=20)
