"""Rows in are rows out over links that delay, cut, truncate, reset, half-close and swallow, and nothing hangs for good.

The long version, and the one with all processes of `enrich up`, is `make soak`.
"""

from __future__ import annotations

import random

import pytest

from tests.chaos.crash_harness import crash_harness
from tests.faults.network import network
from tests.faults.soak import Found, soak

ROWS = 12
SECONDS = 20.0
pytestmark = [pytest.mark.crashes, pytest.mark.timeout(900)]


def test_batches_over_harmful_links_to_a_database_that_is_restarted_lose_nothing_and_pay_nothing_twice() -> None:
    found = Found()
    with crash_harness() as harness, network(harness, seed=3) as opened:
        soak(opened, SECONDS, found, random.Random(3), ROWS)
        struck = {link.name: sum(link.counts.values()) - link.counts["connections"] for link in opened.links.all}
    assert found.wrong == []
    assert opened.hangs == 0
    assert found.done["batches"] >= 1
    assert found.done["restarts"] >= 1
    assert sum(struck.values()) >= 10, f"little harm was done: {struck}"
