"""A Dagster run may die between any two steps of its assets, and the daemon between a sensor's answer and its cursor.

Some points, and more than one crash to a batch. All of them one by one are in the long version, `make chaos`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.crash_harness import crash_harness
from tests.chaos.dagster_harness import DagsterHarness, dagster_harness
from tests.chaos.points import LAUNCHED, RUN, RUN_CREATED, quick

ROWS = 4
pytestmark = [pytest.mark.crashes, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def dagster() -> Iterator[DagsterHarness]:
    """Runs and ticks of this module, in a harness of their own."""
    with crash_harness() as crashes, dagster_harness(crashes) as opened:
        yield opened


def test_a_run_that_is_killed_is_run_again_and_rows_in_are_rows_out_published_and_paid_once(
    dagster: DagsterHarness,
) -> None:
    batch = dagster.launch(ROWS)
    for point in quick(RUN):
        assert dagster.kill_run_at(batch, point), f"never came there: {point}"
    assert dagster.run(batch)
    assert dagster.broken(batch, ROWS) == []


def test_a_file_is_one_batch_wherever_the_daemon_that_takes_it_in_dies(dagster: DagsterHarness) -> None:
    path = dagster.drop(ROWS)
    assert dagster.kill_tick_at(point=LAUNCHED)
    assert path.exists()
    assert dagster.kill_tick_at(crash=RUN_CREATED)
    assert not path.exists()
    (batch,) = dagster.look_until_extracted(path)
    assert dagster.broken(batch, ROWS) == []
    assert dagster.litter() == []
