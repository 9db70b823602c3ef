"""A Dagster run may die between any two steps of its assets, and the daemon between a sensor's answer and its cursor.

All points are in the long version, `make chaos`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.plant import Plant, plant
from tests.chaos.points import DROPPED, RUN, TICK, Point
from tests.chaos.town import town

ROWS = 4
SHORT = (RUN[2], RUN[5], RUN[9], RUN[13])
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def works() -> Iterator[Plant]:
    """The plant of this module, in a town of its own."""
    with town() as place, plant(place) as opened:
        yield opened


@pytest.mark.parametrize("point", SHORT, ids=str)
def test_a_run_that_is_killed_is_run_again_and_rows_in_are_rows_out_published_and_paid_once(
    works: Plant, point: Point
) -> None:
    batch = works.launch(ROWS)
    assert works.kill_run_at(batch, point)
    assert works.run(batch)
    assert works.broken(batch, ROWS) == []


@pytest.mark.parametrize("point", DROPPED[2:4], ids=str)
def test_a_file_is_one_batch_wherever_the_daemon_that_takes_it_in_dies(works: Plant, point: Point) -> None:
    works.drop(ROWS + 1)
    assert works.kill_tick_at(point=point)
    (batch,) = works.ticks_until_extracted(ROWS + 1)
    assert works.broken(batch, ROWS + 1) == []


@pytest.mark.parametrize("crash", TICK[3:4])
def test_a_daemon_that_dies_between_a_run_request_and_its_cursor_starts_the_batch_once(
    works: Plant, crash: str
) -> None:
    path = works.drop(ROWS + 2)
    assert works.kill_tick_at(crash=crash)
    assert not path.exists()
    (batch,) = works.ticks_until_extracted(ROWS + 2)
    assert works.broken(batch, ROWS + 2) == []
