"""Laws that take several processes or many turns: one that is stopped, and money in any order. Like `checks`."""

from __future__ import annotations

import os
import signal
import time

from tests.chaos.faults import arm
from tests.chaos.points import DEPARTURE
from tests.engine.test_budget_machine import play
from tests.harness.batches import BatchHarness, people, step

LEASE = 3.0


def a_run_that_was_stopped_past_its_lease_calls_nobody(harness: BatchHarness) -> None:
    """Stopped with a request in hand, behind its intent and before the wire; others take its items meanwhile."""
    batch = harness.launch(people(3), step("first", limits={"concurrency": 1}))
    process = os.fork()
    if process == 0:
        try:
            arm(DEPARTURE.fault("hold", number=os.devnull))
            batch.run(lease=LEASE)
        finally:
            os._exit(0)
    _, status = os.waitpid(process, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    try:
        time.sleep(1.2 * LEASE)
        batch.run()
        asked = batch.asked("first")
    finally:
        os.kill(process, signal.SIGCONT)
        os.waitpid(process, 0)
    assert batch.asked("first") == asked, "a run that had lost its lease called the provider"
    assert harness.sandbox.billing()["double_charges"] == []


def money_adds_up_in_any_order(harness: BatchHarness) -> None:
    """Reservations, settlements, an operator's decisions and budgets, whatever comes first."""
    play(harness, examples=12, steps=10, shrink=False)
