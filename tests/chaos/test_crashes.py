"""Every process may die at any line: ended, stopped and resumed, or with its database restarted, at named points.

The long version, at all points and with random kills, is `make chaos`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.faults import is_there
from tests.chaos.invariants import broken, broken_reuse, double_charges
from tests.chaos.points import ASSET, ENGINE, EVERY, RECEIVER, RESTARTED, REUSING, STOPPED, Point
from tests.chaos.scenes import hold_at, kill_at, kill_receiver_at, launch_reusing, restart_at, stop_at
from tests.chaos.town import Town, receiving, town

ROWS = 4
pytestmark = pytest.mark.timeout(900)  # many runs one after another; a loaded machine needs long


@pytest.fixture(scope="module")
def place() -> Iterator[Town]:
    """The town of this module."""
    with town() as started:
        yield started


def test_every_point_is_a_function_of_the_package() -> None:
    assert [str(point) for point in EVERY if not is_there(point.name)] == []


def test_a_run_that_is_killed_at_any_point_loses_nothing_and_pays_nothing_twice(place: Town) -> None:
    with receiving(place):
        launched = {place.launch(ROWS): point for point in (*ENGINE, *ASSET)}
        never_there = [str(point) for batch, point in launched.items() if not kill_at(place, batch, point, ROWS)]
        for batch in launched:
            place.finish(batch)
    wrong = {str(point): faults for batch, point in launched.items() if (faults := broken(place, batch, ROWS))}
    assert wrong == {}
    assert never_there == []
    assert double_charges(place) == []


@pytest.mark.parametrize("point", STOPPED[:2], ids=str)
def test_a_run_that_is_stopped_between_its_intent_and_the_wire_sends_nothing_when_others_have_finished_its_items(
    place: Town, point: Point
) -> None:
    with receiving(place):
        batch = place.launch(ROWS)
        code, calls = hold_at(place, batch, point)
    assert calls == 0
    assert code == 1  # it ended because its lease was lost
    assert broken(place, batch, ROWS) == []
    assert double_charges(place) == []


@pytest.mark.parametrize("point", STOPPED[3:5], ids=str)
def test_a_run_that_is_stopped_past_its_lease_wakes_up_and_changes_nothing(place: Town, point: Point) -> None:
    with receiving(place):
        batch = place.launch(ROWS)
        assert stop_at(place, batch, point)
        place.finish(batch)
    assert broken(place, batch, ROWS) == []
    assert double_charges(place) == []


@pytest.mark.parametrize("point", RESTARTED[-1:], ids=str)
def test_a_database_that_is_restarted_at_once_loses_nothing_that_was_committed(place: Town, point: Point) -> None:
    with receiving(place):
        batch = place.launch(ROWS)
        assert restart_at(place, batch, point)
        place.finish(batch)
    assert broken(place, batch, ROWS) == []
    assert double_charges(place) == []


@pytest.mark.parametrize("point", RECEIVER[1:3], ids=str)
def test_a_receiver_that_is_killed_has_stored_what_it_acknowledged_and_the_rest_is_asked_for(
    place: Town, point: Point
) -> None:
    batch = place.launch(ROWS)
    killed, acknowledged, stored = kill_receiver_at(place, batch, point)
    assert killed
    assert stored >= acknowledged
    with receiving(place):
        place.finish(batch)
    assert broken(place, batch, ROWS) == []
    assert double_charges(place) == []


def test_a_run_that_is_killed_while_it_reuses_answers_takes_each_once_and_pays_for_none(place: Town) -> None:
    launched = {launch_reusing(place, f"reusing-{number}", ROWS): point for number, point in enumerate(REUSING)}
    never_there = [str(point) for batch, point in launched.items() if not kill_at(place, batch, point, ROWS)]
    for batch in launched:
        place.finish(batch)
    wrong = {str(point): faults for batch, point in launched.items() if (faults := broken_reuse(place, batch, ROWS))}
    assert wrong == {}
    assert never_there == []
    assert double_charges(place) == []
