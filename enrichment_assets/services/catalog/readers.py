"""Reader roles: a client's own rows of the results, in Postgres, for whatever tool it likes (ADR 0041).

The role is made where the results are, in the workspace; the HQ database is told whose it is, so that a table which
somebody lets it at there shows it the rows of its client too.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from psycopg.errors import InsufficientPrivilege

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection, place
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.tenancy import readers as store
from enrichment_assets.store.tenancy.policies import ensure_readers
from enrichment_assets.store.tenancy.readers import Reader
from enrichment_assets.store.tenancy.workspace import deciding_among, let_at_views, lock_readers
from enrichment_assets.store.views.making import standing
from enrichment_assets.warehouse.protecting import protect_published

LEAST_PASSWORD = 12
"""Characters of a password that somebody chooses."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A reader as it is now.

    Attributes:
        reader: The role, and whose rows it sees.
        database: Where it reads: `host:port/database`.
        password: One that was made up now; it is kept nowhere. None: the one that was given, or that it has.
        relations: The tables and views that it may read.
    """

    reader: Reader
    database: str
    password: str | None
    relations: list[str]


@dataclass(frozen=True, slots=True)
class Revoked:
    """A reader that is no more.

    Attributes:
        role: Its name.
        client: Whose rows it saw.
        left: Why the role is still there, without any right of ours; None: it is gone.
    """

    role: str
    client: str
    left: str | None


def grant_reader(
    hq: Hq,
    client: str,
    *,
    actor: Actor,
    password: str | None = None,
    role: str | None = None,
    renew: bool = False,
    decides: bool = False,
) -> Granted:
    """Make the client's reader role, or let the one that it has at what there is now.

    Args:
        hq: The databases.
        client: The client's slug.
        actor: Who grants it.
        password: Its password; None: one is made up for a new role.
        role: A role that an administrator made, instead of one that is made now; its password is not touched.
        renew: Make up a password for the role that the client has, too.
        decides: It may change what is writable of the views: status and approval of prospects.

    Raises:
        NotFoundError: There is no such client.
        ConfigurationError: Our role may create no roles, `role` must not be a reader, or the password is short.
    """
    if password is not None and len(password) < LEAST_PASSWORD:
        raise ConfigurationError(
            f"the password has {len(password)} characters: at least {LEAST_PASSWORD}", code="reader.password_short"
        )
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
    with hq.workspace.transaction() as workspace:
        lock_readers(workspace)
        relations = protect_published(workspace)
        name, made_up, changed = _role(workspace, client, role, password, renew=renew)
        oid = store.oid_of(workspace, name)
        changed |= store.note_reader(workspace, name, oid, client_id, client)
        store.let_in(workspace, name, relations)
        there = standing(workspace, "workspace")
        if decides:
            store.let_write(workspace, name)
            changed = True
        let_at_views(workspace, there, [name], [name] if decides else deciding_among(workspace, [name]))
        server = store.server_of(workspace)
        (reader,) = (one for one in store.readers(workspace, client) if one.role == name)
    with hq.transaction() as connection:
        same = store.server_of(connection) == server and store.oid_of(connection, name) == oid
        changed |= store.note_reader(connection, name, oid if same else None, client_id, client)
        if changed:
            after = {"role": name, **({"decides": True} if decides else {})}
            note_action(connection, actor, Code.CLIENT_GRANT_READER, client, client_id=client_id, after=after)
    return Granted(reader, place(hq.workspace.url), made_up, relations)


def revoke_reader(hq: Hq, client: str, *, actor: Actor) -> Revoked:
    """Take a client's reader role away. Doing it again finishes what was broken off.

    Raises:
        NotFoundError: There is no such client, or it has no reader.
    """
    with hq.transaction() as connection:
        client_id = client_row(connection, client, archived=True)["id"]
        known = {reader.role for reader in store.readers(connection, client)}
    with hq.workspace.transaction() as workspace:
        ensure_readers(workspace)
        known |= {reader.role for reader in store.readers(workspace, client)}
        for role in known:
            store.let_out(workspace, role)
    if not known:
        raise NotFoundError(f"client {client} has no reader role", code="reader.not_found")
    with hq.transaction() as connection:
        for role in known:
            store.let_out(connection, role)
    with hq.workspace.transaction() as workspace:
        left = {role: store.drop_role(workspace, role) for role in sorted(known)}
        for role in known:
            store.forget_reader(workspace, role)
    with hq.transaction() as connection:
        for role in sorted(known):
            store.forget_reader(connection, role)
            before = {"role": role}
            note_action(
                connection, actor, Code.CLIENT_REVOKE_READER, client, client_id=client_id, before=before, after=None
            )
    role, why = next(iter(left.items()))
    return Revoked(role, client, why)


def list_readers(hq: Hq) -> list[Reader]:
    """The readers of all clients, by client."""
    with hq.workspace.transaction() as workspace:
        ensure_readers(workspace)
        return store.readers(workspace)


def _role(
    workspace: Connection, client: str, wanted: str | None, password: str | None, *, renew: bool
) -> tuple[str, str | None, bool]:
    """The client's role, made if it is not there; a password that was made up; whether anything was changed."""
    there = next((reader for reader in store.readers(workspace, client) if reader.exists), None)
    if there is not None and wanted not in (None, there.role):
        raise ConfigurationError(
            f"client {client} has the reader {there.role}",
            Hint(Action.REVOKE_READER, {"client": client}),
            code="reader.another",
        )
    if wanted is not None:
        against = [] if there is not None else store.reasons_against(workspace, wanted)
        if against:
            raise ConfigurationError(
                f"the role {wanted} cannot be a client's reader: {', '.join(against)}", code="reader.role_refused"
            )
        return wanted, None, False
    made_up = secrets.token_urlsafe(24) if password is None and (there is None or renew) else None
    given = password or made_up
    name = there.role if there is not None else store.free_name(workspace, client)
    try:
        if there is None:
            store.make_role(workspace, name, given or "")
        elif given is not None:
            store.set_password(workspace, name, given)
    except InsufficientPrivilege:
        raise ConfigurationError(
            f"Our role in the workspace database may not create the role {name}, or change it.",
            Hint(Action.LET_MAKE_ROLE, {"client": client, "role": name}),
            code="reader.may_not_create_roles",
        ) from None
    return name, made_up, given is not None
