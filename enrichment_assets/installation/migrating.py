"""Bringing the HQ database to the schema of this version: Alembic, called from code.

The migrations are in `store/migrations/versions`, one file per step, named after its number (`0001_...`), which is also
its revision id: the newest can be told without loading Alembic, so that a current database costs one query.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.store import migrations
from enrichment_assets.store.database import Connection

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS_DIR = Path(migrations.__file__).parent

MIGRATION_LOCK = 7_210_002
"""Advisory lock held while migrating, so that processes starting together migrate once."""


@cache
def newest_revision() -> str:
    """The revision that this version of the code needs."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS_DIR / "versions").glob("[0-9]*_*.py"))


def is_current(connection: Connection) -> bool:
    """True when the database is at the newest revision (one query).

    Args:
        connection: In autocommit mode, for the question fails on an empty database.

    Raises:
        InfrastructureError: The database belongs to a newer version of the platform.
    """
    try:
        row = connection.execute("select version_num from alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        return False
    revision = row["version_num"] if row else ""
    if revision > newest_revision():
        raise InfrastructureError(
            f"The HQ database is at revision {revision}, this version of the platform knows {newest_revision()}: "
            "upgrade the platform.",
            code="database.newer_revision",
        )
    return bool(revision == newest_revision())


def alembic_config() -> Config:
    """What Alembic has to know; whoever calls it adds the connection (`config.attributes["connection"]`)."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    return config


def migrate(url: str) -> None:
    """Apply what is missing, in one transaction, under an advisory lock.

    Raises:
        psycopg.Error: A migration fails; nothing of it stays.
    """
    from alembic import command
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    config = alembic_config()
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise error.orig if isinstance(error.orig, psycopg.Error) else error from None
