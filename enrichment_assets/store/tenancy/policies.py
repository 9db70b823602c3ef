"""Row level security on one table after the other: whoever is no worker of the platform sees a client's rows or none.

Every protected table has it enabled and forced, so that its owner is no exception either, and these policies:

    enrich_works   the table's owner and the roles that work for the platform: all rows. The condition is the constant
                   true, which the planner folds away: their plans are what they were
    enrich_reads   everybody: the rows of the client whose reader role asks (`enrich_readers` says whose it is)
    enrich_keeps   roles that had been granted something on the table before it was protected: all rows, as before

A superuser and a role with BYPASSRLS are not asked. Nothing here knows a table by name: HQ's come from what
`store/tables` declares (`declared`), the workspace's from who makes them (`warehouse.publishing`,
`results.destinations`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql
from psycopg.errors import DeadlockDetected, InsufficientPrivilege, LockNotAvailable

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.store.database import Connection

WORKS, READS, KEEPS = "enrich_works", "enrich_reads", "enrich_keeps"
READERS = "enrich_readers"
"""The table, in HQ and in the workspace, that says whose reader a role is."""

READERS_CREATION = sql.SQL(
    f"create table if not exists {READERS} (role_name text primary key, role_oid oid unique, "
    "client_id bigint not null, client_slug text not null, granted_at timestamptz not null default now())"
)
"""The workspace's, which has no migrations; `store.tables.catalog.enrich_readers` is HQ's, of the same columns."""

_ME = "role_oid = to_regrole(quote_ident(current_user))"
_LOCK_SECONDS, _ATTEMPTS = 2, 15
_LOCK = 7_210_103
"""Held by who protects: of several that find a table unprotected one does it."""

Rows = sql.Composed | None
"""Which rows of a table a reader may see, as an SQL condition; None: none."""


def rows_of_client(column: str) -> sql.Composed:
    """The rows whose column holds the id of the reader's client."""
    return sql.SQL("{} = (select r.client_id from {} r where r.{})").format(
        sql.Identifier(column), sql.Identifier(READERS), sql.SQL(_ME)
    )


def rows_of_slug() -> sql.Composed:
    """The rows whose `client_slug` is that of the reader's client: marts and destination tables."""
    return sql.SQL("client_slug = (select r.client_slug from {} r where r.{})").format(
        sql.Identifier(READERS), sql.SQL(_ME)
    )


def rows_of_batches(table: str, known_by: str) -> sql.Composed:
    """The rows of a table whose `batch_key` the reader's client has in another one (`known_by`)."""
    return sql.SQL("exists (select from {} m where m.batch_key = {}.batch_key and m.{})").format(
        sql.Identifier(known_by), sql.Identifier(table), rows_of_slug()
    )


def own_entry() -> sql.Composed:
    """The row of `enrich_readers` that is the reader's own."""
    return sql.Composed([sql.SQL(_ME)])


def ensure_readers(connection: Connection) -> None:
    """Make `enrich_readers` where it is not there, protected."""
    found = connection.execute("select to_regclass(%s) is not null as found", [READERS]).fetchone()
    if not (found and found["found"]):
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        connection.execute(READERS_CREATION)
    protect(connection, {READERS: own_entry()})


def protect(
    connection: Connection, tables: Mapping[str, Rows], *, workers: Sequence[str] = (), only_ours: bool = False
) -> list[str]:
    """Protect what of these tables is not protected yet, or otherwise; the names of what was changed.

    Costs one question to the catalogue where all is as it is to be. Changing a table locks it until the transaction
    ends.

    Args:
        connection: To the database that has them, as their owner.
        tables: Name -> which rows of it a reader may see. A name that is no table is passed over.
        workers: Roles besides the owner that work on all rows.
        only_ours: Pass over tables of owners whose rights we have not.

    Raises:
        InfrastructureError: A table is not protected, and its owner is somebody else.
    """
    if not _to_change(connection, tables, workers, only_ours):
        return []
    connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
    waiting = _to_change(connection, tables, workers, only_ours)  # somebody else may have done it meanwhile
    for table in waiting:
        try:
            with connection.transaction():
                for statement in _changes(table, tables[table.name]):
                    connection.execute(statement)
        except InsufficientPrivilege:
            raise _not_ours(table) from None
    return [table.name for table in waiting]


def _to_change(
    connection: Connection, tables: Mapping[str, Rows], workers: Sequence[str], only_ours: bool
) -> list[_Table]:
    """The tables that are not as they are to be."""
    found = _looked_at(connection, tables, workers)
    return [table for table in found if not table.is_as(tables[table.name]) and (table.is_ours or not only_ours)]


