"""Connections by which events come: adding them, their addresses, and what came by them."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.literal_keys import looks_like_key
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.statuses import EventInboxStatus
from enrichment_assets.domain.variables import is_own_variable
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.deliveries.listening import existing
from enrichment_assets.services.deliveries.readers import reader_of
from enrichment_assets.services.operations.callbacks import rendered
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.deliveries import events as event_store
from enrichment_assets.store.deliveries import inbox, sources
from enrichment_assets.store.deliveries.events import KeptEvent
from enrichment_assets.store.deliveries.inbox import MessageRow
from enrichment_assets.store.deliveries.sources import Connected
from enrichment_assets.store.hq import Hq

PATH = "/events/"
"""Where messages are posted, behind the receiver's public address."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LEAST_POLL = 30


@dataclass(frozen=True, slots=True)
class Added:
    """A connection, and the path that it is posted to, which is shown this once; None: nothing is posted."""

    connected: Connected
    path: str | None


def add_connection(
    hq: Hq,
    client: str,
    name: str,
    kind: str,
    *,
    actor: Actor,
    secret_variable: str | None = None,
    settings: Mapping[str, Any] | None = None,
    poll_seconds: int | None = None,
    secret_follows: bool = False,
) -> Added:
    """Take events of a client by a new connection.

    Args:
        hq: The databases.
        client: Slug.
        name: By which it is known; no other has it.
        kind: Who reads it, as `clickup`.
        actor: Who adds it.
        secret_variable: NAME of the variable by which messages are signed, or the service is asked.
        settings: As the kind understands them.
        poll_seconds: How often it is asked; None: as often as its kind is, where it is asked at all.
        secret_follows: The service makes the secret when it is told the address: the variable is set afterwards, and
            messages wait until then.

    Raises:
        ConfigurationError: Name, kind, variable or settings are none that can be used, or the name is taken.
        NotFoundError: There is no such client.
    """
    reader, given = reader_of(kind), dict(settings or {})
    _check(name, kind, secret_variable, given, poll_seconds, secret_follows=secret_follows)
    token = secrets.token_urlsafe(32) if reader.is_posted else None
    digest = None if token is None else _digest(token)
    polls = None if reader.poll is None else poll_seconds or reader.poll_seconds
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        if not sources.add(connection, client_id, name, kind, digest, secret_variable, given, polls):
            raise ConfigurationError(f"events come by a connection {name} already", code="event_source.name_taken")
        after: dict[str, Any] = {"kind": kind, "settings": sorted(given)}
        if secret_variable is not None:
            after["secrets"] = {"signing": secret_variable}
        note_action(connection, actor, Code.EVENT_SOURCE_ADD, name, client_id=client_id, after=after)
        return Added(existing(connection, name), None if token is None else PATH + token)


def _check(
    name: str,
    kind: str,
    secret_variable: str | None,
    settings: Mapping[str, Any],
    poll_seconds: int | None,
    *,
    secret_follows: bool,
) -> None:
    reader = reader_of(kind)
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name[:80]!r} is no name for a connection: small letters, digits and -, as in acme-clickup",
            code="event_source.name_invalid",
        )
    if reader.needs_secret and secret_variable is None:
        raise ConfigurationError(
            f"a connection of {kind} needs the NAME of the environment variable with its secret",
            code="event_source.secret_needed",
        )
    if secret_variable is not None and is_own_variable(secret_variable):
        raise ConfigurationError(
            f"{secret_variable} is a setting of the platform or the system, and no secret of a connection",
            code="event_source.variable_reserved",
        )
    if secret_variable is not None and not secret_follows and not os.environ.get(secret_variable):
        raise ConfigurationError(
            f"the environment variable {secret_variable} is not set", code="event_source.secret_missing"
        )
    for setting, value in settings.items():
        if isinstance(value, str) and looks_like_key(setting, value):
            raise ConfigurationError(
                f"the setting {setting!r} looks like a key: name the environment variable that holds it instead",
                code="event_source.literal_key",
            )
    if reader.check is not None:
        reader.check(settings)
    if poll_seconds is not None and (reader.poll is None or poll_seconds < LEAST_POLL):
        said = f"is asked every {LEAST_POLL} seconds at most" if reader.poll is not None else "is not asked"
        raise ConfigurationError(f"a connection of {kind} {said}", code="event_source.poll_invalid")


def list_connections(hq: Hq, *, client: str | None = None, kind: str | None = None) -> list[Connected]:
    """All connections, a client's, or those of a kind. Raises `NotFoundError` for a client that does not exist."""
    with hq.transaction() as connection:
        client_id = None if client is None else client_row(connection, client)["id"]
        return sources.listed(connection, client_id, kind)


