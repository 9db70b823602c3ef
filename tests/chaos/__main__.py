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

from tests.chaos.crash_harness import CrashHarness, crash_harness, receiving
from tests.chaos.dagster_harness import DagsterHarness, dagster_harness
from tests.chaos.deliveries import broken_delivery, finish_delivery, kill_delivery_at, launch_delivered
from tests.chaos.invariants import broken_bulk, broken_families, broken_reuse, halves
from tests.chaos.points import (
    ASSET,
    BULK,
    BULK_LATER,
    DECIDED,
    DELIVERING,
    DROPPED,
    ENGINE,
    FAMILIES,
    HEEDED,
    ORDERS,
    PLANNING,
    RECEIVER,
    RESTARTED,
    REUSING,
    RUN,
    STOPPED,
    TAKING,
    TICK,
    Point,
)
from tests.chaos.random_decisions import DecidedBatch
from tests.chaos.random_kills import LAUNCHES, at_random
from tests.chaos.report import Report, print_report
from tests.chaos.scenarios import (
    decide_at,
    heed_at,
    kill_at,
    kill_order_at,
    kill_receiver_at,
    launch_bulk,
    launch_families,
    launch_order,
    launch_reusing,
    restart_at,
    stop_at,
)

ROWS = 6


def in_runs(harness: CrashHarness, report: Report) -> None:
    """Each scenario of an engine run and of the receiver at each of its points, judged one by one."""
    scenarios: list[tuple[str, tuple[Point, ...], Callable[[CrashHarness, str, Point], object]]] = [
        ("run killed", ENGINE, lambda t, b, p: kill_at(t, b, p, ROWS)),
        ("daemon killed while it takes callbacks in", TAKING, lambda t, b, p: kill_at(t, b, p, ROWS)),
        ("run killed while storing", ASSET, lambda t, b, p: kill_at(t, b, p, ROWS)),
        ("run stopped and resumed", STOPPED, stop_at),
        ("database restarted at once", RESTARTED, restart_at),
    ]
    with receiving(harness):
        for what, points, scenario in scenarios:
            for point in points:
                batch = harness.launch(ROWS)
                report.struck(what, point, bool(scenario(harness, batch, point)))
                report.judge(harness, batch, ROWS, f"{what} {point}")
    for point in RECEIVER:
        batch = harness.launch(ROWS)
        killed, acknowledged, stored = kill_receiver_at(harness, batch, point)
        if stored < acknowledged:
            report.wrong.append(f"{acknowledged - stored} acknowledged callbacks are lost {point}")
        report.struck("receiver killed", point, killed)
        with receiving(harness):
            report.judge(harness, batch, ROWS, f"receiver killed {point}")


def in_reuse(harness: CrashHarness, report: Report) -> None:
    """Each point of a run that takes answers of an earlier batch."""
    for number, point in enumerate(REUSING):
        batch, what = launch_reusing(harness, f"reusing-{number}", ROWS), "run killed while it reuses answers"
        report.struck(what, point, kill_at(harness, batch, point, ROWS))
        harness.finish(batch)
        wrong = broken_reuse(harness, batch, ROWS)
        report.found(4 * ROWS, [f"{what} {point}: {fault}" for fault in wrong])  # two batches, each row twice


def in_families(harness: CrashHarness, report: Report) -> None:
    """Each point of a run that writes rows with their children."""
    for number, point in enumerate(FAMILIES):
        batch, what = launch_families(harness, f"families-{number}", ROWS), "run killed while it writes families"
        report.struck(what, point, kill_at(harness, batch, point, ROWS, hit=point.hit))
        wrong = halves(harness, batch)
        harness.finish(batch)
        wrong += broken_families(harness, batch, ROWS)
        report.found(3 * ROWS, [f"{what} {point}: {fault}" for fault in wrong])


def in_bulk(harness: CrashHarness, report: Report) -> None:
    """Each point of a run whose rows share one request, or one callback."""
    for number, point in enumerate((*BULK, *BULK_LATER)):
        batch = launch_bulk(harness, f"bulk-{number}", ROWS, later=point in BULK_LATER)
        what = "run killed around a bulk call"
        with receiving(harness):
            report.struck(what, point, kill_at(harness, batch, point, ROWS))
            harness.finish(batch)
        wrong = broken_bulk(harness, batch, ROWS)
        report.found(ROWS, [f"{what} {point}: {fault}" for fault in wrong])


