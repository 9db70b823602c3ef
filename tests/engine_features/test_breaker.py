"""Breakers: an outage costs at most one probe per cooldown, over all runs, and no item's attempts."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from enrichment_assets.engine.throttle.breaker import Breaker, BreakerOpen
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect_async
from enrichment_assets.store.limits import breaker as store
from enrichment_assets.store.limits.breaker import BreakerState
from tests.engine.hostile_server import answering
from tests.engine.virtual_clock import VirtualClock
from tests.harness.batches import BatchHarness, people, step

OPENS_AT, COOLDOWN = 5, 60.0


class SharedRow:
    """The database row in virtual time: what the statements of `store.limits.breaker` do."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.failures = 0
        self.paused_until = 0.0

    async def state(self) -> BreakerState:
        return BreakerState(self.failures, max(self.paused_until - self._clock.now(), 0.0))

    async def failed(self) -> BreakerState:
        self.failures += 1
        if self.failures >= OPENS_AT:
            self.paused_until = max(self.paused_until, self._clock.now() + COOLDOWN)
        return await self.state()

    async def succeeded(self) -> None:
        self.failures, self.paused_until = 0, 0.0

    async def take_probe(self) -> bool:
        if self.failures < OPENS_AT or self.paused_until > self._clock.now():
            return False
        self.paused_until = self._clock.now() + COOLDOWN
        return True


@given(runs=st.integers(1, 4), callers=st.integers(1, 8), outage=st.floats(200, 2_000), took=st.floats(0.01, 5))
@hypothesis_settings(max_examples=40, deadline=None)
def test_an_outage_costs_at_most_one_probe_per_cooldown(runs: int, callers: int, outage: float, took: float) -> None:
    clock = VirtualClock()
    row = SharedRow(clock)
    left: list[float] = []
    answered: list[float] = []

    async def caller(breaker: Breaker) -> None:
        while not answered or clock.now() < answered[0] + 10:
            try:
                probe = await breaker.enter()
            except BreakerOpen as closed:
                assert closed.seconds <= COOLDOWN + 1e-6
                await clock.sleep(closed.seconds)
                continue
            left.append(clock.now())
            await clock.sleep(took)
            is_down = clock.now() < outage
            await breaker.leave(is_down, probe)
            if not is_down:
                answered.append(clock.now())
            await clock.sleep(0.5)

    breakers = [Breaker(row, OPENS_AT, COOLDOWN, clock) for _ in range(runs)]
    clock.run(*(caller(breakers[number % runs]) for number in range(runs * callers)))
    opened = OPENS_AT * (took + 0.5) + took
    probes = sorted(time for time in left if opened < time < outage - took)
    assert all(b - a >= COOLDOWN - 1e-6 for a, b in pairwise(probes))
    assert answered[0] <= outage + COOLDOWN + 2 * took + 1
    assert row.failures == 0


def test_while_the_probe_is_out_the_others_wait_for_what_it_finds() -> None:
    clock = VirtualClock()
    row = SharedRow(clock)
    row.failures = OPENS_AT
    breaker = Breaker(row, OPENS_AT, COOLDOWN, clock)
    left: list[float] = []

    async def caller() -> None:
        probe = await breaker.enter()
        left.append(clock.now())
        await clock.sleep(3.0)
        await breaker.leave(failed=False, probe=probe)

    async def all_of_them() -> None:
        assert await breaker.look() == 0.0
        await asyncio.gather(*(caller() for _ in range(6)))

    clock.run(all_of_them())
    assert left == [0.0] + [3.0] * 5


def test_a_call_that_left_before_the_outage_does_not_end_the_wait_for_the_probe() -> None:
    clock = VirtualClock()
    row = SharedRow(clock)
    breaker = Breaker(row, OPENS_AT, COOLDOWN, clock)
    left: dict[str, float] = {}

    async def call(name: str, begins: float, takes: float, failed: bool) -> None:
        await clock.sleep(begins)
        if name == "probe":
            row.failures = OPENS_AT
            await breaker.look()
        probe = await breaker.enter()
        left[name] = clock.now()
        await clock.sleep(takes)
        await breaker.leave(failed, probe)

    clock.run(call("early", 0.0, 2.0, True), call("probe", 1.0, 3.0, False), call("waiting", 1.5, 0.1, False))
    assert left == {"early": 0.0, "probe": 1.0, "waiting": 4.0}


def test_the_row_opens_gives_one_probe_and_closes(settings: Settings) -> None:
    async def scenario() -> None:
        async with await connect_async(settings.hq_database_url or "", autocommit=True) as connection:
            key = "http:1:find:breaker"
            assert await store.breaker_state(connection, key) == BreakerState(0, 0.0)
            for failures in (1, 2):
                assert await store.note_failure(connection, key, 3, 60.0) == BreakerState(failures, 0.0)
            opened = await store.note_failure(connection, key, 3, 60.0)
            assert opened.failures == 3 and 59 < opened.rests_for <= 60
            assert not await store.take_probe(connection, key, 3, 60.0)
            await connection.execute("update rate_limits set paused_until = now() - interval '1 s'")
            assert await store.take_probe(connection, key, 3, 60.0)
            assert not await store.take_probe(connection, key, 3, 60.0)
            await store.note_success(connection, key)
            assert await store.breaker_state(connection, key) == BreakerState(0, 0.0)

    asyncio.run(scenario())


def test_in_an_outage_items_stay_pending_and_the_next_run_sends_one_probe(harness: BatchHarness) -> None:
    with answering() as answers:
        answers.status = 503
        answers.bodies["/down"] = b"{}"
        down = step("down", url=f"{answers.url}/down", limits={"concurrency": 5}, free_or_idempotent=True)
        down = down.model_copy(update={"retry": down.retry.model_copy(update={"attempts": 10})})
        batch = harness.launch(people(30), down, step("up"))
        report = batch.run()
        assert "failed 20 times in a row" in report.stopped["down"]
        assert not report.finished
        assert batch.statuses("down") == {"PENDING": 30}
        assert batch.statuses("up") == {"COMPLETED": 30}
        asked = answers.asked["/down"]
        assert 20 <= asked <= 20 + 30  # of each item one call was on its way, or had failed and was not yet counted
        (row,) = batch.rows("select extract(epoch from resume_at - now()) as wait from batches")
        assert 30 < row["wait"] <= 60

        assert "next probe" in batch.run().stopped["down"]
        assert answers.asked["/down"] == asked

        batch.due()
        batch.change("update rate_limits set paused_until = now() - interval '1 s' where paused_until is not null")
        batch.run()
        assert answers.asked["/down"] == asked + 1

        answers.status = 200
        answers.bodies["/down"] = b'{"found": true, "id": "fine"}'
        batch.due()
        batch.change("update rate_limits set paused_until = now() - interval '1 s' where paused_until is not null")
        assert batch.run().finished
        assert batch.statuses("down") == {"COMPLETED": 30}
        assert answers.asked["/down"] == asked + 1 + 30
        assert batch.rows("select max(failures) as failures from rate_limits") == [{"failures": 0}]
