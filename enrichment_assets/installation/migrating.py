"""Bringing the HQ database to the schema of this version: Alembic, called from code.

The migrations are in `store/migrations/versions`, one file per step, named after its number (`0001_...`), which is also
its revision id: the newest can be told without loading Alembic, so that a current database costs one query.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.store import migrations
from enrichment_assets.store.database import Connection, connect
from enrichment_assets.store.tenancy.policies import KEEPS, READERS, WORKS, protect_patiently
from enrichment_assets.store.tenancy.workers import let_work

if TYPE_CHECKING:
    import sqlalchemy
    from alembic.config import Config

MIGRATIONS_DIR = Path(migrations.__file__).parent

MIGRATION_LOCK = 7_210_002
"""Advisory lock held while migrating, so that processes starting together migrate once."""

_STANDING = """
    select version_num,
      (select obj_description(p.oid, 'pg_policy') from pg_policy p
       where p.polrelid = to_regclass(%(readers)s) and p.polname = %(works)s) as protected,
      not coalesce(row_security_active(to_regclass(%(readers)s)), false) or exists (
        select from pg_policy p, unnest(p.polroles) as role
        where p.polrelid = to_regclass(%(readers)s) and p.polname in (%(works)s, %(keeps)s)
          and pg_has_role(role, 'usage')) as is_open
    from alembic_version
"""
"""The revision; since which one all tables are protected, as `migrate` noted; whether our role is let at their rows."""


@cache
def newest_revision() -> str:
    """The revision that this version of the code needs."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS_DIR / "versions").glob("[0-9]*_*.py"))


def is_current(connection: Connection) -> bool:
    """True when the database is at the newest revision, and its tables are protected and open to this role (one query).

    Args:
        connection: In autocommit mode, for the question fails on an empty database.

    Raises:
        InfrastructureError: The database belongs to a newer version of the platform.
    """
    try:
        row = connection.execute(_STANDING, {"works": WORKS, "keeps": KEEPS, "readers": READERS}).fetchone()
    except psycopg.errors.UndefinedTable:
        return False
    revision = row["version_num"] if row else ""
    if revision > newest_revision():
        raise InfrastructureError(
            f"The HQ database is at revision {revision}, this version of the platform knows {newest_revision()}: "
            "upgrade the platform.",
            code="database.newer_revision",
        )
    return bool(row and revision == newest_revision() and row["protected"] == _protected_note() and row["is_open"])


def alembic_config() -> Config:
    """What Alembic has to know; whoever calls it adds the connection (`config.attributes["connection"]`)."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    return config


def migrate(url: str, works_as: str | None = None) -> None:
    """Apply what is missing, in one transaction, under an advisory lock; then protect the tables, one by one.

    Args:
        url: As whom; the tables become that role's, in the first schema of its search_path that it may create in, or
            where HQ is already.
        works_as: The role that works on them, where it is another one: it is given its rights, and let at all rows.

    Raises:
        InfrastructureError: The role may create in no schema of its search_path; or a table cannot be protected.
        psycopg.Error: A migration fails; nothing of it stays.
    """
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
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise error.orig if isinstance(error.orig, psycopg.Error) else error from None
    _protect(url, works_as)


def _protect(url: str, works_as: str | None) -> None:
    """Row level security on every table of HQ; that it is there is noted at the end, and done again where it is not.

    Beside the migration, not in it: that would hold all tables until the last one is done, while others work on them.
    """
    from enrichment_assets.store.tenancy.declared import hq_tables

    with connect(url, autocommit=True) as connection:
        tables = hq_tables()
        workers = [] if works_as is None else [works_as]
        protect_patiently(connection, tables, workers=workers)
        if works_as is not None:
            let_work(connection, works_as, list(tables))
        note = sql.SQL("comment on policy {} on {} is {}")
        names = (sql.Identifier(WORKS), sql.Identifier(READERS), sql.Literal(_protected_note()))
        connection.execute(note.format(*names))


def _protected_note() -> str:
    return f"all tables of revision {newest_revision()} have row level security"


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
