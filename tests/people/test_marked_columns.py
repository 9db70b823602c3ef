"""No column that can hold a person's value is forgotten: each says what is left of it when the person is erased."""

from __future__ import annotations

import psycopg

from enrichment_assets.installation.databases import Databases
from enrichment_assets.store.tables import metadata
from enrichment_assets.store.tables.marks import Mark, mark_of

NO_TEXT = """
    'bigint', 'integer', 'smallint', 'numeric', 'double precision', 'real', 'boolean', 'uuid', 'date',
    'timestamp with time zone'
"""
"""Types that cannot hold a name: whatever else Postgres has must be marked."""

COLUMNS = f"""
    select table_name, column_name from information_schema.columns
    where table_schema = 'public' and data_type not in ({NO_TEXT}) and udt_name not in ('_int8', '_int4', '_uuid')
"""
NOT_OURS = {("alembic_version", "version_num"), ("schema_revision", "version_num")}
"""Numbers of migrations."""


def unmarked(hq: str) -> set[tuple[str, str]]:
    """(table, column) of each column of a database that can hold text and has no mark."""
    with psycopg.connect(hq) as connection:
        found = {(str(table), str(column)) for table, column in connection.execute(COLUMNS)}
    assert len(found) > 50
    return found - NOT_OURS - set(marks())


def marks() -> dict[tuple[str, str], Mark]:
    return {
        (table.name, column.name): mark
        for table in metadata.tables.values()
        for column in table.columns
        if (mark := mark_of(column)) is not None
    }


def test_every_column_that_can_hold_text_says_what_it_holds_of_a_person(databases: Databases) -> None:
    assert unmarked(databases.hq) == set(), "mark them: CONTRIBUTING.md, Changing the schema"


def test_a_column_that_somebody_adds_without_a_mark_is_found(databases: Databases) -> None:
    with psycopg.connect(databases.hq) as connection:
        connection.execute("create table notes (id bigint, said varchar(20), more xml, who text[], at timestamptz)")
    assert unmarked(databases.hq) == {("notes", "said"), ("notes", "more"), ("notes", "who")}


def test_a_column_that_is_not_touched_says_why() -> None:
    assert [where for where, mark in marks().items() if mark.erased is None and len(mark.why) < 10] == []
