"""`make services`: installs what is missing of packages.txt, then runs the tests that need it.

Packages are installed where this is root and apt is there; elsewhere it says what is missing, and fails. Where
`SERVICES=if-there` is set it is content then: nothing is run, and the exit status is 0.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = Path(__file__).parent / "packages.txt"
SYSTEM_PATH = "/usr/sbin:/sbin:/usr/local/sbin"
"""Where Debian keeps servers, which an ordinary account's PATH leaves out."""

START_POLICY = Path("/usr/sbin/policy-rc.d")
"""Debian asks this program whether a package that was just installed may start its service (101: it may not)."""


def packages() -> dict[str, str]:
    """Program -> the package that has it."""
    lines = [line.split() for line in PACKAGES.read_text().splitlines() if line and not line.startswith("#")]
    return {words[1]: words[0] for words in lines}


def missing() -> list[str]:
    """Packages whose program is not there."""
    path = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    return [package for program, package in packages().items() if shutil.which(program, path=path) is None]


@contextmanager
def _nothing_started() -> Iterator[None]:
    """The tests start servers of their own; those of the packages stay down."""
    if START_POLICY.exists():
        yield
        return
    START_POLICY.write_text("#!/bin/sh\nexit 101\n")
    START_POLICY.chmod(0o755)
    try:
        yield
    finally:
        START_POLICY.unlink()


def _install(wanted: list[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *wanted]
    with _nothing_started():
        for command in (["apt-get", "update", "--quiet"], install):
            subprocess.run(command, env=environment, check=False, stdout=sys.stderr)


def main() -> int:
    """Install, then run. The exit status of the tests."""
    wanted = missing()
    if wanted and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(wanted)
        wanted = missing()
    if wanted:
        print(f"services: these Debian packages are missing: {' '.join(wanted)}", file=sys.stderr)
        print(f"services: as root, apt-get install {' '.join(wanted)}; nothing was run", file=sys.stderr)
        return 0 if os.environ.get("SERVICES") == "if-there" else 1
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    return subprocess.run([sys.executable, "-m", "pytest", "-m", "services", *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
