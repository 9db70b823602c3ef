"""`make chaos`, or `python -m tests.chaos [--kills 1000] [--seconds 3600] [--seed 7] [--part all]`: every crash.

Every named point, then random kills: at a random point, or after a random time. Prints tables, and progress on standard
error; exits 1 where a law was broken, a point was not reached or the kills were not done in time.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from tests.chaos.invariants import broken_reuse
from tests.chaos.plant import Plant, plant
from tests.chaos.points import ASSET, DROPPED, ENGINE, RECEIVER, RESTARTED, REUSING, RUN, STOPPED, TICK, Point
from tests.chaos.scenes import kill_at, kill_receiver_at, launch_reusing, restart_at, stop_at
from tests.chaos.storm import at_random
from tests.chaos.tally import Tally, report
from tests.chaos.town import Town, receiving, town

ROWS = 6


def in_runs(place: Town, tally: Tally) -> None:
    """Each scene of an engine run and of the receiver at each of its points, judged one by one."""
    scenes: list[tuple[str, tuple[Point, ...], Callable[[Town, str, Point], object]]] = [
        ("run killed", ENGINE, lambda t, b, p: kill_at(t, b, p, ROWS)),
        ("run killed while storing", ASSET, lambda t, b, p: kill_at(t, b, p, ROWS)),
        ("run stopped and resumed", STOPPED, stop_at),
        ("database restarted at once", RESTARTED, restart_at),
    ]
    with receiving(place):
        for what, points, scene in scenes:
            for point in points:
                batch = place.launch(ROWS)
                tally.struck(what, point, bool(scene(place, batch, point)))
                tally.judge(place, batch, ROWS, f"{what} {point}")
    for point in RECEIVER:
        batch = place.launch(ROWS)
        killed, acknowledged, stored = kill_receiver_at(place, batch, point)
        if stored < acknowledged:
            tally.wrong.append(f"{acknowledged - stored} acknowledged callbacks are lost {point}")
        tally.struck("receiver killed", point, killed)
        with receiving(place):
            tally.judge(place, batch, ROWS, f"receiver killed {point}")


def in_reuse(place: Town, tally: Tally) -> None:
    """Each point of a run that takes answers of an earlier batch."""
    for number, point in enumerate(REUSING):
        batch, what = launch_reusing(place, f"reusing-{number}", ROWS), "run killed while it reuses answers"
        tally.struck(what, point, kill_at(place, batch, point, ROWS))
        place.finish(batch)
        wrong = broken_reuse(place, batch, ROWS)
        tally.found(4 * ROWS, [f"{what} {point}: {fault}" for fault in wrong])  # two batches, each row twice


def in_dagster(works: Plant, tally: Tally) -> None:
    """Each point of a run of the batch job, and of the daemon while it takes in a file."""
    for point in RUN:
        batch, what = works.launch(ROWS), f"Dagster run killed {point}"
        tally.struck("Dagster run killed", point, works.kill_run_at(batch, point))
        failed = [] if works.run(batch) else ["the run after it failed"]
        tally.found(ROWS, [f"{what}: {fault}" for fault in (*failed, *works.broken(batch, ROWS))])
    for point in DROPPED:
        path = works.drop(ROWS)
        tally.struck("daemon killed while it takes in a file", point, works.kill_tick_at(point=point))
        judge_file(works, tally, path, f"daemon killed {point}")
    for crash in TICK:
        path = works.drop(ROWS)
        tally.struck("daemon killed around a run request", crash, works.kill_tick_at(crash=crash))
        judge_file(works, tally, path, f"daemon killed {crash}")


def judge_file(works: Plant, tally: Tally, path: Path, what: str) -> None:
    """Let the daemon finish a file and look at what became of it."""
    batches = works.look_until_extracted(path)
    wrong = [f"{path.name} is {batches}"] if len(batches) != 1 else works.broken(batches[0], ROWS)
    tally.found(ROWS, [f"{what}: {fault}" for fault in (*wrong, *(f"left over: {name}" for name in works.litter()))])


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="random kills (%(default)s)")
    parser.add_argument("--seconds", type=float, default=3600, help="bound of the random part (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of the random part (%(default)s)")
    parser.add_argument("--part", choices=("all", "points", "random"), default="all", help="what to do (%(default)s)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before its time"))  # what was started is ended too
    tally = Tally()
    with town() as place:
        if options.part != "random":
            with plant(place) as works:  # first: its sequencer would extract every batch that is finished before
                in_dagster(works, tally)
            in_runs(place, tally)
            in_reuse(place, tally)
        if options.part != "points":
            at_random(place, tally, options.kills, options.seconds, random.Random(options.seed))
        kept = report(place, tally, Console(width=None if sys.stdout.isatty() else 120))
    done = options.part == "points" or tally.kills >= options.kills
    return 0 if kept and done else 1


if __name__ == "__main__":
    sys.exit(main())
