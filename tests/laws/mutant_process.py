"""`python -m tests.laws.mutant_process`: forks a child for each check on a mutated copy of the package (`mutants.py`).

It has imported what is slow to import, and nothing of ours: the child takes that from the copy.
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.harness.fork_server import serve

LIBRARIES = ("dagster", "psycopg", "pyarrow", "httpx_aiohttp", "aiohttp", "starlette.applications", "sqlalchemy",
             "alembic", "hypothesis", "jinja2", "nameparser", "tldextract", "phonenumbers", "pydantic", "orjson",
             "psycopg_pool", "jmespath", "pyarrow.compute", "charset_normalizer", "duckdb", "pandas", "uvicorn",
             "email_validator", "yaml", "dagster_postgres", "adbc_driver_postgresql.dbapi")  # fmt: skip


def check_mutant(order: dict[str, Any]) -> int:
    """In a child: run one check on the copy that the order names; the exit code."""
    folder = Path(order["folder"])
    output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    return int(importlib.import_module("tests.laws.mutants").check_copy(order))


if __name__ == "__main__":
    for library in LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(library)
    serve(check_mutant)
