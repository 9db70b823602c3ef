"""`enrich up` behind PgBouncer, by one URL of a small role: batches, callbacks, Dagster; a stranger is on the pool."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.harness.databases import PostgresServer
from tests.harness.roles import SmallRole, small_role
from tests.integration.test_daemon import free_port, until, write_people
from tests.services.pgbouncer import PgBouncer

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

ROWS = 20
PIPELINE = "normalise-name,normalise-domain,match-person-via-apollo,enrich-person-clay,reveal-phone-via-apollo"
BATCHES = {"north-1": "north", "south-1": "south"}


@dataclass(frozen=True)
class Installation:
    """What was done through a pooler in some mode, seen afterwards past it.

    Attributes:
        mode: The pooler's.
        role: As whom.
        left: What is left on each connection of the pool.
        stranger: How many statements the other client of the pool has had answered.
        log: What the pooler wrote.
    """

    mode: str
    role: SmallRole
    left: dict[int, list[str]]
    stranger: int
    log: str

    def rows(self, query: str) -> list[Any]:
        """Rows of HQ and of Dagster, as the superuser sees them."""
        with psycopg.connect(self.role.superuser) as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]


@pytest.fixture(scope="module", params=[("transaction", 4), ("session", 60)], ids=["transaction", "session"])
def installation(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Two batches of two clients, driven by the daemon alone, with callbacks that are lost, doubled and shuffled."""
    mode, size = request.param
    home = tmp_path_factory.mktemp("home")
    with (
        small_role(postgres_server) as role,
        PgBouncer(role.superuser, mode=mode, size=size, roles=(role.name,)) as pooler,
        ThreadPoolExecutor(1) as aside,
    ):
        url = pooler.url(role.database, role.name)
        over = threading.Event()
        stranger = aside.submit(_stranger, url, over)
        try:
            _work(home, url, role.superuser, mode, stranger)
        finally:
            over.set()
        yield Installation(mode, role, pooler.left_behind(role.database, role.name), stranger.result(), pooler.log)


def _stranger(url: str, over: threading.Event) -> int:
    """Another program on the same connections: statements and pauses longer than any time limit of the platform."""
    answered = 0
    while not over.is_set():
        with psycopg.connect(url, prepare_threshold=None) as client:
            client.execute("select pg_sleep(12)")
            over.wait(3.0)  # idle in its transaction
            client.execute("select 1")
            answered += 2
    return answered


def _work(home: Path, url: str, superuser: str, mode: str, stranger: Future[int]) -> None:
    ports = {name: free_port() for name in ("port", "receiver-port", "sandbox-port", "console-port")}
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ENRICH_", "DAGSTER_"))} | {
        "ENRICH_HOME": str(home),
        "HQ_DATABASE_URL": url,
    }
    if mode == "session":
        environment["HQ_DATABASE_POOLER"] = mode
    used = environment | {
        "ENRICH_RECEIVER_URL": f"http://127.0.0.1:{ports['receiver-port']}",
        "ENRICH_SANDBOX_URL": f"http://127.0.0.1:{ports['sandbox-port']}",
    }

    def enrich(*arguments: str) -> str:
        command = [sys.executable, "-m", "enrichment_assets", *arguments]
        done = subprocess.run(command, env=used, capture_output=True, text=True, check=False, timeout=180)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    output = home / "up.txt"
    arguments = [part for name, port in ports.items() for part in (f"--{name}", str(port))]
    with output.open("w") as file:
        up = subprocess.Popen(
            [sys.executable, "-m", "enrichment_assets", "up", "--sandbox", "--no-login", *arguments],
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        until("everything is up", lambda: "Everything is up" in output.read_text() or up.poll() is not None)
        assert up.poll() is None, output.read_text()
        for client in set(BATCHES.values()):
            enrich("client", "add", client)
            enrich("pipeline", "add", "mixed", "--steps", PIPELINE, "--client", client)
        for number, (batch, client) in enumerate(BATCHES.items()):
            path = home / f"{batch}.csv"
            write_people(path, client, first=number * ROWS)
            upload = json.loads(enrich("upload", str(path), "--client", client, "--json"))["upload_id"]
            enrich("launch", str(upload), "--pipeline", "mixed", "--client", client, "--batch", batch)

        def finished() -> bool:
            assert not stranger.done(), stranger.exception()
            return all(json.loads(enrich("status", batch, "--json"))["extracted"] for batch in BATCHES)

        until("both batches are in the tables", finished)
        with psycopg.connect(superuser, autocommit=True) as connection:
            busy = "select run_id from dagster.runs where status not in ('SUCCESS', 'FAILURE', 'CANCELED')"
            until("no run is under way, which the end would stop", lambda: not connection.execute(busy).fetchall())
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(60)


def test_batches_with_callbacks_finish_by_themselves(installation: Installation) -> None:
    states = dict(installation.rows("select status, count(*) from hq.workflow_states group by 1"))
    assert sum(states.values()) == len(BATCHES) * ROWS * 5
    assert set(states) <= {"COMPLETED", "SKIPPED"}, states
    inbox = dict(installation.rows("select status, count(*) from hq.callback_inbox group by 1"))
    assert set(inbox) <= {"applied", "superseded"} and inbox, inbox
    leads = installation.rows("select batch_key, count(*) from hq.final_leads group by 1 order by 1")
    assert leads == [(batch, ROWS) for batch in sorted(BATCHES)]


def test_dagsters_tables_are_in_their_schema_and_its_runs_ended_well(installation: Installation) -> None:
    failures = "select event from dagster.event_logs where dagster_event_type in ('STEP_FAILURE', 'PIPELINE_FAILURE')"
    assert installation.rows(failures) == []
    assert set(installation.rows("select distinct status from dagster.runs")) == {("SUCCESS",)}
    assert installation.rows("select count(*) > 100 from dagster.event_logs") == [(True,)]
    elsewhere = "select schemaname from pg_tables where tablename in ('runs', 'event_logs', 'jobs', 'kvs')"
    assert set(installation.rows(elsewhere)) == {("dagster",)}


def test_nothing_is_left_on_a_connection_of_the_pool_and_no_statement_of_a_stranger_was_ended(
    installation: Installation,
) -> None:
    assert set(map(tuple, installation.left.values())) == {()}, installation.left
    assert installation.stranger >= 2
    for word in ("unsupported startup parameter", "query_wait_timeout", "already exists", "does not exist"):
        assert word not in installation.log
