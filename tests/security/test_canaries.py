"""Ten secrets, every way to fail, one running stack: what is left behind holds none of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enrichment_assets.assets.instance import open_instance
from enrichment_assets.domain.alerts.kinds import Action, Kind
from enrichment_assets.domain.alerts.notices import Notice
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.installation.databases import Databases
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.catalog.configuration import (
    add_client,
    add_pipeline,
    add_workflow,
    pipeline_from_steps,
)
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.wire.channels import Address, opened_channel
from tests.actors import TESTER
from tests.assets.conftest import run_batch_job
from tests.harness.batches import async_step, step
from tests.harness.databases import PostgresServer
from tests.harness.handles import hq_of
from tests.integration.conftest import module_databases
from tests.integration.test_daemon import free_port, until
from tests.recovery.conftest import program
from tests.security.canaries import CANARIES, in_database, in_files, leaks, tables_of
from tests.security.faulty_server import FAULTS, MET, faulty_server

__all__ = ["module_databases", "program"]

EVERYWHERE = (*FAULTS, "refused", "no-tls")
PASSWORD = CANARIES["database-password"]
OTHER_PASSWORD = "another-one"


def with_password(url: str) -> str:
    """The URL with a password, which the tests' server does not ask for."""
    user, _, rest = url.removeprefix("postgresql://").partition("@")
    return f"postgresql://{user}:{PASSWORD}@{rest}"


@dataclass
class Home:
    """An installation whose every secret is a canary, and what its commands printed."""

    settings: Settings
    environment: dict[str, str]
    program: Path
    printed: list[tuple[str, bytes]] = field(default_factory=list)

    def enrich(self, *words: str, **variables: str) -> None:
        """Run a command with other variables, and keep what it prints; whether it succeeds does not matter."""
        done = subprocess.run(
            [self.program, *words], env={**self.environment, **variables}, capture_output=True, timeout=120, check=False
        )
        self.printed.append((" ".join(words), done.stdout + done.stderr))


@pytest.fixture
def home(tmp_path: Path, module_databases: Databases, program: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    numbers = range(len(EVERYWHERE))
    environment = {
        "ENRICH_HOME": str(tmp_path / "home"),
        "HQ_DATABASE_URL": with_password(module_databases.hq),
        "WORKSPACE_DATABASE_URL": with_password(module_databases.workspace),
        "DAGSTER_DATABASE_URL": with_password(module_databases.dagster),
        "ENRICH_SECRET_NAMES": "CANARY_*",
        **{f"CANARY_KEY_{n}": CANARIES["key-in-header"] for n in numbers},
        **{f"CANARY_BEARER_{n}": CANARIES["bearer-of-a-gateway"] for n in numbers},
        **{f"CANARY_QUERY_{n}": CANARIES["key-in-query"] for n in numbers},
        **{f"CANARY_BASIC_{n}": CANARIES["basic-password"] for n in numbers},
        "CANARY_USER": "agency",
        "CANARY_SIGNING": CANARIES["callback-secret"],
        "ENRICH_SUPPRESSION_PEPPER": CANARIES["pepper"],
        "ENRICH_SESSION_SECRET": CANARIES["session-key"],
        "OPS_MAIL": f"smtp://ops:{CANARIES['smtp-password']}@127.0.0.1:1?from=a@acme.example&to=b@acme.example",
        "AWS_ACCESS_KEY_ID": "agency",
        "AWS_SECRET_ACCESS_KEY": CANARIES["object-store-secret"],
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ALLOW_HTTP": "true",
        "ENRICH_LOG": str(tmp_path / "home-log.jsonl"),
    }
    for name in list(os.environ):
        if name.startswith(("ENRICH_", "DAGSTER_")):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Home(Settings.from_environment(), dict(os.environ), program)


@contextmanager
def running(home: Home, output: Path) -> Iterator[str]:
    """`enrich up` with real providers; the receiver's address."""
    ports = {name: free_port() for name in ("port", "receiver-port", "console-port")}
    receiver = f"http://127.0.0.1:{ports['receiver-port']}"
    home.environment["ENRICH_RECEIVER_URL"] = receiver
    arguments = [part for name, port in ports.items() for part in (f"--{name}", str(port))]
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "enrichment_assets", "up", *arguments],
            env=home.environment, stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        until("everything is up", lambda: "Everything is up" in output.read_text() or process.poll() is not None)
        assert process.poll() is None, output.read_text()
        yield receiver
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def workflows(server: str) -> list[WorkflowDefinition]:
    """Every fault for a key in a header, one in the query, and basic authentication; and one that is called back."""
    made: list[WorkflowDefinition] = []
    for number, fault in enumerate(EVERYWHERE):
        host = {"refused": "http://127.0.0.1:1", "no-tls": server.replace("http:", "https:")}.get(fault, server)
        common: dict[str, Any] = {"base_url": host, "retry": {"attempts": 1, "timeout": 1.5}, "requires": []}
        headers = {"x-key": "{{secrets.key}}", "authorization": "Bearer {{secrets.bearer}}"}
        asked = {"url": f"/{fault}", "headers": headers, "body": {"first_name": "{{first_name}}"}}
        named = {"key": f"CANARY_KEY_{number}", "bearer": f"CANARY_BEARER_{number}"}
        told = {"provides": {f"told_{number}": "headers"}}
        made.append(step(f"header-{fault}", request=asked, secrets=named, **told, **common))
        asked = {"method": "GET", "url": f"/{fault}"}
        query = {"provider": "zenrows", "secrets": {"api_key": f"CANARY_QUERY_{number}"}, "provides": {}}
        made.append(step(f"query-{fault}", request=asked, **query, **common))
        basic = {"user": "CANARY_USER", "password": f"CANARY_BASIC_{number}"}
        asked = {"url": f"/webhook/{fault}", "body": {"first_name": "{{first_name}}"}}
        made.append(step(f"basic-{fault}", provider="n8n", request=asked, secrets=basic, **told, **common))
    signed = {"found_if": "found", "signature": "clay"}
    secrets = {"callback_secret": "CANARY_SIGNING"}
    asked = {"url": "/found", "body": {"callback_url": "{{callback_url}}"}}
    secrets = {"callback_secret": "CANARY_SIGNING"}
    made.append(async_step("signed", base_url=server, request=asked, callback=signed, secrets=secrets, requires=[]))
    return made


