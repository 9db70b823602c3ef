"""API keys: making, listing and revoking them, and knowing who sends one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from enrichment_assets.domain.access import SCOPES, Caller, Grant, Permission
from enrichment_assets.domain.actors import Actor, ActorKind, is_name
from enrichment_assets.domain.api_keys import new_key, read_key
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.access import api_keys as store
from enrichment_assets.store.access.api_keys import StoredKey
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.hq import Hq


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made; `text` is shown once, and kept nowhere."""

    text: str = field(repr=False)
    key: StoredKey


def create_key(
    hq: Hq,
    name: str,
    scopes: Collection[str],
    *,
    actor: Actor,
    client: str | None = None,
    days: int | None = 365,
) -> NewKey:
    """Make a key.

    Args:
        hq: The operational database.
        name: Under which its changes are written down; no two keys ever have one name.
        scopes: What it may, as `batches:read`; at least one.
        actor: Who makes it.
        client: For which client; None: for all.
        days: How long it counts; None: for good.

    Raises:
        ConfigurationError: The name is none or taken, or a scope is none.
        NotFoundError: There is no such client.
    """
    if not is_name(name):
        raise ConfigurationError(
            "a key's name has 1 to 128 printable characters, and no blank at its ends", code="api_key.name_invalid"
        )
    wanted = sorted({_scope(text) for text in scopes})
    if not wanted:
        raise ConfigurationError(
            f"say what the key may: one or more of {', '.join(sorted(SCOPES))}", code="api_key.no_scope"
        )
    key = new_key()
    with hq.transaction() as connection:
        client_id = None if client is None else int(client_row(connection, client)["id"])
        made = store.add_key(
            connection,
            name=name,
            prefix=key.prefix,
            secret_hash=key.secret_hash,
            client_id=client_id,
            scopes=wanted,
            created_by=str(actor),
            days=days,
        )
        if not made:
            raise ConfigurationError(f"there is, or was, a key named {name}: take another name", code="api_key.exists")
        said = {"prefix": key.prefix, "scopes": wanted, "client": client, "days": days}
        note_action(connection, actor, Code.API_KEY_CREATE, name, client_id=client_id, after=said)
        found = store.key_by_name(connection, name)
    assert found is not None  # noqa: S101 - it was added in this transaction
    return NewKey(key.text, found)


def list_keys(hq: Hq) -> list[StoredKey]:
    """All keys, those that count no more among them, the latest first."""
    with hq.transaction() as connection:
        return store.list_keys(connection)


def revoke_key(hq: Hq, name: str, *, actor: Actor) -> bool:
    """Let a key count no more, from the commit on. False: it was so before. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        found = store.key_by_name(connection, name)
        if found is None:
            known = [key.name for key in store.list_keys(connection)]
            raise NotFoundError(f"there is no key named {name!r}{did_you_mean(name, known)}", code="api_key.not_found")
        if found.revoked_at is not None:
            return False
        client_id = None
        if found.client is not None:
            client_id = int(client_row(connection, found.client, archived=True)["id"])
        store.revoke_key(connection, found.id)
        note_action(connection, actor, Code.API_KEY_REVOKE, name, client_id=client_id, before={"scopes": found.scopes})
        return True


def caller_of_key(hq: Hq, text: str) -> Caller | None:
    """Who sends a key; None: it is none of ours, was revoked, or its time is over. Costs one statement."""
    key = read_key(text)
    if key is None:
        return None
    with hq.transaction() as connection:
        found = store.key_by_prefix(connection, key.prefix)
        if found is None or not key.matches(found.secret_hash) or found.is_over:
            return None
        if found.is_stale:
            store.note_use(connection, found.id)
    known = frozenset(permission for permission in SCOPES if permission.value in found.scopes)
    return Caller(Actor(ActorKind.API_KEY, found.name), (Grant(known, found.client),), f"key {found.id}")


def _scope(text: str) -> str:
    word = text.strip().lower()
    if word not in SCOPES:
        known = sorted(SCOPES)
        raise ConfigurationError(
            f"{text[:64]!r} is nothing that a key may{did_you_mean(word, known)}: {', '.join(known)}",
            code="api_key.scope_unknown",
        )
    return Permission(word).value
