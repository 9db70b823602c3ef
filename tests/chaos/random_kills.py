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
from tests.chaos.crash_harness import SHORT_DEADLINE, SHORT_LEASE, CrashHarness, receiving
from tests.chaos.engine_child import CUT_OFF
from tests.chaos.invariants import broken_bulk
from tests.chaos.points import ASSET, BULK, ENGINE, ORDERS, Point
from tests.chaos.random_decisions import DECIDED_ROWS, DecidedBatch
from tests.chaos.report import AT_RANDOM, Report
from tests.chaos.scenarios import launch_bulk, launch_order
from tests.harness.fork_server import KILLED

ROWS = 100
KILLS_PER_BATCH = 25
BULK_ROWS = 40
"""Of a batch whose rows share calls: four of ten rows each, or one order."""

POINTS = tuple(point for point in (*ENGINE, *ASSET) if not point.overdue)
SHARED_POINTS = tuple(point for point in (*BULK, *ORDERS) if not point.overdue and not point.crashed)
DECIDED = "decided"
LAUNCHES = {"single": None, "bulk": launch_bulk, "orders": launch_order, DECIDED: None}
"""Kinds of batches: rows that call alone, that share calls, that are one order to a vendor's batch API, or that call
alone while the batch is paused and cancelled and people say no."""

HITS = (1, 1, 1, 2, 5, 12, 40)