def test_no_secret_is_found_anywhere_after_everything_went_wrong(
    home: Home, tmp_path: Path, module_databases: Databases, postgres_server: PostgresServer
) -> None:
    output = tmp_path / "up.txt"
    with faulty_server() as server:
        _a_batch_is_launched(home, server, tmp_path)
        with running(home, output) as receiver:
            _it_fails(home, server)
            _callbacks_are_forged(home, receiver)
            _commands_show_it(home, tmp_path)
            until("the callbacks were read", lambda: _count(home, "callback_inbox where status = 'dead'") == 2, 60)
            with _unreachable(postgres_server, module_databases.hq):
                _asked(f"{receiver}/ready")
                _commands_fail(home, postgres_server, tmp_path)
            _a_dagster_run_fails(home)
            _an_alert_fails(home)
    found = leaks("enrich up", output.read_bytes())
    for command, printed in home.printed:
        found += leaks(command, printed)
    found += in_files(tmp_path)
    for name in ("hq", "workspace", "dagster"):
        found += in_database(getattr(module_databases, name))
    assert found == []
    _the_search_finds(tmp_path, module_databases)


def _a_batch_is_launched(home: Home, server: str, folder: Path) -> None:
    """A batch of two rows that is to meet every fault."""
    hq, settings = hq_of(home.settings), home.settings
    add_client(hq, "acme", "Acme", actor=TESTER)
    for workflow in workflows(server):
        add_workflow(hq, settings, workflow, actor=TESTER, replace=True)
    slugs = ",".join(workflow.slug for workflow in workflows(server))
    add_pipeline(hq, pipeline_from_steps("all", slugs), "acme", actor=TESTER)
    home.enrich("suppress", "add", "nobody@acme.example", "--reason", "asked")
    (folder / "rows.csv").write_text("First Name,Company\nAnn,Alpha\nBob,Beta\n")
    upload = upload_file(hq, settings, folder / "rows.csv", "acme", actor=TESTER).upload_id
    launch(hq, settings, upload, "all", batch_key="canary", add_partition=lambda _key: None, actor=TESTER)


def _it_fails(home: Home, server: str) -> None:
    """The daemon runs it."""
    until("the batch has run", lambda: _count(home, "runners where ended_at is not null"), 120)
    assert all(MET[fault] >= 3 for fault in FAULTS), MET
    met = _count(home, "(select distinct workflow_slug from provider_calls) as asked")
    assert met == len(workflows(server)), "those that are refused, too"


def _count(home: Home, what: str) -> int:
    with psycopg.connect(home.settings.hq_database_url or "") as connection:
        (row,) = connection.execute(f"select count(*) from {what}".encode()).fetchall()
        return int(row[0])


def _callbacks_are_forged(home: Home, receiver: str) -> None:
    with psycopg.connect(home.settings.hq_database_url or "") as connection:
        tokens = connection.execute("select callback_token from provider_calls where callback_token is not null")
        for (token,) in tokens.fetchall():
            _asked(f"{receiver}/callbacks/{token}", b'{"found": true}', {"x-clay-signature": "sha256=00"})


