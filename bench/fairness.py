"""A short list of one client beside long ones of another, at a provider's rate that they share: real processes.

    python -m bench.fairness --long 3000 --batches 3 --short 50 --rate 100
    python -m bench.fairness --long 600 --short 20 --rounds 1          # small: half a minute

Each batch is run by a process of its own, and the client with the long list has cut it into several batches. By turns:
the short list alone; the long ones alone; the long ones, and the short list when a third of their time has passed.
`slower` is the short list's time beside the long ones by its time alone, from the start of its process to its end;
`loses` how much longer the long ones take for it. Medians of the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from bench.installation import at, installation, launch
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.sandbox.process import SandboxProcess
from enrichment_assets.settings import Settings

GOALS = {"slower": 2.0, "loses": 0.05}


def workflow(rate: float) -> WorkflowDefinition:
    """One call for each row; all clients have the same key, and so one rate."""
    return WorkflowDefinition.model_validate(
        {
            "slug": "shared",
            "title": "shared",
            "step": 1,
            "provider": "http",
            "operation": "enrich",
            "mode": "sync",
            "request": {"url": "/enrich", "headers": {"x-api-key": "bench"}, "body": {"item": {"id": "{{item.id}}"}}},
            "response": {"found_if": "found"},
            "provides": {"found_id": "id"},
            "limits": {"per_second": rate, "concurrency": 20},
        }
    )


@dataclass
class Runs:
    """Batches that are run by processes of their own."""

    settings: Settings
    rate: float
    _number: int = 0

    def launched(self, client: str, items: int) -> str:
        """A new batch of a client; its key."""
        self._number += 1
        key = f"{client}-{self._number}"
        launch(self.settings, key, items, [workflow(self.rate)], client)
        return key

    def start(self, batch_key: str) -> subprocess.Popen[str]:
        """A process that runs the batch to its end."""
        task = {
            "home": str(self.settings.home),
            "sandbox_url": self.settings.sandbox_url,
            "receiver_url": self.settings.receiver_url,
            "batch_key": batch_key,
            "profile": None,
        }
        command = [sys.executable, "-m", "bench.engine_child", json.dumps(task)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True)

    def take(self, batches: list[str]) -> float:
        """Seconds from starting all of them to the end of the last."""
        started = time.perf_counter()
        _wait([self.start(batch) for batch in batches])
        return time.perf_counter() - started


def _wait(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        if process.wait():
            raise SystemExit("a run failed; its own words are above")


def _round(runs: Runs, long: int, batches: int, short: int) -> dict[str, float]:
    long_lists = [[runs.launched("large", long // batches) for _ in range(batches)] for _ in range(2)]
    alone, beside = (runs.launched("small", short) for _ in range(2))
    took_alone = runs.take([alone])
    long_alone = runs.take(long_lists[0])
    started = time.perf_counter()
    processes = [runs.start(batch) for batch in long_lists[1]]
    time.sleep(long_alone / 3)
    took_beside = runs.take([beside])
    _wait(processes)
    long_beside = time.perf_counter() - started
    return {
        "short_alone": took_alone,
        "short_beside": took_beside,
        "long_alone": long_alone,
        "long_beside": long_beside,
        "slower": took_beside / took_alone,
        "loses": long_beside / long_alone - 1,
    }


def measure(long: int, batches: int, short: int, rate: float, rounds: int) -> dict[str, Any]:
    """Run everything; the report that is printed."""
    with installation() as home, SandboxProcess(latency="20ms") as sandbox, ReceiverProcess(home) as receiver:
        runs = Runs(at(home, sandbox_url=sandbox.url, receiver_url=receiver.url), rate)
        runs.take([runs.launched("warm-up", 20)])
        results = [_round(runs, long, batches, short) for _ in range(rounds)]
    medians = {name: round(statistics.median(result[name] for result in results), 3) for name in results[0]}
    given = {"long": long, "batches": batches, "short": short, "rate": rate, "rounds": rounds}
    return {**given, **medians, "goals": GOALS}


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", type=int, default=3_000, help="rows of the long lists (default: %(default)s)")
    parser.add_argument("--batches", type=int, default=3, help="how many these are (default: %(default)s)")
    parser.add_argument("--short", type=int, default=50, help="rows of the short list (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=100.0, help="calls a second (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    given = parser.parse_args()
    print(json.dumps(measure(given.long, given.batches, given.short, given.rate, given.rounds), indent=2))


if __name__ == "__main__":
    main()
