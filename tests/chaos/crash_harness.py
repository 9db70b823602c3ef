"""Everything a crash suite needs, real and of its own: a durable Postgres, a sandbox, a receiver, and runs to kill."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from enrichment_assets.installation.databases import open_databases
from enrichment_assets.installation.embedded import LocalPostgres
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.sandbox.billing import fingerprint
from enrichment_assets.sandbox.process import SandboxProcess
from enrichment_assets.services.operations import recovery
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from tests.actors import TESTER
from tests.chaos.commit_order import note_commits
from tests.chaos.decisions import decide
from tests.chaos.points import Point
from tests.harness.batches import BatchHarness, Launched, async_step, company_step, step
from tests.harness.fork_server import KILLED, ForkServer, fork_server
from tests.harness.handles import hq_of

LEASE, SHORT_LEASE = 10.0, 1.0
"""Seconds. A living run keeps the long one on the slowest machine; the short one is soon over when it is waited for."""

DEADLINE, SHORT_DEADLINE = 30.0, 1.0
"""Seconds for a callback. `CrashHarness.finish` alone lets the long one pass; the short one passes while runs work."""

LONGEST_ORDER = 0.2
"""Seconds that the sandbox takes at most until it calls back, or has the answers of an order."""

PATIENCE = 180.0
"""Seconds after which something will not happen any more, however slow the machine is."""


def workflows(deadline: float = DEADLINE, retry: dict[str, Any] | None = None) -> list[Any]:
    """One without and three with idempotency keys; one of a company, one that calls back."""
    keyed = {"idempotency_header": "idempotency-key", **({"retry": retry} if retry else {})}
    table = {"table": "chaos", "create": True, "columns": {"keyed": "fields.keyed"}}
    return [
        step("plain", **({"retry": retry} if retry else {})),
        step("keyed", destination=table, uses=["plain"], **keyed),
        company_step("firm", **keyed),
        async_step(
            "slow",
            uses=["keyed"],
            deadline=deadline,
            poll={"request": {"method": "GET", "url": "/results/{{external_id}}"}, "pending_status": [202], "every": 1},
            **{"retry": {"base": 0.01, "max": 0.02, "attempts": 8}, **keyed},
        ),
    ]


def email_of(batch: str, number: int) -> str:
    """The address of one person of a batch: nobody else's."""
    return f"ann{number}@people-of-{batch}.example"


