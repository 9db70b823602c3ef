"""A role that owns its schemas and nothing else is enough, wherever its search_path comes from; another may own HQ."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.instance.ref import InstanceRef
from psycopg import sql

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.installation.databases import open_databases
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from tests.harness.databases import PostgresServer
from tests.harness.roles import SmallRole, search_path, small_role


@pytest.fixture
def role(postgres_server: PostgresServer) -> Iterator[SmallRole]:
    with small_role(postgres_server) as role:
        yield role


def _schemas(url: str) -> dict[str, int]:
    """Schema -> tables in it, but those of Postgres itself."""
    with connect(url) as connection:
        rows = connection.execute(
            "select schemaname as name, count(*) as tables from pg_tables "
            "where schemaname not in ('pg_catalog', 'information_schema') group by 1"
        ).fetchall()
    return {row["name"]: row["tables"] for row in rows}


def test_one_url_of_a_role_that_owns_two_schemas_is_enough_for_hq_and_for_dagster(
    role: SmallRole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search_path begins with a schema that is somebody else's, and with one that is not there."""
    with connect(role.superuser) as administrator:
        administrator.execute("create schema extensions")
        administrator.execute(sql.SQL("grant usage on schema extensions to {}").format(sql.Identifier(role.name)))
    search_path(role.superuser, role.name, role.database, "not_there, extensions, hq")
    open_databases(Settings(home=tmp_path / "home", hq_database_url=role.url))
    assert set(_schemas(role.superuser)) == {"hq"}
    monkeypatch.setenv("ENRICH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HQ_DATABASE_URL", role.url)
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path), config_dir=str(Path.cwd()))) as instance:
        instance.add_dynamic_partitions("batches", ["one"])
        assert instance.get_dynamic_partitions("batches") == ["one"]
    assert set(_schemas(role.superuser)) == {"hq", "dagster"}
    with connect(role.url) as connection:
        assert connection.execute("select count(*) as n from clients").fetchone() == {"n": 0}


def test_a_search_path_in_the_url_counts_without_a_pooler(role: SmallRole, tmp_path: Path) -> None:
    search_path(role.superuser, role.name, role.database, "public")
    url = f"{role.url}{'&' if '?' in role.url else '?'}options=-csearch_path%3Dhq"
    open_databases(Settings(home=tmp_path, hq_database_url=url))
    assert set(_schemas(role.superuser)) == {"hq"}


@pytest.mark.parametrize("path", ["public", "not_there", "public, not_there"])
def test_a_role_that_may_create_nowhere_is_told_in_one_line_what_it_needs(
    role: SmallRole, tmp_path: Path, path: str
) -> None:
    search_path(role.superuser, role.name, role.database, path)
    with pytest.raises(InfrastructureError, match=r"may create tables in no schema.*set search_path = hq") as caught:
        open_databases(Settings(home=tmp_path, hq_database_url=role.url))
    assert caught.value.code == "database.no_schema"
    assert "\n" not in str(caught.value)
    assert _schemas(role.superuser) == {}


def test_the_owner_migrates_and_the_worker_reads_and_writes_rows_and_changes_no_schema(
    role: SmallRole, tmp_path: Path
) -> None:
    with connect(role.superuser) as administrator:
        give = sql.SQL("grant create on database {} to {}")
        administrator.execute(give.format(sql.Identifier(role.database), sql.Identifier(role.name)))
        administrator.execute("drop schema dagster")
    open_databases(Settings(home=tmp_path, hq_database_url=role.worker_url, hq_direct_url=role.url))
    with connect(role.worker_url) as connection:
        connection.execute("insert into clients (slug, name) values ('acme', 'Acme')")
        connection.execute("update clients set name = 'Acme Inc'")
        connection.execute("delete from clients")
        connection.execute("analyze batch_items, item_leases, workflow_states")
        connection.execute("create table dagster.runs (id int)")
        connection.commit()
        for statement in (
            "alter table clients add column x int",
            "drop table clients",
            "create table hq.mine (x int)",
            "update operator_actions set actor = 'x'",
            "delete from operator_actions",
            "update alembic_version set version_num = '0001'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)  # type: ignore[arg-type]
        owners = connection.execute("select distinct tableowner from pg_tables where schemaname = 'hq'").fetchall()
    assert owners == [{"tableowner": role.name}]
    code = "import sys; from pathlib import Path; from enrichment_assets.settings import Settings;"
    code += "from enrichment_assets.installation.databases import open_databases;"
    code += "open_databases(Settings(home=Path('/nonexistent'), hq_database_url=sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, role.worker_url], check=True, timeout=60)  # it needs the owner no more


def test_an_owner_that_takes_over_later_gives_the_worker_its_rights(role: SmallRole, tmp_path: Path) -> None:
    open_databases(Settings(home=tmp_path, hq_database_url=role.url))
    with connect(role.superuser) as administrator:
        administrator.execute(sql.SQL("grant usage on schema hq to {}").format(sql.Identifier(role.worker)))
    with pytest.raises(InfrastructureError, match="HQ_DATABASE_DIRECT_URL names the role that owns") as caught:
        open_databases(Settings(home=tmp_path, hq_database_url=role.worker_url))
    assert caught.value.code == "database.not_the_owner"
    open_databases(Settings(home=tmp_path, hq_database_url=role.worker_url, hq_direct_url=role.url))
    with connect(role.worker_url) as connection:
        assert connection.execute("select count(*) as n from clients").fetchone() == {"n": 0}
