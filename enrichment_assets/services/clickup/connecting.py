"""Connecting a workspace: our address is told to ClickUp, which makes the secret that its messages are signed with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.providers.clickup import ClickUp
from enrichment_assets.services.clickup.asking import NAME, ClickUpError, asking
from enrichment_assets.services.clickup.watching import EVENTS
from enrichment_assets.services.deliveries.connections import add_connection, remove_connection
from enrichment_assets.settings import Settings
from enrichment_assets.store.deliveries import sources
from enrichment_assets.store.deliveries.sources import Connected
from enrichment_assets.store.hq import Hq


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A connection whose address ClickUp knows, and the secret that it made: it is shown this once and kept nowhere."""

    connected: Connected
    webhook_id: str
    secret: str


def connect(
    hq: Hq,
    settings: Settings,
    client: str,
    name: str,
    team_id: str,
    secret_variable: str,
    *,
    actor: Actor,
    more: Mapping[str, Any] | None = None,
) -> Subscribed:
    """Take what changes in a workspace by a new connection: make its webhook at ClickUp, and watch over it.

    Args:
        hq: The databases.
        settings: The installation; messages come to its receiver's public address.
        client: Slug.
        name: By which the connection is known.
        team_id: Number of the workspace.
        secret_variable: NAME of the variable that is to hold the webhook's secret: it is not known yet.
        actor: Who connects it.
        more: Further settings (`statuses`, `token_variable`, `space_ids`, `list_ids`).

    Raises:
        ConfigurationError: Name, variable or settings are none that can be used, or the name is taken.
        ClickUpError: ClickUp refuses; nothing is left of the connection.
    """
    given = {**(more or {}), "team_id": team_id}
    added = add_connection(
        hq, client, name, NAME, actor=actor, secret_variable=secret_variable, settings=given, secret_follows=True
    )
    address = settings.receiver_url + (added.path or "")
    variable = str(given.get("token_variable") or ClickUp.default_variables()["api_key"])
    try:
        webhook_id, secret = asyncio.run(_subscribed(settings, variable, team_id, address))
    except EnrichError:
        remove_connection(hq, name, actor=actor)
        raise
    with hq.transaction() as connection:
        sources.set_setting(connection, added.connected.id, "webhook_id", webhook_id)
    return Subscribed(added.connected, webhook_id, secret)


async def _subscribed(settings: Settings, variable: str, team_id: str, address: str) -> tuple[str, str]:
    async with asking(settings, variable) as asker:
        answer = await asker.ask("POST", f"/team/{team_id}/webhook", body={"endpoint": address, "events": list(EVENTS)})
    made = answer.get("webhook")
    if not isinstance(made, dict) or not isinstance(made.get("secret"), str):
        raise ClickUpError("ClickUp made a webhook and did not say its secret: look at the workspace's webhooks")
    return str(answer.get("id") or made.get("id")), made["secret"]
