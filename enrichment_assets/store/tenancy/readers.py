"""Reader roles: made, let in, let out and dropped on one database; whose rows each sees stands in `enrich_readers`."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from psycopg.errors import DependentObjectsStillExist, InsufficientPrivilege

from enrichment_assets.store.database import Connection, Row
from enrichment_assets.store.tenancy.policies import KEEPS, READERS, WORKS
from enrichment_assets.store.tenancy.workspace import MAY_WRITE, let_read

PREFIX = "enrich_reader_"
LONGEST_NAME = 63
"""Bytes of a role's name; Postgres cuts longer ones."""

MOST_CONNECTIONS = 10
_SETTINGS = {
    MAY_WRITE: "on",
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "10min",
}
"""What a reader's sessions begin with: for its own good, since whoever has the role can set them otherwise."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A client's reader role.

    Attributes:
        role: Its name.
        client: Slug of the client whose rows it sees.
        granted_at: Since when.
        exists: Whether the role is there, and is the one that was made then.
    """

    role: str
    client: str
    granted_at: datetime
    exists: bool


def role_name(client_slug: str) -> str:
    """A name that is a plain identifier, and another one for each slug: `enrich_reader_acme_2` for `acme-2`."""
    name = PREFIX + client_slug.replace("-", "_")
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(client_slug.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - len(digest) - 1]}_{digest}"


def free_name(connection: Connection, client_slug: str) -> str:
    """The name, or, where another installation of the same server has it, the name with something behind it."""
    name = wanted = role_name(client_slug)
    while oid_of(connection, name) is not None:
        tail = f"_{secrets.token_hex(3)}"
        name = wanted[: LONGEST_NAME - len(tail)] + tail
    return name


def oid_of(connection: Connection, role: str) -> int | None:
    """The number of a role; None: there is no such role."""
    row = connection.execute("select oid from pg_roles where rolname = %s", [role]).fetchone()
    return None if row is None else int(row["oid"])


def readers(connection: Connection, client_slug: str | None = None) -> list[Reader]:
    """The readers that the database knows, of one client or of all, by client."""
    rows = connection.execute(
        f"""
        select e.role_name as role, e.client_slug as client, e.granted_at, r.oid is not null as exists
        from {READERS} e left join pg_roles r on r.oid = e.role_oid and r.rolname = e.role_name
        where %(client)s::text is null or e.client_slug = %(client)s order by 2, 1
        """,
        {"client": client_slug},
    )
    return [Reader(**row) for row in rows.fetchall()]


def make_role(connection: Connection, role: str, password: str) -> None:
    """Make a role that may log in and nothing else. Raises `InsufficientPrivilege` where ours may make none."""
    made = sql.SQL("create role {} login noinherit connection limit {} password {}")
    connection.execute(
        made.format(
            sql.Identifier(role), sql.Literal(MOST_CONNECTIONS), sql.Literal(_verifier(connection, role, password))
        )
    )
    for name, value in _SETTINGS.items():
        statement = sql.SQL("alter role {} set {} = {}")
        connection.execute(statement.format(sql.Identifier(role), sql.Identifier(name), sql.Literal(value)))
    found = connection.execute("select current_database() as here, current_schemas(false) as path").fetchall()
    for row in found:  # so that it finds the tables by the names that we use
        path = sql.SQL(", ").join(map(sql.Identifier, row["path"]))
        statement = sql.SQL("alter role {} in database {} set search_path = {}")
        connection.execute(statement.format(sql.Identifier(role), sql.Identifier(row["here"]), path))


def let_write(connection: Connection, role: str) -> None:
    """Let a role's sessions write where it has a right to, from the next one on; an administrator's is theirs."""
    setting = sql.SQL("alter role {} set {} = off").format(sql.Identifier(role), sql.Identifier(MAY_WRITE))
    with suppress(InsufficientPrivilege), connection.transaction():
        connection.execute(setting)


