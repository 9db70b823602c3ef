"""Real dbt runs the same folder unchanged over the warehouse, and gives the same rows. `make dbt` and CI run this."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import (
    build_analytics,
    build_models,
    load_project,
    open_warehouse,
    publish_batch_sources,
)
from enrichment_assets.warehouse.functions import add_functions
from enrichment_assets.warehouse.project import PROJECT_DIR
from tests.harness.handles import hq_of
from tests.warehouse.hq_data import Answer, Lead, official_leads, seed_batch

PACKAGES = ["dbt-core==1.11.16", "dbt-duckdb==1.11.1", "duckdb==1.5.5", "pytz"]
DOMAIN = ["tldextract", "idna", "disposable-email-domains", "email-validator", "numpy"]
"""What functions of Python need that the models call (`plugins/domain_functions.py`); DuckDB itself wants numpy."""


pytestmark = pytest.mark.dbt


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt in an environment of its own: it is no dependency of the platform."""
    folder = tmp_path_factory.mktemp("dbt") / "venv"
    python = folder / "bin" / "python"
    uv = [shutil.which("uv")] if shutil.which("uv") else [sys.executable, "-m", "uv"] if find_spec("uv") else None
    if uv:
        _run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        _run([*uv, "pip", "install", "--quiet", "--python", str(python), *PACKAGES, *DOMAIN])
    else:
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES, *DOMAIN])
    return folder / "bin" / "dbt"


def test_dbt_builds_the_same_rows_from_the_same_folder(
    dbt: Path, settings: Settings, hq: psycopg.Connection[Any], tmp_path: Path
) -> None:
    mixed = [
        Lead(
            {"full_name": "Ada Byron", "email": "ada@acme.com", "company_name": "Acme, Inc."},
            [
                Answer("match", {"experience": [{"company": {"name": "ACME", "id": "a1"}, "title": {"name": "CTO"}}]}),
                Answer("verify", {"data": {"email": "ada@acme.com"}}, {"email_status": "valid"}, provider="hunter"),
            ],
            company_key="company_name:acme",
        ),
        Lead({"full_name": "No Answer"}, [Answer("match", status="FAILED", outcome=None, error_class="contract")]),
    ]
    seed_batch(hq, official_leads(), batch_key="officials")
    seed_batch(hq, mixed, batch_key="mixed", client="globex")
    for key in ("officials", "mixed"):
        publish_batch_sources(hq_of(settings), settings, key)
        build_models(settings, key)
    build_analytics(settings)
    project = tmp_path / "project"
    shutil.copytree(PROJECT_DIR, project)
    database = tmp_path / "dbt.duckdb"
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT_DIR.parent),
        "ENRICH_WAREHOUSE": str(settings.warehouse_dir),
        "ENRICH_DBT_DATABASE": str(database),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    built = subprocess.run(
        [str(dbt), "--no-use-colors", "build", "--profiles-dir", "."],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert built.returncode == 0, built.stdout[-4000:]
    assert "ERROR=0" in built.stdout
    with duckdb.connect(str(database), read_only=True) as theirs:
        add_functions(theirs)
        ours = open_warehouse(settings)
        for name in load_project().models:
            assert _rows(theirs, name) == _rows(ours, name), name


def _rows(connection: duckdb.DuckDBPyConnection, model: str) -> list[str]:
    """All rows as text, in an order of their own; columns by name."""
    connection.execute("set timezone = 'UTC'")
    columns = ", ".join(f'"{c.name}"' for c in load_project().model(model).columns if c.name != "median_age_days")
    return sorted(str(row) for row in connection.execute(f'select {columns} from "{model}"').fetchall())


def _run(command: list[Any]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
