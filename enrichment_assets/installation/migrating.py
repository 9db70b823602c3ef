"""Bringing the HQ database to the schema of this version: Alembic, called from code.

The migrations are in `store/migrations/versions`, one file per step, named after its number (`0001_...`), which is also
its revision id: the newest can be told without loading Alembic, so that a current database costs one query.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.errors import DeadlockDetected, LockNotAvailable

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.store import migrations
from enrichment_assets.store.database import Connection, connect
from enrichment_assets.store.tenancy.policies import KEEPS, READERS, WORKS, protect_patiently
from enrichment_assets.store.tenancy.workers import let_work
from enrichment_assets.store.views.making import could_be_made, digest, ensure_views, let_use, standing, views

if TYPE_CHECKING:
    import sqlalchemy
    from alembic.config import Config

MIGRATIONS_DIR = Path(migrations.__file__).parent

MIGRATION_LOCK = 7_210_002
"""Advisory lock held while migrating, so that processes starting together migrate once."""

_RIGHTS_LOCK = 7_210_003
"""Advisory lock held while rights are given and views made."""

REVISION_TABLE = "schema_revision"
"""Where Alembic notes at which revision the schema is. Processes of an earlier version do not read it."""

WORKS_SINCE = "0005"
"""The revision from which on a version of the code works with this schema. It is in the table `alembic_version`, which
earlier versions take for the schema's own: they go on working while this one migrates under them. A migration that
takes away what they use (contract) raises it to its own number, and they say that the platform is to be upgraded."""

_LOCK_SECONDS, _ATTEMPTS, _PAUSE = 5, 60, 1.0
"""A migration waits so long for a table that somebody works on, then lets everybody go on who queues behind it."""

_STANDING = """
    select r.version_num, (select version_num from alembic_version) as works_since,
      (select obj_description(p.oid, 'pg_policy') from pg_policy p
       where p.polrelid = to_regclass(%(readers)s) and p.polname = %(works)s) as protected,
      not coalesce(row_security_active(to_regclass(%(readers)s)), false) or exists (
        select from pg_policy p, unnest(p.polroles) as role
        where p.polrelid = to_regclass(%(readers)s) and p.polname in (%(works)s, %(keeps)s)
          and pg_has_role(role, 'usage')) as is_open
    from schema_revision r
"""
"""The revision, and which versions work with it; since which revision all tables are protected, as `migrate` noted;
whether our role is let at their rows."""


_TAKEN_OVER = (
    "create table if not exists alembic_version (version_num varchar(32) not null primary key)",
    f"create table if not exists {REVISION_TABLE} (version_num varchar(32) not null primary key)",
    f"insert into {REVISION_TABLE} select version_num from alembic_version "
    f"where not exists (select from {REVISION_TABLE})",
)
"""A database of before has its revision in Alembic's own table."""


@cache
def newest_revision() -> str:
    """The revision that this version of the code needs."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS_DIR / "versions").glob("[0-9]*_*.py"))


def is_current(connection: Connection) -> bool:
    """True when the database is at the newest revision, and its tables are protected and open to this role (one query).

    Args:
        connection: In autocommit mode, for the question fails on an empty database.

    Raises:
        InfrastructureError: A newer version of the platform has taken away what this one needs.
    """
    try:
        row = connection.execute(_STANDING, {"works": WORKS, "keeps": KEEPS, "readers": READERS}).fetchone()
    except psycopg.errors.UndefinedTable:
        return False
    revision, works_since = (row["version_num"], row["works_since"] or "") if row else ("", "")
    if works_since > newest_revision():
        raise InfrastructureError(
            f"The HQ database needs revision {works_since}, this version of the platform knows {newest_revision()}: "
            "upgrade the platform.",
            code="database.newer_revision",
        )
    if revision > newest_revision():  # a newer version has migrated, and lets this one go on
        return True
    if row is None or revision != newest_revision() or not row["is_open"]:
        return False
    if row["protected"] == _protected_note(without_views=True):  # an administrator may have made their schemas since
        return not could_be_made(connection, "hq")
    return bool(row["protected"] == _protected_note())


def alembic_config() -> Config:
    """What Alembic has to know; whoever calls it adds the connection (`config.attributes["connection"]`)."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    config.set_main_option("version_table", REVISION_TABLE)
    return config