def set_password(connection: Connection, role: str, password: str) -> None:
    """Give a role another password, and let it log in."""
    statement = sql.SQL("alter role {} login password {}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(_verifier(connection, role, password))))


def reasons_against(connection: Connection, role: str) -> list[str]:
    """Why a role that somebody made must not be a reader: it could see or become more than a client's rows."""
    row = connection.execute(
        """
        select r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication,
          exists (select from pg_auth_members m where m.member = r.oid) as is_member,
          exists (select from pg_class c where c.relowner = r.oid) as owns,
          exists (select from pg_policy p, unnest(p.polroles) as one
                  where p.polname in (%(works)s, %(keeps)s) and one = r.oid) as works
        from pg_roles r where r.rolname = %(role)s
        """,
        {"role": role, "works": WORKS, "keeps": KEEPS},
    ).fetchone()
    if row is None:
        return ["there is no such role"]
    why = {
        "rolsuper": "it is a superuser",
        "rolbypassrls": "it has BYPASSRLS",
        "rolcreaterole": "it may create roles",
        "rolreplication": "it may replicate",
        "is_member": "it is a member of another role",
        "owns": "it owns tables here",
        "works": "it was let at all rows before",
    }
    return [said for name, said in why.items() if row[name]]


def note_reader(connection: Connection, role: str, oid: int | None, client_id: int, client_slug: str) -> bool:
    """Say whose rows a role sees; whether that is new."""
    row = connection.execute(
        f"""
        insert into {READERS} as e (role_name, role_oid, client_id, client_slug) values (%s, %s, %s, %s)
        on conflict (role_name) do update set role_oid = excluded.role_oid, granted_at = now()
        where e.role_oid is distinct from excluded.role_oid returning 1 as one
        """,
        [role, oid, client_id, client_slug],
    ).fetchone()
    return row is not None


def let_in(connection: Connection, role: str, relations: Sequence[str]) -> None:
    """Let a reader connect to this database and select from these tables and views, and nothing else."""
    names = [READERS, *relations]
    for right in _rights_around(connection, list(map(sql.Identifier, names))):
        connection.execute(sql.SQL("grant {} to {}").format(right, sql.Identifier(role)))
    let_read(connection, [role], names)


def let_out(connection: Connection, role: str) -> None:
    """Take all of that back: from now on the role sees no row here, not in an open session either."""
    connection.execute(f"update {READERS} set role_oid = null where role_name = %s", [role])
    if oid_of(connection, role) is None:
        return
    found = connection.execute(
        """
        select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where exists (select from aclexplode(c.relacl) a where a.grantee = %s::regrole
                      and (pg_has_role(a.grantor, 'usage') or pg_has_role(c.relowner, 'usage')))
        """,
        [sql.Identifier(role).as_string(None)],
    ).fetchall()
    named = [sql.Identifier(row["schema"], row["name"]) for row in found]
    if named:
        listed = sql.SQL(", ").join(named)
        connection.execute(sql.SQL("revoke all on {} from {}").format(listed, sql.Identifier(role)))
    for right in _rights_around(connection, named):
        connection.execute(sql.SQL("revoke {} from {}").format(right, sql.Identifier(role)))


def drop_role(connection: Connection, role: str) -> str | None:
    """Drop a role, or, where that cannot be, take its login; why it is still there, if it is."""
    if oid_of(connection, role) is None:
        return None
    try:
        with connection.transaction():
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))
        return None
    except DependentObjectsStillExist as error:
        why = f"somebody granted it more: {error.diag.message_detail or ''}".strip(": ")
    except InsufficientPrivilege:
        return "it was made by somebody else, who has to drop it"
    connection.execute(sql.SQL("alter role {} nologin").format(sql.Identifier(role)))
    return why


def forget_reader(connection: Connection, role: str) -> None:
    """Forget that there was such a reader."""
    connection.execute(f"delete from {READERS} where role_name = %s", [role])


def server_of(connection: Connection) -> Row | None:
    """When its server was started, to the microsecond: two databases of one server have the same roles."""
    return connection.execute("select pg_postmaster_start_time() as started_at").fetchone()


def _rights_around(connection: Connection, relations: Sequence[sql.Identifier]) -> list[sql.Composed]:
    """What a reader needs besides these tables: to connect to the database, and to use their schemas."""
    found = connection.execute(
        """
        select 'connect on database' as what, current_database() as name
        union select 'usage on schema', n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.oid = any(select to_regclass(r) from unnest(%s::text[]) r)
          and pg_has_role(n.nspowner, 'usage')
        """,
        [[relation.as_string(None) for relation in relations]],
    )
    return [sql.SQL("{} {}").format(sql.SQL(row["what"]), sql.Identifier(row["name"])) for row in found.fetchall()]


def _verifier(connection: Connection, role: str, password: str) -> str:
    """The password as the server keeps it (SCRAM): it travels in no statement, and stands in no log."""
    return connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
