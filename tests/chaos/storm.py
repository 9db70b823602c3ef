"""Random crashes: run after run of a batch is killed somewhere, and so are the receiver and the database beside it."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from enrichment_assets.receiver.process import ReceiverProcess
from tests.chaos.nursery import CUT_OFF, KILLED
from tests.chaos.points import ASSET, ENGINE
from tests.chaos.tally import AT_RANDOM, Tally
from tests.chaos.town import SHORT_DEADLINE, SHORT_LEASE, Town, receiving

ROWS = 100
KILLS_PER_BATCH = 25
POINTS = tuple(point for point in (*ENGINE, *ASSET) if not point.overdue)
HITS = (1, 1, 1, 2, 5, 12, 40)


@dataclass
class Storm:
    """One batch after another, and what strikes next."""

    place: Town
    tally: Tally
    chance: random.Random
    stack: ExitStack
    receiver: ReceiverProcess

    def rage(self, kills: int, until: float) -> None:
        """Launch a batch, kill its runs until one comes through, finish it and judge it. The same for retried calls."""
        batch = self.place.launch(ROWS, SHORT_DEADLINE)
        struck = 0
        while struck < min(KILLS_PER_BATCH, kills) and time.monotonic() < until:
            code = self._strike(batch)
            if code == 0:
                break
            struck += code in (KILLED, *CUT_OFF)
        self.tally.judge(self.place, batch, ROWS, f"random crashes, {batch}")
        if self.place.retry_ambiguous(batch):
            self.tally.done["batches with calls that an operator retried"] += 1
            self._cut_off(batch)
            self.tally.judge(self.place, batch, ROWS, f"retried by an operator, {batch}", again=True)
        self.tally.say(f"{self.tally.kills} random kills, {batch}")

    def _strike(self, batch: str) -> int:
        """Let something happen to a run of the batch; its exit code."""
        which = self.chance.random()
        if which < 0.65:
            return self._cut_off(batch)
        if which < 0.94:
            fault = self.place.fault(self.chance.choice(POINTS), hit=self.chance.choice(HITS))
            return self._run(batch, "at a point", fault=fault)
        if which < 0.98:
            return self._lose_receiver(batch)
        return self._lose_database(batch)

    def _cut_off(self, batch: str) -> int:
        timer = self.chance.choice(("seconds", "of work", "of work"))
        return self._run(batch, "at any time", cut_after=(self.chance.uniform(0.01, 0.2), timer))

    def _run(self, batch: str, what: str, **more: Any) -> int:
        code = self.place.first.run(self.place.order(batch, **more, lease=SHORT_LEASE))
        if code in (KILLED, *CUT_OFF):
            self.tally.done[AT_RANDOM + "run, " + what] += 1
            if self.chance.random() < 0.8:  # else the next run comes while the dead one's lease still counts
                self.place.let_leases_pass()
        return code

    def _lose_receiver(self, batch: str) -> int:
        self._start(batch)
        self.receiver.kill()
        self.tally.done[AT_RANDOM + "receiver"] += 1
        self.receiver = self.stack.enter_context(receiving(self.place))
        return self.place.first.wait()

    def _lose_database(self, batch: str) -> int:
        self._start(batch)
        server = self.place.postgres.server_pid()
        assert server is not None
        os.kill(server, signal.SIGQUIT)
        self.tally.done["database restarted at random"] += 1
        self.place.restart_database()
        return self.place.first.wait()

    def _start(self, batch: str) -> None:
        """A run that is somewhere on its way when this returns."""
        self.place.first.start(self.place.order(batch, lease=SHORT_LEASE))
        time.sleep(self.chance.uniform(0.0, 0.5))


def at_random(place: Town, tally: Tally, kills: int, seconds: float, chance: random.Random) -> None:
    """Kill that many processes, or as many as there is time for."""
    until = time.monotonic() + seconds
    with ExitStack() as stack:
        storm = Storm(place, tally, chance, stack, stack.enter_context(receiving(place)))
        while tally.kills < kills and time.monotonic() < until:
            storm.rage(kills - tally.kills, until)