def new_address(hq: Hq, name: str, *, actor: Actor) -> Added:
    """Give a connection another path, which is shown this once; by the one before nothing comes any more.

    Raises `NotFoundError`, and `ConfigurationError` where nothing is posted to it.
    """
    with hq.transaction() as connection:
        source = existing(connection, name, lock=True)
        if not reader_of(source.kind).is_posted:
            raise ConfigurationError(f"nothing is posted to {name}", code="event_source.not_posted")
        token = secrets.token_urlsafe(32)
        sources.set_token(connection, source.id, _digest(token))
        note_action(connection, actor, Code.EVENT_SOURCE_ROTATE, name, client_id=source.client_id)
        return Added(existing(connection, name), PATH + token)


def pause_connection(hq: Hq, name: str, *, paused: bool, actor: Actor, client: str | None = None) -> Connected:
    """Read nothing of it and do not ask it, or go on with that; what is posted is kept meanwhile.

    `client`: only where it is theirs. Raises `NotFoundError`.
    """
    with hq.transaction() as connection:
        source = existing(connection, name, lock=True, client=client)
        if (source.paused_at is not None) is not paused:
            sources.set_paused(connection, source.id, paused=paused)
            code = Code.EVENT_SOURCE_PAUSE if paused else Code.EVENT_SOURCE_RESUME
            note_action(connection, actor, code, name, client_id=source.client_id)
        return existing(connection, name)


def remove_connection(hq: Hq, name: str, *, actor: Actor) -> Connected:
    """Forget a connection and the messages that came by it; events that were read of them stay."""
    with hq.transaction() as connection:
        source = existing(connection, name, lock=True)
        sources.remove(connection, source.id)
        before = {"kind": source.kind}
        note_action(connection, actor, Code.EVENT_SOURCE_REMOVE, name, client_id=source.client_id, before=before)
        return source


def list_events(
    hq: Hq,
    *,
    client: str | None = None,
    kind: str | None = None,
    source: str | None = None,
    item_id: int | None = None,
    delivery_id: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[KeptEvent]:
    """What came back, the newest first; `before`: what is older than the event of this number.

    Raises `NotFoundError` for a client that does not exist.
    """
    with hq.transaction() as connection:
        client_id = None if client is None else client_row(connection, client)["id"]
        return event_store.listed(
            connection,
            client_id,
            kind=kind,
            source=source,
            item_id=item_id,
            delivery_id=delivery_id,
            before=before,
            limit=limit,
        )


def list_messages(
    hq: Hq,
    *,
    status: EventInboxStatus | None = None,
    source: str | None = None,
    client: str | None = None,
    limit: int = 100,
) -> list[MessageRow]:
    """Kept messages, the newest first. Raises `NotFoundError` for a client or connection that does not exist."""
    with hq.transaction() as connection:
        client_id = None if client is None else client_row(connection, client)["id"]
        if source is not None:
            existing(connection, source, client=client)
        return inbox.listed(connection, status=status, source=source, client_id=client_id, limit=limit)


@dataclass(frozen=True, slots=True)
class MessageDetail:
    """One message whole: its line in the list, its headers, its bytes as they came."""

    row: MessageRow
    headers: dict[str, str]
    body: bytes

    def rendered_body(self, limit: int = 4000) -> tuple[str, str]:
        """(`text` or `hex`, at most `limit` bytes of the body for a terminal)."""
        return rendered(self.body, self.headers, limit)


def show_message(hq: Hq, inbox_id: int) -> MessageDetail:
    """One kept message. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        found = inbox.shown(connection, inbox_id)
    if found is None:
        raise NotFoundError(f"there is no message {inbox_id}", code="event.message_not_found")
    return MessageDetail(*found)


def replay(
    hq: Hq,
    *,
    actor: Actor,
    inbox_id: int | None = None,
    source: str | None = None,
    dead_only: bool = True,
    client: str | None = None,
) -> list[int]:
    """Have one message, or those of a connection, read again from their bytes; their numbers.

    Events that are kept already are not taken again: reading all of a connection again finds what its reader missed.
    `client`: only where the connection is theirs.

    Raises:
        ConfigurationError: Not exactly one of message and connection is named.
        NotFoundError: There is no such message or connection.
    """
    if (inbox_id is None) == (source is None):
        raise ConfigurationError("name either one message or a connection to replay", code="event.one_or_source")
    with hq.transaction() as connection:
        if inbox_id is not None and inbox.shown(connection, inbox_id) is None:
            raise NotFoundError(f"there is no message {inbox_id}", code="event.message_not_found")
        found = None if source is None else existing(connection, source, lock=True, client=client)
        again = inbox.reopen(
            connection, inbox_id=inbox_id, source_id=None if found is None else found.id, dead_only=dead_only
        )
        if again:
            name = source or inbox.shown(connection, again[0])[0].source  # type: ignore[index]
            client_id = existing(connection, name).client_id
            note_action(connection, actor, Code.EVENT_REPLAY, name, client_id=client_id, after={"messages": len(again)})
    return again


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
