"""`make soak`, or `python -m tests.faults [--minutes 60] [--part links|restarts|all] [--seed 7]`.

Batches over harmful links for so many minutes, then as long with a database that is restarted. Prints what was done
and found; exits 1 where a law was broken or a process hung.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys

from rich.console import Console
from rich.table import Table

from tests.chaos.crash_harness import crash_harness
from tests.faults.network import Network, network
from tests.faults.restarts import soak_restarts
from tests.faults.soak import Found, soak


def over_links(seconds: float, seed: int, console: Console) -> bool:
    """True: all laws were kept and nothing hung."""
    found = Found()
    with crash_harness() as harness, network(harness, seed) as opened:
        soak(opened, seconds, found)
        bill = harness.sandbox.billing(subjects=False)
        found.done["calls of the sandbox"], found.done["charged"] = bill["calls"], bill["charged"]
        console.print(_links(opened))
        counts = {f"runs that ended with {code}": times for code, times in sorted(opened.ended.items())}
        counts |= {"runs that hung": opened.hangs, "longest run, s": round(opened.longest)}
        return _print(console, "Harmful links", found, counts) and not opened.hangs


def with_restarts(seconds: float, seed: int, console: Console) -> bool:
    """True: all laws were kept."""
    found = Found()
    with crash_harness() as harness:
        soak_restarts(harness, seconds, random.Random(seed), found)
        return _print(console, "A database that is restarted, all processes up", found, {})


def _links(opened: Network) -> Table:
    kinds = sorted({kind for link in opened.links.all for kind in link.counts})
    table = Table(title="Connections, and what became of them")
    table.add_column("link")
    for kind in kinds:
        table.add_column(kind, justify="right")
    for link in opened.links.all:
        table.add_row(link.name, *(str(link.counts[kind]) for kind in kinds))
    return table


def _print(console: Console, title: str, found: Found, counts: dict[str, int]) -> bool:
    table = Table(title=title)
    table.add_column("what")
    table.add_column("times", justify="right")
    for what, times in {**found.done, **counts}.items():
        table.add_row(what, str(times))
    table.add_row("broken laws", str(len(found.wrong)))
    console.print(table)
    for sentence in found.wrong:
        console.print(sentence, highlight=False)
    return not found.wrong


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="of each part (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of what happens (%(default)s)")
    parser.add_argument("--part", choices=("all", "links", "restarts"), default="all", help="what to do (%(default)s)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before its time"))
    console = Console(width=None if sys.stdout.isatty() else 120)
    kept = True
    if options.part != "restarts":
        kept = over_links(options.minutes * 60, options.seed, console)
    if options.part != "links":
        kept = with_restarts(options.minutes * 60, options.seed, console) and kept
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
