"""`make chaos`, or `python -m tests.chaos [--kills 1000] [--seconds 900] [--seed 7]`: the long crash suite.

Every named point, then random kills: at a random point, or after a random time. Prints a table; exits 1 where a law was
broken. `--seconds` bounds the random part; the table says how many kills there were.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from tests.chaos.invariants import broken, double_charges
from tests.chaos.nursery import CUT_OFF, KILLED
from tests.chaos.points import ASSET, ENGINE, RECEIVER, RESTARTED, STOPPED, Point
from tests.chaos.scenes import kill_at, kill_receiver_at, restart_at, stop_at
from tests.chaos.town import LEASE, Town, receiving, town

ROWS = 6
RANDOM_ROWS = 40
KILLS_PER_BATCH = 12


@dataclass
class Tally:
    """What was done, how often, and what was found wrong."""

    done: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    slowest_after: str = ""

    def judge(self, place: Town, batch: str, rows: int, what: str) -> None:
        """Finish a batch and look at it."""
        took = place.finish(batch, 120.0)
        if took > self.slowest:
            self.slowest, self.slowest_after = took, what
        self.wrong += [f"{what}: {sentence}" for sentence in broken(place, batch, rows)]


def at_every_point(place: Town, tally: Tally) -> None:
    """Each scene at each of its points, judged one by one."""
    scenes: list[tuple[str, tuple[Point, ...], Callable[[Town, str, Point], object]]] = [
        ("run killed", ENGINE, lambda t, b, p: kill_at(t, b, p, ROWS)),
        ("run killed while storing", ASSET, lambda t, b, p: kill_at(t, b, p, ROWS)),
        ("run stopped and resumed", STOPPED, lambda t, b, p: (stop_at(t, b, p), True)[1]),
        ("database restarted at once", RESTARTED, restart_at),
    ]
    with receiving(place):
        for what, points, scene in scenes:
            for point in points:
                batch = place.launch(ROWS)
                if not scene(place, batch, point):
                    tally.missed.append(f"{what} {point}")
                tally.done[what] += 1
                time.sleep(LEASE)
                tally.judge(place, batch, ROWS, f"{what} {point}")
    for point in RECEIVER:
        batch = place.launch(ROWS)
        acknowledged, stored = kill_receiver_at(place, batch, point, ROWS)
        if stored < acknowledged:
            tally.wrong.append(f"{acknowledged - stored} acknowledged callbacks are lost {point}")
        tally.done["receiver killed"] += 1
        with receiving(place):
            tally.judge(place, batch, ROWS, f"receiver killed {point}")


def at_random(place: Town, tally: Tally, kills: int, seconds: float, chance: random.Random) -> None:
    """Kill run after run, at a random point or after a random time, and judge each batch when it is finished."""
    until = time.monotonic() + seconds
    while tally.done["killed at random"] < kills and time.monotonic() < until:
        with receiving(place):
            batch = place.launch(RANDOM_ROWS)
            struck = 0
            while struck < KILLS_PER_BATCH and time.monotonic() < until:
                if chance.random() < 0.5:
                    point = chance.choice((*ENGINE, *ASSET))
                    order = place.order(batch, place.fault(point, hit=chance.randint(1, 12)))
                else:
                    order = place.order(batch, None, cut_after=chance.uniform(0.02, 0.9))
                code = place.first.run(order)
                if code in (KILLED, CUT_OFF):
                    struck += 1
                elif code == 0:
                    break
            tally.done["killed at random"] += struck
            tally.judge(place, batch, RANDOM_ROWS, f"random kills, {batch}")
            if place.retry_ambiguous(batch):
                tally.done["batches with calls that an operator retried"] += 1
                order = place.order(batch, None, cut_after=chance.uniform(0.02, 0.3))
                tally.done["killed at random"] += place.first.run(order) == CUT_OFF
                tally.judge(place, batch, RANDOM_ROWS, f"retried by an operator, {batch}")


def report(place: Town, tally: Tally, console: Console) -> bool:
    """Print the table; True when every law was kept."""
    charged = double_charges(place)
    calls = place.rows("select state, count(*) as n from provider_calls group by state order by state")
    table = Table(title="Crashes")
    table.add_column("what")
    table.add_column("times", justify="right")
    for what, times in tally.done.items():
        table.add_row(what, str(times))
    table.add_section()
    bill = place.sandbox.billing(subjects=False)
    table.add_row("batches finished", str(len(place.batches)))
    table.add_row("slowest finish after the last crash, s", f"{tally.slowest:.1f} ({tally.slowest_after})")
    table.add_row("calls of the sandbox / charged", f"{bill['calls']} / {bill['charged']}")
    for row in calls:
        table.add_row(f"ledger rows {row['state']}", str(row["n"]))
    table.add_row("calls of unknown fate that an operator retried", str(sum(place.retried.values())))
    table.add_row("subjects charged twice by that", str(len(bill["double_charges"]) - len(charged)))
    table.add_row("double charges", str(len(charged)))
    unfinished = place.rows("select count(*) as n from batches where finished_at is null")[0]["n"]
    table.add_row("batches left unfinished", str(unfinished))
    table.add_row("points that were never reached", str(len(tally.missed)))
    table.add_row("broken laws", str(len(tally.wrong)))
    console.print(table)
    for sentence in (*tally.wrong, *(f"never reached: {name}" for name in tally.missed)):
        console.print(sentence)
    return not (charged or tally.wrong or tally.missed)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="random kills (%(default)s)")
    parser.add_argument("--seconds", type=float, default=900, help="bound of the random part (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of the random part (%(default)s)")
    options = parser.parse_args()
    tally = Tally()
    with town() as place:
        at_every_point(place, tally)
        at_random(place, tally, options.kills, options.seconds, random.Random(options.seed))
        kept = report(place, tally, Console())
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
