"""Polls are calls too: in an outage they wait for the breaker, and use up neither probes nor attempts."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any, cast

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.planning import build_blueprint
from enrichment_assets.domain.statuses import CallState, ErrorClass, Status
from enrichment_assets.engine.decisions.decision import Decision
from enrichment_assets.engine.run.context import Batch, Lease, Run
from enrichment_assets.engine.run.prepared_step import Throttle, prepare_steps
from enrichment_assets.engine.throttle.admission import Admission, CallAdmission, NotNow
from enrichment_assets.engine.throttle.breaker import Breaker
from enrichment_assets.engine.throttle.rates import Closed, RateGate
from enrichment_assets.providers import build_providers
from tests.engine.hostile_server import Answers, answering
from tests.engine.test_limits import SharedRate
from tests.engine.virtual_clock import VirtualClock
from tests.engine_features.test_breaker import COOLDOWN, OPENS_AT, SharedRow
from tests.harness.batches import BatchHarness, Launched, async_step, people

POLL = {"request": {"method": "GET", "url": "/results/{{external_id}}"}, "pending_status": [202], "every": 1}


async def tell_nobody(_key: str, _seconds: float, _because: str) -> None:
    """Pauses are not what is looked at here."""


def run_behind(throttle: Throttle, clock: VirtualClock) -> Run:
    """A run whose one step has this throttle; it has no database and no wire, and asks for none."""
    workflow = async_step("slow", poll=POLL)
    blueprint = build_blueprint("acme", PipelineDefinition(slug="p", steps=["slow"]), {"slow": workflow}, {})
    simulator = "http://127.0.0.1:9"
    steps = prepare_steps(blueprint, build_providers(simulator), None, lambda *_: throttle, simulator)
    none = cast(Any, None)
    batch = Batch(1, "b", 1, "acme", blueprint)
    return Run(
        batch,
        steps,
        none,
        Lease(60),
        none,
        "",
        find_shared=none,
        pause_provider=tell_nobody,
        lookups=none,
        bodies=none,
        suppressing=none,
        reaching=none,
        clock=clock,
    )


@given(
    runs=st.integers(1, 3),
    callers=st.integers(1, 5),
    pollers=st.integers(1, 5),
    outage=st.floats(200, 1_500),
    took=st.floats(0.01, 5),
)
@hypothesis_settings(max_examples=30, deadline=None)
def test_an_outage_costs_at_most_one_probe_per_cooldown_polls_included(
    runs: int, callers: int, pollers: int, outage: float, took: float
) -> None:
    clock = VirtualClock()
    row = SharedRow(clock)
    rate = SharedRate(clock, [0.001])
    left: list[float] = []
    answered: list[float] = []
    down = Decision(Status.PENDING, CallState.READY, error_class=ErrorClass.RETRYABLE, again_in=0.0)
    fine = Decision(Status.IN_PROGRESS, CallState.SENT)

    async def user(run: Run, polls: bool) -> None:
        (step,) = run.steps.values()
        while not answered or clock.now() < answered[0] + 10:
            run.wake()
            if step.stopped is not None:
                await clock.sleep(max((step.rests_until or 0.0) - clock.now(), 0.01))
                continue
            try:
                async with Admission(run, step) if polls else CallAdmission(run, step) as admission:
                    left.append(clock.now())
                    await clock.sleep(took)
                    is_down = clock.now() < outage
                    if polls:
                        admission.ended(is_down, None)
                    else:
                        admission.decided(down if is_down else fine, None)
            except NotNow:
                continue
            except Closed as closed:
                run.rest(step, closed)
                continue
            if not is_down:
                answered.append(clock.now())
            await clock.sleep(0.5)

    everybody = []
    for _ in range(runs):
        throttle = Throttle(RateGate(0.0, rate.take, clock), Breaker(row, OPENS_AT, COOLDOWN, clock))
        run = run_behind(throttle, clock)
        everybody += [user(run, polls=number >= callers) for number in range(callers + pollers)]
    clock.run(*everybody)
    opened = OPENS_AT * (took + 0.5) + took
    probes = sorted(time for time in left if opened < time < outage - took)
    assert all(b - a >= COOLDOWN - 1e-6 for a, b in pairwise(probes))
    assert len(probes) <= outage / COOLDOWN + 1
    assert row.failures == 0


def test_a_request_that_is_put_off_before_the_breaker_leaves_another_ones_probe_alone() -> None:
    clock = VirtualClock()
    row = SharedRow(clock)
    row.failures = OPENS_AT
    breaker = Breaker(row, OPENS_AT, COOLDOWN, clock)
    throttle = Throttle(RateGate(0.0, SharedRate(clock, [0.001]).take, clock), breaker)
    going, stopping = run_behind(throttle, clock), run_behind(throttle, clock)
    stopping.stop.set()
    told: list[str] = []

    async def one(run: Run, name: str, after: float, admission: type[Admission]) -> None:
        (step,) = run.steps.values()
        await clock.sleep(after)
        try:
            async with admission(run, step) as entered:
                told.append(f"{name} leaves at {clock.now()}")
                await clock.sleep(10)
                entered.ended(False, None)
        except NotNow:
            told.append(f"{name} is put off at {clock.now()}")

    async def everybody() -> None:
        await breaker.look()
        async with asyncio.TaskGroup() as group:
            group.create_task(one(going, "the probe", 1, Admission))
            group.create_task(one(stopping, "a call", 2, CallAdmission))
            group.create_task(one(stopping, "a poll", 2.5, Admission))
            group.create_task(one(going, "whoever waits", 3, CallAdmission))

    clock.run(everybody())
    assert told == [
        "the probe leaves at 1.0",
        "a call is put off at 2.0",
        "a poll is put off at 2.5",
        "whoever waits leaves at 11.0",
    ]


def polled(answers: Answers) -> int:
    """How often anybody asked for a result."""
    return sum(times for path, times in answers.asked.items() if path.startswith("/results/"))


def cooldown_passes(batch: Launched) -> None:
    batch.change("update rate_limits set paused_until = now() - interval '1 s' where paused_until is not null")


def test_polls_of_a_provider_that_is_down_wait_for_its_breaker_and_fail_nothing(harness: BatchHarness) -> None:
    with answering() as answers:
        slow = async_step(
            "slow",
            poll={**POLL, "request": {"method": "GET", "url": f"{answers.url}/results/{{{{external_id}}}}"}},
            limits={"concurrency": 5},
        )
        batch = harness.launch(people(40), slow)
        batch.run()
        assert batch.statuses() == {"IN_PROGRESS": 40}
        answers.status = 503
        batch.overdue()
        report = batch.run(linger=0.0)
        assert "failed 20 times in a row" in report.stopped["slow"]
        asked = polled(answers)
        assert 20 <= asked <= 40
        assert batch.statuses() == {"IN_PROGRESS": 40}
        tried = sum(state["attempts"] for state in batch.states())

        batch.overdue()
        assert "next probe" in batch.run().stopped["slow"]
        assert polled(answers) == asked

        for _ in range(3):
            cooldown_passes(batch)
            batch.run()
        assert polled(answers) == asked + 3
        assert batch.statuses() == {"IN_PROGRESS": 40}
        assert sum(state["attempts"] for state in batch.states()) == tried
        assert batch.asked("slow") == 40

        answers.status = 200
        cooldown_passes(batch)
        assert batch.run().finished
        assert batch.statuses() == {"COMPLETED": 40}
        assert batch.asked("slow") == 40
