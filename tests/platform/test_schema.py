"""The migrations against `store/tables/`: what is migrated is what is declared, to the last constraint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from enrichment_assets.installation.databases import Databases
from enrichment_assets.installation.migrating import MIGRATIONS_DIR, alembic_config, newest_revision
from enrichment_assets.store.tables import metadata
from tests.harness.databases import PostgresServer

REVISIONS = "'alembic_version', 'schema_revision'"
CONSTRAINTS = f"""
    select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
    where connamespace = 'public'::regnamespace and conrelid::regclass::text not in ({REVISIONS})
    and contype <> 'n' order by 1, 2
"""
INDEXES = f"""
    select tablename, indexname, indexdef from pg_indexes
    where schemaname = 'public' and tablename not in ({REVISIONS}) order by 1, 2
"""
COLUMNS = f"""
    select table_name, column_name, data_type, is_nullable, column_default, is_identity, identity_generation,
        numeric_precision, numeric_scale, col_description(table_name::regclass, ordinal_position::int)
    from information_schema.columns
    where table_schema = 'public' and table_name not in ({REVISIONS}) order by 1, 2
"""


def _engine(url: str) -> Engine:
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)


@pytest.fixture
def declared(postgres_server: PostgresServer) -> Iterator[str]:
    """URL of a database that holds exactly what `store/tables/` declares."""
    name = postgres_server.create()
    url = postgres_server.url(name)
    metadata.create_all(_engine(url))
    yield url
    postgres_server.drop(name)


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name not in ("alembic_version", "schema_revision")


def test_alembic_sees_no_difference(databases: Databases) -> None:
    with _engine(databases.hq).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_server_default": True, "include_name": _is_ours}
        )
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize("question", [COLUMNS, CONSTRAINTS, INDEXES], ids=["columns", "constraints", "indexes"])
def test_the_catalogues_are_the_same(databases: Databases, declared: str, question: str) -> None:
    """Alembic compares neither checks nor comments; the catalogue does."""

    def rows(url: str) -> list[Any]:
        with psycopg.connect(url) as connection:
            return connection.execute(question).fetchall()

    migrated = rows(databases.hq)
    assert len(migrated) > 10
    assert migrated == rows(declared)


def test_the_revision_that_the_code_asks_for_is_alembics_only_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR))
    assert ScriptDirectory.from_config(config).get_heads() == [newest_revision()]


def test_rows_that_are_rewritten_often_have_room_on_their_pages(databases: Databases) -> None:
    with psycopg.connect(databases.hq) as connection:
        found = connection.execute("select relname from pg_class where 'fillfactor=70' = any(reloptions) order by 1")
        assert [row[0] for row in found] == ["item_leases", "workflow_states"]


def test_the_newest_migrations_can_be_taken_back(databases: Databases) -> None:
    from alembic import command

    config = alembic_config()
    with _engine(databases.hq).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with psycopg.connect(databases.hq) as connection:
        left = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    assert sorted(left) == [("alembic_version",), ("schema_revision",)]
