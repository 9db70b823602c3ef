"""PgBouncer before the databases: what works through it leaves nothing on its connections, and what cannot says so."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.installation.databases import open_databases
from enrichment_assets.installation.postgres_home import find_binaries
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect, connect_async, route_to
from tests.harness.roles import SmallRole
from tests.receiver.call_fixture import insert_calls
from tests.services.certificates import make_certificates
from tests.services.pgbouncer import PgBouncer

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

POOL = 4
CALLBACKS = 1_500


@pytest.fixture
def through(role: SmallRole) -> Iterator[PgBouncer]:
    """In transaction mode, with few connections to the server, so that clients meet on them."""
    with PgBouncer(role.superuser, mode="transaction", size=POOL, roles=(role.name, role.worker)) as pooler:
        yield pooler


def _settings(home: Path, pooler: PgBouncer, role: SmallRole, mode: str | None = None) -> Settings:
    return Settings(home=home, hq_database_url=pooler.url(role.database, role.name), hq_pooler=mode)


def _nothing(pooler: PgBouncer, role: SmallRole) -> None:
    left = pooler.left_behind(role.database, role.name)
    assert set(map(tuple, left.values())) == {()}, left


def test_what_a_client_leaves_is_found_by_the_look_at_the_servers_connections(
    through: PgBouncer, role: SmallRole
) -> None:
    """The look itself is tested by what the platform did before."""
    with psycopg.connect(through.url(role.database, role.name), autocommit=True) as client:
        client.execute("set statement_timeout = '5s'")
        client.execute("select pg_advisory_lock(7)")
        client.execute("create temporary table kept (x int)")
        client.execute("listen news")
        client.execute("prepare found as select 1")
    found = [what for left in through.left_behind(role.database, role.name).values() for what in left]
    assert sorted(found) == ["channel news", "lock 7", "statement found", "statement_timeout=5000", "table kept"]


def test_the_receiver_takes_a_load_through_a_small_pool_and_ends_nobody_elses_statement(
    through: PgBouncer, role: SmallRole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside it another client of the same pool has statements that take longer than the receiver's may."""
    monkeypatch.setenv("ENRICH_RECEIVER_STATEMENT_SECONDS", "1")
    monkeypatch.setenv("ENRICH_RECEIVER_WRITERS", "2")
    settings = _settings(tmp_path / "home", through, role)
    open_databases(settings)
    with psycopg.connect(role.url, row_factory=psycopg.rows.dict_row) as hq:
        calls = insert_calls(hq, calls=30)
    over = threading.Event()

    def another() -> int:
        done = 0
        with psycopg.connect(through.url(role.database, role.name), autocommit=True, prepare_threshold=None) as client:
            while not over.is_set() or not done:
                client.execute("select pg_sleep(1.5)")
                assert client.execute("show enable_seqscan").fetchone() == ("on",)
                done += 1
        return done

    async def send(url: str) -> list[int]:
        limits = httpx.Limits(max_connections=40)
        async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:

            async def one(number: int) -> int:
                body = f"callback {number} {secrets.token_hex(200)}"
                return (await client.post(f"/callbacks/{calls.tokens[number % 30]}", content=body)).status_code

            return [await task for task in [asyncio.ensure_future(one(n)) for n in range(CALLBACKS)]]

    with ThreadPoolExecutor(1) as aside, ReceiverProcess(settings) as receiver:
        waiting = aside.submit(another)
        statuses = asyncio.run(send(receiver.url))
        over.set()
        assert waiting.result() >= 1
    assert set(statuses) == {202}
    with psycopg.connect(role.url) as hq:
        assert hq.execute("select count(*) from hq.callback_inbox").fetchone() == (CALLBACKS,)
    _nothing(through, role)


