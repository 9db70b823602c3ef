"""`enrich stats` tells what a batch waited for, and names its bottleneck: limits, the provider, or this machine."""

from __future__ import annotations

import pytest

from enrichment_assets.domain.statuses import SpentOn
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.run.time_spent import Load
from enrichment_assets.services.operations.bottleneck import find_bottleneck, time_spent
from enrichment_assets.services.operations.statistics import batch_statistics
from enrichment_assets.store.runs.step_times import ALL_STEPS
from tests.harness.batches import BatchHarness, people, step
from tests.harness.handles import hq_of


def workflow(**limits: float) -> WorkflowDefinition:
    return step("acme-search", limits=limits)


@pytest.mark.parametrize(
    ("spent_on", "limits", "sentence"),
    [
        (
            SpentOn.RATE,
            {"per_minute": 60},
            "provider limit 60/min of acme-search: 83 % of the time; raise limits.per_minute or buy bulk",
        ),
        (
            SpentOn.RATE,
            {"per_second": 0.5, "per_minute": 60},
            "provider limit 0.5/s of acme-search: 83 % of the time; raise limits.per_second or buy bulk",
        ),
        (
            SpentOn.SLOTS,
            {"concurrency": 3},
            "limit of 3 calls at a time of acme-search: 83 % of the time; raise limits.concurrency",
        ),
        (
            SpentOn.PROVIDER,
            {"concurrency": 3},
            "answers of acme-search: 83 % of the time; "
            "the provider takes that long: a longer list fills its 3 calls at a time",
        ),
        (SpentOn.CALLBACKS, {}, "callbacks of acme-search: 83 % of the time; the provider takes that long"),
        (
            SpentOn.RESTS,
            {},
            "rests of acme-search: 83 % of the time; "
            "it was refused, asked for quiet or used up its day: see the reasons below",
        ),
        (
            SpentOn.OURS,
            {},
            "this machine at acme-search: 83 % of the time; give it more processor, or a nearer database",
        ),
    ],
)
def test_the_bottleneck_is_what_took_longest_and_says_what_to_change(
    spent_on: SpentOn, limits: dict[str, float], sentence: str
) -> None:
    spent = {"other": {SpentOn.OURS: 50.0}, "acme-search": {spent_on: 83.0, SpentOn.RUN: 400.0}}
    found = find_bottleneck(100.0, spent, [step("other"), workflow(**limits)])
    assert found is not None
    assert (found.workflow, found.spent_on, found.sentence) == ("acme-search", spent_on, sentence)


def test_a_batch_of_which_no_time_was_kept_has_no_bottleneck_in_words() -> None:
    assert find_bottleneck(0.0, {}, [workflow()]) is None
    assert find_bottleneck(10.0, {"acme-search": {}}, [workflow()]) is None


def test_time_between_runs_is_the_callbacks_as_far_as_they_were_waited_for() -> None:
    times = {ALL_STEPS: {SpentOn.RUN: 10.0}, "submit": {SpentOn.PROVIDER: 6.0}}
    assert time_spent(times, 60.0, {"submit": 45.0}) == (
        55.0,
        {"submit": {SpentOn.PROVIDER: 6.0, SpentOn.CALLBACKS: 45.0}},
    )
    assert time_spent(times, 12.0, {"submit": 11.0})[0] == 12.0  # most of them came while runs were under way
    assert time_spent(times, 86_400.0, {}) == (10.0, {"submit": {SpentOn.PROVIDER: 6.0}})  # the rest came the next day
    assert time_spent({}, 60.0, {"submit": 45.0}) == (45.0, {})  # before times were kept


@pytest.mark.parametrize(
    ("load", "busy", "waits_for"),
    [
        (Load(), True, None),
        (Load(items=5, for_rate=1, on_wire=4), True, SpentOn.RATE),
        (Load(items=9, for_slot=5, on_wire=4), False, SpentOn.SLOTS),
        (Load(items=9, for_slot=5, on_wire=4), True, SpentOn.OURS),
        (Load(items=9, for_slot=5, on_wire=1), False, SpentOn.PROVIDER),
        (Load(items=9, for_slot=5), False, SpentOn.OURS),
        (Load(items=2, on_wire=2), False, SpentOn.PROVIDER),
        (Load(items=2, resting=2), False, SpentOn.RESTS),
        (Load(items=2, resting=1), False, SpentOn.OURS),
    ],
)
def test_what_holds_a_step_back_follows_from_what_its_calls_do(
    load: Load, busy: bool, waits_for: SpentOn | None
) -> None:
    assert load.held_back_by(4, is_stopped=False, we_are_busy=busy) is waits_for
    assert load.held_back_by(4, is_stopped=True, we_are_busy=busy) is SpentOn.RESTS


def test_a_run_that_waits_for_its_own_rate_says_so_and_the_providers_latency_is_the_providers(
    harness: BatchHarness,
) -> None:
    batch = harness.launch(people(30), step("slow-rate", limits={"per_second": 20, "concurrency": 10}), step("next"))
    batch.run()
    slow, following = batch_statistics(hq_of(harness.settings), batch.key)
    assert (slow.bottleneck, following.bottleneck, following.held_up) == (True, False, None)
    assert slow.held_up is not None
    assert slow.held_up.startswith("provider limit 20/s of slow-rate: ")
    assert slow.held_up.endswith(" % of the time; raise limits.per_second or buy bulk")
    waited = slow.spent[SpentOn.RATE]
    assert waited > sum(slow.spent.values()) / 2
    # Ten calls at a time at 20/s wait for half a second each; the simulator answers at once.
    assert slow.p50_ms is not None and slow.p50_ms < 250
