"""Opening the databases: embedded and external, migrations, and errors that keep secrets."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from enrichment_assets.domain.errors import ConfigurationError, EnrichError, InfrastructureError
from enrichment_assets.installation import migrating
from enrichment_assets.installation.databases import Databases, embedded_server, open_databases
from enrichment_assets.installation.migrating import WORKS_SINCE, newest_revision
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect, connect_async, place, postgres_url, with_search_path
from tests.harness.databases import PostgresServer
from tests.platform.processes import wait_until


@pytest.fixture
def empty_database(postgres_server: PostgresServer) -> Iterator[str]:
    """URL of a database without any table, on a server that is not ours to start."""
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
def home(open_folder: Path) -> Iterator[Settings]:
    """A home with nothing configured: everything is embedded."""
    settings = Settings(home=open_folder / "home")
    yield settings
    embedded_server(settings).remove()


def _revision(url: str) -> str:
    with connect(url) as connection:
        row = connection.execute("select version_num from schema_revision").fetchone()
        assert row is not None
        return str(row["version_num"])


def test_an_empty_home_becomes_three_databases_and_a_second_opening_finds_them(home: Settings) -> None:
    first = open_databases(home)
    with connect(first.hq) as connection:
        connection.execute("insert into clients (slug, name) values ('acme', 'Acme')")
    names = []
    for url in (first.hq, first.workspace, first.dagster):
        with connect(url) as connection:
            names.append(connection.info.dbname)
    assert names == ["enrich_hq", "enrich_workspace", "dagster"]
    second = open_databases(home)
    assert second == first
    with connect(second.hq) as connection:
        assert connection.execute("select slug from clients").fetchall() == [{"slug": "acme"}]


def test_the_embedded_server_is_started_again_on_demand(home: Settings) -> None:
    open_databases(home)
    embedded_server(home).stop()
    assert _revision(open_databases(home).hq) == newest_revision()


def test_processes_that_open_an_empty_home_together_all_find_it_migrated(home: Settings) -> None:
    code = (
        "import sys; from pathlib import Path; from enrichment_assets.settings import Settings;"
        "from enrichment_assets.installation.databases import open_databases;"
        "from enrichment_assets.store.database import connect;"
        "d = open_databases(Settings(home=Path(sys.argv[1])));"
        "c = connect(d.hq); print(c.execute('select count(*) as n from batches').fetchone()['n'])"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", code, str(home.home)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [racer.communicate(timeout=60)[0].strip() for racer in racers] == ["0", "0", "0"]


def test_an_external_database_is_migrated_and_no_embedded_server_is_made(empty_database: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", hq_database_url=empty_database)
    opened = open_databases(settings)
    assert opened.hq == empty_database
    assert _revision(opened.hq) == newest_revision()
    assert not settings.home.exists()


def test_results_go_to_the_hq_database_when_no_workspace_is_named(
    empty_database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="enrichment_assets")
    opened = open_databases(Settings(home=tmp_path, hq_database_url=empty_database))
    assert opened.workspace == empty_database
    assert "WORKSPACE_DATABASE_URL is not set" in caplog.text


def test_dagster_has_a_schema_of_its_own_beside_hq(empty_database: str, tmp_path: Path) -> None:
    opened = open_databases(Settings(home=tmp_path, hq_database_url=empty_database))
    with connect(opened.dagster) as connection:
        connection.execute("create table runs (id int)")
    with connect(opened.hq) as connection:
        found = connection.execute("select schemaname from pg_tables where tablename = 'runs'").fetchall()
    assert found == [{"schemaname": "dagster"}]


def test_a_dagster_database_that_is_named_is_used_as_it_is(databases: Databases, tmp_path: Path) -> None:
    named = databases.workspace.replace("postgresql://", "postgres://")
    opened = open_databases(Settings(home=tmp_path, hq_database_url=databases.hq, dagster_database_url=named))
    assert opened.dagster == databases.workspace


def test_racing_processes_migrate_an_external_database_once(empty_database: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, hq_database_url=empty_database)
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: open_databases(settings), range(4)))
    assert {one.hq for one in opened} == {empty_database}
    assert _revision(empty_database) == newest_revision()


def test_a_database_of_a_newer_version_is_worked_on_until_that_has_taken_something_away(databases: Databases) -> None:
    with connect(databases.hq, autocommit=True) as connection:
        connection.execute("update schema_revision set version_num = '9001'")
        assert migrating.is_current(connection)
        connection.execute("update alembic_version set version_num = '9000'")
        with pytest.raises(InfrastructureError, match=r"needs revision 9000.*upgrade the platform"):
            migrating.is_current(connection)
    assert _revision(databases.hq) == "9001"


def test_a_database_of_before_keeps_its_revision_and_tells_earlier_versions_that_they_may_go_on(
    settings: Settings, databases: Databases
) -> None:
    with connect(databases.hq) as connection:
        connection.execute("drop table schema_revision")
        connection.execute("update alembic_version set version_num = %s", [newest_revision()])
    open_databases(settings)
    assert _revision(databases.hq) == newest_revision()
    with connect(databases.hq) as connection:
        assert connection.execute("select version_num from alembic_version").fetchall() == [
            {"version_num": WORKS_SINCE}
        ]


def test_a_migration_waits_for_who_works_on_a_table_but_lets_others_past_it(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "_LOCK_SECONDS", 1)
    monkeypatch.setattr(migrating, "_PAUSE", 0.0)
    with connect(databases.hq) as working, ThreadPoolExecutor(1) as threads:
        working.execute("lock table alembic_version in share mode")
        migration = threads.submit(migrating.migrate, databases.hq)
        waiting = "select 1 from pg_locks where not granted and relation = 'alembic_version'::regclass"
        with connect(databases.hq, autocommit=True) as looking:
            wait_until(lambda: looking.execute(waiting).fetchone())
            wait_until(lambda: not looking.execute(waiting).fetchone())
            assert not migration.done()
        working.commit()
        migration.result()
    assert _revision(databases.hq) == newest_revision()


def test_a_migration_that_fails_leaves_nothing_behind(empty_database: str, tmp_path: Path) -> None:
    with connect(empty_database) as connection:
        connection.execute("create table rate_limits (in_the_way int)")  # the last migration creates this one
    with pytest.raises(InfrastructureError, match="rate_limits"):
        open_databases(Settings(home=tmp_path, hq_database_url=empty_database))
    with connect(empty_database) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    assert tables == [{"tablename": "rate_limits"}]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:hush-hush@127.0.0.1:1/enrich",
        "postgresql://someone:hush-hush@no-such-host.invalid/enrich",
        "postgresql://someone:hush-hush/x@127.0.0.1:1/enrich",
        "postgresql://someone:hush-hush#x@127.0.0.1:1/enrich",
        "postgresql://someone:hush-hush%@127.0.0.1:1/enrich",
        "mysql://someone:hush-hush@127.0.0.1/enrich",
        "host=127.0.0.1 port=1 password=hush-hush",
    ],
)
def test_no_error_carries_the_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(EnrichError) as caught:
        open_databases(Settings(home=tmp_path, hq_database_url=url))
    assert "hush-hush" not in "".join(traceback.format_exception(caught.value))
    assert "hush-hush" not in repr(Settings(home=tmp_path, hq_database_url=url))


def test_a_wrong_password_is_told_without_repeating_it(tmp_path: Path, databases: Databases) -> None:
    with connect(databases.hq, autocommit=True) as connection:
        name = connection.info.dbname
    url = databases.hq.replace(f"/{name}", "/not_there").replace("postgres@", "postgres:hush-hush@")
    with pytest.raises(InfrastructureError, match="not_there") as caught:
        connect(url)
    assert "hush-hush" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2", "postgresql+psycopg"])
def test_every_usual_scheme_becomes_the_one_that_all_drivers_understand(scheme: str) -> None:
    assert postgres_url(f"{scheme}://u:p%40@h:5/d?sslmode=require", "X") == "postgresql://u:p%40@h:5/d?sslmode=require"


@pytest.mark.parametrize("text", ["", "postgresql://", "sqlite:///x.db", "enrich"])
def test_what_is_no_postgres_url_is_refused_by_the_name_of_its_variable(text: str) -> None:
    with pytest.raises(ConfigurationError, match="HQ_DATABASE_URL is not a Postgres URL"):
        postgres_url(text, "HQ_DATABASE_URL")


def test_a_search_path_is_added_to_options_that_are_there() -> None:
    url = with_search_path("postgresql://u:p%2B%20@h/d?options=-cjit%3Doff&sslmode=require", "dagster")
    assert psycopg.conninfo.conninfo_to_dict(url)["options"] == "-cjit=off -csearch_path=dagster"
    assert psycopg.conninfo.conninfo_to_dict(url)["password"] == "p+ "


def test_a_place_names_no_user_and_no_password() -> None:
    assert place("postgresql://u:secret@db.example.com:6543/enrich") == "db.example.com:6543/enrich"


async def test_an_asynchronous_connection_gives_dictionaries_too(databases: Databases) -> None:
    async with await connect_async(databases.hq) as connection:
        answer = await (await connection.execute("select 1 as one")).fetchone()
    assert answer == {"one": 1}
    with pytest.raises(InfrastructureError):
        await asyncio.wait_for(connect_async("postgresql://u@127.0.0.1:1/x"), 20)


def test_a_large_float_comes_back_from_json_as_the_float_it_was(hq: psycopg.Connection[dict[str, Any]]) -> None:
    """Postgres keeps 1.0e+21 as 1000000000000000000000; as an integer it would leave as text, beyond 64 bits."""
    row = hq.execute('select \'{"n": 1.0e+21, "id": "99999999999999999999", "k": 7}\'::jsonb as v').fetchone()
    assert row is not None and row["v"] == {"n": 1e21, "id": "99999999999999999999", "k": 7}
    assert isinstance(row["v"]["n"], float)
