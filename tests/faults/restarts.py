"""`enrich up` with all its processes, lists dropped into its inbox, and a database that is restarted all the time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from enrichment_assets.domain.errors import InfrastructureError
from tests.chaos.crash_harness import PATIENCE, CrashHarness
from tests.chaos.dagster_harness import DagsterHarness, dagster_harness
from tests.faults.soak import Found, restarting
from tests.platform.processes import free_port, wait_until

ROWS = 20
EVERY = (5.0, 40.0)
"""Seconds between two restarts."""

STEPS = ("plain", "keyed", "firm", "slow")
MOST_WAITING = 10
"""Lists that are on their way at a time: a run that died is asked for again after up to five minutes."""

LAST_SECONDS = 1800.0
"""For what is left once the restarts are over: leases, waits before retries, the sequencer's looks."""


@contextmanager
def all_processes_up(harness: CrashHarness) -> Iterator[Path]:
    """`enrich up` on the harness's databases and sandbox; its screen."""
    settings, screen = harness.settings, harness.folder / "up.txt"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ENRICH_", "DAGSTER_"))} | {
        "ENRICH_HOME": str(settings.home),
        "HQ_DATABASE_URL": settings.hq_database_url or "",
        "WORKSPACE_DATABASE_URL": settings.workspace_database_url or "",
        "DAGSTER_DATABASE_URL": settings.dagster_database_url or "",
        "ENRICH_SANDBOX_URL": harness.sandbox.url,
    }
    ports = ["--port", str(free_port()), "--console-port", str(free_port())]
    command = [sys.executable, "-m", "enrichment_assets", "up", *ports]
    with screen.open("w") as file:
        process = subprocess.Popen(
            [*command, "--receiver-port", str(harness.port)], env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        wait_until(lambda: "Everything is up" in screen.read_text() or process.poll() is not None, PATIENCE)
        assert process.poll() is None, screen.read_text()
        yield screen
        assert process.poll() is None, screen.read_text()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def soak_restarts(harness: CrashHarness, seconds: float, chance: random.Random, found: Found) -> None:
    """Drop lists for that long while the database is restarted, then let the platform finish, and judge each list."""
    with dagster_harness(harness, STEPS) as dagster, all_processes_up(harness):
        dropped: list[Path] = []
        until = time.monotonic() + seconds
        with restarting(harness, chance, found, EVERY):
            while time.monotonic() < until:
                if len(dropped) - _done(harness, len(dropped)) < MOST_WAITING:
                    dropped.append(dagster.drop(ROWS))
                    found.say(f"{len(dropped)} lists, {found.done['restarts']} restarts")
                time.sleep(min(chance.uniform(5, 20), max(until - time.monotonic(), 0)))
        began = time.monotonic()
        while len(_extracted(harness)) < len(dropped) and time.monotonic() - began < LAST_SECONDS:
            _let_deadlines_pass(harness)
            time.sleep(2)
        found.say(f"the rest took {time.monotonic() - began:.0f} s")
        _judge(dagster, dropped, found)


def _done(harness: CrashHarness, unknown: int) -> int:
    """How many batches are extracted; `unknown` while the database is away."""
    try:
        return len(_extracted(harness))
    except (InfrastructureError, psycopg.Error):
        return unknown - MOST_WAITING


def _extracted(harness: CrashHarness) -> list[str]:
    done = "select batch_key from batches where finished_at is not null and extracted_at >= finished_at"
    return [row["batch_key"] for row in harness.rows(done)]


def _let_deadlines_pass(harness: CrashHarness) -> None:
    """Callbacks that found no database are not repeated; what waits for one is asked for when its deadline is over."""
    if not harness.sandbox.callbacks()["pending"]:
        with harness.launcher() as launcher:
            launcher.hq.execute(
                "update workflow_states set deadline_at = now() - interval '1 s' where deadline_at is not null"
            )
            launcher.hq.commit()


def _judge(dagster: DagsterHarness, dropped: list[Path], found: Found) -> None:
    for path in dropped:
        batches = dagster.crashes.rows(
            "select b.batch_key from batches b join uploads u on u.id = b.upload_id where u.filename = %s", path.name
        )
        found.done["batches"] += len(batches)
        found.done["items"] += ROWS * len(batches)
        if len(batches) != 1:
            found.wrong.append(f"{path.name} is {len(batches)} batches")
        for batch in batches:
            found.wrong += [f"{path.name}: {fault}" for fault in dagster.broken(batch["batch_key"], ROWS)]
    found.wrong += [f"left over: {name}" for name in dagster.litter()]
    sums = dagster.crashes.rows("select state, count(*) as n from provider_calls group by state")
    found.done.update({f"calls {row['state']}": row["n"] for row in sums})
