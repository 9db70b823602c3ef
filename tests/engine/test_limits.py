"""Rates, pauses and backoff by a virtual clock: never early, never above the rate over any window."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from enrichment_assets.domain.workflow import Limits, Retry
from enrichment_assets.engine.backoff import delay_before
from enrichment_assets.engine.limits import BLOCK_SECONDS, RateGate, interval_of
from enrichment_assets.store.limits import Slots
from tests.engine.virtual_clock import VirtualClock

TINY = 1e-6


class SharedRate:
    """The row of `rate_limits` in virtual time: what `store.limits.take_slots` says, and as late as a database."""

    def __init__(self, clock: VirtualClock, latencies: list[float]) -> None:
        self._clock = clock
        self._latencies = latencies
        self._takes = 0
        self.next_at = 0.0
        self.paused_until = 0.0
        self.slots = 0

    def take(self) -> Callable[[float, int], Awaitable[Slots]]:
        async def take_slots(interval: float, count: int) -> Slots:
            latency = self._latencies[self._takes % len(self._latencies)]
            self._takes += 1
            await self._clock.sleep(latency / 2)
            now = self._clock.now()
            first = max(self.next_at, self.paused_until, now)
            self.next_at = first + interval * count
            self.slots += count
            paused = max(self.paused_until - now, 0.0)
            await self._clock.sleep(latency / 2)
            return Slots(first - now, paused)

        return take_slots


def most_in_a_window(times: list[float], window: float) -> int:
    """The most departures that any half-open window of that length holds."""
    ordered = sorted(times)
    return max((place + 1 - bisect_left(ordered, at - window + TINY) for place, at in enumerate(ordered)), default=0)


latencies = st.lists(st.floats(0, 0.3), min_size=1, max_size=6)
pauses_between = st.lists(st.floats(0, 2), min_size=1, max_size=60)


@given(
    rate=st.sampled_from([0.5, 3, 5, 15, 40, 200]), latency=latencies, gaps=pauses_between, callers=st.integers(1, 9)
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_one_gate_never_lets_more_through_than_the_rate_over_any_window(
    rate: float, latency: list[float], gaps: list[float], callers: int
) -> None:
    clock = VirtualClock()
    gate = RateGate(1 / rate, SharedRate(clock, latency).take(), clock)
    left: list[float] = []

    async def caller(number: int) -> None:
        for gap in gaps[number::callers]:
            await clock.sleep(gap)
            await gate.wait()
            left.append(clock.now())

    clock.run(*(caller(number) for number in range(callers)))
    assert len(left) == len(gaps)
    for window in (1 / rate, 1.0, 10.0):
        assert most_in_a_window(left, window) <= window * rate + 1 + TINY
    ordered = sorted(left)
    assert all(b - a >= 1 / rate - TINY for a, b in pairwise(ordered))


@given(latency=latencies, callers=st.integers(2, 40))
@hypothesis_settings(max_examples=30, deadline=None)
def test_several_runs_share_one_rate_and_exceed_it_by_no_more_than_the_block_each_holds(
    latency: list[float], callers: int
) -> None:
    rate, runs = 20.0, 3
    clock = VirtualClock()
    shared = SharedRate(clock, latency)
    left: list[float] = []

    async def caller(gate: RateGate) -> None:
        for _ in range(6):
            await gate.wait()
            left.append(clock.now())

    gates = [RateGate(1 / rate, shared.take(), clock) for _ in range(runs)]
    clock.run(*(caller(gates[number % runs]) for number in range(callers)))
    block = BLOCK_SECONDS * rate
    spread = max(latency) * rate
    assert most_in_a_window(left, 1.0) <= rate + 1 + runs * (block + spread)
    assert shared.slots <= len(left) + runs * block


def test_a_slow_provider_gets_single_slots_so_that_runs_never_hold_what_another_could_use() -> None:
    clock = VirtualClock()
    shared = SharedRate(clock, [0.0])
    left: list[float] = []

    async def caller(gate: RateGate) -> None:
        for _ in range(10):
            await gate.wait()
            left.append(clock.now())

    clock.run(*(caller(RateGate(1 / 4, shared.take(), clock)) for _ in range(4)))
    assert most_in_a_window(left, 1.0) <= 4
    assert max(left) == pytest.approx(39 / 4)


@given(pause=st.floats(0.1, 120), at=st.floats(0, 3), rate=st.sampled_from([0.0, 2.0, 50.0]), callers=st.integers(1, 8))
@hypothesis_settings(max_examples=60, deadline=None)
def test_nothing_leaves_while_the_provider_asked_for_quiet(pause: float, at: float, rate: float, callers: int) -> None:
    clock = VirtualClock()
    gate = RateGate(1 / rate if rate else 0.0, SharedRate(clock, [0.01]).take(), clock)
    left: list[float] = []

    async def caller() -> None:
        for _ in range(12):
            await gate.wait()
            left.append(clock.now())
            await clock.sleep(0.05)

    async def closer() -> None:
        await clock.sleep(at)
        gate.close_for(pause)

    clock.run(closer(), *(caller() for _ in range(callers)))
    assert not [time for time in left if at + TINY < time < at + pause - TINY]
    if rate:
        assert most_in_a_window(left, 1.0) <= rate + 1


def test_a_pause_in_the_database_holds_back_a_run_that_did_not_see_the_refusal() -> None:
    clock = VirtualClock()
    shared = SharedRate(clock, [0.02])
    shared.paused_until = 30.0
    gate = RateGate(0.1, shared.take(), clock)

    async def caller() -> None:
        await gate.wait()
        assert clock.now() >= 30.0

    clock.run(caller())


def test_the_strictest_rate_decides_and_a_daily_one_does_not_space_calls() -> None:
    assert interval_of(Limits(per_second=10, per_minute=60)) == 1.0
    assert interval_of(Limits(per_second=10, per_minute=6000)) == 0.1
    assert interval_of(Limits(per_day=600)) == 0.0


@given(
    attempt=st.integers(2, 100),
    base=st.floats(0, 10),
    most=st.floats(0, 100),
    asked=st.floats(0, 86_400),
    seed=st.integers(),
)
def test_a_retry_never_comes_before_the_provider_allows_it_and_never_later_than_the_bound(
    attempt: int, base: float, most: float, asked: float, seed: int
) -> None:
    delay = delay_before(attempt, Retry(base=base, max=most), asked, random.Random(seed))
    assert asked <= delay <= asked + min(most, base * 2.0 ** min(attempt - 2, 60))


def test_jitter_is_full_so_that_failed_calls_do_not_come_back_together() -> None:
    chance = random.Random(7)
    delays = [delay_before(5, Retry(base=1, max=100), 0.0, chance) for _ in range(4_000)]
    assert min(delays) < 0.1 and max(delays) > 7.9
    assert 3.8 < sum(delays) / len(delays) < 4.2
