"""A campaign sends once a person has said so: nothing that runs by itself can, and neither can a key of a program.

Before that it is looked at what would keep it from sending, or let it send what nobody wants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.services.campaigns.calling import INSTANTLY, Workspace, in_workspace
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.pulls.asking import LostAnswerError
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.campaigns import campaigns as store
from enrichment_assets.store.campaigns.campaigns import Campaign
from enrichment_assets.store.hq import Hq

PEOPLE = frozenset({ActorKind.CLI, ActorKind.USER})
"""Who may say that a campaign sends: somebody at a command line, or somebody who has logged in."""

ACTIVE = 1
_MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Preflight:
    """How a campaign stands before it is activated.

    Attributes:
        campaign: As it is kept.
        status_code: Of the service.
        sending_status: Why it does not send, in the service's words; None: it does not say.
        leads: How many it has, up to 10,000.
        accounts: How many it is sent from.
        open_tracking: Whether opens are tracked.
    """

    campaign: Campaign
    status_code: int | None
    sending_status: str | None
    leads: int
    accounts: int
    open_tracking: bool

    @property
    def hindrances(self) -> tuple[str, ...]:
        """Why it would send nothing; empty: it would."""
        told = (
            ("it has no leads", self.leads == 0),
            ("it has no accounts to send from", self.accounts == 0),
            ("it is active already", self.status_code == ACTIVE),
        )
        return tuple(text for text, holds in told if holds)


def preflight(hq: Hq, settings: Settings, client: str, name: str) -> Preflight:
    """Look at a campaign before it is activated.

    Raises:
        NotFoundError: There is no such client or campaign, or it was not made there.
        PullError: Instantly refuses, or does not answer.
    """
    campaign = made_campaign(hq, client, name)
    said = in_workspace(hq, settings, client, lambda there: _looked(there, campaign))
    with hq.transaction() as connection:
        store.note_seen(connection, campaign.id, said.status_code)
    return said


def activate(hq: Hq, settings: Settings, client: str, name: str, *, actor: Actor) -> Campaign:
    """Have a campaign send from now on. Doing it again changes nothing.

    Args:
        hq: The databases.
        settings: The installation.
        client: Whose campaign.
        name: As its file says it.
        actor: The person who says so.

    Raises:
        ConfigurationError: The actor is no person, or it would send nothing.
        NotFoundError: There is no such client or campaign, or it was not made there.
        PullError: Instantly refuses, or nobody knows whether it sends.
    """
    if actor.kind not in PEOPLE:
        raise ConfigurationError(
            f"a campaign is activated by a person, and {actor} is none", code="campaign.activated_by_a_person"
        )
    looked = preflight(hq, settings, client, name)
    hindrances = [text for text in looked.hindrances if looked.status_code != ACTIVE]
    if hindrances:
        raise ConfigurationError(f"campaign {name!r}: {'; '.join(hindrances)}", code="campaign.would_send_nothing")
    campaign = looked.campaign
    status = ACTIVE
    if looked.status_code != ACTIVE:
        status = in_workspace(hq, settings, client, lambda there: _activated(there, campaign.external_id or ""))
    with hq.transaction() as connection:
        store.note_activated(connection, campaign.id, str(actor), status)
        said = {"external_id": campaign.external_id, "leads": looked.leads, "accounts": looked.accounts}
        note_action(connection, actor, Code.CAMPAIGN_ACTIVATE, name, client_id=campaign.client_id, after=said)
    return made_campaign(hq, client, name)


def made_campaign(hq: Hq, client: str, name: str) -> Campaign:
    """A client's campaign that is at its service. Raises `NotFoundError` where there is none of that name."""
    with hq.transaction() as connection:
        client_id = int(client_row(connection, client)["id"])
        found = store.get(connection, client_id, INSTANTLY, name)
        known = [one.name for one in store.listed(connection, client_id)]
    if found is None:
        told = ", ".join(known) or "none"
        raise NotFoundError(f"client {client} has no campaign {name!r}; there are: {told}", code="campaign.not_found")
    if found.external_id is None:
        raise NotFoundError(
            f"campaign {name!r} was asked for, and is not known to be there: have it made again",
            code="campaign.not_made",
        )
    return found


async def _looked(there: Workspace, campaign: Campaign) -> Preflight:
    external_id = campaign.external_id or ""
    said = await there.campaign(external_id)
    leads = 0
    async for _ in there.leads({"campaign": external_id}):
        leads += 1
        if leads >= _MOST_COUNTED:
            break
    accounts = said.get("email_list")
    return Preflight(
        campaign,
        _number(said.get("status")),
        await there.sending_status(external_id),
        leads,
        len(accounts) if isinstance(accounts, list) else 0,
        said.get("open_tracking") is True,
    )


async def _activated(there: Workspace, external_id: str) -> int:
    """Its status once it was activated; after a lost answer it says itself whether it is."""
    try:
        said = await there.activate(external_id)
    except LostAnswerError:
        said = await there.campaign(external_id)
        if _number(said.get("status")) != ACTIVE:
            raise
    return _number(said.get("status")) or ACTIVE


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
