"""A campaign is made from its file, once: after a lost answer it is looked for by its name, in which our key stands.

The name is written down before anything leaves. Whoever has the same file made again gets the same campaign, changed to
what the file says now while it is a draft; one that was activated is not changed behind its sender's back.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, ContractError, EnrichError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.outreach.campaigns import (
    CampaignFile,
    CampaignState,
    campaign_key,
    instantly_body,
)
from enrichment_assets.services.campaigns.calling import Workspace, in_workspace
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.pulls.asking import LostAnswerError
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.campaigns import campaigns as store
from enrichment_assets.store.campaigns.campaigns import Campaign, NewCampaign
from enrichment_assets.store.hq import Hq

DRAFT = 0
"""Instantly's status of a campaign that was never activated."""

LOOKS = (0.0, 2.0, 5.0)
"""Seconds before each look for a campaign whose answer was lost: a search may know it a little later."""


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a file.

    Attributes:
        campaign: As it is kept now.
        what: `created`, `found` (after a lost answer), `changed`, or `unchanged`.
        warnings: What a person should know of it.
    """

    campaign: Campaign
    what: str
    warnings: tuple[str, ...]


def create(hq: Hq, settings: Settings, client: str, campaign: CampaignFile, *, actor: Actor) -> Made:
    """Have a campaign at its service that is what its file says, as a draft. Doing it again makes no second one.

    Args:
        hq: The databases.
        settings: The installation.
        client: Whose campaign; the client is connected to Instantly.
        campaign: The file.
        actor: Who has it made.

    Raises:
        NotFoundError: There is no such client, or it is not connected.
        ConfigurationError: A time zone that Instantly has not, a campaign that sends already, or one that somebody
            else is having made just now.
        PullError: Instantly refuses, or its answer was lost; doing it again is safe.
    """
    made = instantly_body(campaign, campaign_key(client, campaign), datetime.now(UTC).date())
    new = _new(hq, client, campaign, made.body, actor)
    with hq.transaction() as connection:
        claimed = store.claim(connection, new)
    if claimed is None:
        raise ConfigurationError(f"campaign {campaign.name!r} is being made just now", code="campaign.busy")
    number, before = claimed
    if before is not None and before.state is CampaignState.MADE and before.body_sha256 == new.body_sha256:
        return _done(hq, number, new, (before.external_id or "", before.status_code, "unchanged"), made.warnings, actor)
    try:
        done = in_workspace(hq, settings, client, lambda there: _made(there, before, made.body))
    except EnrichError as error:
        with hq.transaction() as connection:
            store.note_failed(connection, number, error.what, unknown=isinstance(error, LostAnswerError))
        raise
    return _done(hq, number, new, done, made.warnings, actor)


def _new(hq: Hq, client: str, campaign: CampaignFile, body: dict[str, Any], actor: Actor) -> NewCampaign:
    with hq.transaction() as connection:
        client_id = int(client_row(connection, client)["id"])
    return NewCampaign(
        client_id,
        campaign.service,
        campaign.name,
        campaign_key(client, campaign),
        campaign.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        hashlib.sha256(json_bytes(body)).digest(),
        str(actor),
    )


async def _made(there: Workspace, before: Campaign | None, body: dict[str, Any]) -> tuple[str, int | None, str]:
    """Its id there, its status, and what was done."""
    known = before.external_id if before is not None and before.state is CampaignState.MADE else None
    if known is None and before is not None and (found := await there.campaign_named(body["name"])) is not None:
        known = _id(found)
        changed = await _changed(there, known, body)
        return _id(changed), _status(changed), "found"
    if known is not None:
        changed = await _changed(there, known, body)
        return _id(changed), _status(changed), "changed"
    try:
        created = await there.create_campaign(body)
    except LostAnswerError:
        for seconds in LOOKS:
            await asyncio.sleep(seconds)
            if (found := await there.campaign_named(body["name"])) is not None:
                return _id(found), _status(found), "found"
        raise
    return _id(created), _status(created), "created"


async def _changed(there: Workspace, external_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """What its file says now; a change may be told twice, for it replaces what was there."""
    if _status(await there.campaign(external_id)) != DRAFT:
        raise ConfigurationError(
            "the campaign is no draft any more: change it at its service, or give the file another name",
            code="campaign.not_a_draft",
        )
    return await there.change_campaign(external_id, body)


def _done(
    hq: Hq,
    number: int,
    new: NewCampaign,
    done: tuple[str, int | None, str],
    warnings: tuple[str, ...],
    actor: Actor,
) -> Made:
    external_id, status, what = done
    with hq.transaction() as connection:
        store.note_made(connection, number, new, external_id, status)
        if what != "unchanged":
            said = {"what": what, "service": new.service, "external_id": external_id, "key": new.key}
            note_action(connection, actor, Code.CAMPAIGN_CREATE, new.name, client_id=new.client_id, after=said)
        kept = store.get(connection, new.client_id, new.service, new.name)
    assert kept is not None  # noqa: S101 - it was written a line above
    return Made(kept, what, warnings)


def _id(campaign: dict[str, Any]) -> str:
    found = campaign.get("id")
    if not isinstance(found, str) or not found:
        raise ContractError("Instantly's answer has no id of the campaign", code="pull.not_as_agreed")
    return found


def _status(campaign: dict[str, Any]) -> int | None:
    found = campaign.get("status")
    return found if isinstance(found, int) and not isinstance(found, bool) else None
