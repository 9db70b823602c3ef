"""A Dagster run may die between any two steps of its assets, and the daemon between a sensor's answer and its cursor.

Some points, and more than one crash to a batch. All of them one by one are in the long version, `make chaos`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.plant import Plant, plant
from tests.chaos.points import DROPPED, RUN, TICK
from tests.chaos.town import town

ROWS = 4
CALLING, PUBLISHING = RUN[2], RUN[13]
LAUNCHED, REQUESTED = DROPPED[2], TICK[3]
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def works() -> Iterator[Plant]:
    """The plant of this module, in a town of its own."""
    with town() as place, plant(place) as opened:
        yield opened


def test_a_run_that_is_killed_is_run_again_and_rows_in_are_rows_out_published_and_paid_once(works: Plant) -> None:
    batch = works.launch(ROWS)
    for point in (CALLING, PUBLISHING):
        assert works.kill_run_at(batch, point), f"never came there: {point}"
    assert works.run(batch)
    assert works.broken(batch, ROWS) == []


def test_a_file_is_one_batch_wherever_the_daemon_that_takes_it_in_dies(works: Plant) -> None:
    path = works.drop(ROWS)
    assert works.kill_tick_at(point=LAUNCHED)
    assert path.exists()
    assert works.kill_tick_at(crash=REQUESTED)
    assert not path.exists()
    (batch,) = works.look_until_extracted(path)
    assert works.broken(batch, ROWS) == []
    assert works.litter() == []
