"""What a small list costs besides its rows: CPU and wall time of the commands of 48 rows through four steps.

    python -m bench.small_batch --rounds 3
    python -m bench.small_batch --against /path/to/another/checkout --rounds 3

Each side is a checkout with an environment of its own (`.venv`) and a fresh home with the embedded Postgres; with two
of them every round runs one and then the other. A round launches the sample list through `apollo-basic` against one
sandbox (`--fresh`: no answer is reused) and takes each command as people type it, in a process of its own. CPU seconds
are those of the command's processes, of Postgres, and of the warm copy that the first `enrich run` leaves behind (that
run's own figure, with everything imported, is the first of its rounds); the sandbox stands for somebody else's machine
and is left out. "Cold" commands have no warm copy. Prints JSON: every round, and medians.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.usage import cpu_seconds
from enrichment_assets.sandbox import SandboxProcess

HERE = Path(__file__).resolve().parents[1]
CLIENT, PIPELINE = "bench", "apollo-basic"
_SERVER = """
import sys
from pathlib import Path
try:
    from enrichment_assets.installation.embedded import LocalPostgres
except ImportError:  # before there was a room for the installation
    from enrichment_assets.store.embedded import LocalPostgres
server = LocalPostgres(Path(sys.argv[1]) / "postgres")
server.remove() if sys.argv[2] == "remove" else print(server.server_pid())
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one command took: seconds of all its processes' CPU time, Postgres's CPU time, and wall time."""

    own: float
    postgres: float
    wall: float

    @property
    def cpu(self) -> float:
        """Of all processes together."""
        return self.own + self.postgres


class Side:
    """One checkout, in a home of its own.

    Args:
        checkout: The folder; its programs are in `.venv/bin`, else they are those that run this.
        home: The home.
        sandbox_url: Whom its providers' calls go to.
    """

    def __init__(self, checkout: Path, home: Path, sandbox_url: str) -> None:
        python = checkout / ".venv" / "bin" / "python"
        self._python = str(python if python.exists() else Path(sys.executable))
        self._checkout = checkout
        self._home = home
        own = {name: value for name, value in os.environ.items() if not name.startswith(("ENRICH_", "DAGSTER_"))}
        self._environment = {
            **own,
            "ENRICH_HOME": str(home),
            "ENRICH_SANDBOX_URL": sandbox_url,
            "APOLLO_API_KEY": "sandbox",
        }
        self._upload = ""
        self._server = 0

    def prepare(self) -> None:
        """Make the home, and upload the list; the first batch would otherwise pay for both."""
        self.enrich("client", "add", CLIENT)
        said = self.enrich("upload", str(HERE / "examples" / "apollo_people.csv"), "--client", CLIENT, "--json")
        self._upload = str(json.loads(said)["upload_id"])
        self._server = int(self._run(["-c", _SERVER, str(self._home), "pid"]))

    def remove(self) -> None:
        """Stop the home's Postgres and delete its data."""
        self._run(["-c", _SERVER, str(self._home), "remove"])

    def enrich(self, *arguments: str) -> str:
        """What a command prints; raises `SystemExit` where it fails."""
        return self._run(["-m", "enrichment_assets", *arguments])

    def round(self, number: int) -> dict[str, Cost]:
        """Launch a batch, and take its commands in the order of a person's day."""
        batch = f"bench-{number}"
        launch = [self._upload, "--pipeline", PIPELINE, "--batch", batch, "--fresh"]
        question = "select count(*) as leads from final_leads"
        return {
            "launch": self._timed("-m", "enrichment_assets", "launch", *launch),
            "run": self._timed("-m", "enrichment_assets", "run", batch, "--json"),
            "nothing left": self._timed("-m", "enrichment_assets", "run", batch, "--json"),
            "status": self._timed("-m", "enrichment_assets", "status", batch),
            "query": self._timed("-m", "enrichment_assets", "query", question),
            "status, cold": self._timed("-m", "enrichment_assets", "status", batch, cold=True),
            "query, cold": self._timed("-m", "enrichment_assets", "query", question, cold=True),
            "location load": self._timed("-c", "import enrichment_assets.definitions"),
        }

    def _timed(self, *arguments: str, cold: bool = False) -> Cost:
        postgres, started = cpu_seconds(self._server), time.perf_counter()
        own = _of_children() + self._warm_seconds()
        self._run(arguments, **({"ENRICH_WARM_MINUTES": "0"} if cold else {}))
        return Cost(
            own=_of_children() + self._warm_seconds() - own,
            postgres=cpu_seconds(self._server) - postgres,
            wall=time.perf_counter() - started,
        )

    def _warm_seconds(self) -> float:
        """CPU seconds of the warm copy and of the commands that it ran; one that takes another's place is younger."""
        told = self._home / "warm.json"
        return cpu_seconds(json.loads(told.read_text())["pid"]) if told.exists() else 0.0

    def _run(self, arguments: Sequence[str], **environment: str) -> str:
        done = subprocess.run(
            [self._python, *arguments],
            env=self._environment | environment,
            cwd=self._checkout,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{self._checkout}: {' '.join(arguments)[:200]} failed: {done.stderr[-2000:]}")
        return done.stdout


def measure(checkouts: Sequence[Path], rounds: int) -> list[list[dict[str, Cost]]]:
    """The rounds of each checkout, taken by turns."""
    with SandboxProcess(latency="20ms") as sandbox, ExitStack() as homes:
        sides = [homes.enter_context(_side(checkout, sandbox.url)) for checkout in checkouts]
        taken: list[list[dict[str, Cost]]] = [[] for _ in sides]
        for number in range(rounds):
            for side, costs in zip(sides, taken, strict=True):
                costs.append(side.round(number))
    return taken


@contextmanager
def _side(checkout: Path, sandbox_url: str) -> Iterator[Side]:
    folder = Path(tempfile.mkdtemp(prefix="enrich-bench-", dir="/tmp"))
    side = Side(checkout, folder / "home", sandbox_url)
    try:
        side.prepare()
        yield side
    finally:
        side.remove()
        shutil.rmtree(folder, ignore_errors=True)


def figures(taken: Sequence[dict[str, Cost]]) -> dict[str, Any]:
    """Of each command: medians of CPU seconds (all, and Postgres's) and of wall time, and the CPU of every round."""
    return {
        command: {
            "cpu_s": round(statistics.median(one[command].cpu for one in taken), 2),
            "postgres_cpu_s": round(statistics.median(one[command].postgres for one in taken), 2),
            "wall_s": round(statistics.median(one[command].wall for one in taken), 2),
            "cpu_s_by_round": [round(one[command].cpu, 2) for one in taken],
        }
        for command in taken[0]
    }


def _of_children() -> float:
    """CPU seconds of the processes that this one has waited for, and of theirs."""
    times = os.times()
    return times.children_user + times.children_system


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description="The fixed cost of a small batch and of commands.")
    parser.add_argument("--rounds", type=int, default=3, help="batches of each side (default: %(default)s)")
    parser.add_argument("--against", type=Path, help="another checkout with its .venv, measured by turns with this one")
    args = parser.parse_args()
    checkouts = [HERE, *([args.against.resolve()] if args.against else [])]
    ours, *others = measure(checkouts, args.rounds)
    report: dict[str, Any] = {"pipeline": PIPELINE, "rounds": args.rounds, "commands": figures(ours)}
    for theirs in others:
        report["against"] = figures(theirs)
        report["cpu_ratio"] = {
            command: round(report["commands"][command]["cpu_s"] / cost["cpu_s"], 2)
            for command, cost in report["against"].items()
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