async def test_settings_and_prepared_statements_of_an_asynchronous_connection_stay_its_own(
    through: PgBouncer, role: SmallRole
) -> None:
    url = through.url(role.database, role.name)
    connections = [await connect_async(url, autocommit=True) for _ in range(2 * POOL)]
    try:
        for number, connection in enumerate(connections):
            await connection.work_under({"statement_timeout": f"{number + 1}s", "enable_seqscan": "off"})

        async def work(number: int) -> None:
            connection = connections[number]
            for _ in range(20):
                async with connection.under_settings():
                    row = await (await connection.execute("show statement_timeout", prepare=True)).fetchone()
                assert row == {"statement_timeout": f"{number + 1}s"}
                async with connection.pipeline():
                    await connection.begin()
                    told = await connection.execute("show statement_timeout", prepare=True)
                    await connection.execute("commit")
                    row = await told.fetchone()
                assert row == {"statement_timeout": f"{number + 1}s"}

        await asyncio.gather(*(work(number) for number in range(len(connections))))
    finally:
        for connection in connections:
            await connection.close()
    _nothing(through, role)


@pytest.mark.parametrize(
    ("mode", "said", "settings", "code", "told"),
    [
        ("statement", None, {}, "setting.pooler_statement_mode", "set its pool_mode to transaction"),
        ("transaction", "session", {}, "setting.pooler_other_mode", "set HQ_DATABASE_POOLER to transaction"),
        (
            "session",
            "session",
            {"server_reset_query": ""},
            "setting.pooler_resets_nothing",
            "set its server_reset_query to DISCARD ALL",
        ),
        ("transaction", "Transaction", {}, "setting.pooler_invalid", "write transaction or session"),
    ],
)
def test_a_pooler_that_cannot_work_is_named_with_what_to_do(
    role: SmallRole, tmp_path: Path, mode: str, said: str | None, settings: dict[str, str], code: str, told: str
) -> None:
    with (
        PgBouncer(role.superuser, mode=mode, size=POOL, roles=(role.name,), settings=settings) as pooler,
        pytest.raises(EnrichError, match=told) as caught,
    ):
        open_databases(_settings(tmp_path, pooler, role, said))
    assert caught.value.code == code
    assert "\n" not in str(caught.value)


def test_a_session_pooler_without_a_free_connection_is_told_as_that(role: SmallRole, tmp_path: Path) -> None:
    settings = {"query_wait_timeout": "2"}
    with (
        PgBouncer(role.superuser, mode="session", size=1, roles=(role.name,), settings=settings) as pooler,
        psycopg.connect(pooler.url(role.database, role.name)) as client,
    ):
        client.execute("select 1")
        with pytest.raises(EnrichError, match="no free connection to the server; raise its pool size"):
            open_databases(_settings(tmp_path, pooler, role))


def test_settings_in_a_url_are_refused_whether_the_pooler_refuses_or_ignores_them(
    role: SmallRole, tmp_path: Path
) -> None:
    for ignored in ("", "options"):
        settings = {"ignore_startup_parameters": ignored}
        with PgBouncer(role.superuser, mode="transaction", size=2, roles=(role.name,), settings=settings) as pooler:
            url = pooler.url(role.database, role.name, options="-csearch_path=hq")
            with pytest.raises(EnrichError, match="alter role NAME in database NAME set search_path = SCHEMA"):
                open_databases(Settings(home=tmp_path, hq_database_url=url))
            assert route_to(url).settings == {"search_path": "hq"}, "as Dagster's URL has them"


def test_prepared_statements_are_kept_in_session_mode_where_it_is_said(role: SmallRole, tmp_path: Path) -> None:
    async def prepared(url: str) -> list[str]:
        async with await connect_async(url, autocommit=True) as connection:
            await connection.execute("select 1 as one", prepare=True)
            rows = await (await connection.execute("select statement from pg_prepared_statements")).fetchall()
            return [row["statement"] for row in rows]

    with PgBouncer(role.superuser, mode="session", size=POOL, roles=(role.name,)) as pooler:
        open_databases(_settings(tmp_path, pooler, role, "session"))
        for _ in range(3):  # the next client may get the same session: it was emptied
            assert asyncio.run(prepared(pooler.url(role.database, role.name))) == ["select 1 as one"]
        _nothing(pooler, role)


