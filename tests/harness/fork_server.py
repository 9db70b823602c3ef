"""A process that forks a child for each order, so that a thousand children cost no thousand imports.

The process is a program of its own: it imports what its children need and calls `serve`. `ForkServer` is the other end.
Nothing of the package is imported here: some children take theirs from another folder.
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

KILLED = -signal.SIGKILL


class ForkServer:
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

    @property
    def pid(self) -> int:
        """Number of the process that forks."""
        return self._process.pid

    def start(self, order: dict[str, Any]) -> None:
        """Start a child."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def wait(self) -> int:
        """The exit code of the child that was started; negative: the signal that ended it."""
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def has_ended(self) -> bool:
        """Whether the child that was started is over, so that `wait` returns at once."""
        assert self._process.stdout
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def run(self, order: dict[str, Any]) -> int:
        """Start a child and wait for its end."""
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
def fork_server(log: Path, program: str, environment: Mapping[str, str] | None = None) -> Iterator[ForkServer]:
    """A fork server that is gone with all its children when the block ends; what they print goes to `log`."""
    opened = ForkServer(log, program, environment)
    try:
        yield opened
    finally:
        opened.close()


def serve(run: Callable[[dict[str, Any]], int]) -> None:
    """Read orders, one JSON object a line, until there are no more; print the exit code of each one's child.

    An order is run in a child of its own, whose exit code is `run`'s result.
    """
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the pipe is for exit codes alone
            try:
                code = run(json.loads(line))
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