@dataclass
class RandomKills:
    """One batch after another, and what strikes next."""

    harness: CrashHarness
    report: Report
    chance: random.Random
    stack: ExitStack
    receiver: ReceiverProcess
    kinds: tuple[str, ...] = tuple(LAUNCHES)
    launched: int = 0

    def strike_a_batch(self, kills: int, until: float) -> None:
        """Launch a batch, kill its runs until one comes through, finish it and judge it. The same for retried calls."""
        self.launched += 1
        kind = self.kinds[self.launched % len(self.kinds)]
        if kind == DECIDED:
            self._strike_decided(kills, until)
            return
        launch = LAUNCHES[kind]
        if launch is not None:
            self._strike_shared(kind, launch(self.harness, f"struck-{kind}-{self.launched}", BULK_ROWS), kills, until)
            return
        batch = self.harness.launch(ROWS, SHORT_DEADLINE)
        struck = 0
        while struck < min(KILLS_PER_BATCH, kills) and time.monotonic() < until:
            code = self._strike(batch)
            if code == 0:
                break
            struck += code in (KILLED, *CUT_OFF)
        self.report.judge(self.harness, batch, ROWS, f"random crashes, {batch}")
        if self.harness.retry_ambiguous(batch):
            self.report.done["batches with calls that an operator retried"] += 1
            self._cut_off(batch)
            self.report.judge(self.harness, batch, ROWS, f"retried by an operator, {batch}", again=True)
        self.report.say(f"{self.report.kills} random kills, {batch}")

    def _strike_shared(self, kind: str, batch: str, kills: int, until: float) -> None:
        """The same of a batch whose rows share calls; an order is found by its name, and nobody has to decide."""
        struck = 0
        while struck < min(KILLS_PER_BATCH, kills) and time.monotonic() < until:
            code = self._strike(batch, SHARED_POINTS)
            if code == 0:
                break
            struck += code in (KILLED, *CUT_OFF)
        self.harness.let_leases_pass()
        self.harness.finish(batch)
        what = f"random crashes, {batch}"
        wrong = [f"{what}: {fault}" for fault in broken_bulk(self.harness, batch, BULK_ROWS)]
        if (retried := self.harness.retry_ambiguous(batch)) and kind == "orders":
            wrong.append(f"{what}: {retried} lines of an order that was not found by its name")
        if retried:
            self.harness.finish(batch)
            wrong += [f"{what}, retried: {fault}" for fault in broken_bulk(self.harness, batch, BULK_ROWS)]
        self.report.found(BULK_ROWS, wrong)
        self.report.say(f"{self.report.kills} random kills, {batch}")

    def _strike_decided(self, kills: int, until: float) -> None:
        """The same of a batch about which something is decided each time, by a process that may die of it too."""
        decided = DecidedBatch(self.harness, self.harness.launch(DECIDED_ROWS, SHORT_DEADLINE), DECIDED_ROWS)
        struck, wrong, what = 0, [], f"random decisions, {decided.key}"
        while struck < min(KILLS_PER_BATCH, kills) and time.monotonic() < until:
            if decided.held and self.chance.random() < 0.3:
                decided.go_on()
            if self.chance.random() < 0.4:
                code = self._strike(decided.key)
            elif self.chance.random() < 0.15:
                self._start(decided.key)
                wrong += decided.spent_after_cancelling(self.harness.first.wait)
                self.report.done["cancelled, and what it cost was counted"] += 1
                continue
            else:
                code = self._decide(decided)
            if code == 0 and not decided.held:
                break
            struck += code in (KILLED, *CUT_OFF)
        decided.go_on()
        self.harness.let_leases_pass()
        self.harness.finish(decided.key)
        wrong += decided.broken()
        if self.harness.retry_ambiguous(decided.key):
            self.harness.finish(decided.key)
            wrong += decided.broken()
        self.report.found(DECIDED_ROWS, [f"{what}: {fault}" for fault in wrong])
        self.report.say(f"{self.report.kills} random kills, {decided.key}")

    def _decide(self, decided: DecidedBatch) -> int:
        """Start a run that will be killed, and decide something meanwhile; the run's exit code."""
        what, arguments = decided.draw(self.chance)
        timer = self.chance.choice(("seconds", "of work"))
        order = self.harness.order(decided.key, lease=SHORT_LEASE, cut_after=(self.chance.uniform(0.05, 0.5), timer))
        self.harness.first.start(order)
        time.sleep(self.chance.uniform(0.0, 0.2))
        if self.chance.random() < 0.3:
            cut = (self.chance.uniform(0.0, 0.04), "of work")
            told = self.harness.order(decided.key, decide={"what": what, "arguments": arguments}, cut_after=cut)
            if self.harness.second.run(told) in CUT_OFF:
                self.report.done[AT_RANDOM + "who decided"] += 1
        else:
            self.harness.decide(decided.key, what, **arguments)
        self.report.done[f"decided at random: {what}"] += 1
        code = self.harness.first.wait()
        if code in CUT_OFF:
            self.report.done[AT_RANDOM + "run, while something was decided"] += 1
            self.harness.let_leases_pass()
        return code

    def _strike(self, batch: str, points: tuple[Point, ...] = POINTS) -> int:
        """Let something happen to a run of the batch; its exit code."""
        which = self.chance.random()
        if which < 0.65:
            return self._cut_off(batch)
        if which < 0.94:
            fault = self.harness.fault(self.chance.choice(points), hit=self.chance.choice(HITS))
            return self._run(batch, "at a point", fault=fault)
        if which < 0.98:
            return self._lose_receiver(batch)
        return self._lose_database(batch)

    def _cut_off(self, batch: str) -> int:
        timer = self.chance.choice(("seconds", "of work", "of work"))
        return self._run(batch, "at any time", cut_after=(self.chance.uniform(0.01, 0.2), timer))

    def _run(self, batch: str, what: str, **more: Any) -> int:
        code = self.harness.first.run(self.harness.order(batch, **more, lease=SHORT_LEASE))
        if code in (KILLED, *CUT_OFF):
            self.report.done[AT_RANDOM + "run, " + what] += 1
            if self.chance.random() < 0.8:  # else the next run comes while the dead one's lease still counts
                self.harness.let_leases_pass()
        return code

    def _lose_receiver(self, batch: str) -> int:
        self._start(batch)
        self.receiver.kill()
        self.report.done[AT_RANDOM + "receiver"] += 1
        self.receiver = self.stack.enter_context(receiving(self.harness))
        return self.harness.first.wait()

    def _lose_database(self, batch: str) -> int:
        self._start(batch)
        server = self.harness.postgres.server_pid()
        assert server is not None
        os.kill(server, signal.SIGQUIT)
        self.report.done["database restarted at random"] += 1
        self.harness.restart_database()
        return self.harness.first.wait()

    def _start(self, batch: str) -> None:
        """A run that is somewhere on its way when this returns."""
        self.harness.first.start(self.harness.order(batch, lease=SHORT_LEASE))
        time.sleep(self.chance.uniform(0.0, 0.5))


def at_random(
    harness: CrashHarness,
    report: Report,
    kills: int,
    seconds: float,
    chance: random.Random,
    kinds: tuple[str, ...] = tuple(LAUNCHES),
) -> None:
    """Kill that many processes, or as many as there is time for, of runs of batches of these kinds."""
    until = time.monotonic() + seconds
    with ExitStack() as stack:
        killing = RandomKills(harness, report, chance, stack, stack.enter_context(receiving(harness)), kinds)
        while report.kills < kills and time.monotonic() < until:
            killing.strike_a_batch(kills - report.kills, until)
