"""Roles that may little, and databases in which they own a schema or two: what a careful administrator hands out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.harness.databases import PostgresServer


@dataclass(frozen=True)
class SmallRole:
    """A role that is no superuser, makes no databases, and owns two schemas of one database.

    Attributes:
        name: Of the role.
        worker: Of another one, which owns nothing.
        database: Where they may work; PUBLIC may make nothing there.
        url: As the role, to the server itself.
        worker_url: As the other one.
        superuser: As the server's superuser, for what a test changes.
    """

    name: str
    worker: str
    database: str
    url: str
    worker_url: str
    superuser: str


def as_role(url: str, role: str) -> str:
    """The same database as another role. The tests' server asks for no password."""
    return url.replace(f"{conninfo_to_dict(url)['user']}@", f"{role}@", 1)


@contextmanager
def small_role(
    server: PostgresServer, *, path: str = "hq", schemas: tuple[str, ...] = ("hq", "dagster")
) -> Iterator[SmallRole]:
    """A new database with a role that owns its schemas, and one that owns nothing; they go away."""
    database = server.create()
    superuser = server.url(database)
    role, worker = f"enrich_{os.getpid()}", f"worker_{os.getpid()}"
    with psycopg.connect(superuser, autocommit=True) as connection:
        for name in (role, worker):
            connection.execute(sql.SQL("create role {} login").format(sql.Identifier(name)))
            search_path(superuser, name, database, path)
        connection.execute("revoke create on schema public from public")
        for schema in schemas:
            connection.execute(
                sql.SQL("create schema {} authorization {}").format(sql.Identifier(schema), sql.Identifier(role))
            )
    try:
        yield SmallRole(role, worker, database, as_role(superuser, role), as_role(superuser, worker), superuser)
    finally:
        server.drop(database)
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            for name in (role, worker):
                connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def search_path(superuser: str, role: str, database: str, path: str) -> None:
    """Set the role's `search_path` in the database, as an administrator does it: in neither URL nor session."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(
            sql.SQL("alter role {} in database {} set search_path = {}").format(
                sql.Identifier(role),
                sql.Identifier(database),
                sql.SQL(path),  # type: ignore[arg-type]
            )
        )