def protect_patiently(connection: Connection, tables: Mapping[str, Rows], *, workers: Sequence[str] = ()) -> None:
    """`protect`, each table in a transaction of its own, while others work on them.

    Whoever works on a table is waited for two seconds at a time, so that nobody queues behind us for longer.

    Args:
        connection: In autocommit mode.
        tables: As `protect`.
        workers: As `protect`.

    Raises:
        InfrastructureError: As `protect`; or somebody does not let go of a table.
    """
    for name, rows in tables.items():
        for attempt in range(_ATTEMPTS):
            try:
                with connection.transaction():
                    connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
                    connection.execute(f"set local lock_timeout = '{_LOCK_SECONDS}s'")
                    protect(connection, {name: rows}, workers=workers)
                break
            except (LockNotAvailable, DeadlockDetected):
                if attempt == _ATTEMPTS - 1:
                    raise InfrastructureError(
                        f"The table {name} is held by a transaction that does not end: row level security cannot be "
                        "switched on. End that transaction and start again.",
                        code="tenants.table_held",
                    ) from None


def secure_view(connection: Connection, name: str) -> bool:
    """Let a view read as whoever asks it, not as its owner, who would see all rows. Whether that is new."""
    found = connection.execute(
        "select pg_has_role(relowner, 'usage') and not 'security_invoker=true' = any(coalesce(reloptions, '{}')) "
        "as open from pg_class where oid = to_regclass(%s) and relkind = 'v'",
        [f'"{name}"'],
    ).fetchone()
    if not (found and found["open"]):
        return False
    connection.execute(sql.SQL("alter view {} set (security_invoker = true)").format(sql.Identifier(name)))
    return True


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as it stands: who owns it, who had rights on it, and its policies."""

    name: str
    owner: str
    is_ours: bool
    enabled: bool
    forced: bool
    works: Sequence[str]  # the roles that the policy is for; empty: there is none
    wanted: Sequence[str]
    reads: str | None  # its condition, as we wrote it; None: there is no such policy
    grantees: Sequence[str]

    def is_as(self, rows: Rows) -> bool:
        """Whether it is protected, and just so."""
        same = self.reads == (None if rows is None else _noted(rows))
        return self.enabled and self.forced and same and set(self.wanted) <= set(self.works)


def _looked_at(connection: Connection, tables: Mapping[str, Rows], workers: Sequence[str]) -> list[_Table]:
    found = connection.execute(
        """
        select n.name, o.rolname as owner, pg_has_role(c.relowner, 'usage') as is_ours,
          c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
          array(select r.rolname::text from pg_policy p, unnest(p.polroles) as m join pg_roles r on r.oid = m
                where p.polrelid = c.oid and p.polname = %(works)s) as works,
          (select coalesce(obj_description(p.oid, 'pg_policy'), '') from pg_policy p
           where p.polrelid = c.oid and p.polname = %(reads)s) as reads,
          array(select distinct r.rolname::text from aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
                where a.grantee <> c.relowner and not exists (
                  select from enrich_readers e join pg_roles m on m.oid = e.role_oid
                  where pg_has_role(m.oid, a.grantee, 'member'))) as grantees
        from unnest(%(names)s::text[]) as n (name)
        join pg_class c on c.oid = to_regclass(quote_ident(n.name)) and c.relkind in ('r', 'p')
        join pg_roles o on o.oid = c.relowner order by n.name
        """,
        {"works": WORKS, "reads": READS, "names": list(tables)},
    )
    return [
        _Table(**row, wanted=[row["owner"], *(worker for worker in workers if worker != row["owner"])])
        for row in found.fetchall()
    ]


def _changes(table: _Table, rows: Rows) -> list[sql.Composed]:
    """What makes the table protected."""
    name = sql.Identifier(table.name)
    changes = [sql.SQL("alter table {} enable row level security, force row level security").format(name)]
    everything = sql.SQL("using (true) with check (true)")
    roles = _listed(dict.fromkeys([*table.works, *table.wanted]))
    if not table.works:
        changes.append(_policy(WORKS, name, sql.SQL("to {} {}").format(roles, everything)))
    elif not set(table.wanted) <= set(table.works):
        changes.append(sql.SQL("alter policy {} on {} to {}").format(sql.Identifier(WORKS), name, roles))
    if not table.enabled and (kept := [role for role in table.grantees if role not in table.wanted]):
        changes.append(_policy(KEEPS, name, sql.SQL("to {} {}").format(_listed(kept), everything)))
    if table.reads != (None if rows is None else _noted(rows)):
        changes.append(sql.SQL("drop policy if exists {} on {}").format(sql.Identifier(READS), name))
        if rows is not None:
            changes.append(_policy(READS, name, sql.SQL("for select using ({})").format(rows)))
            comment = sql.SQL("comment on policy {} on {} is {}")
            changes.append(comment.format(sql.Identifier(READS), name, sql.Literal(_noted(rows))))
    return changes


def _policy(policy: str, table: sql.Identifier, rest: sql.Composed) -> sql.Composed:
    return sql.SQL("create policy {} on {} {}").format(sql.Identifier(policy), table, rest)


def _listed(roles: Sequence[str] | Mapping[str, None]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, roles))


def _noted(rows: sql.Composed) -> str:
    """A condition as it is noted beside its policy: what Postgres shows of it is written otherwise."""
    return rows.as_string(None)


def _not_ours(table: _Table) -> InfrastructureError:
    return InfrastructureError(
        f"The table {table.name} has no row level security as it should, and it belongs to the role {table.owner}: "
        "only that role, or one that has its rights, can change that.",
        code="tenants.table_of_another",
    )
