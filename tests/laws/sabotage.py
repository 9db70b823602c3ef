"""Taking a guard out: a copy of the package with one text replaced, and a law's check run on that copy.

A process that has imported the libraries, and nothing of ours, forks a child for each copy: importing them anew would
cost seconds each time. The child exits with `BROKEN` where the check found the law broken, and with anything else
(a crash, success) where the sabotage proves nothing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from enrichment_assets.sandbox.process import SandboxProcess
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from tests.engine.world import World

BROKEN = 33
ROOT = Path(__file__).parents[2]
PACKAGE = "enrichment_assets"


@dataclass(frozen=True)
class Sabotage:
    """One guard: where it stands, its text, and what stands there once it is out."""

    law: int
    check: str
    file: str
    guard: str
    without: str

    def __str__(self) -> str:
        return f"law {self.law}: {self.check} without `{' '.join(self.guard.split())[:60]}`"


@dataclass(frozen=True)
class Found:
    """How a check on a sabotaged copy ended, and what it printed."""

    returncode: int
    output: str


def run_without(sabotage: Sabotage, world: World, folder: Path, nursery: subprocess.Popen[str]) -> Found:
    """Run the check on a copy of the package whose guard is out."""
    shutil.copytree(ROOT / PACKAGE, folder / PACKAGE)  # compiled files too: they stay valid, times are copied
    (folder / "dbt_like_sql").symlink_to(ROOT / "dbt_like_sql")  # names of the models are looked up beside the package
    (folder / "tests").symlink_to(ROOT / "tests")
    file = folder / PACKAGE / sabotage.file
    text = file.read_text()
    assert text.count(sabotage.guard) >= 1, f"the guard is not in {sabotage.file} any more: {sabotage.guard}"
    file.write_text(text.replace(sabotage.guard, sabotage.without))
    (folder / "scratch").mkdir()
    order = {
        "folder": str(folder),
        "check": sabotage.check,
        "hq": world.settings.hq_database_url,
        "workspace": world.settings.workspace_database_url,
        "dagster": world.settings.dagster_database_url,
        "sandbox": world.sandbox.url,
    }
    assert nursery.stdin and nursery.stdout
    nursery.stdin.write(json.dumps(order) + "\n")
    nursery.stdin.flush()
    code = int(nursery.stdout.readline())
    return Found(code, (folder / "output").read_text()[-3000:])


def open_nursery() -> subprocess.Popen[str]:
    """The process that forks; it ends when its input does."""
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("nursery.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def find_check(name: str) -> Callable[[World], None]:
    """A law's check by its name. Imported late: in the child, that is from the copy."""
    from tests.laws import checks, child_checks, lease_checks, reuse_checks, stories

    module = next(m for m in (child_checks, lease_checks, reuse_checks, stories, checks) if name in vars(m))
    check: Callable[[World], None] = getattr(module, name)
    return check


def check_copy(order: dict[str, str]) -> int:
    """In the child: run one check on the package as it is there; the exit code."""
    sandbox = SandboxProcess()
    sandbox.url = order["sandbox"]
    home = Path(order["folder"]) / "scratch"
    settings = Settings(
        home=home / "home",
        hq_database_url=order["hq"],
        workspace_database_url=order["workspace"],
        dagster_database_url=order["dagster"],
        sandbox_url=sandbox.url,
    )
    with connect(order["hq"]) as hq:
        try:
            find_check(order["check"])(World(settings, hq, sandbox, home))
        except AssertionError as error:
            print(f"broken: {error}")
            return BROKEN
    return 0
