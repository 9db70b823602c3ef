"""A process that forks one engine run after another, so that a thousand kills cost no thousand imports.

As a program it reads orders, one JSON object a line, forks, waits, and prints the child's exit code. `Nursery` is the
other end.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from enrichment_assets.engine.run.advance import EngineOptions
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.advancing import advance_batch
from enrichment_assets.services.batches.storing import store_results
from enrichment_assets.settings import Settings
from tests.chaos.faults import arm

KILLED = -signal.SIGKILL
CUT_OFF = (-signal.SIGALRM, -signal.SIGPROF)
TIMERS = {"seconds": signal.ITIMER_REAL, "of work": signal.ITIMER_PROF}
"""By the clock, or by the processor's time that the run has used, which does not depend on how busy the machine is."""


def _run(order: dict[str, Any]) -> int:
    """Advance a batch and store its results, as the asset does; 0: finished, 2: something is still open."""
    if order.get("fault"):
        arm(order["fault"])
    if order.get("cut_after"):
        after, timer = order["cut_after"]
        signal.setitimer(TIMERS[timer], after)  # the signal's default ends the process on the spot
    settings = Settings(
        home=Path(order["home"]),
        hq_database_url=order["hq"],
        workspace_database_url=order["workspace"],
        dagster_database_url=order["hq"],
        sandbox_url=order["sandbox"],
        receiver_url=order["receiver"],
    )
    options = EngineOptions(
        order["receiver"], order["sandbox"], lease_seconds=order["lease"], linger_seconds=0.3, progress_seconds=60.0
    )
    report = advance_batch(settings, order["batch"], build_providers(order["sandbox"]), options=options)
    store_results(settings, order["batch"])
    return 0 if report.finished else 2


class Nursery:
    """Runs one order at a time."""

    def __init__(self, log: Path, program: str, environment: Mapping[str, str] | None = None) -> None:
        self._log = log.open("a")
        self._process = subprocess.Popen(
            [sys.executable, "-m", program],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
        )

    def start(self, order: dict[str, Any]) -> None:
        """Start a run."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def wait(self) -> int:
        """The exit code of the run that was started; negative: the signal that ended it."""
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def has_ended(self) -> bool:
        """Whether the run that was started is over, so that `wait` returns at once."""
        assert self._process.stdout
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def run(self, order: dict[str, Any]) -> int:
        """Start a run and wait for its end."""
        self.start(order)
        return self.wait()

    def close(self) -> None:
        """End everything that was ever started here, stopped processes included."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._log.close()


@contextlib.contextmanager
def nursery(
    log: Path, program: str = "tests.chaos.nursery", environment: Mapping[str, str] | None = None
) -> Iterator[Nursery]:
    """A nursery that is gone with all its children when the block ends."""
    opened = Nursery(log, program, environment)
    try:
        yield opened
    finally:
        opened.close()


def serve(run: Callable[[dict[str, Any]], int]) -> None:
    """Read orders until there are no more; each is run in a child of its own, whose exit code is `run`'s result."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = run(json.loads(line))
            except BaseException:
                traceback.print_exc()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve(_run)
