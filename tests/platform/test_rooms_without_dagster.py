"""The rooms below Dagster's own run without it: what they load is looked at in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import enrichment_assets

PACKAGE = Path(enrichment_assets.__file__).parent
ROOMS = ("domain", "store", "providers", "wire", "registry", "engine", "warehouse", "services")

LOAD = """
import sys
from importlib import import_module
from pkgutil import walk_packages

room = import_module("enrichment_assets." + sys.argv[1])
names = [room.__name__, *(found.name for found in walk_packages(room.__path__, room.__name__ + "."))]
for name in names:
    if not name.endswith("migrations.env"):  # Alembic's script, which connects when it is loaded
        import_module(name)
        if loaded := sorted({module.partition(".")[0] for module in sys.modules} & set(sys.argv[2:])):
            sys.exit(f"{name} loads {loaded}")
print(len(names))
"""


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_of_the_room_loads_dagster(room: str) -> None:
    forbidden = ["dagster", "dagster_postgres", "dagster_webserver"]
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD, room, *forbidden], capture_output=True, text=True, timeout=120, check=False
    )
    assert loaded.returncode == 0, loaded.stderr
    assert int(loaded.stdout) == len(list((PACKAGE / room).rglob("*.py"))), "not every module was loaded"
