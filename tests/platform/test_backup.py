"""`deploy/backup.sh` and `deploy/restore.sh`: a backup while a batch runs, restored elsewhere, and the laws hold."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from alembic import command
from dagster._core.utils import make_new_run_id
from psycopg.rows import dict_row
from sqlalchemy import create_engine

from enrichment_assets.assets.instance import open_instance
from enrichment_assets.installation.databases import open_databases
from enrichment_assets.installation.migrating import alembic_config, newest_revision
from enrichment_assets.installation.postgres_home import find_binaries
from enrichment_assets.services.batches.extracting import bring_up_to_date
from enrichment_assets.services.uploads.upload import list_uploads, read_rows
from enrichment_assets.settings import Settings
from enrichment_assets.store.states.waiting_batches import batches_to_resume
from enrichment_assets.warehouse import open_warehouse, publish_batch_sources
from tests.harness.batches import BatchHarness, Launched, Row, people, step
from tests.harness.databases import PostgresServer
from tests.harness.handles import hq_of
from tests.harness.marks import ROOT

ROWS = 40
STEPS = ("first", "second", "third")


def run(script: str, folder: Path, settings: Settings) -> subprocess.CompletedProcess[str]:
    """Run a script of `deploy/` for an installation, with the programs of Postgres that fit the server."""
    databases = {
        "HQ_DATABASE_URL": settings.hq_database_url or "",
        "WORKSPACE_DATABASE_URL": settings.workspace_database_url or "",
        "ENRICH_HOME": str(settings.home),
        "PATH": f"{find_binaries(None)}:{os.environ['PATH']}",
    }
    return subprocess.run(
        [ROOT / "deploy" / script, folder], env={**os.environ, **databases}, capture_output=True, text=True
    )


@pytest.fixture
def elsewhere(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Settings]:
    """Another home, and databases with nothing in them."""
    hq, workspace = postgres_server.create("template0"), postgres_server.create("template0")
    yield Settings(
        home=tmp_path / "elsewhere",
        hq_database_url=postgres_server.url(hq),
        workspace_database_url=postgres_server.url(workspace),
    )
    postgres_server.drop(hq)
    postgres_server.drop(workspace)


@contextmanager
def dagster_of(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster's history of an installation whose tables are a schema of HQ."""
    with monkeypatch.context() as environment:
        environment.delenv("DAGSTER_HOME", raising=False)
        environment.delenv("DAGSTER_DATABASE_URL", raising=False)
        environment.setenv("HQ_DATABASE_URL", settings.hq_database_url or "")
        with open_instance(settings) as instance:
            yield instance


def calls(settings: Settings, condition: str) -> list[Row]:
    """Ledger rows of an installation."""
    with psycopg.connect(settings.hq_database_url or "", row_factory=dict_row) as connection:
        return connection.execute(f"select * from provider_calls where {condition}").fetchall()


