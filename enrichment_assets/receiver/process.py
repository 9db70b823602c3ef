"""The receiver as a child process, for tests, the demo and the bench.

What belongs here: starting it, knowing where it listens and that it can store, stopping or killing it.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.receiver.server import READY_PREFIX
from enrichment_assets.settings import Settings


class ReceiverProcess:
    """Context manager around `python -m enrichment_assets.receiver`.

    Attributes:
        url: Base URL (`http://127.0.0.1:<port>`) once entered.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        port: int = 0,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = ("-m", "enrichment_assets.receiver"),
        start_seconds: float = 60.0,
        wait_for_database: bool = True,
    ) -> None:
        """Describe the process; `port` 0 takes a free one, `environment` adds to (and overrides) the settings'."""
        self._command = [sys.executable, *command, "--port", str(port)]
        self._environment = {**os.environ, **_as_environment(settings), **(environment or {})}
        self._start_seconds = start_seconds
        self._wait_for_database = wait_for_database
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        """Start and wait until it listens (and, unless told otherwise, can store).

        Raises `InfrastructureError` when that takes longer than `start_seconds`.
        """
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            self._command, env=self._environment, stdout=subprocess.PIPE, text=True
        )
        try:
            deadline = time.monotonic() + self._start_seconds
            self.url = self._announced(deadline)
            while self._wait_for_database and not self.ready():
                if time.monotonic() > deadline:
                    raise InfrastructureError(
                        f"the receiver at {self.url} cannot reach its database", code="receiver.without_database"
                    )
                time.sleep(0.05)
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it, gently first."""
        self.stop()

    @property
    def process(self) -> subprocess.Popen[str]:
        """The running child; raises `InfrastructureError` before the start."""
        if self._process is None:
            raise InfrastructureError("the receiver was not started", code="receiver.not_started")
        return self._process

    def ready(self) -> bool:
        """Whether `GET /ready` says that a callback could be stored now."""
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=20) as answer:  # noqa: S310 - our own address
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self, seconds: float = 30.0) -> int:
        """SIGTERM, then SIGKILL when it takes longer than `seconds`; returns the exit code."""
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()
        finally:
            self._close_pipe()

    def kill(self) -> int:
        """SIGKILL; returns the exit code."""
        self.process.kill()
        code = self.process.wait()
        self._close_pipe()
        return code

    def _announced(self, deadline: float) -> str:
        """The address from the line that the process prints when it listens."""
        pipe = self.process.stdout
        if pipe is None or not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise InfrastructureError("the receiver did not start in time", code="receiver.not_ready")
        line = pipe.readline()
        if not line.startswith(READY_PREFIX):
            raise InfrastructureError(
                f"the receiver did not start (exit code {self.process.wait(10)})", code="receiver.exited"
            )
        return line.removeprefix(READY_PREFIX).strip()

    def _close_pipe(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()


def _as_environment(settings: Settings) -> dict[str, str]:
    named = {
        "ENRICH_HOME": str(settings.home),
        "HQ_DATABASE_URL": settings.hq_database_url,
        "WORKSPACE_DATABASE_URL": settings.workspace_database_url,
        "DAGSTER_DATABASE_URL": settings.dagster_database_url,
        "HQ_DATABASE_DIRECT_URL": settings.hq_direct_url,
        "HQ_DATABASE_POOLER": settings.hq_pooler,
    }
    return {name: value for name, value in named.items() if value}