def in_orders(harness: CrashHarness, report: Report) -> None:
    """Each point of a run whose rows are one order to a vendor's batch API."""
    for number, point in enumerate(ORDERS):
        batch, what = launch_order(harness, f"order-{number}", ROWS), "run killed around an order to a batch API"
        report.struck(what, point, kill_order_at(harness, batch, point))
        harness.finish(batch)
        wrong = broken_bulk(harness, batch, ROWS)
        report.found(ROWS, [f"{what} {point}: {fault}" for fault in wrong])


def in_deliveries(harness: CrashHarness, report: Report) -> None:
    """Each point of a run that takes leads to a destination, and of the plan before it."""
    points = {f"to-{number}": point for number, point in enumerate((*PLANNING, *DELIVERING))}
    planned = [slug for slug, point in points.items() if point in DELIVERING]
    batch, what = launch_delivered(harness, ROWS, list(points), planned), "run killed while it delivers"
    for slug, point in points.items():
        plans = slug not in planned
        report.struck(what, point, kill_delivery_at(harness, batch, slug, point, plans=plans))
        finish_delivery(harness, batch, slug, plans=plans)
        report.found(0, [f"{what} {point}: {fault}" for fault in broken_delivery(harness, batch, slug, ROWS)])
    report.found(ROWS, [])  # all points are of one batch


def in_decisions(harness: CrashHarness, report: Report) -> None:
    """Each point of a person's decision, and of a run that meets one."""
    kinds: list[tuple[str, tuple[Point, ...], Callable[[CrashHarness, DecidedBatch, Point], bool]]] = [
        ("killed while it decides", DECIDED, decide_at),
        ("run killed while it heeds a decision", HEEDED, heed_at),
    ]
    with receiving(harness):
        for what, points, scenario in kinds:
            for point in points:
                decided = DecidedBatch(harness, harness.launch(ROWS), ROWS)
                report.struck(what, f"{point.decision} {point}", scenario(harness, decided, point))
                decided.go_on()
                harness.finish(decided.key)
                report.found(ROWS, [f"{what} {point}: {fault}" for fault in decided.broken()])


def in_dagster(dagster: DagsterHarness, report: Report) -> None:
    """Each point of a run of the batch job, and of the daemon while it takes in a file."""
    for point in RUN:
        batch, what = dagster.launch(ROWS), f"Dagster run killed {point}"
        report.struck("Dagster run killed", point, dagster.kill_run_at(batch, point))
        failed = [] if dagster.run(batch) else ["the run after it failed"]
        report.found(ROWS, [f"{what}: {fault}" for fault in (*failed, *dagster.broken(batch, ROWS))])
    for point in DROPPED:
        path = dagster.drop(ROWS)
        report.struck("daemon killed while it takes in a file", point, dagster.kill_tick_at(point=point))
        judge_file(dagster, report, path, f"daemon killed {point}")
    for crash in TICK:
        path = dagster.drop(ROWS)
        report.struck("daemon killed around a run request", crash, dagster.kill_tick_at(crash=crash))
        judge_file(dagster, report, path, f"daemon killed {crash}")


def judge_file(dagster: DagsterHarness, report: Report, path: Path, what: str) -> None:
    """Let the daemon finish a file and look at what became of it."""
    batches = dagster.look_until_extracted(path)
    wrong = [f"{path.name} is {batches}"] if len(batches) != 1 else dagster.broken(batches[0], ROWS)
    report.found(ROWS, [f"{what}: {fault}" for fault in (*wrong, *(f"left over: {name}" for name in dagster.litter()))])


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="random kills (%(default)s)")
    parser.add_argument("--seconds", type=float, default=3600, help="bound of the random part (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of the random part (%(default)s)")
    parser.add_argument(
        "--kinds", nargs="+", choices=tuple(LAUNCHES), default=tuple(LAUNCHES), help="batches at random"
    )
    parser.add_argument("--part", choices=("all", "points", "random"), default="all", help="what to do (%(default)s)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before its time"))  # what was started is ended too
    report = Report()
    with crash_harness() as harness:
        if options.part != "random":
            # First: its sequencer would extract every batch that is finished before.
            with dagster_harness(harness) as dagster:
                in_dagster(dagster, report)
            in_runs(harness, report)
            in_reuse(harness, report)
            in_families(harness, report)
            in_bulk(harness, report)
            in_orders(harness, report)
            in_deliveries(harness, report)
            in_decisions(harness, report)
        if options.part != "points":
            chance = random.Random(options.seed)
            at_random(harness, report, options.kills, options.seconds, chance, tuple(options.kinds))
        kept = print_report(harness, report, Console(width=None if sys.stdout.isatty() else 120))
    done = options.part == "points" or report.kills >= options.kills
    return 0 if kept and done else 1


if __name__ == "__main__":
    sys.exit(main())
