"""Whoever dies while leads are delivered: no lead goes twice, and none is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.crash_harness import CrashHarness, crash_harness
from tests.chaos.deliveries import broken_delivery, finish_delivery, kill_delivery_at, launch_delivered
from tests.chaos.points import DELIVERING, PLANNING

ROWS = 3
pytestmark = [pytest.mark.crashes, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def harness() -> Iterator[CrashHarness]:
    """The harness of this module."""
    with crash_harness() as started:
        yield started


def test_a_run_that_is_killed_while_it_delivers_makes_no_lead_twice_and_loses_none(harness: CrashHarness) -> None:
    points = {f"to-{number}": point for number, point in enumerate((*PLANNING, *DELIVERING))}
    planned = [slug for slug, point in points.items() if point in DELIVERING]
    batch = launch_delivered(harness, ROWS, list(points), planned)
    never_there, wrong = [], {}
    for slug, point in points.items():
        if not kill_delivery_at(harness, batch, slug, point, plans=slug not in planned):
            never_there.append(str(point))
        finish_delivery(harness, batch, slug, plans=slug not in planned)
        if faults := broken_delivery(harness, batch, slug, ROWS):
            wrong[str(point)] = faults
    assert wrong == {}
    assert never_there == []