def test_a_backup_under_load_goes_on_elsewhere_and_nothing_that_it_knows_of_is_asked_again(
    harness: BatchHarness, elsewhere: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = make_new_run_id()
    with dagster_of(harness.settings, monkeypatch) as instance:
        instance.add_run(dg.DagsterRun("batch_job", run_id=run_id, status=dg.DagsterRunStatus.STARTED))
    harness.sandbox.configure(latency="1s-3s")
    batch = harness.launch(people(ROWS), *(step(slug) for slug in STEPS))
    publish_batch_sources(hq_of(batch.settings), batch.settings, batch.key)
    folder = tmp_path / "backup"
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(batch.run)
        while len(calls(batch.settings, "state <> 'intent'")) < ROWS:
            time.sleep(0.05)
        told = run("backup.sh", folder, batch.settings)
        assert told.returncode == 0, told.stderr
        assert not running.done(), "there was no load"
        running.result()
    harness.sandbox.configure(latency="0")
    asked = sum(batch.asked(slug) for slug in STEPS)
    assert asked == ROWS * len(STEPS)

    told = run("restore.sh", folder, elsewhere)
    assert told.returncode == 0, told.stderr
    known, under_way = calls(elsewhere, "true"), calls(elsewhere, "state in ('intent', 'sent')")
    assert 0 < len(under_way) < len(known) < asked
    assert f"restore: batch {batch.key} was not finished: {len(under_way)} calls were under way" in told.stdout

    with dagster_of(elsewhere, monkeypatch) as instance:
        restored_run = instance.get_run_by_id(run_id)
        assert restored_run is not None
        assert restored_run.status is dg.DagsterRunStatus.CANCELED, "Dagster would start it again"
    there = replace(elsewhere, sandbox_url=harness.sandbox.url)
    with hq_of(there).transaction() as connection:
        assert batches_to_resume(connection) == [], "it would go on before anybody has looked at it"
    (upload,) = list_uploads(hq_of(there), there)
    assert sum(rows.num_rows for rows in read_rows(hq_of(there), there, upload.upload_id)) == ROWS
    with psycopg.connect(there.hq_database_url or "", row_factory=dict_row) as connection:
        restored = Launched(there, connection, harness.sandbox, batch.key, batch.batch_id, batch.client)
        restored.run()
        statuses = restored.statuses()
        assert statuses["AMBIGUOUS"] == len(under_way)
        assert statuses["AMBIGUOUS"] + statuses["COMPLETED"] == ROWS * len(STEPS)
        before = {call["call_key"] for call in known}
        new = [call for call in restored.calls() if call["call_key"] not in before]
        assert sum(batch.asked(slug) for slug in STEPS) == asked + len(new)
        assert {call["call_key"] for call in under_way} == {
            call["call_key"] for call in restored.calls() if call["state"] == "ambiguous"
        }
    bring_up_to_date(hq_of(there), there, batch.key)
    leads = open_warehouse(there).sql("select count(*) from leads").fetchall()
    assert leads == [(ROWS,)]


def test_an_older_version_is_restored_and_brought_to_this_one(
    postgres_server: PostgresServer, elsewhere: Settings, tmp_path: Path
) -> None:
    old = Settings(home=tmp_path / "old", hq_database_url=postgres_server.url(postgres_server.create("template0")))
    url = old.hq_database_url or ""
    config = alembic_config()
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0013")
    engine.dispose()
    with psycopg.connect(url) as hq:
        hq.execute("insert into clients (slug, name) values ('acme', 'Acme')")
    (old.home / "uploads" / "acme").mkdir(parents=True)
    (old.home / "uploads" / "acme" / "f00").write_bytes(b"kept")
    (old.home / "uploads" / "acme" / "f00").chmod(0o400)
    (old.home / "uploads" / "acme" / ".incoming-x").write_bytes(b"half")
    assert run("backup.sh", tmp_path / "backup", old).returncode == 0
    assert newest_revision() > "0013"
    told = run("restore.sh", tmp_path / "backup", elsewhere)
    assert told.returncode == 0, told.stderr
    open_databases(elsewhere)
    with psycopg.connect(elsewhere.hq_database_url or "") as hq:
        assert hq.execute("select version_num from schema_revision").fetchall() == [(newest_revision(),)]
        assert hq.execute("select slug from clients").fetchall() == [("acme",)]
    kept = elsewhere.uploads_dir / "acme" / "f00"
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (b"kept", 0o400)
    assert [path.name for path in kept.parent.iterdir()] == ["f00"]

    assert "is not empty" in run("restore.sh", tmp_path / "backup", elsewhere).stderr
    assert "is there already" in run("backup.sh", tmp_path / "backup", old).stderr
    (tmp_path / "backup" / "hq.dump").write_bytes(b"damaged")
    damaged = run("restore.sh", tmp_path / "backup", replace(elsewhere, home=tmp_path / "third"))
    assert damaged.returncode != 0
    assert "hq.dump" in damaged.stdout + damaged.stderr
    assert not (tmp_path / "third").exists()
