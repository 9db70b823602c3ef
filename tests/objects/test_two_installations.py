"""Two installations with nothing in common but Postgres and the object store work on one batch."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.objects.bucket import Bucket
from enrichment_assets.services.batches.freshness import nothing_left
from enrichment_assets.services.catalog.clients import add_client
from enrichment_assets.services.uploads.kept_files import forget_bytes, kept_bytes
from enrichment_assets.services.uploads.upload import read_rows, upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import open_warehouse
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.objects.conftest import Machine

LIST = (
    b"First Name,Last Name,Email,Website\nada,BYRON,ada@lovelace.example,https://www.lovelace.example/a\nBob,O'Neil,,\n"
)


def enrich(settings: Settings, *arguments: str) -> str:
    """Run a command in a process of that machine; what it printed."""
    environment = {
        **os.environ,
        "ENRICH_HOME": str(settings.home),
        "HQ_DATABASE_URL": settings.hq_database_url or "",
        "WORKSPACE_DATABASE_URL": settings.workspace_database_url or "",
        "DAGSTER_DATABASE_URL": settings.dagster_database_url or "",
        "ENRICH_UPLOADS": settings.uploads or "",
        "ENRICH_WAREHOUSE": settings.warehouse or "",
    }
    run = subprocess.run(
        [sys.executable, "-m", "enrichment_assets", *arguments], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture
def list_(tmp_path: Path) -> Path:
    """A list of two people."""
    path = tmp_path / "people.csv"
    path.write_bytes(LIST)
    return path


def test_one_uploads_the_other_runs_and_both_query_the_same_tables(machine: Machine, list_: Path) -> None:
    a, b = machine("a"), machine("b")
    add_client(hq_of(a), "acme", actor=TESTER)
    upload = upload_file(hq_of(a), a, list_, "acme", actor=TESTER).upload_id
    batch = f"acme-{upload}-normalise-only-1"
    assert batch in enrich(a, "launch", str(upload), "--pipeline", "normalise-only")
    list_.unlink()
    enrich(b, "run", batch)
    leads = "select first_name, last_name, company_domain, is_finished from leads order by row_number"
    there = open_warehouse(a).sql(leads).fetchall()
    assert [row[:2] for row in there] == [("Ada", "Byron"), ("Bob", "O'Neil")]
    assert all(row[3] for row in there)
    assert open_warehouse(b, client_slug="acme", batch_key=batch).sql(leads).fetchall() == there
    rows = "select * from raw_apollo_uploads order by all"
    assert open_warehouse(a).sql(rows).fetchall() == open_warehouse(b).sql(rows).fetchall()
    assert not (b.home / "uploads").exists()
    assert not (a.home / "warehouse").exists()
    assert nothing_left(hq_of(a), a, batch)
    assert nothing_left(hq_of(b), b, batch)


def test_the_bytes_are_in_the_store_before_anything_names_them_and_another_machine_reads_them(
    machine: Machine, list_: Path, bucket: str
) -> None:
    a, b = machine("a"), machine("b")
    add_client(hq_of(a), "acme", actor=TESTER)
    report = upload_file(hq_of(a), a, list_, "acme", actor=TESTER)
    kept = Bucket.at(f"{bucket}/uploads", "ENRICH_UPLOADS")
    assert kept.read(f"acme/{report.sha256}")[0] == LIST
    assert [batch.num_rows for batch in read_rows(hq_of(b), b, report.upload_id)] == [2]
    copy = b.uploads_dir / "acme" / report.sha256
    assert (copy.read_bytes(), copy.stat().st_mode & 0o777) == (LIST, 0o400)
    again = upload_file(hq_of(b), b, list_, "acme", actor=TESTER)
    assert (again.upload_id, again.already_known) == (report.upload_id, True)


def test_nothing_is_uploaded_where_the_store_cannot_be_reached(
    machine: Machine, list_: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = machine("a")
    add_client(hq_of(a), "acme", actor=TESTER)
    with pytest.raises(InfrastructureError, match="ENRICH_UPLOADS is s3://"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        upload_file(hq_of(a), a, list_, "acme", actor=TESTER)
    with hq_of(a).transaction() as connection:
        assert connection.execute("select id from uploads").fetchall() == []


def test_bytes_that_were_changed_or_removed_in_the_store_are_said_to_be(machine: Machine, bucket: str) -> None:
    a = machine("a")
    kept = Bucket.at(f"{bucket}/uploads", "ENRICH_UPLOADS")
    sha256 = hashlib.sha256(LIST).hexdigest()
    with pytest.raises(InfrastructureError) as gone:
        kept_bytes(a, "acme", sha256)
    assert gone.value.code == "upload.bytes_gone"
    assert f"{bucket}/uploads/acme/{sha256}" in gone.value.what
    kept.put(f"acme/{sha256}", LIST + b"more")
    with pytest.raises(InfrastructureError) as damaged:
        kept_bytes(a, "acme", sha256)
    assert damaged.value.code == "upload.bytes_damaged"
    assert not [path for path in a.uploads_dir.rglob("*") if path.is_file()]
    kept.put(f"acme/{sha256}", LIST)
    assert kept_bytes(a, "acme", sha256).read_bytes() == LIST
    forget_bytes(a, "acme", sha256)
    assert kept.list("acme") == []
    assert not kept_bytes_is_there(a, sha256)


def kept_bytes_is_there(settings: Settings, sha256: str) -> bool:
    """Whether this machine has a copy."""
    return (settings.uploads_dir / "acme" / sha256).exists()


def test_a_copy_goes_a_day_after_its_last_use_and_a_folder_keeps_everything(
    machine: Machine, list_: Path, settings: Settings
) -> None:
    a = machine("a")
    add_client(hq_of(a), "acme", actor=TESTER)
    first = upload_file(hq_of(a), a, list_, "acme", actor=TESTER).sha256
    list_.write_bytes(LIST + b"Cid,Ek,,\n")
    long_ago = 1_000_000_000
    os.utime(a.uploads_dir / "acme" / first, (long_ago, long_ago))
    upload_file(hq_of(a), a, list_, "acme", actor=TESTER)
    assert not kept_bytes_is_there(a, first)
    assert kept_bytes(a, "acme", first).read_bytes() == LIST
    folder = replace(settings, uploads=str(a.home / "kept"))
    on_disk = upload_file(hq_of(folder), folder, list_, "acme", actor=TESTER).sha256
    path = a.home / "kept" / "acme" / on_disk
    os.utime(path, (long_ago, long_ago))
    list_.write_bytes(LIST)
    upload_file(hq_of(folder), folder, list_, "acme", actor=TESTER)
    assert path.exists()