def migrate(url: str, works_as: str | None = None) -> None:
    """Apply what is missing, in one transaction, under an advisory lock; then protect the tables, one by one.

    Args:
        url: As whom; the tables become that role's, in the first schema of its search_path that it may create in, or
            where HQ is already.
        works_as: The role that works on them, where it is another one: it is given its rights, and let at all rows.

    Raises:
        InfrastructureError: The role may create in no schema of its search_path; or a table cannot be protected.
        psycopg.Error: A migration fails, or somebody does not let go of a table; nothing of it stays.
    """
    for attempt in range(_ATTEMPTS):
        try:
            _upgrade(url)
            break
        except (LockNotAvailable, DeadlockDetected):
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_PAUSE)
    _protect(url, works_as)


def _upgrade(url: str) -> None:
    """One attempt at all that is missing. Waits for no table longer than `_LOCK_SECONDS`."""
    from alembic import command
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    config = alembic_config()
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url, prepare_threshold=None), poolclass=NullPool
    )
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            _work_in_own_schema(connection)
            connection.execute(text(f"set local lock_timeout = '{_LOCK_SECONDS}s'"))
            for statement in _TAKEN_OVER:
                connection.execute(text(statement))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.execute(text("delete from alembic_version"))
            connection.execute(text("insert into alembic_version values (:since)"), {"since": WORKS_SINCE})
    except DBAPIError as error:
        raise error.orig if isinstance(error.orig, psycopg.Error) else error from None


def _protect(url: str, works_as: str | None) -> None:
    """Row level security on every table of HQ, and its views; noted at the end, and done again where that is not so.

    Beside the migration, not in it: that would hold all tables until the last one is done, while others work on them.
    """
    from enrichment_assets.store.tenancy.declared import hq_tables

    with connect(url, autocommit=True) as connection:
        tables = hq_tables()
        workers = [] if works_as is None else [works_as]
        protect_patiently(connection, tables, workers=workers)
        with connection.transaction():  # of two that grant the same thing at once Postgres refuses one
            connection.execute("select pg_advisory_xact_lock(%s)", [_RIGHTS_LOCK])
            if works_as is not None:
                let_work(connection, works_as, list(tables))
            ensure_views(connection, views("hq"))
            there = standing(connection, "hq")
            let_use(connection, there, workers, write=True)
            note = sql.SQL("comment on policy {} on {} is {}")
            names = (
                sql.Identifier(WORKS),
                sql.Identifier(READERS),
                sql.Literal(_protected_note(without_views=len(there) < len(views("hq")))),
            )
            connection.execute(note.format(*names))


def _protected_note(*, without_views: bool = False) -> str:
    """What is noted: all is as this version of the code wants it; `without_views`: our role may not make all views."""
    missing = "some of " if without_views else ""
    return f"all tables of revision {newest_revision()} have row level security; {missing}views {digest('hq')}"


_PLACES = """
select s.name, c.oid is not null as is_hqs, has_schema_privilege(s.name, 'create') as may_create
from unnest(current_schemas(false)) with ordinality as s(name, place)
left join pg_class c on c.oid = to_regclass(quote_ident(s.name) || '.alembic_version')
order by c.oid is null, s.place
"""


def _work_in_own_schema(begun: sqlalchemy.Connection) -> None:
    """Let the transaction make tables where HQ is, or is to be: the search_path may begin with another's schema."""
    places = begun.exec_driver_sql(_PLACES).all()
    found = next((name for name, is_hqs, may_create in places if is_hqs or may_create), None)
    if found is None:
        user, database = begun.exec_driver_sql("select current_user, current_database()").one()
        raise InfrastructureError(
            f"The role {user} may create tables in no schema of its search_path "
            f"({', '.join(name for name, *_ in places) or 'which names none that is there'}): make one (create schema "
            f"hq authorization {user}; alter role {user} in database {database} set search_path = hq).",
            code="database.no_schema",
        )
    path = [found, *(name for name, *_ in places if name != found)]
    quoted = sql.SQL(", ").join(map(sql.Identifier, path)).as_string(None)
    begun.exec_driver_sql("select set_config('search_path', %s, true)", (quoted,))
