"""Many rows into a table at once: by COPY, which Postgres refuses a role that row level security is asked about.

Such a role (it is no superuser and has no BYPASSRLS) copies into a temporary table, and one INSERT takes the rows from
there, in their order: bench/tenants.py measures what that costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from psycopg import sql

from enrichment_assets.store.database import Connection

ASIDE = "enrich_loading"
"""The temporary table."""


class Stream(Protocol):
    """What rows are written into: psycopg's COPY, or what keeps them for it."""

    def write(self, line: bytes) -> None:
        """A line as COPY takes it."""

    def write_row(self, row: Sequence[Any]) -> None:
        """A row of values."""


Feed = Callable[[Stream], None]
"""Writes all rows of something."""


def load(connection: Connection, table: str, columns: Sequence[str], feed: Feed) -> int:
    """Insert the rows that `feed` writes (values of these columns); how many there were.

    Raises whatever Postgres says of a row: `psycopg.errors.UniqueViolation`, say.
    """
    target = sql.Identifier(table)
    active = connection.execute("select row_security_active(%s) as active", [f'"{table}"']).fetchone()
    if not (active and active["active"]):
        return _copy(connection, target, columns, feed)
    connection.execute(aside(target, columns))
    _copy(connection, sql.Identifier(ASIDE), columns, feed)
    rows = connection.execute(from_aside(target, columns)).rowcount
    connection.execute(sql.SQL("drop table {}").format(sql.Identifier(ASIDE)))
    return rows


def aside(table: sql.Identifier, columns: Sequence[str]) -> sql.Composed:
    """The statement that makes the temporary table, of the same types and without any condition on the rows."""
    made = sql.SQL("create temporary table {} on commit drop as select {} from {} with no data")
    return made.format(sql.Identifier(ASIDE), _listed(columns), table)


def from_aside(table: sql.Identifier, columns: Sequence[str]) -> sql.Composed:
    """The statement that takes the rows from there."""
    listed = _listed(columns)
    return sql.SQL("insert into {} ({}) select {} from {}").format(table, listed, listed, sql.Identifier(ASIDE))


def _copy(connection: Connection, table: sql.Identifier, columns: Sequence[str], feed: Feed) -> int:
    with connection.cursor() as cursor:
        with cursor.copy(sql.SQL("copy {} ({}) from stdin").format(table, _listed(columns))) as stream:
            feed(stream)
        return cursor.rowcount


def _listed(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
