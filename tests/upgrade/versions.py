"""Two versions of the platform side by side: this one, and an earlier commit with an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.marks import ROOT

EARLIER = "d9b7f17"
"""The commit that has to go on working while this version migrates the database under it."""


@dataclass(frozen=True)
class Version:
    """One version: where its code is, the interpreter of its environment, and what its processes are told."""

    root: Path
    python: Path
    environment: Mapping[str, str]

    def enrich(self, *arguments: str) -> Any:
        """Run a command with `--json` to its end; what it printed. Raises `AssertionError` where it failed."""
        done = subprocess.run(
            [str(self.python), "-m", "enrichment_assets", *arguments, "--json"],
            cwd=self.root,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, f"enrich {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def start(self, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a module; what it says goes to `log`."""
        with log.open("wb") as file:
            return subprocess.Popen(
                [str(self.python), "-m", *arguments],
                cwd=self.root,
                env=dict(self.environment),
                stdout=file,
                stderr=subprocess.STDOUT,
            )


def this_version(environment: Mapping[str, str]) -> Version:
    """The code that runs this."""
    return Version(ROOT, Path(sys.executable), environment)


@contextmanager
def earlier_version(folder: Path, environment: Mapping[str, str]) -> Iterator[Version]:
    """The earlier commit, checked out and installed below `folder`.

    Raises:
        SystemExit: The history that is here does not reach back to it.
    """
    here = ["git", "-C", str(ROOT)]
    if subprocess.run([*here, "cat-file", "-e", f"{EARLIER}^{{commit}}"], capture_output=True, check=False).returncode:
        raise SystemExit(f"commit {EARLIER} is not in this clone: fetch the whole history (git fetch --unshallow)")
    root = folder / "earlier"
    root.mkdir()
    archive = subprocess.run([*here, "archive", EARLIER], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(root)], input=archive.stdout, check=True)
    python = root / ".venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(root / ".venv")], check=True)
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*install, "--require-hashes", "-r", "requirements.txt"], cwd=root, check=True)
    subprocess.run([*install, "--no-deps", "--editable", "."], cwd=root, check=True)
    yield Version(root, python, environment)


def bare_environment() -> dict[str, str]:
    """This process's, without what says where an installation is."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("ENRICH_", "DAGSTER_"))}
