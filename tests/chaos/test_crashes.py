"""Every process may die at any line: ended, stopped and resumed, or with its database restarted, at named points.

The long version, at all points and with random kills, is `make chaos`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.crash_harness import CrashHarness, crash_harness, receiving
from tests.chaos.invariants import broken, broken_bulk, broken_families, broken_reuse, double_charges, halves
from tests.chaos.points import (
    ASSET,
    BEHIND_THE_INTENT,
    BULK,
    BULK_LATER,
    BULK_STORED,
    ENGINE,
    EVERY,
    FAMILIES,
    ORDERS,
    RECEIVER,
    RESTARTED,
    REUSING,
    STOPPED,
    TAKING,
    Point,
    quick,
)
from tests.chaos.scenarios import (
    hold_at,
    kill_at,
    kill_order_at,
    kill_receiver_at,
    launch_bulk,
    launch_families,
    launch_order,
    launch_reusing,
    restart_at,
    stop_at,
)
from tests.harness.marks import CRASH_POINT, crash_point_function, wrong_marks

ROWS = 4
pytestmark = [pytest.mark.crashes, pytest.mark.timeout(900)]  # many runs one after another; a loaded machine needs long


@pytest.fixture(scope="module")
def harness() -> Iterator[CrashHarness]:
    """The harness of this module."""
    with crash_harness() as started:
        yield started


def test_every_point_is_marked_once_in_the_package_above_a_function_and_every_mark_is_struck() -> None:
    assert wrong_marks(CRASH_POINT, {point.name for point in EVERY}) == []
    assert all(crash_point_function(point.name) for point in EVERY)


def test_a_run_that_is_killed_at_any_point_loses_nothing_and_pays_nothing_twice(harness: CrashHarness) -> None:
    with receiving(harness):
        launched = {harness.launch(ROWS): point for point in (*ENGINE, *TAKING, *ASSET)}
        never_there = [str(point) for batch, point in launched.items() if not kill_at(harness, batch, point, ROWS)]
        for batch in launched:
            harness.finish(batch)
    wrong = {str(point): faults for batch, point in launched.items() if (faults := broken(harness, batch, ROWS))}
    assert wrong == {}
    assert never_there == []
    assert double_charges(harness) == []


def test_a_run_that_is_killed_while_it_writes_families_never_leaves_a_half_of_one(harness: CrashHarness) -> None:
    launched = {launch_families(harness, f"families-{n}", ROWS): point for n, point in enumerate(FAMILIES)}
    for batch, point in launched.items():
        assert kill_at(harness, batch, point, ROWS, hit=point.hit), point
        assert halves(harness, batch) == [], point
        harness.finish(batch)
        assert broken_families(harness, batch, ROWS) == [], point
    assert double_charges(harness) == []


def test_a_run_that_is_killed_around_a_bulk_call_loses_no_member_and_pays_for_none_twice(harness: CrashHarness) -> None:
    launched = {launch_bulk(harness, f"bulk-{n}", ROWS): point for n, point in enumerate(BULK)}
    never_there = [str(point) for batch, point in launched.items() if not kill_at(harness, batch, point, ROWS)]
    for batch in launched:
        harness.finish(batch)
    wrong = {str(point): faults for batch, point in launched.items() if (faults := broken_bulk(harness, batch, ROWS))}
    assert wrong == {}
    assert never_there == []
    assert double_charges(harness) == []
    unknown = [batch for batch in launched if harness.retry_ambiguous(batch)]
    assert len(unknown) >= 3, "between the intent and the kept answer nobody knows what became of the members"
    for batch in unknown:
        harness.finish(batch)
        assert broken_bulk(harness, batch, ROWS) == []
    assert double_charges(harness) == []


def test_a_run_or_receiver_that_is_killed_around_one_callback_for_many_loses_no_member(harness: CrashHarness) -> None:
    with receiving(harness):
        launched = {launch_bulk(harness, f"later-{n}", ROWS, later=True): point for n, point in enumerate(BULK_LATER)}
        never_there = [str(point) for batch, point in launched.items() if not kill_at(harness, batch, point, ROWS)]
        for batch in launched:
            harness.finish(batch)
    received = [launch_bulk(harness, "later-stored", ROWS, later=True)]
    killed, acknowledged, kept = kill_receiver_at(harness, received[0], BULK_STORED, ready_first=True)
    assert killed and kept == ROWS >= acknowledged
    with receiving(harness):
        for batch in received:
            harness.finish(batch)
    wrong = {batch: faults for batch in (*launched, *received) if (faults := broken_bulk(harness, batch, ROWS))}
    assert wrong == {}
    assert never_there == []
    assert double_charges(harness) == []


def test_a_run_that_is_killed_around_an_order_to_a_batch_api_neither_loses_it_nor_places_it_twice(
    harness: CrashHarness,
) -> None:
    launched = {launch_order(harness, f"order-{n}", ROWS): point for n, point in enumerate(ORDERS)}
    never_there = [str(point) for batch, point in launched.items() if not kill_order_at(harness, batch, point)]
    for batch in launched:
        harness.finish(batch)
    wrong = {str(point): faults for batch, point in launched.items() if (faults := broken_bulk(harness, batch, ROWS))}
    assert wrong == {}
    assert never_there == []
    assert double_charges(harness) == []
    assert not any(harness.retry_ambiguous(batch) for batch in launched), "every order is found by its name"


@pytest.mark.parametrize("point", BEHIND_THE_INTENT, ids=str)
def test_a_run_that_is_stopped_between_its_intent_and_the_wire_sends_nothing_when_others_have_finished_its_items(
    harness: CrashHarness, point: Point
) -> None:
    with receiving(harness):
        batch = harness.launch(ROWS)
        code, calls = hold_at(harness, batch, point)
    assert calls == 0
    assert code == 1  # it ended because its lease was lost
    assert broken(harness, batch, ROWS) == []
    assert double_charges(harness) == []


@pytest.mark.parametrize("point", quick(STOPPED), ids=str)
def test_a_run_that_is_stopped_past_its_lease_wakes_up_and_changes_nothing(harness: CrashHarness, point: Point) -> None:
    with receiving(harness):
        batch = harness.launch(ROWS)
        assert stop_at(harness, batch, point)
        harness.finish(batch)
    assert broken(harness, batch, ROWS) == []
    assert double_charges(harness) == []


@pytest.mark.parametrize("point", quick(RESTARTED), ids=str)
def test_a_database_that_is_restarted_at_once_loses_nothing_that_was_committed(
    harness: CrashHarness, point: Point
) -> None:
    with receiving(harness):
        batch = harness.launch(ROWS)
        assert restart_at(harness, batch, point)
        harness.finish(batch)
    assert broken(harness, batch, ROWS) == []
    assert double_charges(harness) == []


@pytest.mark.parametrize("point", quick(RECEIVER), ids=str)
def test_a_receiver_that_is_killed_has_stored_what_it_acknowledged_and_the_rest_is_asked_for(
    harness: CrashHarness, point: Point
) -> None:
    batch = harness.launch(ROWS)
    killed, acknowledged, stored = kill_receiver_at(harness, batch, point)
    assert killed
    assert stored >= acknowledged
    with receiving(harness):
        harness.finish(batch)
    assert broken(harness, batch, ROWS) == []
    assert double_charges(harness) == []


def test_a_run_that_is_killed_while_it_reuses_answers_takes_each_once_and_pays_for_none(harness: CrashHarness) -> None:
    launched = {launch_reusing(harness, f"reusing-{number}", ROWS): point for number, point in enumerate(REUSING)}
    never_there = [str(point) for batch, point in launched.items() if not kill_at(harness, batch, point, ROWS)]
    for batch in launched:
        harness.finish(batch)
    wrong = {str(point): faults for batch, point in launched.items() if (faults := broken_reuse(harness, batch, ROWS))}
    assert wrong == {}
    assert never_there == []
    assert double_charges(harness) == []