def test_the_owner_migrates_past_the_pooler_and_the_worker_goes_through_it(
    through: PgBouncer, role: SmallRole, tmp_path: Path
) -> None:
    with psycopg.connect(role.superuser) as administrator:
        administrator.execute(f"grant usage, create on schema dagster to {role.worker}")
    settings = Settings(home=tmp_path, hq_database_url=through.url(role.database, role.worker), hq_direct_url=role.url)
    open_databases(settings)
    with connect(settings.hq_database_url or "") as hq:
        owners = hq.execute("select distinct tableowner from pg_tables where schemaname = 'hq'").fetchall()
    assert owners == [{"tableowner": role.name}]


BACKUP = Path("deploy/backup.sh").absolute()


def test_a_backup_is_not_made_through_a_pooler(through: PgBouncer, role: SmallRole, tmp_path: Path) -> None:
    """pg_dump sets its session: its empty search_path would meet the next client."""
    settings = _settings(tmp_path / "home", through, role)
    open_databases(settings)
    environment = os.environ | {
        "HQ_DATABASE_URL": settings.hq_database_url or "",
        "ENRICH_HOME": str(tmp_path / "home"),
        "PATH": f"{find_binaries(None)}:{os.environ['PATH']}",
    }

    def backup() -> subprocess.CompletedProcess[str]:
        command = ["bash", str(BACKUP), str(tmp_path / "backup")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    refused = backup()
    assert refused.returncode != 0
    assert "set HQ_DATABASE_DIRECT_URL to the server's" in refused.stderr
    _nothing(through, role)
    environment["HQ_DATABASE_DIRECT_URL"] = role.url
    made = backup()
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "backup" / "hq.dump").stat().st_size > 10_000


def test_a_whole_batch_goes_over_checked_tls_and_another_name_or_authority_is_refused(
    role: SmallRole, tmp_path: Path
) -> None:
    """All three drivers: psycopg, psycopg2 below Dagster, and Arrow's."""
    ours, theirs = (
        make_certificates(tmp_path / "ours", "localhost"),
        make_certificates(tmp_path / "theirs", "localhost"),
    )
    with PgBouncer(
        role.superuser, mode="transaction", size=POOL, roles=(role.name,), tls=(ours.certificate, ours.key)
    ) as pooler:

        def enrich(command: str, host: str, authority: Path) -> subprocess.CompletedProcess[str]:
            url = pooler.url(role.database, role.name, host, sslmode="verify-full", sslrootcert=str(authority))
            environment = os.environ | {
                "HQ_DATABASE_URL": url,
                "ENRICH_HOME": str(tmp_path / "home"),
                "ENRICH_WARM_MINUTES": "0",
            }
            program = [sys.executable, "-m", "enrichment_assets", *command.split()]
            return subprocess.run(
                program, env=environment, capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path
            )

        done = enrich("demo", "localhost", ours.authority)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "final_leads: 48 rows" in done.stdout
        for command in ("retention --dry-run", "person find --email nobody@example.com"):  # these read Dagster's tables
            read = enrich(command, "localhost", ours.authority)
            assert "cannot be used" not in read.stdout + read.stderr
            assert "Traceback" not in read.stderr, read.stderr
        for host, authority, cause in (
            ("127.0.0.1", ours.authority, 'does not match host name "127.0.0.1"'),
            ("localhost", theirs.authority, "certificate verify failed"),
        ):
            refused = enrich("status", host, authority)
            assert refused.returncode == 1
            (line,) = [line for line in refused.stderr.splitlines() if line.strip() and "new home" not in line]
            assert cause in line
        _nothing_over_tls(pooler, role, ours.authority)


def _nothing_over_tls(pooler: PgBouncer, role: SmallRole, authority: Path) -> None:
    parameters = {"sslmode": "verify-full", "sslrootcert": str(authority)}
    left = pooler.left_behind(role.database, role.name, host="localhost", **parameters)
    assert set(map(tuple, left.values())) == {()}, left
