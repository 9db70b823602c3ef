"""Whose figures are fetched, with which key: connecting a client, and what is known of it."""

from __future__ import annotations

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pulls import PullDefinition
from enrichment_assets.registry.loader import pulls
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.pulls import connections
from enrichment_assets.store.pulls.connections import Connected
from enrichment_assets.store.pulls.tables import delete_rows
from enrichment_assets.wire.secrets import refuse_foreign_variable

DEFAULT_PURPOSE = "api_key"


def get_pull(slug: str) -> PullDefinition:
    """The pull of that name. Raises `NotFoundError`."""
    found = pulls().get(slug)
    if found is None:
        raise NotFoundError(f"there is no pull {slug!r}; there are: {', '.join(pulls())}", code="pull.not_found")
    return found


def connect(hq: Hq, slug: str, client: str, variable: str, *, actor: Actor) -> Connected:
    """Fetch a client's figures from now on, or with another key than before.

    Args:
        hq: The databases.
        slug: Of the pull, as `instantly`.
        client: Whose figures they are.
        variable: NAME of the environment variable with the client's key. It need not be set here.
        actor: Who says so.

    Raises:
        NotFoundError: There is no such pull or client.
        ConfigurationError: The variable is one that may not be used as a key.
    """
    pull = get_pull(slug)
    refuse_foreign_variable(DEFAULT_PURPOSE, variable)
    with hq.transaction() as connection:
        client_id = int(client_row(connection, client)["id"])
        before = connections.connect_client(connection, client_id, slug, variable)
        if before != variable:
            said = None if before is None else {"secrets": {DEFAULT_PURPOSE: before}}
            after = {"secrets": {DEFAULT_PURPOSE: variable}}
            note_action(connection, actor, Code.PULL_CONNECT, slug, client_id=client_id, before=said, after=after)
        [found] = connections.connected(connection, slug, pull.day_streams, client)
    return found


def disconnect(hq: Hq, slug: str, client: str, *, actor: Actor, forget: bool = False) -> None:
    """Fetch a client's figures no more. The kept answers go; the rows in the workspace stay unless `forget`.

    Raises:
        NotFoundError: There is no such pull or client, or it is not connected.
    """
    pull = get_pull(slug)
    with hq.transaction() as connection:
        client_id = int(client_row(connection, client, archived=True)["id"])
        variable = connections.disconnect_client(connection, client_id, slug)
        if variable is None:
            raise _not_connected(slug, client)
        before = {"secrets": {DEFAULT_PURPOSE: variable}, "rows_deleted": forget}
        note_action(connection, actor, Code.PULL_DISCONNECT, slug, client_id=client_id, before=before)
    if forget:
        with hq.workspace.transaction() as workspace:
            delete_rows(workspace, list(pull.tables), client)


def list_connected(hq: Hq, slug: str, *, client: str | None = None) -> list[Connected]:
    """The clients whose figures are fetched, or that one. Raises `NotFoundError` where it is not connected."""
    pull = get_pull(slug)
    with hq.transaction() as connection:
        if client is not None:
            client_row(connection, client)
        found = connections.connected(connection, slug, pull.day_streams, client)
    if client is not None and not found:
        raise _not_connected(slug, client)
    return found


def only_client(hq: Hq, slug: str) -> str:
    """The client that is meant where none is named. Raises `ConfigurationError` unless just one is connected."""
    known = [one.client for one in list_connected(hq, slug)]
    if len(known) != 1:
        text = f"say which client: {', '.join(known)}" if known else f"no client is connected to {slug}"
        raise ConfigurationError(text, code="pull.client_missing")
    return known[0]


def _not_connected(slug: str, client: str) -> NotFoundError:
    return NotFoundError(f"client {client} is not connected to {slug}", code="pull.not_connected")
