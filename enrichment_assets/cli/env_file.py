"""The file `.env` of the working directory, or beside the home: settings and keys of one machine.

A variable that stands there may be named by workflows as a secret (`domain.variables.SECRET_NAMES`): whoever wrote it
there meant it for the platform.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from dotenv import dotenv_values

from enrichment_assets.domain.variables import SECRET_NAMES, is_own_variable
from enrichment_assets.settings import find_home


def load_env_files(warn: Callable[[str], None]) -> None:
    """Load `.env` of the working directory; in a folder below a home's, the `.env` beside that home.

    Keys and database addresses belong to the home: a command in a subfolder finds both or neither.
    """
    here = Path(".env")
    if here.exists() or os.environ.get("ENRICH_HOME"):
        load_env_file(here, warn)
    else:
        load_env_file(find_home().with_name(".env"), warn)


# opens files of others: settings of this machine: not read where other accounts may change it
def load_env_file(path: Path, warn: Callable[[str], None]) -> None:
    """Add the file's variables to the environment; what is set already stays.

    A file that other accounts may change is not read, since it decides which databases are used; one that they may only
    read is, with a warning.
    """
    try:
        found = path.stat()
    except OSError:
        return
    if not stat.S_ISREG(found.st_mode):
        return
    if found.st_uid not in (os.geteuid(), 0) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        warn(f"{path} can be changed by other accounts, so it was not read: chown it to you, and chmod 600 {path}")
        return
    if found.st_mode & (stat.S_IRGRP | stat.S_IROTH):
        warn(f"{path} can be read by other accounts of this machine: chmod 600 {path}")
    variables = {name: value for name, value in dotenv_values(path).items() if value is not None}
    for name, value in variables.items():
        os.environ.setdefault(name, value)
    keys = [name for name in variables if not is_own_variable(name)]
    os.environ[SECRET_NAMES] = ",".join(filter(None, [os.environ.get(SECRET_NAMES), *keys]))
