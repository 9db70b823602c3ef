"""A webhook of Instantly tells a connection of ours; it is made there with the address and the secret of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.signatures import SECRET_HEADER
from enrichment_assets.services.campaigns.calling import INSTANTLY, Workspace, in_workspace
from enrichment_assets.services.deliveries.connections import add_connection
from enrichment_assets.services.deliveries.listening import secret_of
from enrichment_assets.services.pulls.asking import LostAnswerError
from enrichment_assets.services.pulls.connecting import list_connected
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq

WEBHOOKS = "/api/v2/webhooks"


@dataclass(frozen=True, slots=True)
class Listening:
    """A connection of ours and the webhook that tells it."""

    name: str
    webhook_id: str


def listen(
    hq: Hq, settings: Settings, client: str, name: str, *, actor: Actor, secret_variable: str | None = None
) -> Listening:
    """Have Instantly tell us what happens to a client's leads, and ask it every five minutes for what it did not.

    Args:
        hq: The databases.
        settings: The installation; Instantly reaches its receiver by `receiver_url`.
        client: Whose leads; the client is connected to Instantly.
        name: Of the new connection.
        actor: Who says so.
        secret_variable: NAME of the variable with the word that the webhook's header says; None: the address alone is
            the secret.

    Raises:
        NotFoundError: There is no such client, or it is not connected.
        ConfigurationError: The name is taken or none, or the variable cannot be used.
        PullError: Instantly refuses. The connection is there, and is asked; remove it to try again.
    """
    [whom] = list_connected(hq, INSTANTLY, client=client)
    added = add_connection(hq, client, name, INSTANTLY, actor=actor, secret_variable=secret_variable)
    secret = secret_of(added.connected)
    body: dict[str, Any] = {
        "target_hook_url": f"{settings.receiver_url}{added.path}",
        "event_type": "all_events",
        "name": f"enrich {name}",
        **({} if secret is None else {"headers": {SECRET_HEADER: secret}}),
    }
    made = in_workspace(hq, settings, client, lambda there: _made(there, body), of=whom)
    return Listening(name, str(made.get("id") or ""))


async def _made(there: Workspace, body: dict[str, Any]) -> dict[str, Any]:
    """The webhook; after a lost answer it is looked for by its address, which no other has."""
    try:
        return await there.tell("POST", WEBHOOKS, body)
    except LostAnswerError:
        async for hook in there.pages(WEBHOOKS, {}):
            if hook.get("target_hook_url") == body["target_hook_url"]:
                return hook
        raise