@dataclass
class CrashHarness:
    """The parts, the batches that were launched, and how often an operator let a call of unknown fate be made again.

    `retried` is by (API key, subject) as the sandbox's bill shows them.
    """

    settings: Settings
    postgres: LocalPostgres
    sandbox: SandboxProcess
    port: int
    first: ForkServer
    second: ForkServer
    folder: Path
    batches: list[str] = field(default_factory=list)
    retried: Counter[tuple[str, str]] = field(default_factory=Counter)

    def launch(self, rows: int = 6, deadline: float = DEADLINE, retry: dict[str, Any] | None = None) -> str:
        """A new batch of its own client with a budget; its key. `retry`: of its workflows."""
        number = len(self.batches) + 1
        with self.launcher() as launcher:
            key = f"chaos-{number}"
            people = [
                {
                    "first_name": f"Ann{n}",
                    "n": str(n),
                    "company_name": f"Firm {number}-{n % 2}",  # on the bill, a company of another batch is another
                    "email": email_of(key, n),
                }
                for n in range(rows)
            ]
            batch = launcher.launch(people, *workflows(deadline, retry), client=f"client-{number}", key=key)
            batch.set_budget("1000")
        self.batches.append(batch.key)
        return batch.key

    def decide(self, batch: str, what: str, **arguments: Any) -> int:
        """What a person decides about a batch (`decisions`), here and now."""
        return decide(hq_of(self.settings), self.settings, batch, what, arguments)

    @contextlib.contextmanager
    def launcher(self) -> Iterator[BatchHarness]:
        """A connection for as long as the block lasts: the database may be restarted between two."""
        with connect(self.settings.hq_database_url or "") as hq:
            folder = self.folder / f"files-{time.monotonic_ns()}"
            folder.mkdir()
            yield BatchHarness(self.settings, hq, self.sandbox, folder)

    def order(self, batch: str, fault: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """What a fork server is told."""
        return {
            "batch": batch,
            "home": str(self.settings.home),
            "hq": self.settings.hq_database_url,
            "workspace": self.settings.workspace_database_url,
            "sandbox": self.sandbox.url,
            "receiver": self.settings.receiver_url,
            "lease": LEASE,
            "fault": fault,
            **more,
        }

    def fault(self, point: Point, action: str = "kill", hit: int = 1) -> dict[str, Any]:
        """A fault at a point."""
        postmaster = self.postgres.server_pid() if action == "restart" else 0
        return point.fault(action, hit=hit, postmaster=postmaster)

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows of HQ now."""
        with connect(self.settings.hq_database_url or "") as hq:
            return hq.execute(query, parameters).fetchall()

    def wait_for_callbacks(self, batch: str, count: int) -> None:
        """Until that many callbacks of a batch are in the inbox."""
        query = "select count(*) as n from callback_inbox i join batches b on b.id = i.batch_id where b.batch_key = %s"
        self._wait(lambda: self.rows(query, batch)[0]["n"] >= count, f"{count} callbacks of {batch}")

    def wait_until_all_have_called_back(self) -> None:
        """Until the sandbox has no callback left to make."""
        self._wait(lambda: not self.sandbox.callbacks()["pending"], "the end of the callbacks")

    def wait_for_receiver(self, receiver: ReceiverProcess) -> None:
        """Until it could keep a callback."""
        self._wait(receiver.ready, "the receiver")

    @staticmethod
    def ends_killed(receiver: ReceiverProcess) -> bool:
        """Wait for the end of a receiver with a fault: True when a signal ended it, False when nothing ever did."""
        try:
            return receiver.process.wait(PATIENCE) == KILLED
        except subprocess.TimeoutExpired:
            return False

    def run_until_a_callback_is_planned(self, batch: str, before: int) -> None:
        """Run a batch until the sandbox has planned more callbacks than it had before."""

        def planned() -> bool:
            self.first.run(self.order(batch))
            return self.sandbox.callbacks()["planned"] > before

        self._wait(planned, f"a callback for {batch}")

    def wait_for_leases(self, batch: str) -> None:
        """Until what ended or stopped runs of a batch held is free."""
        living = "select label from runners r join batches b on b.id = r.batch_id"
        living += " where b.batch_key = %s and r.ended_at is null and r.expires_at > clock_timestamp()"
        self._wait(lambda: not self.rows(living, batch), f"the end of the leases of {batch}")

    def let_leases_pass(self) -> None:
        """What waiting for a lease would do for runs that are dead: nobody renews it, and its time is over."""
        with connect(self.settings.hq_database_url or "") as hq:
            hq.execute("update runners set expires_at = now() - interval '1 s' where ended_at is null")

    def wait_until(self, moment: datetime) -> None:
        """Until the database's clock has passed a moment."""
        past = "select clock_timestamp() > %s as past"
        self._wait(lambda: bool(self.rows(past, moment)[0]["past"]), str(moment))

    @staticmethod
    def _wait(over: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + PATIENCE
        while not over():
            assert time.monotonic() < until, f"waited in vain for {what}"
            time.sleep(0.05)

    def finish(self, batch: str, server: ForkServer | None = None) -> float:
        """Run until the batch is finished, as the sequencer would; how many seconds that took.

        Where a callback will not come any more, its deadline is moved into the past instead of being waited for.
        """
        began = time.monotonic()

        def finished() -> bool:
            if (server or self.first).run(self.order(batch)) == 0:
                return True
            if not self.sandbox.callbacks()["pending"]:
                self._let_orders_end(batch)
                with self.launcher() as launcher:
                    self.launched(launcher, batch).overdue()
            return False

        self._wait(finished, f"the end of {batch}")
        return time.monotonic() - began

    def _let_orders_end(self, batch: str) -> None:
        """Wait until the sandbox has worked on them: past its deadline an order is given up after a few looks."""
        waiting = """
            select exists (select from provider_calls c join batches b on b.id = c.batch_id
                           where b.batch_key = %s and c.bulk_id is not null and c.state = 'sent') as waiting"""
        if self.rows(waiting, batch)[0]["waiting"]:
            time.sleep(LONGEST_ORDER)

    def retry_ambiguous(self, batch: str) -> int:
        """What an operator does about calls of unknown fate: call again. How many calls that were."""
        ambiguous = recovery.list_ambiguous(hq_of(self.settings), batch)
        recovery.resolve(hq_of(self.settings), batch, "retry", actor=TESTER)
        for state in ambiguous:
            self.retried[fingerprint(state.workflow), f"id={state.item_id}"] += 1
        return len(ambiguous)

    def restart_database(self) -> None:
        """Bring the database back after it was stopped at once."""
        while self.postgres.server_pid() is not None:
            time.sleep(0.02)
        self.postgres.start()

    def launched(self, launcher: BatchHarness, batch: str) -> Launched:
        """The batch to be read."""
        row = launcher.hq.execute(
            "select b.id, c.slug from batches b join clients c on c.id = b.client_id where batch_key = %s", (batch,)
        ).fetchone()
        assert row is not None
        return Launched(self.settings, launcher.hq, self.sandbox, batch, row["id"], row["slug"])


@contextlib.contextmanager
def receiving(harness: CrashHarness, fault: dict[str, Any] | None = None) -> Iterator[ReceiverProcess]:
    """The receiver at the harness's address, with a fault armed where one is given."""
    environment = {"CHAOS_FAULT": json.dumps(fault)} if fault else {}
    with ReceiverProcess(
        harness.settings,
        port=harness.port,
        environment=environment,
        command=("-m", "tests.chaos.receiver"),
        wait_for_database=fault is None,
        start_seconds=PATIENCE,
    ) as process:
        yield process


@contextlib.contextmanager
def crash_harness(**sandbox_settings: Any) -> Iterator[CrashHarness]:
    """All of it, started; nothing is left when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="enrich-chaos-", dir="/tmp"))
    folder.chmod(0o755)
    postgres = LocalPostgres(folder / "pg", state_dir=folder / "state")
    try:
        _start_with_commit_times(postgres)
        with contextlib.ExitStack() as stack:
            with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
                for name in ("hq", "workspace", "dagster"):
                    connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            port = _free_port()
            settings = Settings(
                home=folder / "home",
                hq_database_url=postgres.url("hq"),
                workspace_database_url=postgres.url("workspace"),
                dagster_database_url=postgres.url("dagster"),
                receiver_url=f"http://127.0.0.1:{port}",
            )
            open_databases(settings)
            note_commits(settings.hq_database_url or "")
            delay = f"20ms-{1000 * LONGEST_ORDER:.0f}ms"
            known = {"seed": 7, "latency": "2ms-15ms", "callback_delay": delay, **sandbox_settings}
            sandbox = stack.enter_context(SandboxProcess(**known))
            runs = [
                stack.enter_context(fork_server(folder / f"runs-{n}.log", "tests.chaos.engine_child")) for n in range(2)
            ]
            settings = replace(settings, sandbox_url=sandbox.url)
            yield CrashHarness(settings, postgres, sandbox, port, *runs, folder=folder)
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _start_with_commit_times(postgres: LocalPostgres) -> None:
    postgres.start()
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("alter system set track_commit_timestamp = on")
    postgres.stop()
    postgres.start()


def _free_port() -> int:
    """A port for the receiver, which comes and goes: below those that the system gives to connections meanwhile."""
    while True:
        port = random.SystemRandom().randint(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
