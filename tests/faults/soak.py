"""Batch after batch over harmful links: each is finished over them, and judged."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from tests.chaos.crash_harness import CrashHarness
from tests.chaos.invariants import broken, double_charges
from tests.faults.network import Network

ROWS = 40
MOST_SECONDS = 240.0
"""A batch that is not finished by then, over links that harm every second connection, is not finished for good."""

OFTEN = (4.0, 12.0)
"""Seconds between two restarts of the database under a batch."""


@dataclass
class Found:
    """What came of it. `done`: what was counted; `wrong`: sentences about broken laws."""

    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def say(self, sentence: str) -> None:
        """Progress, for whoever waits."""
        print(f"{time.monotonic() - self.began:8.1f} s  {sentence}", file=sys.stderr, flush=True)

    def judged(self, harness: CrashHarness, batch: str, rows: int, before: dict[str, int]) -> None:
        """Look at a finished batch, and let an operator retry what nobody knows the fate of."""
        self.done["batches"] += 1
        self.done["items"] += rows
        self.wrong += [f"{batch}: {fault}" for fault in broken(harness, batch, rows)]
        if retried := harness.retry_ambiguous(batch):
            self.done["calls of unknown fate"] += retried
            harness.finish(batch)
            self.wrong += [f"{batch}, retried: {fault}" for fault in broken(harness, batch, rows)]
        self.wrong += [f"{batch}: charged twice: {bill}" for bill in double_charges(harness)]
        acknowledged = harness.sandbox.callbacks()["delivered"] - before["delivered"]
        self.done["callbacks acknowledged"] += acknowledged
        (kept,) = harness.rows("select count(*) as n from callback_inbox")
        if kept["n"] - before["kept"] < acknowledged:
            self.wrong.append(f"{batch}: {acknowledged} callbacks acknowledged, {kept['n'] - before['kept']} kept")
        self.say(f"{self.done['batches']} batches, {len(self.wrong)} faults found")


def soak(
    network: Network, seconds: float, found: Found, restarts: random.Random | None = None, rows: int = ROWS
) -> None:
    """Work on batches over the links for that long; each is finished over them, and judged.

    `restarts`: the database is restarted every few seconds of that work, too.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        one_batch(network, found, restarts, rows)


def one_batch(network: Network, found: Found, restarts: random.Random | None, rows: int) -> None:
    """A batch from its launch to its end."""
    harness = network.harness
    (kept,) = harness.rows("select count(*) as n from callback_inbox")
    before = {"delivered": harness.sandbox.callbacks()["delivered"], "kept": kept["n"]}
    batch = network.launch(rows)
    began = time.monotonic()
    with restarting(harness, restarts, found, OFTEN) if restarts else nullcontext():
        while network.run(batch) != 0:
            if time.monotonic() - began > MOST_SECONDS:
                found.wrong.append(f"{batch} is not finished after {MOST_SECONDS:.0f} s")
                break
    harness.wait_until_all_have_called_back()
    harness.let_leases_pass()
    harness.finish(batch)
    found.judged(harness, batch, rows, before)


@contextmanager
def restarting(
    harness: CrashHarness, chance: random.Random, found: Found, every: tuple[float, float]
) -> Iterator[None]:
    """The database is stopped every so many seconds, at once or in order, and started again."""
    over = threading.Event()

    def restart() -> None:
        while not over.wait(chance.uniform(*every)):
            server = harness.postgres.server_pid()
            assert server is not None
            os.kill(server, chance.choice((signal.SIGQUIT, signal.SIGINT)))
            harness.restart_database()
            found.done["restarts"] += 1

    thread = threading.Thread(target=restart)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
