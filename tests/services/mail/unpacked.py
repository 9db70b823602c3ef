"""Debian's packages of four mail servers that exclude each other, unpacked into one folder. Nothing is installed.

The folder is the root of the servers' namespace (`world.py`): their programs and libraries are at the paths that were
compiled into them, the machine's own programs below `/host`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

PACKAGES = ("postfix", "exim4-daemon-light", "opensmtpd", "dovecot-core", "dovecot-imapd", "dovecot-lmtpd")

ROOT = Path(__file__).parents[3] / ".services" / "mail"
"""Kept between runs; git does not see it."""

MOUNTED = ("host/usr", "dev", "proc", "etc", "var", "run", "tmp")


class Missing(Exception):
    """The machine cannot have them: what is missing."""


def missing() -> str:
    """Why the servers cannot be run here; empty where they can."""
    for program in ("apt-get", "dpkg", "unshare", "chroot"):
        if shutil.which(program) is None:
            return f"{program} is missing"
    if os.geteuid() != 0:
        return "mount namespaces with several accounts need root"
    return ""


def unpack() -> Path:
    """The folder with everything unpacked. Packages are fetched once.

    Raises:
        Missing: They cannot be had.
    """
    if why := missing():
        raise Missing(why)
    done = ROOT / "unpacked"
    if done.exists() and done.read_text() == "\n".join(PACKAGES):
        return ROOT
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="enrich-mail-") as folder:
        debs = Path(folder)
        debs.chmod(0o755)
        _download(debs, PACKAGES)
        _download(debs, sorted({name for deb in debs.glob("*.deb") for name in _libraries(deb)}))
        for deb in debs.glob("*.deb"):
            subprocess.run(["dpkg", "-x", deb, ROOT], check=True)
    _link_the_machine()
    done.write_text("\n".join(PACKAGES))
    return ROOT


def _download(folder: Path, packages: list[str] | tuple[str, ...]) -> None:
    answer = subprocess.run(["apt-get", "download", *packages], cwd=folder, capture_output=True, text=True, check=False)
    if answer.returncode:
        subprocess.run(["apt-get", "update", "--quiet"], check=False, capture_output=True)
        answer = subprocess.run(
            ["apt-get", "download", *packages], cwd=folder, capture_output=True, text=True, check=False
        )
    if answer.returncode:
        raise Missing(answer.stderr.strip())


def _libraries(deb: Path) -> set[str]:
    """Libraries a package needs; the machine's own C library is the one that runs."""
    depends = subprocess.run(["dpkg", "-f", deb, "Depends"], capture_output=True, text=True, check=True).stdout
    return {name for name in re.findall(r"(?:^|, )(lib[^\s,]+)", depends) if name not in {"libc6", "libpam-runtime"}}


def _link_the_machine() -> None:
    """What is mounted later needs a place, and the loader and the shell are where the machine has them."""
    for name in MOUNTED:
        shutil.rmtree(ROOT / name, ignore_errors=True)
        (ROOT / name).mkdir(parents=True)
    libraries = ROOT / "lib"
    unpacked = list(libraries.glob("*-linux-gnu/*"))
    for library in unpacked:
        kept = ROOT / "usr" / "lib" / library.parent.name
        kept.mkdir(parents=True, exist_ok=True)
        library.rename(kept / library.name)
    shutil.rmtree(libraries, ignore_errors=True)
    libraries.symlink_to("/host/usr/lib")
    for name in ("lib64", "bin", "sbin"):
        if (ROOT / name).is_dir():
            shutil.rmtree(ROOT / name)
        (ROOT / name).symlink_to(f"/host/usr/{name}")
