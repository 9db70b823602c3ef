"""A run that somebody stops finishes its calls under way: none of them ends with an unknown fate."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.batches.status import status
from enrichment_assets.settings import Settings
from tests.assets.test_simulation import launched
from tests.harness.handles import hq_of

HQ = psycopg.Connection[dict[str, Any]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_calls_under_way_finish_and_one_line_says_how_to_go_on(
    simulated: Settings,
    people: Path,
    sandbox: SandboxProcess,
    hq: psycopg.Connection[dict[str, object]],
    number: signal.Signals,
) -> None:
    batch = launched(simulated, people, "apollo-basic")
    sandbox.configure(latency="3s")
    environment = {
        **os.environ,
        "ENRICH_HOME": str(simulated.home),
        "ENRICH_SANDBOX_URL": sandbox.url,
        "HQ_DATABASE_URL": simulated.hq_database_url or "",
        "WORKSPACE_DATABASE_URL": simulated.workspace_database_url or "",
        "DAGSTER_DATABASE_URL": simulated.dagster_database_url or "",
    }
    command = [sys.executable, "-c", "from enrichment_assets.cli import main; main()", "run", batch]
    run = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        _wait_for_calls_under_way(hq, run)
        os.killpg(run.pid, number)
        said = run.communicate(timeout=60)[1]
    finally:
        sandbox.configure(latency="0s")
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    states = hq.execute("select state, count(*) as n from provider_calls group by state").fetchall()
    counted = {row["state"]: row["n"] for row in states}
    assert counted.keys() <= {"applied", "ready"}, counted
    assert counted["applied"] == sandbox.billing()["calls"] > 0
    assert all(workflow.ambiguous == 0 for workflow in status(hq_of(simulated), simulated, batch).workflows)
    assert run.returncode == 130
    lines = [line for line in said.splitlines() if line.strip()]
    assert len(lines) == 1, said
    assert lines[0].startswith("enrich: stopped, calls under way were finished")
    assert lines[0].endswith(f"enrich run {batch}")


def _wait_for_calls_under_way(hq: HQ, run: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and run.poll() is None:
        found = hq.execute("select count(*) as n from provider_calls where state = 'intent'").fetchone()
        hq.rollback()
        if found and found["n"]:
            time.sleep(0.5)  # the request leaves right after its intent
            return
        time.sleep(0.1)
    raise AssertionError("no call was made")
