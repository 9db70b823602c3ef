"""Claims, intents, answers, callbacks, retries, expiry and budgets in any order, on real Postgres, under the laws.

Hypothesis plays several runners of one batch against the store's own statements, with runners that die at any moment
and wake up again. The provider is a count of what it was asked and billed; after each step the laws are looked at.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from enrichment_assets.domain.item_cells import StepSources
from enrichment_assets.engine.commit.group_transaction import LeaseLost
from enrichment_assets.engine.commit.group_writer import GroupWriter
from enrichment_assets.store.calls.intents import Intent, IntentVerdict
from enrichment_assets.store.calls.ledger import Applied, Received, Scope
from enrichment_assets.store.database import AsyncConnection, connect, connect_async
from enrichment_assets.store.runs import claims, contexts
from tests.harness.batches import BatchHarness, Launched, async_step, people, start_runner

NO_STEPS = StepSources({}, {})

T = TypeVar("T")
CENT = Decimal("0.01")
SLUG = "slow"
ITEMS = 3


@dataclass
class Runner:
    """A run as the store sees it: its id, what it holds, and what it may send. `dead`: its lease ran out."""

    scope: Scope
    writer: GroupWriter
    connection: AsyncConnection
    held: dict[int, int] = field(default_factory=dict)
    granted: dict[int, IntentVerdict] = field(default_factory=dict)
    answered: dict[int, IntentVerdict] = field(default_factory=dict)
    dead: bool = False


class Laws(RuleBasedStateMachine):
    """The rules are what runners, the receiver and time can do."""

    harness: BatchHarness

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.runners: list[Runner] = []
        self.sent: Counter[int] = Counter()
        self.applied: Counter[int] = Counter()

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    @initialize(budget=st.integers(1, 2))
    def launch(self, budget: int) -> None:
        self.batch: Launched = self.harness.launch(people(ITEMS), async_step(SLUG))
        self.batch.set_budget(str(budget * CENT), batch=True)
        self.limit = budget * CENT
        found = self.batch.rows("select id from batch_items where batch_id = %s order by id", self.batch.batch_id)
        self.items = [r["id"] for r in found]
        self.a_runner_starts()
        (first,) = self.runners
        first.held.update(
            self.do(claims.claim(first.connection, self.batch.batch_id, first.scope.runner_id, self.items))
        )

    # What runners do

    @precondition(lambda self: len(self.runners) < 4)
    @rule()
    def a_runner_starts(self) -> None:
        async def start() -> Runner:
            connection = await connect_async(self.batch.settings.hq_database_url or "", autocommit=True)
            scope = await start_runner(connection, self.batch, 3600.0)
            return Runner(scope, GroupWriter(connection, scope), connection)

        self.runners.append(self.do(start()))

    @precondition(lambda self: self.runners)
    @rule(data=st.data())
    def a_runner_claims(self, data: st.DataObject) -> None:
        runner = data.draw(st.sampled_from(self.runners))
        held = self.do(claims.claim(runner.connection, self.batch.batch_id, runner.scope.runner_id, self.items))
        assert not (runner.dead and held), "a dead runner claims"
        runner.held.update(held)

    @precondition(lambda self: self.runners)
    @rule(data=st.data())
    def a_runner_intends_and_sends(self, data: st.DataObject) -> None:
        runner, item = self._one_held(data)
        if item is None:
            return
        intent = Intent(
            item, runner.held[item], SLUG, f"k{item}", f"item:{item}", "http", SLUG, CENT, f"t{item}-{id(self)}", 3600.0
        )
        verdict = self._written(runner, runner.writer.intend(intent))
        if verdict is not None and verdict.granted:
            assert not runner.dead, "a dead runner may send"
            self.sent[item] += 1
            runner.granted[item] = verdict

    @precondition(lambda self: self.runners)
    @rule(data=st.data(), ok=st.booleans())
    def an_acknowledgement_or_a_failure_comes(self, data: st.DataObject, ok: bool) -> None:
        runner, item = self._one_held(data, "granted")
        if item is None:
            return
        verdict = runner.granted.pop(item)
        assert verdict.call_id
        received = Received(verdict.call_id, item, runner.held[item], 202 if ok else 503, "{}", b"{}")
        stored = self._written(runner, runner.writer.receive(received))
        if not stored:
            return
        record = Applied(
            item,
            runner.held[item],
            SLUG,
            "IN_PROGRESS" if ok else "PENDING",
            "http",
            call_id=verdict.call_id,
            call_state="sent" if ok else "ready",
            error_class=None if ok else "retryable",
            deadline_in=3600.0 if ok else None,
            reserved=Decimal(0) if ok else CENT,
        )
        self._written(runner, runner.writer.apply(record))

    @precondition(lambda self: self.runners)
    @rule(data=st.data())
    def what_a_dead_run_left_is_recovered_as_ambiguous(self, data: st.DataObject) -> None:
        runner, item = self._one_held(data)
        if item is None:
            return
        (loaded,) = self.do(
            contexts.load_items(
                runner.connection,
                self.batch.batch_id,
                [(item, runner.held[item])],
                sources=NO_STEPS,
                with_original=False,
            )
        )
        for call in loaded.open_calls:
            if call.state in ("intent", "received") and item not in runner.granted:
                record = Applied(
                    item,
                    runner.held[item],
                    SLUG,
                    "AMBIGUOUS",
                    "http",
                    call_id=call.call_id,
                    call_state="ambiguous",
                    error_class="ambiguous",
                )
                self._written(runner, runner.writer.apply(record))

    @precondition(lambda self: self.runners)
    @rule(data=st.data())
    def a_runner_takes_callbacks(self, data: st.DataObject) -> None:
        runner, item = self._one_held(data)
        if item is None:
            return
        (loaded,) = self.do(
            contexts.load_items(
                runner.connection,
                self.batch.batch_id,
                [(item, runner.held[item])],
                sources=NO_STEPS,
                with_original=False,
            )
        )
        for callback in loaded.callbacks[:1]:
            if loaded.states[SLUG].status in ("COMPLETED", "SKIPPED"):
                self._written(runner, runner.writer.mark_inbox(callback.inbox_id, "superseded", None))
                continue
            record = Applied(
                item,
                runner.held[item],
                SLUG,
                "COMPLETED",
                "http",
                outcome="found",
                call_id=callback.call.call_id,
                call_state="applied",
                own_result=True,
                payload="{}",
                cost=CENT,
                inbox_id=callback.inbox_id,
                inbox_status="applied",
                reserved=CENT if callback.call.state in ("intent", "received", "sent", "ambiguous") else Decimal(0),
            )
            done = self._written(runner, runner.writer.apply(record))
            if done is not None and done[0]:
                assert not runner.dead
                self.applied[item] += 1

    @precondition(lambda self: self.runners)
    @rule(data=st.data())
    def a_runner_releases(self, data: st.DataObject) -> None:
        runner, item = self._one_held(data)
        if item is not None and item not in runner.granted:
            self._written(runner, runner.writer.release(item, runner.held.pop(item)))

    # What time and others do

    @precondition(lambda self: any(not runner.dead for runner in self.runners))
    @rule(data=st.data())
    def a_runners_lease_runs_out(self, data: st.DataObject) -> None:
        runner = data.draw(st.sampled_from([r for r in self.runners if not r.dead]))
        self.batch.change(
            "update runners set expires_at = now() - interval '1 s' where id = %s", runner.scope.runner_id
        )
        assert self.do(claims.retire_expired_runners(runner.connection, self.batch.batch_id)) == 1
        runner.dead = True

    @rule(data=st.data(), body=st.sampled_from([b"one", b"two"]))
    def a_callback_comes(self, data: st.DataObject, body: bytes) -> None:
        calls = self.batch.calls()
        if calls:
            self.batch.call_back(data.draw(st.sampled_from(calls)), body)

    @rule(more=st.integers(0, 1))
    def the_budget_is_raised(self, more: int) -> None:
        self.limit += more * CENT
        self.batch.set_budget(str(self.limit), batch=True)

    # The laws

    @invariant()
    def no_call_is_paid_without_room_and_no_budget_is_exceeded(self) -> None:
        (budget,) = [b for b in self.batch.budgets() if b.batch == self.batch.key]
        assert budget.reserved + budget.spent <= budget.amount
        calls = self.batch.calls()
        open_calls = [c for c in calls if c["state"] in ("intent", "received", "sent", "ambiguous")]
        assert budget.reserved == len(open_calls) * CENT
        assert budget.spent == sum((c["cost"] or Decimal(0) for c in calls), Decimal(0))

    @invariant()
    def nothing_is_sent_twice_unless_it_certainly_failed_and_nothing_without_a_ledger_row(self) -> None:
        calls = {c["item_id"]: c for c in self.batch.calls()}
        for item, times in self.sent.items():
            assert calls[item]["attempt"] == times
        assert len(calls) <= ITEMS

    @invariant()
    def each_item_has_one_state_and_at_most_one_result_applied_once(self) -> None:
        states = self.batch.states()
        assert len(states) == ITEMS
        results = self.batch.results()
        assert len({r["item_id"] for r in results}) == len(results)
        assert all(times == 1 for times in self.applied.values())
        assert {s["item_id"] for s in states if s["status"] == "COMPLETED"} == set(self.applied)
        assert {r["item_id"] for r in results} == set(self.applied)

    @invariant()
    def one_living_runner_at_most_may_write_for_an_item(self) -> None:
        leases = {r["item_id"]: r for r in self.batch.rows("select * from item_leases")}
        for item in self.items:
            owners = [
                r
                for r in self.runners
                if not r.dead
                and leases[item]["runner_id"] == r.scope.runner_id
                and r.held.get(item) == leases[item]["fence"]
            ]
            assert len(owners) <= 1

    @invariant()
    def every_callback_is_kept_and_moves_a_state_once(self) -> None:
        assert Counter(row["status"] for row in self.batch.inbox())["applied"] == sum(self.applied.values())

    def teardown(self) -> None:
        for runner in self.runners:
            self.do(runner.connection.close())
        self.loop.close()
        with connect(self.harness.settings.hq_database_url or "") as hq:
            hq.execute("truncate provider_calls, callback_inbox, enrichment_results, runners, budgets restart identity")
            hq.execute("truncate workflow_states, item_leases, batch_items, company_play_step_completions")
            hq.commit()

    def _one_held(self, data: st.DataObject, what: str = "held") -> tuple[Runner, int | None]:
        runner = data.draw(st.sampled_from(self.runners))
        held = sorted(getattr(runner, what))
        return runner, data.draw(st.sampled_from(held)) if held else None

    def _written(self, runner: Runner, write: Coroutine[Any, Any, T]) -> T | None:
        """One group commit; None where the runner was told that its lease is lost."""

        async def commit() -> T | None:
            writing = asyncio.create_task(runner.writer.run())
            try:
                return await write
            except LeaseLost:
                assert runner.dead, "a living runner was told that it is dead"
                return None
            finally:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
                runner.writer = GroupWriter(runner.connection, runner.scope)

        return self.do(commit())


@pytest.mark.timeout(240)
def test_the_laws_hold_in_any_order_of_claims_calls_callbacks_expiry_and_budgets(harness: BatchHarness) -> None:
    class InThisDatabase(Laws):
        pass

    InThisDatabase.harness = harness
    run_state_machine_as_test(
        InThisDatabase,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
