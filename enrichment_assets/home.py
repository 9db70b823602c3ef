"""The home directory: client data, keys of the day and a database, so for this account only."""

from __future__ import annotations

import os
import secrets
import stat
import sys
import uuid
from pathlib import Path

HOME_ID = "home-id"
"""A file in the home."""


def prepare_home(home: Path) -> None:
    """Make the home with mode 0700, and take the rights of other accounts away from one that is there and ours.

    A home that is made is announced in one line on standard error: whoever meant another one sees it at once.
    Where root keeps the embedded database inside an older home, the database's own user has to pass through: that home
    keeps the right to pass (0711). Raises OSError where it cannot be made.
    """
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
        home_id(home)
        sys.stderr.write(f"enrich: new home: {home}\n")
    found = home.stat()
    if found.st_uid != os.geteuid():
        return
    inside = os.geteuid() == 0 and (home / "postgres" / "PG_VERSION").exists()
    wanted = stat.S_IMODE(found.st_mode) & (0o711 if inside else 0o700)
    if wanted != stat.S_IMODE(found.st_mode):
        home.chmod(wanted)


def kept_secret(home: Path, name: str) -> str:
    """A secret that the home makes for itself, in a file for this account only (mode 0600), or the one that is there.

    256 random bits as text; of several processes that want it at once one makes it.
    """
    prepare_home(home)
    file = home / name
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as made:
        made.write(secrets.token_hex(32) + "\n")
    return file.read_text().strip()


# opens files of ours: the home's
def home_id(folder: Path) -> str:
    """The name that tells this folder from another one that has its path after it was deleted; made the first time."""
    file = folder / HOME_ID
    try:
        with file.open("x") as made:
            made.write(f"{uuid.uuid4().hex}\n")
    except FileExistsError:
        pass
    return file.read_text().strip()
