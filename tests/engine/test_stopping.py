"""A run that is told to stop ends in good order: what is under way is finished, the rest was never sent."""

from __future__ import annotations

import threading
import time

import pytest

from enrichment_assets.engine.run.advance import Interrupted
from tests.harness.batches import BatchHarness, people, step


def test_a_stop_finishes_what_is_under_way_sends_nothing_more_and_leaves_nothing_ambiguous(
    harness: BatchHarness,
) -> None:
    harness.sandbox.configure(latency="300ms")
    batch = harness.launch(people(200), step("first", limits={"concurrency": 4}))
    stop = threading.Event()
    timer = threading.Timer(1.0, stop.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        batch.run(stop=stop)
    timer.join()
    assert time.monotonic() - began < 8
    done = batch.statuses()["COMPLETED"]
    assert 0 < done < 100
    assert batch.statuses() == {"COMPLETED": done, "PENDING": 200 - done}
    assert batch.asked("first") == batch.billed() == done
    assert {call["state"] for call in batch.calls()} == {"applied"}
    harness.sandbox.configure(latency="0")
    assert batch.run().finished
    assert batch.billed() == 200