def _asked(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> None:
    request = Request(url, body, {"content-type": "application/json", **(headers or {})})
    with suppress(HTTPError, OSError), urlopen(request, timeout=20) as answer:
        answer.read()


def _commands_show_it(home: Home, folder: Path) -> None:
    for words in (
        ("status", "canary", "--failed", "--limit", "200"),
        ("status", "canary", "--json"),
        ("report", "canary", "--html", str(folder / "report.html")),
        ("callbacks", "list", "--dead", "--json"),
        ("client", "config", "acme", "--json"),
        ("user", "add", "ada", "--role", "reader", "--client", "acme", "--json"),
        ("user", "totp", "ada"),
        ("alert", "test", "email:OPS_MAIL"),
        ("audit", "--json"),
        ("try", "header-unauthorised", "--row", "canary:1", "--fresh", "--json"),
        ("try", "query-cut", "--row", "canary:1", "--fresh"),
        ("launch", "1", "--pipeline", "all", "--client", "acme", "--dry-run"),
        ("query", "select * from provider_calls", "--json"),
    ):
        home.enrich(*words)


@contextmanager
def _unreachable(server: PostgresServer, url: str) -> Iterator[None]:
    """HQ as it is when its server is taken away: no connection stays, and none is made."""
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(f'alter database "{name}" with allow_connections false')
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        try:
            yield
        finally:
            admin.execute(f'alter database "{name}" with allow_connections true')


def _commands_fail(home: Home, server: PostgresServer, folder: Path) -> None:
    """Databases that are away, malformed or of another version; another pepper; a bucket that does not answer."""
    newer = server.create()
    with psycopg.connect(server.url(newer), autocommit=True) as connection:
        connection.execute("create table alembic_version (version_num text); insert into alembic_version values ('x')")
    hq = home.settings.hq_database_url or ""
    for url in (
        hq,
        f"postgresql://agency:{PASSWORD}@127.0.0.1:1/hq",
        f"postgresql://agency:{PASSWORD}@127.0.0.1:no/hq",
        f"postgresql://agency:{PASSWORD}@[::1/hq",
        f"postgresql://agency:{PASSWORD}@no-such-host.invalid/hq?sslmode=verify-full&nonsense={PASSWORD}",
        f"mysql://agency:{PASSWORD}@127.0.0.1/hq",
        with_password(server.url(newer)),
        with_password(server.url("nothing_is_called_so")),
    ):
        home.enrich("status", *(["--json"] if url.endswith("hq") else []), HQ_DATABASE_URL=url)
    home.enrich("query", "select 1", WORKSPACE_DATABASE_URL=f"postgresql://agency:{PASSWORD}@127.0.0.1:1/x")
    home.enrich("query", "select 1", ENRICH_WAREHOUSE="s3://bucket/warehouse", ENRICH_HOME=str(folder / "other-home"))
    home.enrich("suppress", "check", "a@b.example", ENRICH_SUPPRESSION_PEPPER=OTHER_PASSWORD)
    server.drop(newer)


def _a_dagster_run_fails(home: Home) -> None:
    """A run whose database is away leaves a failure in Dagster's history."""
    away = Settings.from_environment(
        {**home.environment, "HQ_DATABASE_URL": f"postgresql://agency:{PASSWORD}@127.0.0.1:1/hq"}
    )
    with open_instance(home.settings) as instance:
        assert not run_batch_job(away, instance, "canary", ["batch_items"], raise_on_error=False).success


def _an_alert_fails(home: Home) -> None:
    notice = Notice("k", Action.TRIGGER, Kind.BATCH_STUCK, "acme", "nothing moves", datetime.now(UTC))
    said = opened_channel(Address.parse("email:OPS_MAIL"), None)([notice])
    home.printed.append(("an alert", repr(said).encode()))


def _the_search_finds(folder: Path, databases: Databases) -> None:
    """The search itself: a canary that is planted in a file, in a packed table, in bytes of a row, is found."""
    planted = folder / "planted"
    planted.mkdir()
    value = CANARIES["pepper"]
    (planted / "a.txt").write_text(json.dumps({"authorization": f"Bearer {value}"}))
    pq.write_table(pa.table({"a": [{"b": [value]}] * 3}), planted / "b.parquet", compression="zstd")
    assert set(in_files(planted)) >= {"a.txt: pepper", "b.parquet: pepper"}
    with psycopg.connect(databases.hq, autocommit=True) as connection:
        connection.execute("create table planted (a bytea)")
        connection.execute("insert into planted values (%s)", (f"x{value}".encode(),))
    assert list(in_database(databases.hq)) == ["public.planted: pepper"]
    assert len(tables_of(databases.hq)) > 30 and len(tables_of(databases.dagster)) > 10
