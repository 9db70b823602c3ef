"""A workspace is told our address: ClickUp makes the secret that its messages are signed with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from enrichment_assets.services.clickup.asking import ClickUpError, asking, token_variable
from enrichment_assets.services.clickup.watching import EVENTS
from enrichment_assets.services.deliveries.readers import Subscription
from enrichment_assets.settings import Settings


def subscribe(settings: Settings, told: Mapping[str, Any], address: str) -> Subscription:
    """Make a webhook of the workspace `team_id` that posts to an address; raises `ClickUpError`."""
    return asyncio.run(_subscribed(settings, told, address))


async def _subscribed(settings: Settings, told: Mapping[str, Any], address: str) -> Subscription:
    async with asking(settings, token_variable(told)) as asker:
        body = {"endpoint": address, "events": list(EVENTS)}
        answer = await asker.ask("POST", f"/team/{told['team_id']}/webhook", body=body)
    made = answer.get("webhook")
    if not isinstance(made, dict) or not isinstance(made.get("secret"), str):
        raise ClickUpError(
            "ClickUp made a webhook and did not say its secret: look at the workspace's webhooks",
            code="clickup.secret_unsaid",
        )
    return Subscription({"webhook_id": str(answer.get("id") or made.get("id"))}, made["secret"])
