"""The campaigns that files were made into, and how they stand."""

from __future__ import annotations

from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.campaigns import campaigns as store
from enrichment_assets.store.campaigns.campaigns import Campaign
from enrichment_assets.store.hq import Hq

STATUSES = {
    0: "draft",
    1: "active",
    2: "paused",
    3: "completed",
    4: "running subsequences",
    -1: "accounts unhealthy",
    -2: "bounce protection",
    -99: "suspended",
}
"""Instantly's codes of a campaign, in words."""


def list_campaigns(hq: Hq, *, client: str | None = None) -> list[Campaign]:
    """Campaigns, the newest first. Raises `NotFoundError` for a client that does not exist."""
    with hq.transaction() as connection:
        client_id = None if client is None else int(client_row(connection, client)["id"])
        return store.listed(connection, client_id)


def status_in_words(campaign: Campaign) -> str:
    """How a campaign stands, as far as its service said last."""
    if campaign.external_id is None:
        return "not made" if campaign.state == "intended" else "not known"
    return STATUSES.get(campaign.status_code or 0, f"status {campaign.status_code}")
