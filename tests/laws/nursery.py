"""Run as a program: imports what is slow to import, then forks a child for each line of its input (`sabotage.py`)."""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path

LIBRARIES = ("dagster", "psycopg", "pyarrow", "httpx_aiohttp", "aiohttp", "starlette.applications", "sqlalchemy",
             "alembic", "hypothesis", "jinja2", "nameparser", "tldextract", "phonenumbers", "pydantic", "orjson",
             "psycopg_pool", "jmespath", "pyarrow.compute", "charset_normalizer", "duckdb", "pandas", "uvicorn",
             "email_validator", "yaml", "dagster_postgres", "adbc_driver_postgresql.dbapi")  # fmt: skip


def _child(order: dict[str, str]) -> int:
    folder = order["folder"]
    output = os.open(Path(folder) / "output", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    sys.path.insert(0, folder)
    try:
        return int(importlib.import_module("tests.laws.sabotage").check_copy(order))
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def main() -> None:
    """Serve until the input ends."""
    sys.path[:] = [place for place in sys.path if place != str(Path(__file__).parent)]
    for library in LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(library)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_child(json.loads(line)))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
