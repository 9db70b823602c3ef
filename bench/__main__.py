"""All benchmarks, one after another: `python -m bench` or `make bench`. Prints a table, writes bench/results.json.

    python -m bench --only engine,receiver
    python -m bench --items 1000,10000     # without the largest, which takes many minutes
    python -m bench --clients aiohttp,httpx-aiohttp,httpx --dlt

Every part runs in a process of its own, and nothing else of this program runs meanwhile. A part that is not run keeps
the figures that the results file has of it. What is measured how: docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.summary import summary
from bench.targets import rows

PARTS = (
    "small", "daemon", "engine", "whole", "bulk", "families", "fairness", "receiver", "ingest", "storing", "extraction",
    "volume",
)  # fmt: skip
RESULTS = Path(__file__).with_name("results.json")
PART_SECONDS = 3600


def commands(given: argparse.Namespace) -> dict[str, dict[str, list[str]]]:
    """For each part the programs that make it up, by the name under which their figures stand in the results."""
    engine = ["bench.engine", "--concurrency", str(given.concurrency), "--clients", given.clients]
    ceiling = ["--items", given.ceiling_items, "--latency", "0ms", "--rounds", "1"]
    against = ["--against", str(given.against)] if given.against else []
    other = ["--python", str(given.against.resolve() / ".venv" / "bin" / "python")] if given.against else []
    both = ["--python", sys.executable, *other] if other else []
    daemon = {
        "launch": ["bench.daemon", "--part", "launch", "--rounds", str(given.rounds)],
        "storage": ["bench.daemon", "--part", "storage", "--spans", given.spans],
        "idle": ["bench.daemon", "--part", "idle", "--batches", given.finished_batches],
    }
    return {
        "small": {"small": ["bench.small_batch", "--rounds", str(given.rounds), *against]},
        "daemon": daemon
        | ({f"{name}, other checkout": [*one, *other] for name, one in daemon.items()} if other else {}),
        "engine": {
            "wire": [*engine, "--items", given.items, "--rounds", str(given.rounds)],
            "ceiling": [*engine, *ceiling],
        },
        "whole": {"whole": ["bench.whole_run", "--items", given.whole_items, "--concurrency", str(given.concurrency)]},
        "bulk": {"bulk": ["bench.bulk", "--cpu-people", str(given.bulk_people), "--rounds", str(given.rounds)]},
        "families": {"families": ["bench.families"]},
        "fairness": {"fairness": ["bench.fairness", "--long", str(given.long_rows), "--rounds", str(given.rounds)]},
        "receiver": {"receiver": ["bench.receiver", "--requests", str(given.callbacks), "--rounds", str(given.rounds)]},
        "ingest": {"ingest": ["bench.ingest", "--rows", str(given.csv_rows)]},
        "storing": {"storing": ["bench.storing", "--rows", str(given.stored_rows)]},
        "volume": {"volume": ["bench.volume", "--rows", str(given.volume_rows), *both]},
        "extraction": {
            "extraction": ["bench.extraction", "--items", str(given.payloads), *(["--dlt"] if given.dlt else [])]
        },
    }


def run_part(programs: dict[str, list[str]]) -> dict[str, Any]:
    """Figures of one part; raises `SystemExit` when a program of it fails."""
    figures = {}
    for name, (module, *arguments) in programs.items():
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True, timeout=PART_SECONDS
        )
        if done.returncode:
            raise SystemExit(f"{module} failed (exit code {done.returncode}); its own words are above")
        figures[name] = json.loads(done.stdout)
    return figures


def machine() -> dict[str, Any]:
    """Where this ran, and how busy the machine was with other work: figures of a busy machine say little."""
    return {
        "cpus": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def main() -> None:
    """Run the parts, write the results, print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(PARTS), help="parts (default: %(default)s)")
    parser.add_argument(
        "--against", type=Path, help="small, daemon and volume: another checkout with its .venv, beside this one"
    )
    parser.add_argument("--spans", default="0,60", help="daemon: seconds that callbacks take (default: %(default)s)")
    parser.add_argument("--finished-batches", default="0,10000", help="daemon, idle (default: %(default)s)")
    parser.add_argument("--items", default="1000,10000,100000", help="engine: sizes (default: %(default)s)")
    parser.add_argument("--ceiling-items", default="10000", help="engine: size at latency 0 (default: %(default)s)")
    parser.add_argument("--whole-items", default="1000,5000", help="whole: sizes (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="small, engine and receiver (default: %(default)s)")
    parser.add_argument("--concurrency", type=int, default=100, help="engine (default: %(default)s)")
    parser.add_argument("--clients", default="aiohttp", help="engine: bare loops (default: %(default)s)")
    parser.add_argument("--bulk-people", type=int, default=5_000, help="bulk: a round (default: %(default)s)")
    parser.add_argument("--long-rows", type=int, default=3_000, help="fairness: the long lists (default: %(default)s)")
    parser.add_argument("--callbacks", type=int, default=4_000, help="receiver: a round (default: %(default)s)")
    parser.add_argument("--csv-rows", type=int, default=200_000, help="ingest (default: %(default)s)")
    parser.add_argument("--stored-rows", type=int, default=100_000, help="storing (default: %(default)s)")
    parser.add_argument("--volume-rows", type=int, default=100_000, help="volume (default: %(default)s)")
    parser.add_argument("--payloads", type=int, default=200_000, help="extraction (default: %(default)s)")
    parser.add_argument("--dlt", action="store_true", help="extraction: install dlt aside and compare with it")
    parser.add_argument("--output", type=Path, default=RESULTS, help="default: bench/results.json")
    given = parser.parse_args()
    parts = [part for part in given.only.split(",") if part]
    if unknown := sorted(set(parts) - set(PARTS)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    results = json.loads(given.output.read_text()) if given.output.exists() else {}
    console = Console()
    for part in parts:
        about, started = machine(), time.monotonic()
        with console.status(f"{part} ..."):
            figures = run_part(commands(given)[part])
        results[part] = {"machine": about, "took_seconds": round(time.monotonic() - started), **figures}
        given.output.write_text(json.dumps(results, indent=2) + "\n")
    table = Table("part", "figure", "value", "goal")
    for row in summary({part: results[part] for part in PARTS if part in results}):
        table.add_row(*row)
    console.print(table)
    aims = Table("work", "target", "now", "reached")
    for aim in rows(results):
        aims.add_row(*aim)
    console.print(aims)


if __name__ == "__main__":
    main()
