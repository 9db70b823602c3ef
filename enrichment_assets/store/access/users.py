"""The statements on `users` and their roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from psycopg.rows import class_row

from enrichment_assets.domain.access import Role
from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class User:
    """Who logs in.

    Attributes:
        id: Its number.
        login: Under which name; also the name of its actor.
        password_hash: None: none is set yet.
        sessions: Sessions count as long as they have this number in them.
        totp_sealed: The authenticator's secret; None: there is none.
        totp_step: Time step of its last code; None: no code has confirmed it yet.
        disabled_at: Since when it may not log in.
        last_login_at: When it last did.
        created_at: When it was added.
        roles: Slug of a client, or None for all of them -> role.
    """

    id: int
    login: str
    password_hash: str | None = field(repr=False)
    sessions: int
    totp_sealed: bytes | None = field(repr=False)
    totp_step: int | None
    disabled_at: datetime | None
    last_login_at: datetime | None
    created_at: datetime
    roles: dict[str | None, Role] = field(default_factory=dict)


_COLUMNS = """
    u.id, u.login, u.password_hash, u.sessions, u.totp_sealed, u.totp_step, u.disabled_at, u.last_login_at, u.created_at
"""


def list_users(connection: Connection) -> list[User]:
    """All of them, by login."""
    with connection.cursor(row_factory=class_row(User)) as cursor:
        found = cursor.execute(f"select {_COLUMNS} from users u order by u.login").fetchall()
    return _with_roles(connection, found)


def find_user(connection: Connection, login: str, *, lock: bool = False) -> User | None:
    """The user of a login, locked until the transaction ends where that is asked for."""
    locking = " for update" if lock else ""
    return _one(connection, f"select {_COLUMNS} from users u where u.login = %s{locking}", login)


def user_by_id(connection: Connection, user_id: int) -> User | None:
    """The user of a number."""
    return _one(connection, f"select {_COLUMNS} from users u where u.id = %s", user_id)


def user_by_setup(connection: Connection, setup_hash: bytes) -> User | None:
    """The user whose one-time token has this hash and is not over, locked; nobody who is disabled."""
    return _one(
        connection,
        f"select {_COLUMNS} from users u where u.setup_hash = %s and u.setup_until > clock_timestamp() "
        "and u.disabled_at is null for update",
        setup_hash,
    )


def _one(connection: Connection, query: str, value: str | int | bytes) -> User | None:
    with connection.cursor(row_factory=class_row(User)) as cursor:
        found = cursor.execute(query, (value,)).fetchall()
    return next(iter(_with_roles(connection, found)), None)


def _with_roles(connection: Connection, users: list[User]) -> list[User]:
    by_id = {user.id: user for user in users}
    rows = connection.execute(
        "select r.user_id, c.slug, r.role from user_roles r left join clients c on c.id = r.client_id "
        "where r.user_id = any(%s) order by c.slug nulls first",
        (list(by_id),),
    ).fetchall()
    for row in rows:
        by_id[row["user_id"]].roles[row["slug"]] = Role(row["role"])
    return users


def add_user(connection: Connection, login: str) -> int | None:
    """A new user, with nothing; None: there is one of that login."""
    row = connection.execute(
        "insert into users (login) values (%s) on conflict (login) do nothing returning id", (login,)
    ).fetchone()
    return None if row is None else int(row["id"])


def set_role(connection: Connection, user_id: int, client_id: int | None, role: Role | None) -> None:
    """Give a role for a client, or for all (`client_id` None); role None takes it away."""
    if role is None:
        connection.execute(
            "delete from user_roles where user_id = %s and client_id is not distinct from %s", (user_id, client_id)
        )
        return
    connection.execute(
        """
        insert into user_roles (user_id, client_id, role) values (%s, %s, %s)
        on conflict (user_id, client_id) do update set role = excluded.role
        """,
        (user_id, client_id, role.value),
    )


def lock_owners(connection: Connection) -> int:
    """How many users who are not disabled own the platform for all clients; nobody else changes that meanwhile."""
    connection.execute("lock table user_roles in share row exclusive mode")
    row = connection.execute(
        "select count(*) as n from user_roles r join users u on u.id = r.user_id "
        "where r.role = %s and r.client_id is null and u.disabled_at is null",
        (Role.OWNER.value,),
    ).fetchone()
    return int(row["n"]) if row else 0


def set_disabled(connection: Connection, user_id: int, disabled: bool) -> None:
    """Let a user log in no more, or again; its sessions and its one-time token end."""
    connection.execute(
        "update users set disabled_at = case when %s then clock_timestamp() end, sessions = sessions + 1, "
        "setup_hash = null, setup_until = null where id = %s",
        (disabled, user_id),
    )


def set_setup(connection: Connection, user_id: int, setup_hash: bytes, hours: float) -> None:
    """Let whoever has the token of this hash set a password once, in time; sessions and the old password end."""
    connection.execute(
        "update users set setup_hash = %s, setup_until = clock_timestamp() + %s * interval '1 hour', "
        "password_hash = null, sessions = sessions + 1 where id = %s",
        (setup_hash, hours, user_id),
    )


def set_password(connection: Connection, user_id: int, password_hash: str) -> None:
    """Keep a new password: the token and all sessions end."""
    connection.execute(
        "update users set password_hash = %s, setup_hash = null, setup_until = null, sessions = sessions + 1 "
        "where id = %s",
        (password_hash, user_id),
    )


def note_login(connection: Connection, user_id: int, better_hash: str | None) -> None:
    """Keep when a user logged in, and the password as it is hashed now where that has changed."""
    connection.execute(
        "update users set last_login_at = clock_timestamp(), password_hash = coalesce(%s, password_hash) where id = %s",
        (better_hash, user_id),
    )
