"""Users: adding, roles, disabling, and the one-time token by which somebody sets a password.

Nobody but the person knows a password: who adds or resets a user gets a token to pass on, which counts once.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from enrichment_assets.domain.access import Role
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.passwords import check_password, hashed_password
from enrichment_assets.services.access.errors import LoginRefusedError
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.access import users as store
from enrichment_assets.store.access.users import User
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq

SETUP_HOURS = 24.0
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Setup:
    """A one-time token for a user's password; it is shown once."""

    login: str
    token: str = field(repr=False)
    hours: float = SETUP_HOURS


def list_users(hq: Hq) -> list[User]:
    """Everybody, by login, with their roles."""
    with hq.transaction() as connection:
        return store.list_users(connection)


def who_may_see(hq: Hq, client: str) -> list[tuple[str, Role, bool]]:
    """(login, role, whether it is their role for all clients) of those who may see a client's data, by login."""
    found = []
    for user in list_users(hq):
        if user.disabled_at is None:
            found += [(user.login, role, of is None) for of, role in user.roles.items() if of in (None, client)]
    return found


def add_user(hq: Hq, login: str, role: Role, *, actor: Actor, client: str | None = None) -> Setup:
    """Add somebody with one role; the token sets their password.

    Args:
        hq: The operational database.
        login: A name or an address; upper case is taken for lower case.
        role: What they are.
        actor: Who adds them.
        client: To which client; None: to all of them.

    Raises:
        ConfigurationError: It is no login, or there is one of that name.
        NotFoundError: There is no such client.
    """
    name = _checked_login(login)
    with hq.transaction() as connection:
        client_id = _client_id(connection, client)
        user_id = store.add_user(connection, name)
        if user_id is None:
            raise ConfigurationError(f"there is a user {name} already", code="user.exists")
        store.set_role(connection, user_id, client_id, role)
        said = {"role": role.value, "client": client}
        note_action(connection, actor, Code.USER_ADD, name, client_id=client_id, after=said)
        return _setup(connection, name, user_id)


def first_owner(hq: Hq, *, actor: Actor, login: str = "owner") -> Setup | None:
    """The token of a fresh installation's first owner; None: somebody owns it already.

    Asked again before a password was set, it gives another token, and the first one counts no more.
    """
    with hq.transaction() as connection:
        owners = store.lock_owners(connection)
        found = store.find_user(connection, login, lock=True)
        is_owner = found is not None and found.roles.get(None) is Role.OWNER
        if owners and not (owners == 1 and found is not None and is_owner and found.password_hash is None):
            return None
        user_id = store.add_user(connection, _checked_login(login)) if found is None else found.id
        assert user_id is not None  # noqa: S101 - nobody has that login, and nobody else adds an owner meanwhile
        store.set_role(connection, user_id, None, Role.OWNER)
        code = Code.USER_RESET if is_owner else Code.USER_ADD
        note_action(connection, actor, code, login, after={"role": Role.OWNER.value, "client": None})
        return _setup(connection, login, user_id)


def change_role(hq: Hq, login: str, role: Role | None, *, actor: Actor, client: str | None = None) -> bool:
    """Give somebody another role for a client, or for all of them; None takes it away. False: it was so before.

    Raises:
        NotFoundError: There is no such user or client.
        ConfigurationError: Nobody would own the platform any more.
    """
    with hq.transaction() as connection:
        client_id = _client_id(connection, client, archived=role is None)
        owners = store.lock_owners(connection)
        user = must_find(connection, login)
        before = user.roles.get(client)
        if before is role:
            return False
        if client is None and before is Role.OWNER:
            _keep_an_owner(user, owners)
        store.set_role(connection, user.id, client_id, role)
        note_action(
            connection, actor, Code.USER_ROLE, user.login, client_id=client_id, before=_said(before), after=_said(role)
        )
        return True


def disable_user(hq: Hq, login: str, *, actor: Actor) -> bool:
    """Let somebody in no more; their sessions end with the commit. False: it was so before.

    Raises:
        NotFoundError: There is no such user.
        ConfigurationError: Nobody would own the platform any more.
    """
    with hq.transaction() as connection:
        owners = store.lock_owners(connection)
        user = must_find(connection, login)
        if user.disabled_at is not None:
            return False
        if user.roles.get(None) is Role.OWNER:
            _keep_an_owner(user, owners)
        store.set_disabled(connection, user.id, True)
        note_action(connection, actor, Code.USER_DISABLE, user.login)
        return True


def enable_user(hq: Hq, login: str, *, actor: Actor) -> bool:
    """Let somebody in again, with the password that they had. False: it was so before. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        user = must_find(connection, login)
        if user.disabled_at is None:
            return False
        store.set_disabled(connection, user.id, False)
        note_action(connection, actor, Code.USER_ENABLE, user.login)
        return True


def reset_user(hq: Hq, login: str, *, actor: Actor) -> Setup:
    """End somebody's password and sessions, and give the token that sets the next one.

    Raises:
        NotFoundError: There is no such user.
        ConfigurationError: They are disabled.
    """
    with hq.transaction() as connection:
        user = must_find(connection, login)
        if user.disabled_at is not None:
            raise ConfigurationError(f"user {user.login} is disabled", code="user.disabled")
        note_action(connection, actor, Code.USER_RESET, user.login)
        return _setup(connection, user.login, user.id)


def set_password(hq: Hq, token: str, password: str) -> str:
    """Set a password by its one-time token; returns the login.

    Raises:
        LoginRefusedError: The token is unknown, used or over.
        ConfigurationError: The password is none that is taken; the token counts on.
    """
    with hq.transaction() as connection:
        user = store.user_by_setup(connection, _token_hash(token))
        if user is None:
            raise LoginRefusedError("that one-time token is unknown, was used, or is over", code="login.token_refused")
        check_password(password, user.login)
        store.set_password(connection, user.id, hashed_password(password))
        note_action(connection, Actor(ActorKind.USER, user.login), Code.USER_PASSWORD, user.login)
        return user.login


def _setup(connection: Connection, login: str, user_id: int) -> Setup:
    token = secrets.token_urlsafe(32)
    store.set_setup(connection, user_id, _token_hash(token), SETUP_HOURS)
    return Setup(login, token)


def _token_hash(token: str) -> bytes:
    """Of 256 random bits, which nobody guesses: a plain hash is enough."""
    return hashlib.sha256(token.encode()).digest()


def is_login(name: str) -> bool:
    """Whether a user may be called so."""
    return _LOGIN.fullmatch(name) is not None


def _checked_login(login: str) -> str:
    name = login.strip().lower()
    if not is_login(name):
        raise ConfigurationError(
            f"{login[:64]!r} is no login: 1 to 64 letters, digits and . _ @ + -, the first a letter or a digit",
            code="user.login_invalid",
        )
    return name


def must_find(connection: Connection, login: str) -> User:
    """The user of a login, locked until the transaction ends. Raises `NotFoundError`."""
    user = store.find_user(connection, login.strip().lower(), lock=True)
    if user is None:
        raise NotFoundError(f"there is no user {login!r}", code="user.not_found")
    return user


def _keep_an_owner(user: User, owners: int) -> None:
    if user.disabled_at is None and owners <= 1:
        raise ConfigurationError(
            f"{user.login} is the only owner of the platform: make somebody else one first", code="user.last_owner"
        )


def _client_id(connection: Connection, client: str | None, *, archived: bool = False) -> int | None:
    return None if client is None else int(client_row(connection, client, archived=archived)["id"])


def _said(role: Role | None) -> dict[str, Any] | None:
    return None if role is None else {"role": role.value}
