"""The role that works for the platform, where another one owns the tables: what it is granted."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from enrichment_assets.store.database import Connection
from enrichment_assets.store.tenancy.policies import READERS

APPEND_ONLY = ("operator_actions",)
"""Tables whose rows are added and read. An erasure may black out a person in them: a trigger lets nothing else."""

_MAINTAIN_SINCE = 170000
"""From Postgres 17 on, ANALYZE is a right of its own; before, the server skips it with a warning."""


def let_work(connection: Connection, role: str, tables: Sequence[str]) -> None:
    """Grant a role what the platform's statements need on these tables of the current schema. Their owner has it.

    Rows may be read, inserted, changed and deleted (of `APPEND_ONLY` read and inserted) and counted for the planner;
    tables are neither made nor emptied whole.
    """
    found = connection.execute(
        "select pg_has_role(%s, c.relowner, 'usage') as by_role, n.nspname as schema from pg_class c "
        "join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass(%s)",
        [role, f'"{tables[0]}"'],
    ).fetchone()
    if found is None or found["by_role"]:
        return
    listed, worker = sql.SQL(", ").join(map(sql.Identifier, tables)), sql.Identifier(role)
    kept = sql.SQL(", ").join(map(sql.Identifier, APPEND_ONLY))
    rights = "select, insert, update, delete"
    if connection.info.server_version >= _MAINTAIN_SINCE:
        rights += ", maintain"
    for grant in (
        sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(found["schema"]), worker),
        sql.SQL("grant {} on {} to {}").format(sql.SQL(rights), listed, worker),
        sql.SQL("revoke update, delete on {} from {}").format(kept, worker),
        sql.SQL("grant update (name, before, after) on {} to {}").format(kept, worker),
        sql.SQL("grant select on schema_revision, alembic_version to {}").format(worker),
        # Readers of its marts look up in there whose they are.
        sql.SQL("grant select on {} to {} with grant option").format(sql.Identifier(READERS), worker),
    ):
        connection.execute(grant)
