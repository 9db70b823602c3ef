"""`make services`: installs what is missing of packages.txt, then runs the tests that need it.

Packages are installed where this is root and apt is there; elsewhere it says what is missing, and fails. Where
`SERVICES=if-there` is set it is content then: nothing is run, and the exit status is 0.

Mail servers exclude each other as packages: they are unpacked into a folder and not installed (`tests/services/mail`).
Where that cannot be done, it says why and runs the others; without `SERVICES=if-there` that is a failure, too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.mail.unpacked import Missing, unpack

MAIL = Path(__file__).parent / "mail"
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
    lacking = _mail_servers()
    ignored = [f"--ignore={MAIL}"] if lacking else []
    command = [sys.executable, "-m", "pytest", "-m", "services", *ignored, *sys.argv[1:]]
    status = subprocess.run(command, check=False).returncode
    return status if status or not lacking or os.environ.get("SERVICES") == "if-there" else 1


def _mail_servers() -> str:
    """Unpack them; why that is not possible, empty where it is."""
    try:
        unpack()
    except Missing as why:
        print(f"services: no mail servers, and none of their tests: {why}", file=sys.stderr)
        return str(why)
    return ""


if __name__ == "__main__":
    sys.exit(main())
