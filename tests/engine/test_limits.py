"""Rates, pauses and backoff by a virtual clock: never early, never above the rate over any window."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from enrichment_assets.domain.patience import Limits, Retry
from enrichment_assets.engine.throttle.backoff import delay_before
from enrichment_assets.engine.throttle.rates import Closed, RateGate, Turn, TurnMissed, interval_of
from enrichment_assets.store.limits.turns import TimeSlot
from tests.engine.virtual_clock import StoppedClock, VirtualClock

TINY = 1e-6


EPOCH = 1_700_000_000.0


class SharedRate:
    """The row of `rate_limits` in virtual time: what `turns.take_time_slot` of the store does, as late as a database.

    Whoever asks first is first.

    Its clock shows another time than the runs', as that of another machine does.
    """

    def __init__(self, clock: VirtualClock, latencies: list[float]) -> None:
        self._clock = clock
        self._latencies = latencies
        self.takes = 0
        self.next_at = 0.0
        self.paused_until = 0.0

    async def take(self, seconds: float, lead: float, ahead: float) -> TimeSlot:
        latency = self._latencies[self.takes % len(self._latencies)]
        self.takes += 1
        await self._clock.sleep(latency / 2)
        now = self._clock.now()
        opens = max(self.next_at, self.paused_until, now)
        is_due = opens <= now + lead
        if is_due:
            self.next_at = opens + seconds
        await self._clock.sleep(latency / 2)
        return TimeSlot(EPOCH + now, EPOCH + opens if is_due else None, max(opens - now - ahead, 0.005))


async def passes(gate: RateGate, left: list[float], on_the_way: Callable[[], Awaitable[None]] | None = None) -> None:
    """One call, from before its intent to the wire."""
    turn = await gate.wait()
    while True:
        if on_the_way is not None:
            await on_the_way()
        try:
            await gate.acquire(turn)
        except TurnMissed as missed:
            turn = await gate.turn_after(missed)
        except Closed:
            turn = await gate.wait()
        else:
            left.append(gate.clock.now())
            return


def most_in_a_window(times: list[float], window: float, tolerance: float = TINY) -> int:
    """The most departures that any half-open window of that length holds."""
    ordered = sorted(times)
    return max(
        (place + 1 - bisect_left(ordered, at - window + tolerance) for place, at in enumerate(ordered)), default=0
    )


def assert_kept(left: list[float], rate: float, tolerance: float = TINY) -> None:
    """At most rate x window + 1 over any window; two neighbours an interval apart say it for all of them."""
    assert all(b - a >= 1 / rate - tolerance for a, b in pairwise(sorted(left)))
    for window in (1 / rate, 1.0, 10.0):
        assert most_in_a_window(left, window, 1e-3 / rate) <= window * rate + 1 + TINY


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
    gate = RateGate(1 / rate, SharedRate(clock, latency).take, clock)
    left: list[float] = []

    async def caller(number: int) -> None:
        for gap in gaps[number::callers]:
            await clock.sleep(gap)
            await passes(gate, left)

    clock.run(*(caller(number) for number in range(callers)))
    assert len(left) == len(gaps)
    assert_kept(left, rate)


delays = st.lists(st.floats(0, 0.4), min_size=1, max_size=7)


@given(
    rate=st.sampled_from([0.5, 2, 4, 20, 300]),
    latency=latencies,
    runs=st.integers(2, 5),
    callers=st.integers(2, 30),
    late=delays,
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_several_runs_together_never_let_more_through_than_the_rate_over_any_window(
    rate: float, latency: list[float], runs: int, callers: int, late: list[float]
) -> None:
    """However slow the database, and however late a call comes to the wire: commits, connections, a busy process."""
    clock = VirtualClock()
    shared = SharedRate(clock, latency)
    left: list[float] = []

    async def caller(number: int, gate: RateGate) -> None:
        async def on_the_way() -> None:
            await clock.sleep(late[number % len(late)])

        for _ in range(6):
            await passes(gate, left, on_the_way)

    gates = [RateGate(1 / rate, shared.take, clock) for _ in range(runs)]
    clock.run(*(caller(number, gates[number % runs]) for number in range(callers)))
    assert len(left) == 6 * callers
    assert_kept(left, rate)


@given(stopped_at=st.floats(0, 3), stopped_for=st.floats(0.01, 30), rate=st.sampled_from([1, 10, 100]))
@hypothesis_settings(max_examples=40, deadline=None)
def test_a_run_that_was_stopped_gives_up_the_time_that_has_passed_and_does_not_make_it_good_by_a_burst(
    stopped_at: float, stopped_for: float, rate: float
) -> None:
    clock = VirtualClock()
    shared = SharedRate(clock, [0.004])
    stopped = StoppedClock(clock, stopped_at, stopped_at + stopped_for)
    left: list[float] = []

    async def caller(gate: RateGate) -> None:
        for _ in range(5):
            await passes(gate, left)

    victim, other = RateGate(1 / rate, shared.take, stopped), RateGate(1 / rate, shared.take, clock)
    clock.run(*(caller(gate) for gate in (victim, other) for _ in range(4)))
    assert len(left) == 40
    assert_kept(left, rate)


def test_runs_that_share_a_rate_use_nearly_all_of_it() -> None:
    for rate, runs in ((4.0, 1), (4.0, 4), (50.0, 1), (50.0, 3)):
        clock = VirtualClock()
        shared = SharedRate(clock, [0.002])
        left: list[float] = []

        async def caller(gate: RateGate, left: list[float] = left) -> None:
            for _ in range(20):
                await passes(gate, left)

        gates = [RateGate(1 / rate, shared.take, clock) for _ in range(runs)]
        clock.run(*(caller(gate) for gate in gates for _ in range(5)))
        shortest = (100 * runs - 1) / rate
        assert shortest - TINY <= max(left) - min(left) <= shortest * (1.0001 if runs == 1 else 1.15)


def test_a_call_takes_no_more_time_from_the_database_than_about_a_quarter_of_a_second_ahead() -> None:
    clock = VirtualClock()
    shared = SharedRate(clock, [0.002])
    gate = RateGate(1 / 4, shared.take, clock)
    ahead: list[float] = []

    async def caller() -> None:
        for _ in range(4):
            await passes(gate, [])
            ahead.append(shared.next_at - clock.now())

    clock.run(*(caller() for _ in range(10)))
    assert max(ahead) < 0.7


def test_a_call_that_waits_on_the_wire_for_a_later_turn_does_not_hold_up_those_before_it() -> None:
    clock = VirtualClock()
    gate = RateGate(1 / 40, SharedRate(clock, [0.002]).take, clock)
    left: dict[str, float] = {}

    async def leaves(name: str, turn: Turn) -> None:
        await gate.acquire(turn)
        left[name] = clock.now()

    async def calls() -> None:
        first = await gate.wait()
        second, last = (replace(first, at=first.at + n / 40) for n in (1, 8))
        await asyncio.gather(leaves("last", last), leaves("second", second), leaves("first", first))
        assert left == {"first": first.at, "second": second.at, "last": last.at}

    clock.run(calls())
    assert list(left) == ["first", "second", "last"]


@given(pause=st.floats(0.1, 120), at=st.floats(0, 3), rate=st.sampled_from([0.0, 2.0, 50.0]), callers=st.integers(1, 8))
@hypothesis_settings(max_examples=60, deadline=None)
def test_nothing_leaves_while_the_provider_asked_for_quiet(pause: float, at: float, rate: float, callers: int) -> None:
    clock = VirtualClock()
    gate = RateGate(1 / rate if rate else 0.0, SharedRate(clock, [0.01]).take, clock)
    left: list[float] = []

    async def caller() -> None:
        for _ in range(12):
            await passes(gate, left)
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
    gate = RateGate(0.1, shared.take, clock)

    async def caller() -> None:
        await passes(gate, [])
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
