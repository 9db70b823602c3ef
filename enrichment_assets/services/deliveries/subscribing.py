"""Connecting a service that is told our address by its API, and makes the secret that its messages are signed with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, EnrichError
from enrichment_assets.services.deliveries.connections import add_connection, remove_connection
from enrichment_assets.services.deliveries.readers import reader_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.deliveries import sources
from enrichment_assets.store.hq import Hq


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A connection whose address its service knows, the secret that the service made, and where it belongs."""

    name: str
    variable: str
    secret: str


def subscribe(
    hq: Hq,
    settings: Settings,
    client: str,
    name: str,
    kind: str,
    secret_variable: str,
    *,
    actor: Actor,
    told: Mapping[str, Any] | None = None,
    poll_seconds: int | None = None,
) -> Subscribed:
    """Take events of a client by a new connection whose address is told to its service.

    Args:
        hq: The databases.
        settings: The installation; messages come to its receiver's public address.
        client: Slug.
        name: By which the connection is known.
        kind: Who reads it.
        secret_variable: NAME of the variable that is to hold the secret: messages wait until it is set.
        actor: Who connects it.
        told: Settings, as the kind understands them.
        poll_seconds: How often it is asked; None: as often as its kind is.

    Raises:
        ConfigurationError: The kind cannot be told by an API; or name, variable or settings cannot be used.
        EnrichError: The service refuses; nothing is left of the connection.
    """
    tell = reader_of(kind).subscribe
    if tell is None:
        raise ConfigurationError(
            f"a service of {kind} is told its address on its own pages: add the connection, and name it there",
            code="event_source.not_told",
        )
    given = dict(told or {})
    added = add_connection(
        hq, client, name, kind, actor=actor, secret_variable=secret_variable, settings=given,
        poll_seconds=poll_seconds, secret_follows=True,
    )  # fmt: skip
    try:
        made = tell(settings, given, settings.receiver_url + (added.path or ""))
    except EnrichError:
        remove_connection(hq, name, actor=actor)
        raise
    with hq.transaction() as connection:
        for setting, value in made.settings.items():
            sources.set_setting(connection, added.connected.id, setting, value)
    return Subscribed(name, secret_variable, made.secret)
