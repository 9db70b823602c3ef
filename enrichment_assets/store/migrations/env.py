"""Alembic's entry: runs on the connection that `store/migrating.py` hands over, or for developers on the HQ database.

`alembic -c enrichment_assets/store/alembic.ini revision --autogenerate` compares `store/tables.py` with the database
that `Settings.from_environment()` names.
"""

from __future__ import annotations

import psycopg
from alembic import context
from sqlalchemy import Connection, create_engine

from enrichment_assets.store.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


def _run_for_developer() -> None:
    from enrichment_assets.settings import Settings
    from enrichment_assets.store.database import open_databases

    url = open_databases(Settings.from_environment()).hq
    with create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url)).connect() as connection:
        _run(connection)


given = context.config.attributes.get("connection")
if given is None:
    _run_for_developer()
else:
    _run(given)
