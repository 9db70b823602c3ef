"""Tables of results, in the workspace: protected when they are made, and open to the readers that there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import sql

from enrichment_assets.store.asked import changes
from enrichment_assets.store.database import Connection
from enrichment_assets.store.tenancy.policies import READERS, READS, Rows, ensure_readers, protect, secure_view
from enrichment_assets.store.views.making import View, ensure_views, let_use, views

MAY_WRITE = "default_transaction_read_only"
"""The setting of a reader's role that is `off` where it may change what is writable of its views."""

_LOCK = 7_210_104
"""Held by who makes a reader and by who makes a table: the reader of now may read the table of now."""


def protect_results(connection: Connection, tables: Mapping[str, Rows], open_: Sequence[str] = ()) -> None:
    """Protect tables of results, as far as they are ours, and let the readers at those that are open to them.

    Costs two questions to the catalogue where all is as it is to be.

    Args:
        connection: The database that they are in.
        tables: Name -> which rows of it a reader may see.
        open_: Names among them, and views over them, that readers may select from.
    """
    ensure_readers(connection)
    if protect(connection, tables, only_ours=True) and open_:
        lock_readers(connection)
        let_read(connection, _roles(connection), open_among(connection, open_))


def show_views(connection: Connection, system: str) -> None:
    """Make the views of a system over tables of results, and let the readers at them.

    Readers who may decide may change what is writable of them.
    """
    wanted = [view for view in views("workspace") if view.system == system]
    if any(view.triggers for view in wanted):
        changes.ensure(connection)
    made = ensure_views(connection, wanted)
    if made:
        lock_readers(connection)
        roles = _roles(connection)
        let_at_views(connection, made, roles, deciding_among(connection, roles))


def let_at_views(connection: Connection, there: Sequence[View], roles: Sequence[str], deciders: Sequence[str]) -> None:
    """Let readers select from views, and those among them who decide change what is writable of them."""
    let_use(connection, there, roles)
    writable = [view for view in there if view.triggers]
    if writable:
        let_use(connection, writable, deciders, write=True)
        let_read(connection, roles, open_among(connection, [changes.TABLE]))  # such a view reads what is asked for


def deciding_among(connection: Connection, roles: Sequence[str]) -> list[str]:
    """Those of the roles whose sessions begin with the right to write: they were let decide."""
    found = connection.execute(
        "select rolname as name from pg_roles where rolname = any(%s) and rolconfig @> %s order by 1",
        [list(roles), [f"{MAY_WRITE}=off"]],
    )
    return [row["name"] for row in found.fetchall()]


def _roles(connection: Connection) -> list[str]:
    """The reader roles that there are."""
    found = connection.execute(
        f"select r.rolname as name from {READERS} e join pg_roles r on r.oid = e.role_oid order by 1"
    )
    return [row["name"] for row in found.fetchall()]


def open_among(connection: Connection, names: Sequence[str]) -> list[str]:
    """Those of the names that are there and show a reader its client's rows: protected tables, and views over them."""
    found = connection.execute(
        """
        select n.name from unnest(%s::text[]) with ordinality as n (name, place)
        join pg_class c on c.oid = to_regclass(quote_ident(n.name))
        where c.relkind = 'v' and 'security_invoker=true' = any(coalesce(c.reloptions, '{}'))
           or c.relforcerowsecurity and exists (
             select from pg_policy p where p.polrelid = c.oid and p.polname = %s)
        order by n.place
        """,
        [list(names), READS],
    )
    return [row["name"] for row in found.fetchall()]


def secure_view_over(connection: Connection, view: str, tables: Sequence[str]) -> None:
    """Let a view read as whoever asks it; whoever could read it is let at the tables that it reads."""
    if not secure_view(connection, view):
        return
    found = connection.execute(
        """
        select distinct r.rolname as name from pg_class c cross join aclexplode(c.relacl) a
        join pg_roles r on r.oid = a.grantee
        where c.oid = to_regclass(%s) and a.privilege_type = 'SELECT' and a.grantee <> c.relowner
        """,
        [f'"{view}"'],
    ).fetchall()
    let_read(connection, [row["name"] for row in found], tables)


def let_read(connection: Connection, roles: Sequence[str], relations: Sequence[str]) -> None:
    """Let roles select from tables and views."""
    if roles and relations:
        comma = sql.SQL(", ").join
        grant = sql.SQL("grant select on {} to {}")
        connection.execute(grant.format(comma(map(sql.Identifier, relations)), comma(map(sql.Identifier, roles))))


def lock_readers(connection: Connection) -> None:
    """Let nobody else make a reader or an open table until the transaction ends."""
    connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
