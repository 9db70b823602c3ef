"""The supervisor with real processes: announced, restarted, and none left, however it ends itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.processes import processes_with, wait_until

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(999)"
)
FAMILY = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(999)'])"


class Stage:
    """One supervisor as a process of its own, and all that it starts, known by a mark in their environment."""

    def __init__(self, folder: Path) -> None:
        self.logs, self.output = folder / "logs", folder / "screen.txt"
        self.mark = f"ENRICH_TEST_STAGE={uuid.uuid4().hex}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, ignoring_interrupts: bool = False, last: list[str] | None = None, **services: list[str]) -> None:
        self.logs.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "tests.platform.supervised", str(self.logs)]
        command += [json.dumps(services), json.dumps(last or [])]
        if ignoring_interrupts:
            command = ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *command]
        name, _, value = self.mark.partition("=")
        with self.output.open("wb") as screen:
            self.process = subprocess.Popen(command, env={**os.environ, name: value}, stdout=screen, stderr=screen)

    @property
    def screen(self) -> str:
        return self.output.read_text()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.screen)

    def others(self) -> set[int]:
        """What lives of this stage beside the supervisor itself."""
        return processes_with(self.mark) - {self.pid}

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        for pid in processes_with(self.mark):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    one = Stage(tmp_path)
    yield one
    one.end()


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_what_runs_is_announced_and_its_output_is_in_its_log(stage: Stage) -> None:
    stage.start(talker=_python("import time; print('I talk', flush=True); time.sleep(999)"))
    stage.wait_for("Everything is up")
    assert "talker: running" in stage.screen
    wait_until(lambda: (stage.logs / "talker.log").read_text() == "I talk\n")


def test_a_service_waits_for_the_one_it_needs(stage: Stage) -> None:
    stage.start(early=_python("import time; time.sleep(999)"), late=_python("import time; time.sleep(999)"))
    wait_until(lambda: (stage.logs / "early.log").exists())
    assert not (stage.logs / "late.log").exists()
    (stage.logs / "early.flag").touch()
    stage.wait_for("Everything is up")
    assert stage.screen.index("early: running") < stage.screen.index("late: running")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_with_grandchildren(stage: Stage, number: signal.Signals) -> None:
    stage.start(family=_python(FAMILY), single=_python("import time; time.sleep(999)"))
    stage.wait_for("Everything is up")
    wait_until(lambda: len(stage.others()) == 4)  # the reaper, two services, one grandchild
    os.kill(stage.pid, number)
    stage.wait_for("Returned.")
    assert stage.others() == set()


def test_an_interrupt_counts_when_a_script_started_it_with_interrupts_ignored(stage: Stage) -> None:
    stage.start(ignoring_interrupts=True, single=_python("import time; time.sleep(999)"))
    stage.wait_for("Everything is up")
    os.kill(stage.pid, signal.SIGINT)
    stage.wait_for("Returned.")
    assert stage.others() == set()


def test_a_second_signal_does_not_wait_for_a_stubborn_process(stage: Stage) -> None:
    stage.start(stubborn=_python(STUBBORN))
    wait_until(lambda: (stage.logs / "stubborn.log").exists() and (stage.logs / "stubborn.log").read_text() == "here\n")
    os.kill(stage.pid, signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        stage.process and stage.process.wait(timeout=1)
    os.kill(stage.pid, signal.SIGTERM)
    stage.wait_for("Returned.")
    assert stage.others() == set()


def test_a_killed_supervisor_leaves_nothing_not_even_the_stubborn(stage: Stage, tmp_path: Path) -> None:
    done = tmp_path / "last"
    last = _python(f"from pathlib import Path; Path({str(done)!r}).touch()")
    stage.start(last=last, family=_python(FAMILY), stubborn=_python(STUBBORN))
    stage.wait_for("Everything is up")
    wait_until(lambda: len(stage.others()) == 4)
    os.kill(stage.pid, signal.SIGKILL)
    wait_until(lambda: stage.others() == set())
    assert done.exists()


def test_the_last_command_is_not_run_after_an_orderly_end(stage: Stage, tmp_path: Path) -> None:
    done = tmp_path / "last"
    stage.start(last=["touch", str(done)], single=_python("import time; time.sleep(999)"))
    stage.wait_for("Everything is up")
    os.kill(stage.pid, signal.SIGTERM)
    stage.wait_for("Returned.")
    assert not done.exists()


def test_a_service_that_dies_is_started_again_with_growing_pauses(stage: Stage) -> None:
    stage.start(weak=_python("print('again', flush=True); raise SystemExit(3)"))
    stage.wait_for("starting it again in 4 s")
    said = [line.partition(" (log")[0] for line in stage.screen.splitlines() if "ended" in line]
    assert said == [f"weak: ended with exit code 3; starting it again in {pause} s" for pause in (1, 2, 4)]
    assert (stage.logs / "weak.log").read_text() == "again\n" * 3


def test_a_service_that_was_killed_is_replaced_and_its_children_with_it(stage: Stage) -> None:
    stage.start(family=_python(FAMILY))
    stage.wait_for("Everything is up")
    wait_until(lambda: len(stage.others()) == 3)
    first = processes_with(FAMILY[:40]) & stage.others()
    before = stage.others()
    os.kill(first.pop(), signal.SIGKILL)
    stage.wait_for("family: was ended by SIGKILL; starting it again in 1 s")
    wait_until(lambda: stage.screen.count("family: running") == 2 and len(stage.others()) == 3)
    assert len(stage.others() & before) == 1  # the reaper
