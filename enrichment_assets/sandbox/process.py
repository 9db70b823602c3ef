"""A sandbox in a process of its own, for tests and the demo: it goes on while the caller is busy, stopped or killed."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import Request, urlopen

from enrichment_assets.sandbox.settings import SandboxSettings

READY_SECONDS = 180.0
STOP_SECONDS = 5.0


class SandboxProcess:
    """A context manager; arguments are `SandboxSettings` fields: `SandboxProcess(seed=7, miss=0.1)`.

    Attributes:
        url: Where it answers, known inside the block.
        pid: Its process id, known inside the block.
    """

    url: str
    pid: int

    def __init__(self, settings: SandboxSettings | None = None, *, port: int = 0, **fields: Any) -> None:
        base = (settings or SandboxSettings()).model_dump(mode="json")
        self._settings = SandboxSettings.model_validate({**base, **fields})
        self._port = port
        self._process: subprocess.Popen[str] | None = None
        self._log: Any = None

    def __enter__(self) -> SandboxProcess:
        """Start it on a free port and wait until it answers; raises `RuntimeError` with its own words otherwise."""
        command = [sys.executable, "-m", "enrichment_assets.sandbox", "--json", "--port", str(self._port)]
        self._log = tempfile.TemporaryFile(mode="w+")
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [*command, "--settings", self._settings.model_dump_json()],
            stdout=subprocess.PIPE,
            stderr=self._log,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=Path.cwd(),
        )
        self.pid = self._process.pid
        self.url = self._first_line()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it, by force if it does not go."""
        self.stop()

    def stop(self) -> None:
        """Stop it now; does nothing when it is stopped already."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._log.close()

    def billing(self, *, subjects: bool = True) -> dict[str, Any]:
        """What it billed so far (docs/sandbox.md has the fields)."""
        return self._admin("GET", f"billing?subjects={str(subjects).lower()}")

    def calls(self) -> list[dict[str, Any]]:
        """The most recent calls, oldest first."""
        calls: list[dict[str, Any]] = self._admin("GET", "calls")["calls"]
        return calls

    def callbacks(self) -> dict[str, Any]:
        """What became of the callbacks."""
        return self._admin("GET", "callbacks")

    def messages(self) -> dict[str, Any]:
        """What channels of alerts took: `messages` by channel, PagerDuty's `incidents` by key."""
        return self._admin("GET", "messages")

    def configure(self, **settings: Any) -> dict[str, Any]:
        """Change settings while it runs; returns all of them. Raises `ValueError` for one that cannot be."""
        return self._admin("PATCH", "settings", settings)

    def happen(self, provider: str, **told: Any) -> dict[str, Any]:
        """Let something happen there that no caller asked for, such as a reply. Raises `ValueError` if it cannot."""
        return self._admin("POST", f"happen/{provider}", told)

    def flush_callbacks(self) -> dict[str, Any]:
        """Send every waiting callback now and wait until all are answered."""
        return self._admin("POST", "flush-callbacks")

    def reset(self) -> None:
        """Forget bills, attempts, promises and callbacks; settings stay."""
        self._admin("POST", "reset")

    def _first_line(self) -> str:
        assert self._process is not None  # noqa: S101 - called after the start
        assert self._process.stdout is not None  # noqa: S101
        deadline = time.monotonic() + READY_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            ready = selector.select(max(0.0, deadline - time.monotonic()))
        line = self._process.stdout.readline() if ready else ""
        if not line:
            self._process.kill()
            self._process.wait()
            self._log.seek(0)
            raise RuntimeError(f"the sandbox did not start: {self._log.read().strip()[-2000:]}")
        url: str = json.loads(line)["url"]
        return url

    def _admin(self, method: str, endpoint: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body, default=str).encode()
        request = Request(f"{self.url}/_sandbox/{endpoint}", data=data, method=method)  # noqa: S310 - our own address
        try:
            with urlopen(request, timeout=60) as answer:  # noqa: S310
                value: dict[str, Any] = json.loads(answer.read())
        except OSError as error:
            read = getattr(error, "read", None)
            if read is None:
                raise
            raise ValueError(json.loads(read()).get("error", str(error))) from error
        return value
