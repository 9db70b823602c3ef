"""The parts of the crash suite with harmful links between all of them, and what is counted while they work."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.settings import Settings
from tests.chaos.crash_harness import PATIENCE, CrashHarness
from tests.faults.proxy import NEVER_CLEAN, STEADY, Link, Links, links

LEASE = 2.0
RUN_SECONDS = 90.0
"""A run that works longer than this hangs: its items are few, and everything it waits for has a time-out of seconds."""

PATIENT = 10.0
"""Seconds after which the line of a synchronous statement is taken for dead; of the engine's it is ten leases."""

RETRY = {"base": 0.01, "max": 0.05, "attempts": 20, "timeout": 2.0}
DEADLINE = 3.0


@dataclass
class Network:
    """Four links, and the processes that talk over them.

    Attributes:
        hangs: Runs that did not end by themselves.
        ended: Exit code of a run -> how often.
    """

    harness: CrashHarness
    links: Links
    engine_provider: Link
    engine_postgres: Link
    receiver_postgres: Link
    provider_receiver: Link
    ended: Counter[int] = field(default_factory=Counter)
    hangs: int = 0
    longest: float = 0.0

    def launch(self, rows: int) -> str:
        """A new batch, over no link; its key."""
        return self.harness.launch(rows, DEADLINE, RETRY)

    def run(self, batch: str, **more: Any) -> int:
        """One engine run over the links; its exit code, or that of its end by force where it hangs."""
        began = time.monotonic()
        server = self.harness.first
        server.start(self.harness.order(batch, **{**self._addresses(), "lease": LEASE, "patience": PATIENT, **more}))
        while not server.has_ended():
            if time.monotonic() - began > RUN_SECONDS:
                self.hangs += 1
                self._end_by_force(server.pid)
                break
            time.sleep(0.02)
        code = server.wait()
        self.longest = max(self.longest, time.monotonic() - began)
        self.ended[code] += 1
        return code

    def _addresses(self) -> dict[str, str]:
        return {
            "hq": over(self.engine_postgres, "hq"),
            "workspace": over(self.engine_postgres, "workspace"),
            "sandbox": self.engine_provider.url,
            "receiver": self.provider_receiver.url,
        }

    @staticmethod
    def _end_by_force(server: int) -> None:
        for child in Path(f"/proc/{server}/task/{server}/children").read_text().split():
            os.kill(int(child), signal.SIGUSR1)
            time.sleep(0.5)
            os.kill(int(child), signal.SIGKILL)


def over(link: Link, database: str) -> str:
    """URL of a database at the end of a link."""
    return f"postgresql://postgres@127.0.0.1:{link.port}/{database}"


@contextlib.contextmanager
def network(harness: CrashHarness, seed: int) -> Iterator[Network]:
    """The links, and a receiver that is up all the time and reaches its database over one of them."""
    server = f"{harness.postgres.socket_dir}/.s.PGSQL.5432"
    provider = urlsplit(harness.sandbox.url)
    with contextlib.ExitStack() as stack:
        opened = stack.enter_context(links(seed))
        receiver_postgres = opened.add("receiver-Postgres", server, NEVER_CLEAN)
        settings: Settings = replace(harness.settings, hq_database_url=over(receiver_postgres, "hq"))
        with opened.harmless():
            stack.enter_context(
                ReceiverProcess(
                    settings,
                    port=harness.port,
                    start_seconds=PATIENCE,
                )
            )
        opened.break_off(receiver_postgres)  # the one it has was let alone
        yield Network(
            harness,
            opened,
            opened.add("engine-provider", (provider.hostname or "", provider.port or 0)),
            opened.add("engine-Postgres", server, STEADY),
            receiver_postgres,
            opened.add("provider-receiver", ("127.0.0.1", harness.port)),
        )
