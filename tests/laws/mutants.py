"""Taking a guard out: a copy of the package with one marked line replaced, and a law's check run on that copy.

A process forks a child for each copy (`mutant_process.py`): importing the libraries anew would cost seconds each time.
The child exits with `BROKEN` where the check found the law broken, and with anything else (a crash, success) where the
mutation proves nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enrichment_assets.sandbox.process import SandboxProcess
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from tests.harness.batches import BatchHarness
from tests.harness.fork_server import ForkServer
from tests.harness.marks import PACKAGE, ROOT, replace_guard

BROKEN = 33


@dataclass(frozen=True)
class Mutation:
    """A law, the check that holds it, and what stands in the lines of its guards once they are out: nothing or a line.

    `without` is by the names of the guards' marks (`# guard: ...`, `tests/harness/marks.py`).
    """

    law: int
    check: str
    without: dict[str, str]

    def __str__(self) -> str:
        return f"law {self.law}: {self.check} without {' and '.join(self.without)}"


@dataclass(frozen=True)
class Found:
    """How a check on a mutated copy ended, and what it printed."""

    returncode: int
    output: str


def run_without(mutation: Mutation, harness: BatchHarness, folder: Path, processes: ForkServer) -> Found:
    """Run the check on a copy of the package whose guards are out."""
    shutil.copytree(ROOT / PACKAGE, folder / PACKAGE)  # compiled files too: they stay valid, times are copied
    (folder / "dbt_like_sql").symlink_to(ROOT / "dbt_like_sql")  # names of the models are looked up beside the package
    (folder / "tests").symlink_to(ROOT / "tests")
    for guard, without in mutation.without.items():
        replace_guard(folder, guard, without)
    (folder / "scratch").mkdir()
    code = processes.run(
        {
            "folder": str(folder),
            "check": mutation.check,
            "hq": harness.settings.hq_database_url,
            "workspace": harness.settings.workspace_database_url,
            "dagster": harness.settings.dagster_database_url,
            "sandbox": harness.sandbox.url,
        }
    )
    return Found(code, (folder / "output").read_text()[-3000:])


def find_check(name: str) -> Callable[[BatchHarness], None]:
    """A law's check by its name. Imported late: in the child, that is from the copy."""
    from tests.laws import (
        bulk_checks,
        checks,
        child_checks,
        hold_checks,
        lease_checks,
        multi_process_checks,
        prompt_checks,
        reuse_checks,
        suppression_checks,
    )

    modules = (
        bulk_checks,
        child_checks,
        hold_checks,
        lease_checks,
        prompt_checks,
        reuse_checks,
        suppression_checks,
        multi_process_checks,
        checks,
    )
    check: Callable[[BatchHarness], None] = getattr(next(module for module in modules if name in vars(module)), name)
    return check


def check_copy(order: dict[str, Any]) -> int:
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
            find_check(order["check"])(BatchHarness(settings, hq, sandbox, home))
        except AssertionError as error:
            print(f"broken: {error}")
            return BROKEN
    return 0
