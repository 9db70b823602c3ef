"""A process leaves a copy of itself for the next command, which has what its own process would have had."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from enrichment_assets.installation.warm_commands import TOLD

PATIENCE = 60.0
PROGRAM = """
import json, os, pathlib, signal, sys, time
from enrichment_assets.installation.handing_over import hand_over, stop
from enrichment_assets.installation.warm_commands import leave_behind

home, changes = pathlib.Path(os.environ["PROBE_HOME"]), pathlib.Path(os.environ["PROBE_CHANGES"])


def program():
    kind = sys.argv[1]
    if kind == "tells":
        umask = os.umask(0o022)
        told = {"by": os.getppid(), "arguments": sys.argv[2:], "folder": os.getcwd(), "umask": umask,
                "read": sys.stdin.read(), "given": os.environ.get("GIVEN"), "lines": sys.stdout.line_buffering}
        print(json.dumps(told))
        print("aside", file=sys.stderr)
        sys.exit(7)
    if kind == "says":
        sys.exit("this is what was wrong")
    if kind == "dies":
        os.kill(os.getpid(), signal.SIGUSR1)
    if kind == "waits":
        pathlib.Path(sys.argv[2]).write_text(str(os.getpid()))
        try:
            time.sleep(600)
        except KeyboardInterrupt:
            print("interrupted")
            sys.exit(130)


if sys.argv[1] == "leaves":
    print(leave_behind(home, float(sys.argv[2]), program, lambda: changes.stat().st_mtime_ns))
elif sys.argv[1] == "stops":
    stop(home)
else:
    code = hand_over(home)
    if code is None:
        print("not handed over")
    sys.exit(99 if code is None else code)
"""


@dataclass
class Probe:
    """A home, and a small program that leaves a copy behind and hands commands over to it."""

    folder: Path
    home: Path
    changes: Path
    copies: list[int] = field(default_factory=list)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.folder / "probe.py"), *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "PROBE_HOME": str(self.home), "PROBE_CHANGES": str(self.changes), **more}

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            input="from standard input",
            env=self.environment(**more),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that hears Ctrl-C, also where the tests themselves run in the background of a shell."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environment(),
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    def leave(self, seconds: float = 60.0) -> int:
        """Leave a copy behind; its process id."""
        assert self.run("leaves", str(seconds)).stdout == "True\n"
        until(lambda: (self.home / TOLD).exists())
        pid = int(json.loads((self.home / TOLD).read_text())["pid"])
        self.copies.append(pid)
        return pid


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def probe(tmp_path: Path) -> Iterator[Probe]:
    (tmp_path / "probe.py").write_text(PROGRAM)
    (tmp_path / "changes").write_text("")
    made = Probe(tmp_path, tmp_path / "home", tmp_path / "changes")
    made.home.mkdir()
    yield made
    (made.home / TOLD).unlink(missing_ok=True)
    for pid in made.copies:
        until(lambda pid=pid: is_gone(pid))


def test_a_command_has_what_its_own_process_would_have_and_its_end_is_told(probe: Probe) -> None:
    copy = probe.leave()
    done = probe.run("tells", "an argument", "ü\udcff", GIVEN="by this command")
    assert json.loads(done.stdout) == {
        "by": copy,
        "arguments": ["an argument", "ü\udcff"],
        "folder": str(probe.folder),
        "umask": 0o022,
        "read": "from standard input",
        "given": "by this command",
        "lines": False,
    }
    assert (done.returncode, done.stderr) == (7, "aside\n")
    assert json.loads(probe.run("tells").stdout)["given"] is None
    said = probe.run("says")
    assert (said.returncode, said.stderr) == (1, "this is what was wrong\n")
    assert probe.run("dies").returncode == -signal.SIGUSR1


def test_ctrl_c_reaches_the_command_and_a_killed_one_takes_it_along(probe: Probe) -> None:
    probe.leave()
    begun = probe.folder / "begun"
    with probe.begin("waits", str(begun)) as process:
        until(lambda: begun.exists() and begun.read_text())
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=PATIENCE)[0] == "interrupted\n"
        assert process.returncode == 130
    begun.unlink()
    with probe.begin("waits", str(begun)) as process:
        until(lambda: begun.exists() and begun.read_text())
        process.kill()
        process.wait(PATIENCE)
    until(lambda: is_gone(int(begun.read_text())))


@pytest.mark.parametrize("reason", ["nobody came", "the home is gone", "told to", "a file has changed"])
def test_a_copy_ends_by_itself(probe: Probe, reason: str) -> None:
    copy = probe.leave(0.5 if reason == "nobody came" else 60.0)
    if reason == "the home is gone":
        probe.home.rename(probe.folder / "elsewhere")
    elif reason == "told to":
        probe.run("stops")
    elif reason == "a file has changed":
        os.utime(probe.changes, ns=(1, 1))
        assert probe.run("tells").stdout == "not handed over\n"
    until(lambda: is_gone(copy))
    if reason != "the home is gone":
        assert probe.run("tells").stdout == "not handed over\n"


@pytest.mark.parametrize("reason", ["others may enter its folder", "another kind of process", "none", "not readable"])
def test_a_command_is_not_handed_to_what_may_not_have_it(probe: Probe, reason: str) -> None:
    more = {}
    if reason != "none":
        probe.leave()
        told = json.loads((probe.home / TOLD).read_text())
        if reason == "others may enter its folder":
            Path(told["socket"]).parent.chmod(0o755)
        elif reason == "another kind of process":
            more = {"PYTHONWARNINGS": "error"}
        else:
            (probe.home / TOLD).write_text("{")
    assert probe.run("tells", **more).stdout == "not handed over\n"


def test_no_time_to_wait_leaves_no_copy(probe: Probe) -> None:
    assert probe.run("leaves", "0").stdout == "False\n"
    assert not (probe.home / TOLD).exists()
