"""Running several processes as one: start, wait until they answer, restart what dies, stop everything.

What the processes are is in `stack.py`. Each one leads its own process group, so that what it starts is stopped with
it, and its output goes to a log file. A reaper process (`reaper.py`) clears up should this one be killed.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from enrichment_assets.domain.variables import without_keys
from enrichment_assets.installation.reaper import end_group, end_groups

TICK_SECONDS = 0.1
STOP_GRACE_SECONDS = 15.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
HEALTHY_AFTER_SECONDS = 60.0
"""A process that lived this long starts with the first pause again when it dies."""
UPKEEP_SECONDS = 5.0
_LOG_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Service:
    """One process to run.

    Attributes:
        name: What people call it; also the name of its log file.
        command: Program and arguments.
        address: Where it answers, shown to people; None for one that only works.
        answers: True once it is of use; None: as soon as it is started.
        after: Names of services that have to be of use before this one is started.
        makes_calls: It needs the providers' keys; no other process is given them.
    """

    name: str
    command: Sequence[str]
    address: str | None = None
    answers: Callable[[], bool] | None = None
    after: Sequence[str] = ()
    makes_calls: bool = False


@dataclass(slots=True)
class _Running:
    """A service and the process that is it now."""

    service: Service
    log_file: Path
    process: subprocess.Popen[bytes] | None = None
    ready: bool = False
    started_at: float = 0.0
    start_at: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS
    answered_once: bool = False


class Supervisor:
    """Runs services until it is told to stop.

    Args:
        services: What to run.
        logs_dir: Folder for one log file a service.
        environment: The environment of all of them; the providers' keys in it are for those that make calls.
        say: Called with each sentence for the person at the screen.
        upkeep: Called every few seconds; returns a sentence when it had to mend something, else None.
        last_command: What the reaper runs should this process be killed.
    """

    def __init__(
        self,
        services: Sequence[Service],
        *,
        logs_dir: Path,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        upkeep: Callable[[], str | None] | None = None,
        last_command: Sequence[str] | None = None,
    ) -> None:
        self._running = [_Running(service, logs_dir / f"{service.name}.log") for service in services]
        self._logs_dir = logs_dir
        self._environment = dict(environment)
        self._say = say
        self._upkeep = upkeep
        self._last_command = last_command
        self._signals = 0
        self._reaper: subprocess.Popen[str] | None = None

    def run(self) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP, then stop everything. A second signal kills instead of waiting.

        Must be called in the main thread. SIGINT counts even if this process was started with it ignored, as shells
        without job control do for `command &`.
        """
        self._logs_dir.mkdir(parents=True, exist_ok=True)
        caught = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._on_signal) for number in caught}
        try:
            self._start_reaper()
            self._supervise()
        finally:
            self._stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _supervise(self) -> None:
        everything_answered = False
        next_upkeep = time.monotonic() + UPKEEP_SECONDS
        while not self._signals:
            for one in self._running:
                self._advance(one)
            if not everything_answered and all(one.ready for one in self._running):
                everything_answered = True
                self._say("Everything is up. Ctrl-C stops it.")
            if self._upkeep and time.monotonic() >= next_upkeep:
                if with_current_mapping := self._upkeep():
                    self._say(with_current_mapping)
                next_upkeep = time.monotonic() + UPKEEP_SECONDS
            time.sleep(TICK_SECONDS)

    def _advance(self, one: _Running) -> None:
        """Move one service on: start it, see that it answers, or notice that it died."""
        if one.process is None:
            if time.monotonic() >= one.start_at and self._may_start(one.service):
                self._start(one)
        elif one.process.poll() is not None:
            self._bury(one, one.process)
        elif not one.ready and (one.service.answers is None or one.service.answers()):
            one.ready = one.answered_once = True
            self._say(f"{one.service.name}: {one.service.address or 'running'}")

    def _may_start(self, service: Service) -> bool:
        return all(other.answered_once for other in self._running if other.service.name in service.after)

    # opens files of ours: the home's
    def _start(self, one: _Running) -> None:
        if one.log_file.exists() and one.log_file.stat().st_size > _LOG_BYTES:
            one.log_file.replace(one.log_file.with_suffix(".log.1"))
        with one.log_file.open("ab") as log:
            one.process = subprocess.Popen(  # noqa: S603 - the commands of our own stack
                list(one.service.command),
                env=self._environment if one.service.makes_calls else without_keys(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        one.started_at = time.monotonic()
        self._tell_reaper("watch", one.process.pid)

    def _bury(self, one: _Running, process: subprocess.Popen[bytes]) -> None:
        """Clear up after a service that died, and set the time of its next start."""
        end_groups([process.pid], grace=1.0)
        self._tell_reaper("forget", process.pid)
        if time.monotonic() - one.started_at > HEALTHY_AFTER_SECONDS:
            one.pause = FIRST_PAUSE_SECONDS
        self._say(
            f"{one.service.name}: {_how_it_ended(process.returncode)}; starting it again in {one.pause:.0f} s "
            f"(log: {one.log_file})"
        )
        one.process, one.ready = None, False
        one.start_at = time.monotonic() + one.pause
        one.pause = min(one.pause * 2, LONGEST_PAUSE_SECONDS)

    def _stop_all(self) -> None:
        processes = [one.process for one in self._running if one.process is not None]
        for process in processes:
            end_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_GRACE_SECONDS
        signals = self._signals
        while time.monotonic() < deadline and self._signals == signals:
            for process in processes:
                process.poll()
            if not any(end_group(process.pid, 0) for process in processes):
                break
            time.sleep(0.05)
        for process in processes:
            end_group(process.pid, signal.SIGKILL)
            process.wait()
            self._tell_reaper("forget", process.pid)
        self._stop_reaper()

    def _start_reaper(self) -> None:
        command = [sys.executable, "-m", "enrichment_assets.installation.reaper"]
        self._reaper = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)  # noqa: S603
        if self._last_command:
            self._tell_reaper("finally", list(self._last_command))

    def _tell_reaper(self, verb: str, what: int | list[str]) -> None:
        if self._reaper is None or self._reaper.stdin is None:
            return
        try:
            self._reaper.stdin.write(json.dumps({verb: what}) + "\n")
            self._reaper.stdin.flush()
        except BrokenPipeError:
            self._say("The reaper process is gone: should this process be killed, its children would stay.")
            self._reaper.wait()
            self._reaper = None

    def _stop_reaper(self) -> None:
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()
            self._reaper.wait()


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
