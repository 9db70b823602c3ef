"""The commands as a person types them, and two processes that do the same at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from enrichment_assets.cli.upload import register
from enrichment_assets.domain.errors import ConfigurationError, UploadRefusedError
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.uploads.upload import UploadReport, upload_file
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of

Connection = psycopg.Connection[dict[str, Any]]
Run = Callable[..., Result]

CONTENT = b"First Name,Email\nAda,ada@example.com\nBob,b,too many\n\nCid,[bold]c\x1b[31m\n"


@pytest.fixture
def run(settings: Settings) -> Run:
    """Run `enrich ...` in this process against the test's databases."""
    app = typer.Typer()
    register(app)
    environment = {
        "ENRICH_HOME": str(settings.home),
        "HQ_DATABASE_URL": settings.hq_database_url,
        "WORKSPACE_DATABASE_URL": settings.workspace_database_url,
        "DAGSTER_DATABASE_URL": settings.dagster_database_url,
        "COLUMNS": "200",
    }
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments], env=environment)


def test_an_upload_says_what_came_of_it_and_what_to_do_next(run: Run, client: str, tmp_path: Path) -> None:
    path = tmp_path / "leads[1].csv"
    path.write_bytes(CONTENT)
    first = run("upload", path, "--client", client).output
    assert "leads[1].csv" in first
    assert "3 rows = 2 items + 1 rejected" in first
    assert "1 blank lines" in first
    assert "first_name <- First Name" in first
    assert "enrich rejections 1" in first
    assert "already known" in run("upload", path, "-c", client).output


def test_json_holds_the_whole_report(run: Run, client: str, tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(CONTENT)
    report = json.loads(run("upload", path, "-c", client, "--json").stdout)
    assert (report["rows"], report["items"], report["rejected"], report["already_known"]) == (3, 2, 1, False)
    assert report["columns"][1] == {"name": "Email", "key": "Email", "field": "email", "rank": 0}
    listed = json.loads(run("uploads", "--json").output)
    assert [(u["upload_id"], u["client"], u["rows"]) for u in listed] == [(report["upload_id"], "acme", 3)]
    rejected = json.loads(run("rejections", report["upload_id"], "--json").output)
    assert [(r["line_number"], r["raw"]) for r in rejected] == [(3, "Bob,b,too many")]


def test_an_upload_says_what_is_unused_what_was_read_and_what_is_doubtful(
    run: Run, client: str, tmp_path: Path
) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes("Spalte;Notiz\r\nJörg Weiß;N/A\r\n".encode("cp1252"))
    output = run("upload", path, "-c", client).output
    assert "kept, and used by no built-in step: Spalte, Notiz" in output
    assert "as read: Jörg Weiß" in output
    assert "warning: no column was recognised" in output
    mapped = run("upload", path, "-c", client, "--map", "Spalte=full_name", "--map", "Notiz=title").output
    assert "full_name <- Spalte" in mapped
    assert "warning: title: 1 cells" in mapped
    assert "enrich launch 2" in mapped
    report = json.loads(
        run("upload", path, "-c", client, "--encoding", "cp1250", "--delimiter", "tab", "--json").output
    )
    assert (report["encoding"], report["delimiter"], len(report["columns"])) == ("cp1250", "\t", 1)
    refused = run("upload", path, "-c", client, "--encoding", "klingon").exception
    assert isinstance(refused, ConfigurationError)
    assert "no encoding 'klingon'" in str(refused)


def test_what_a_stranger_wrote_is_shown_and_not_obeyed(run: Run, client: str, tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(b"a\n[bold]x\x1b[31m,y\n1\n")
    run("upload", path, "-c", client)
    output = run("rejections", 1).output
    assert "[bold]x" in output
    assert "\x1b" not in output
    assert "leads.csv" in run("uploads", "-c", client).output


def test_a_refusal_reaches_the_caller_as_one_error(run: Run, client: str, tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(b"PK\x03\x04")
    result = run("upload", path, "-c", client)
    assert isinstance(result.exception, UploadRefusedError)


def test_the_same_file_uploaded_four_times_at_once_is_one_upload(
    settings: Settings, hq: Connection, client: str, tmp_path: Path
) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n3,4,5\n" * 2000)
    with ThreadPoolExecutor(4) as pool:
        reports: list[UploadReport] = list(
            pool.map(lambda _: upload_file(hq_of(settings), settings, path, client, actor=TESTER), range(4))
        )
    assert sorted(r.already_known for r in reports) == [False, True, True, True]
    assert {(r.upload_id, r.rows, r.rejected) for r in reports} == {(reports[0].upload_id, 4000, 2000)}
    assert hq.execute("select count(*) as n from upload_rejections").fetchone() == {"n": 2000}
    assert len([p for p in settings.uploads_dir.rglob("*") if p.is_file()]) == 1


def test_a_batch_laid_out_by_two_processes_at_once_has_its_items_once(
    settings: Settings, hq: Connection, upload: Callable[..., UploadReport], batch: Callable[..., str]
) -> None:
    key = batch(upload(b"a,b\n" + b"1,2\n" * 500).upload_id)
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: create_items(hq_of(settings), settings, key), range(2)))
    assert sorted(r.created for r in reports) == [0, 500]
    assert hq.execute("select count(*) as n from batch_items").fetchone() == {"n": 500}
    assert hq.execute("select count(*) as n from workflow_states").fetchone() == {"n": 1000}
