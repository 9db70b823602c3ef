"""The daemon's fixed cost: launch to tables, bytes of Dagster's storage per batch, and CPU time while nothing happens.

    python -m bench.daemon --part launch --rounds 3
    python -m bench.daemon --part storage --spans 0,20,240
    python -m bench.daemon --part idle --batches 0,10000 --seconds 120
    python -m bench.daemon --python ../other/.venv/bin/python     # another checkout's commit, by the same measure

Each part runs in an `enrich up --sandbox` of its own, on an embedded server of its own, as people run it: only commands
are given. Wall time is from the launch command's end to `extracted_at`; CPU seconds are those of all processes of the
stack and its database. Prints JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from bench.usage import cpu_seconds
from enrichment_assets.installation.databases import DAGSTER_NAME, HQ_NAME, embedded_server
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect

ROWS = 48
CLIENT = "bench"
PATIENCE = 1_800.0
SYNC_STEPS = "normalise-name,normalise-domain,match-person-via-apollo,enrich-organization-via-apollo"
ASYNC_STEPS = (
    "normalise-name,normalise-domain,match-person-via-apollo,enrich-person-clay,reveal-phone-via-apollo,"
    "normalise-contact"
)


@dataclass(frozen=True)
class Stack:
    """A running `enrich up --sandbox` of one checkout."""

    python: str
    settings: Settings
    environment: dict[str, str]
    sandbox: str
    pid: int

    def enrich(self, *arguments: str) -> str:
        """What a command prints; raises when it fails."""
        done = subprocess.run(
            [self.python, "-m", "enrichment_assets", *arguments],
            env=self.environment,
            cwd=self.settings.home,  # not in a checkout: it would be imported
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        return done.stdout

    def url(self, database: str) -> str:
        """The libpq URL of one of its databases."""
        return embedded_server(self.settings).url(database)

    def configure_sandbox(self, **fields: Any) -> None:
        """Change how the simulator behaves."""
        headers = {"content-type": "application/json"}
        request = Request(f"{self.sandbox}/_sandbox/settings", json.dumps(fields).encode(), headers, method="PATCH")
        with urlopen(request, timeout=30) as answer:
            answer.read()

    def cpu(self) -> float:
        """CPU seconds of all processes so far, the database's included."""
        return cpu_seconds(self.pid) + cpu_seconds(embedded_server(self.settings).server_pid() or 0)

    def launched(self, key: str, pipeline: str) -> float:
        """Upload a new list, launch it, and say when (`time.time`) the launch had returned."""
        path = self.settings.home / f"{key}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["First Name", "Last Name", "Company Name", "Website"])
            for number in range(ROWS):
                rows.writerow(
                    [f"Ann{number}", f"Tester {key}", f"Works {number % 9}", f"https://w{number % 9}.example"]
                )
        upload = json.loads(self.enrich("upload", str(path), "--client", CLIENT, "--json"))["upload_id"]
        self.enrich("launch", str(upload), "--pipeline", pipeline, "--client", CLIENT, "--batch", key)
        return time.time()

    def extracted(self, keys: list[str]) -> dict[str, float]:
        """Wait for the tables of these batches; when each had them, as `time.time`."""
        deadline = time.monotonic() + PATIENCE
        query = (
            "select batch_key, extract(epoch from extracted_at)::float8 as at from batches "
            "where batch_key = any(%s) and extracted_at >= finished_at"
        )
        with connect(self.url(HQ_NAME), autocommit=True) as hq:
            while time.monotonic() < deadline:
                rows = hq.execute(query, (keys,)).fetchall()
                if len(rows) == len(keys):
                    return {row["batch_key"]: row["at"] for row in rows}
                time.sleep(0.1)
        raise SystemExit(f"no tables within {PATIENCE:.0f} s: {keys}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def stack_of(python: str) -> Iterator[Stack]:
    """A fresh home with `enrich up --sandbox` running in it; all of it is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="enrich-bench-", dir="/tmp"))
    folder.chmod(0o755)  # the server runs as another user where we are root
    settings = Settings(home=folder)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ENRICH_", "DAGSTER_")) and "DATABASE" not in k}
    environment = kept | {"ENRICH_HOME": str(folder)}
    options = subprocess.run(
        [python, "-m", "enrichment_assets", "up", "--help"], env=environment, cwd=folder, capture_output=True, text=True
    ).stdout
    names = ("port", "receiver-port", "sandbox-port", "console-port")  # older checkouts have no console
    ports = {name: _free_port() for name in names if f"--{name}" in options}
    output = folder / "up.txt"
    with output.open("w") as file:
        process = subprocess.Popen(
            [python, "-m", "enrichment_assets", "up", "--sandbox"]
            + [part for name, port in ports.items() for part in (f"--{name}", str(port))],
            env=environment,
            cwd=folder,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        while "Everything is up" not in output.read_text():
            if process.poll() is not None:
                raise SystemExit(output.read_text())
            time.sleep(0.2)
        sandbox = f"http://127.0.0.1:{ports['sandbox-port']}"
        stack = Stack(python, settings, environment, sandbox, process.pid)
        stack.enrich("client", "add", CLIENT)
        for name, steps in (("quick", SYNC_STEPS), ("called-back", ASYNC_STEPS)):
            stack.enrich("pipeline", "add", name, "--steps", steps, "--client", CLIENT)
        yield stack
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        embedded_server(settings).remove()
        if os.environ.get("BENCH_KEEP"):
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def launch_to_tables(python: str, rounds: int) -> dict[str, Any]:
    """Seconds from launch to tables of one batch (after a first one that warms up), and of five launched at once."""
    with stack_of(python) as stack:
        times: list[dict[str, float]] = []
        for number in range(rounds + 1):
            key = f"one-{number}"
            cpu = stack.cpu()
            started = stack.launched(key, "quick")
            done = stack.extracted([key])[key]
            times.append({"wall": round(done - started, 2), "cpu": round(stack.cpu() - cpu, 2)})
            print(f"{key}: {times[-1]}", file=sys.stderr)
            time.sleep(3.0)
        keys = [f"five-{number}" for number in range(5)]
        cpu = stack.cpu()
        started = [stack.launched(key, "quick") for key in keys]
        done = max(stack.extracted(keys).values())
        five = {"wall_from_last_launch": done - started[-1], "wall": done - started[0], "cpu": stack.cpu() - cpu}
    measured = times[1:]
    return {
        "one": {name: statistics.median(t[name] for t in measured) for name in ("wall", "cpu")},
        "each": times,
        "five_at_once": {name: round(value, 2) for name, value in five.items()},
    }


def storage(python: str, spans: list[float], together: int) -> dict[str, Any]:
    """Bytes that a batch adds to Dagster's tables, and its runs, by how long its callbacks take to come.

    Of each span so many batches run together, after one that brings what is kept once; figures are those of one batch.
    """
    found: dict[str, Any] = {}
    with stack_of(python) as stack:
        _run_together(stack, 0.0, ["first"])
        for number, seconds in enumerate(spans):
            before, runs_before, disk_before = _table_bytes(stack), _runs(stack), _disk_bytes(stack)
            keys = [f"span-{number}-{batch}" for batch in range(together)]
            took = _run_together(stack, seconds, keys)
            after, disk = _table_bytes(stack), _disk_bytes(stack)
            grown = {name: (size - before.get(name, 0)) // together for name, size in after.items()}
            found[f"{seconds:g} s"] = {
                "bytes": sum(grown.values()),
                "disk_bytes": (sum(disk.values()) - sum(disk_before.values())) // together,
                "runs": round((_runs(stack) - runs_before) / together, 1),
                "took": took,
                "tables": {name: size for name, size in sorted(grown.items(), key=lambda pair: -pair[1]) if size},
                "disk": {name: (size - disk_before.get(name, 0)) // together for name, size in disk.items()},
                "events": _events(stack, keys[0]),
            }
            print(f"{seconds:g} s", json.dumps(found[f"{seconds:g} s"]), file=sys.stderr)
    return found


def _run_together(stack: Stack, callbacks_within: float, keys: list[str]) -> float:
    """Launch batches that are called back within so many seconds; how long it was until all had their tables."""
    stack.configure_sandbox(callback_delay=f"0-{callbacks_within:g}")
    started = time.time()
    for key in keys:
        stack.launched(key, "called-back")
    took = max(stack.extracted(keys).values()) - started
    time.sleep(45.0)  # the last events of their runs, and the analytics
    return round(took, 1)


_FINISHED = """
    with upload as (
      select id, client_id from uploads order by id limit 1
    ), one as (
      select blueprint from batches where finished_at is not null limit 1
    )
    insert into batches (batch_key, client_id, upload_id, pipeline_slug, blueprint, items_created_at, started_at,
                         finished_at, extracted_at)
    select 'old-' || n, u.client_id, u.id, 'quick', o.blueprint, now(), now(), now(), now()
    from upload u cross join one o cross join generate_series(1, %s) as n
"""


def idle(python: str, sizes: list[int], seconds: float) -> dict[str, Any]:
    """CPU seconds an hour of all processes while nothing happens, with so many finished batches and their partitions.

    Scaled from `seconds` each; by turns in one stack, the smallest number first.
    """
    found: dict[str, Any] = {}
    with stack_of(python) as stack:
        stack.launched("first", "quick")
        stack.extracted(["first"])
        time.sleep(45.0)  # the analytics run that follows a publication
        there = 0
        for size in sizes:
            with connect(stack.url(HQ_NAME), autocommit=True) as hq:
                hq.execute(_FINISHED.replace("series(1", f"series({there + 1}"), (size,))
                hq.execute("analyze batches")
            with connect(stack.url(DAGSTER_NAME), autocommit=True) as dagster:
                dagster.execute(
                    "insert into dynamic_partitions (partitions_def_name, partition) "
                    "select 'batches', 'old-' || n from generate_series(%s::int, %s) as n",
                    (there + 1, size),
                )
            there = max(there, size)
            time.sleep(15.0)
            cpu, began = stack.cpu(), time.monotonic()
            time.sleep(seconds)
            hour = (stack.cpu() - cpu) / (time.monotonic() - began) * 3600
            found[f"{size} batches"] = round(hour, 1)
            print(f"{size} batches: {hour:.1f} CPU seconds an hour", file=sys.stderr)
    return found


TICKS = ("job_ticks", "instigators", "daemon_heartbeats", "alembic_version")
"""Tables that do not grow with batches: ticks are a matter of time, and Dagster forgets them after a while."""


def _table_bytes(stack: Stack) -> dict[str, int]:
    """Bytes of the rows of each of Dagster's tables, as text."""
    with connect(stack.url(DAGSTER_NAME), autocommit=True) as connection:
        names = [
            r["tablename"] for r in connection.execute("select tablename from pg_tables where schemaname='public'")
        ]
        sizes = {}
        for name in names:
            if name in TICKS:
                continue
            row = connection.execute(
                f"select coalesce(sum(octet_length(t::text)), 0)::bigint as bytes from {name} t"  # type: ignore[arg-type]
            ).fetchone()
            sizes[name] = 0 if row is None else int(row["bytes"])
    return sizes


def _disk_bytes(stack: Stack) -> dict[str, int]:
    """What each of Dagster's tables takes on disk, indexes and compressed values included, without dead rows."""
    with connect(stack.url(DAGSTER_NAME), autocommit=True) as connection:
        connection.execute("vacuum")
        rows = connection.execute(
            "select c.relname as name, pg_total_relation_size(c.oid)::bigint as bytes from pg_class c "
            "where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname <> all(%s) "
            "order by 2 desc",
            (list(TICKS),),
        ).fetchall()
    return {row["name"]: int(row["bytes"]) for row in rows}


def _events(stack: Stack, batch_key: str) -> dict[str, tuple[int, int]]:
    """Rows and bytes of a batch's events by their type, the largest first."""
    with connect(stack.url(DAGSTER_NAME), autocommit=True) as connection:
        rows = connection.execute(
            "select coalesce(e.dagster_event_type, 'log line') as kind, count(*) as rows, "
            "sum(octet_length(e.event))::bigint as bytes from event_logs e "
            "join run_tags t on t.run_id = e.run_id and t.key = 'enrich/batch' and t.value = %s "
            "group by 1 order by 3 desc",
            (batch_key,),
        ).fetchall()
    return {row["kind"]: (row["rows"], row["bytes"]) for row in rows}


def _runs(stack: Stack) -> int:
    with connect(stack.url(DAGSTER_NAME), autocommit=True) as connection:
        row = connection.execute("select count(*) as runs from runs").fetchone()
    return 0 if row is None else int(row["runs"])


def main() -> None:
    """Measure the parts asked for, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description="The daemon's fixed cost.")
    parser.add_argument("--part", choices=("launch", "storage", "idle"), default="launch")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the checkout that is measured")
    parser.add_argument("--rounds", type=int, default=3, help="launch: batches after the first (default: %(default)s)")
    parser.add_argument("--spans", default="0,20", help="storage: seconds that callbacks take (default: %(default)s)")
    parser.add_argument("--batches", default="0,10000", help="idle: finished batches (default: %(default)s)")
    parser.add_argument("--together", type=int, default=5, help="storage: batches of a span (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=120, help="idle: measured each (default: %(default)s)")
    given = parser.parse_args()
    if given.part == "launch":
        print(json.dumps(launch_to_tables(given.python, given.rounds), indent=2))
    elif given.part == "idle":
        print(json.dumps(idle(given.python, [int(n) for n in given.batches.split(",")], given.seconds), indent=2))
    else:
        spans = [float(span) for span in given.spans.split(",")]
        print(json.dumps(storage(given.python, spans, given.together), indent=2))


if __name__ == "__main__":
    main()
