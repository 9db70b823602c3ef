"""Processes that begin with everything imported: started, asked for, interrupted, buried; none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from enrichment_assets.installation.warm_processes import ask

PATIENCE = 60.0
LOADED = "import os, pathlib\nBY = os.getpid()\n"
WRITES = """
import os, pathlib, sys, enrich_probe_loaded
pathlib.Path(sys.argv[1]).write_text(f"{sys.argv[2:]} {enrich_probe_loaded.BY} {os.getpid()} {sys.argv[0]}")
"""
WAITS = """
import pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text("waits")
try:
    time.sleep(600)
except KeyboardInterrupt:
    pathlib.Path(sys.argv[1]).write_text("interrupted")
"""


@dataclass
class Warm:
    """A running program with modules of the test."""

    process: subprocess.Popen[bytes]
    socket: str
    folder: Path

    def start(self, name: str, module: str, *arguments: str, if_it_dies: tuple[str, ...] = ()) -> bool:
        order = {"start": name, "module": module, "arguments": list(arguments), "if_it_dies": list(if_it_dies)}
        return bool(ask(self.socket, order)["done"])

    def is_there(self, name: str) -> bool:
        return bool(ask(self.socket, {"look": name})["done"])


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def listens(socket: str) -> bool:
    try:
        ask(socket, {"look": "nobody"})
    except OSError:
        return False
    return True


def text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.fixture
def warm(tmp_path: Path) -> Iterator[Warm]:
    modules = {"enrich_probe_loaded": LOADED, "enrich_probe_writes": WRITES, "enrich_probe_waits": WAITS}
    for name, source in modules.items():
        (tmp_path / f"{name}.py").write_text(source)
    socket = str(tmp_path / "s")
    command = [sys.executable, "-m", "enrichment_assets.installation.warm_processes", "--socket", socket]
    process = subprocess.Popen(
        [*command, "--preload", "enrich_probe_loaded"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        start_new_session=True,
    )
    try:
        until(lambda: listens(socket))
        yield Warm(process, socket, tmp_path)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_child_has_what_was_loaded_and_is_run_as_a_module_with_its_arguments(warm: Warm) -> None:
    target = warm.folder / "told"
    assert warm.start("one", "enrich_probe_writes", str(target), "a b", "c")
    until(lambda: text(target))
    arguments, loaded_by, run_by, program = text(target).rsplit(" ", 3)
    assert arguments == "['a b', 'c']"
    assert int(loaded_by) == warm.process.pid != int(run_by)
    assert program.endswith("enrich_probe_writes.py")
    until(lambda: not warm.is_there("one"))


def test_a_name_runs_once_and_is_interrupted_by_its_name(warm: Warm) -> None:
    target = warm.folder / "told"
    assert warm.start("one", "enrich_probe_waits", str(target))
    until(lambda: text(target) == "waits")
    assert warm.start("one", "enrich_probe_writes", str(target))  # an order that was not heard is given again
    assert warm.is_there("one")
    assert not ask(warm.socket, {"interrupt": "two"})["done"]
    assert text(target) == "waits"
    assert ask(warm.socket, {"interrupt": "one"})["done"]
    until(lambda: text(target) == "interrupted")
    until(lambda: not warm.is_there("one"))


@pytest.mark.parametrize(
    ("module", "source", "code"),
    [
        ("enrich_probe_dies", "import os; os.kill(os.getpid(), 9)", "-9"),
        ("enrich_probe_exits", "raise SystemExit(3)", "3"),
        ("enrich_probe_raises", "raise ValueError('no')", "1"),
        ("enrich_probe_is_missing", "", "1"),
        ("enrich_probe_ends", "raise SystemExit", ""),
    ],
)
def test_what_did_not_end_well_is_told(warm: Warm, module: str, source: str, code: str) -> None:
    if source:
        (warm.folder / f"{module}.py").write_text(source)
    target = warm.folder / "buried"
    assert warm.start("one", module, if_it_dies=("enrich_probe_writes", str(target)))
    until(lambda: not warm.is_there("one") and not warm.is_there("one died"))
    assert text(target).startswith(f"['{code}']") if code else not target.exists()


def test_children_are_stopped_with_the_programs_group(warm: Warm) -> None:
    target = warm.folder / "told"
    warm.start("one", "enrich_probe_waits", str(target))
    until(lambda: text(target) == "waits")
    children = Path(f"/proc/{warm.process.pid}/task/{warm.process.pid}/children").read_text().split()
    os.killpg(warm.process.pid, signal.SIGTERM)
    warm.process.wait()
    until(lambda: not any(Path(f"/proc/{child}").exists() for child in children))


def test_what_is_no_order_is_not_answered_and_stops_nothing(warm: Warm) -> None:
    for order in ({}, {"start": "one"}, {"start": "one", "module": "m"}):
        with pytest.raises(ValueError):
            if ask(warm.socket, order)["done"] is False:
                raise ValueError("nothing was done")
    assert warm.start("one", "enrich_probe_writes", str(warm.folder / "told"))
