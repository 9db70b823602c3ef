"""The role that works for the platform, where another one owns the tables: what it is granted."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from enrichment_assets.store.database import Connection


def let_work(connection: Connection, role: str, tables: Sequence[str]) -> None:
    """Grant a role what the platform's statements need on these tables of the current schema. Their owner has it.

    Rows may be read, inserted, changed and deleted; tables are neither made nor emptied whole.
    """
    owned = connection.execute(
        "select pg_has_role(%s, c.relowner, 'usage') as by_role from pg_class c where c.oid = to_regclass(%s)",
        [role, f'"{tables[0]}"'],
    ).fetchone()
    if owned is None or owned["by_role"]:
        return
    listed, worker = sql.SQL(", ").join(map(sql.Identifier, tables)), sql.Identifier(role)
    schema = connection.execute("select current_schema() as name").fetchone()
    grants = [
        sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(schema["name"]), worker) if schema else None,
        sql.SQL("grant select, insert, update, delete on {} to {}").format(listed, worker),
        sql.SQL("grant select on alembic_version to {}").format(worker),
    ]
    for grant in filter(None, grants):
        connection.execute(grant)
