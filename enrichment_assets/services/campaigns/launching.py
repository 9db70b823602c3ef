"""Leads of a batch into a campaign: chosen, with their approved icebreakers, uploaded; one service for every entry.

The campaign is told to the delivery for this time only: two launches of one client share no setting.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.outreach.campaigns import CampaignFile
from enrichment_assets.domain.outreach.variables import colliding_variables, needed_columns, unsent_variables
from enrichment_assets.domain.pipeline import ClientWorkflowConfig
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.campaigns.activating import made_campaign
from enrichment_assets.services.campaigns.calling import INSTANTLY
from enrichment_assets.services.deliveries.delivering import Delivered, deliver, order, plan_deliveries
from enrichment_assets.services.deliveries.destinations import destinations_of
from enrichment_assets.services.deliveries.plans import DeliveryPlan
from enrichment_assets.services.pulls.connecting import DEFAULT_PURPOSE, list_connected
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.campaigns.campaigns import Campaign
from enrichment_assets.store.hq import Hq

DELIVERY = "instantly-campaign"
"""The workflow that takes leads into a campaign."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What is asked for.

    Attributes:
        client: Whose campaign.
        campaign: Its name, as its file says.
        batch: Key of the batch whose leads go.
        where: Conditions that a lead has to meet, `COLUMN=VALUE`.
        delivery: Slug of the workflow, for a client with one of its own.
    """

    client: str
    campaign: str
    batch: str
    where: Sequence[str] = ()
    delivery: str = DELIVERY


def plan_launch(hq: Hq, settings: Settings, asked: Launch) -> DeliveryPlan:
    """What a launch would do: leads that are added, changed, left alone and refused, with why. Nothing is done.

    Raises as `launch` does.
    """
    over = _over(hq, asked)
    [plan] = plan_deliveries(hq, settings, asked.batch, [asked.delivery], asked.where, over=over)
    return plan


def launch(
    hq: Hq,
    settings: Settings,
    asked: Launch,
    *,
    actor: Actor,
    providers: Mapping[str, Provider],
    stop: threading.Event | None = None,
) -> Delivered:
    """Take leads of a batch into a campaign. It sends no more than before: that says who activates it.

    Args:
        hq: The databases.
        settings: The installation.
        asked: Campaign, batch and which leads.
        actor: Who asks.
        providers: By name.
        stop: Set: calls under way are finished, and no more leave.

    Raises:
        NotFoundError: There is no such client, campaign, batch or delivery, or the batch is another client's.
        ConfigurationError: Its mails name what the delivery does not send, or a condition is none.
    """
    over = _over(hq, asked)
    done = deliver(
        hq,
        settings,
        asked.batch,
        [asked.delivery],
        asked.where,
        actor=actor,
        providers=providers,
        stop=stop,
        over=over,
    )
    [plan] = done.plans
    _note(hq, asked, plan, actor)
    return done


def order_launch(hq: Hq, settings: Settings, asked: Launch, *, actor: Actor) -> DeliveryPlan:
    """Plan a launch, and leave it to the running platform to take the leads there: for who has no keys of providers.

    Raises as `launch` does.
    """
    over = _over(hq, asked)
    [plan] = order(hq, settings, asked.batch, [asked.delivery], asked.where, actor=actor, over=over)
    _note(hq, asked, plan, actor)
    return plan


def _note(hq: Hq, asked: Launch, plan: DeliveryPlan, actor: Actor) -> None:
    campaign = made_campaign(hq, asked.client, asked.campaign)
    said = {"batch": asked.batch, "where": list(asked.where), "created": plan.created, "updated": plan.updated}
    with hq.transaction() as connection:
        note_action(connection, actor, Code.CAMPAIGN_LAUNCH, campaign.name, client_id=campaign.client_id, after=said)


def _over(hq: Hq, asked: Launch) -> dict[str, ClientWorkflowConfig]:
    """What this launch says to its delivery: the campaign, its workspace's key, what its mails cannot do without."""
    campaign = made_campaign(hq, asked.client, asked.campaign)
    [whom] = list_connected(hq, INSTANTLY, client=asked.client)
    with hq.transaction() as connection:
        row = get_batch(connection, asked.batch)
    if row is None or row["client"] != asked.client:  # one answer: whose batch it is concerns no other client
        raise NotFoundError(f"client {asked.client} has no batch {asked.batch!r}", code="batch.not_found")
    workflow = destinations_of(hq, campaign.client, campaign.client_id).get(asked.delivery)
    _check_variables(asked, campaign, workflow)
    needed = needed_columns(CampaignFile.model_validate(campaign.definition), workflow)
    required = [*workflow.requires, *(column for column in needed if column not in workflow.requires)]
    return {
        asked.delivery: ClientWorkflowConfig(
            settings={"parameters.campaign_id": campaign.external_id, "requires": required},
            secrets={DEFAULT_PURPOSE: whom.secret_variable},
        )
    }


def _check_variables(asked: Launch, campaign: Campaign, workflow: WorkflowDefinition) -> None:
    """See that the campaign's mails name nothing that the delivery does not send: it would be a hole in each mail."""
    if colliding := colliding_variables(workflow):
        raise ConfigurationError(
            f"{asked.delivery} calls variables {', '.join(colliding)}: Instantly's webhooks say other things by these "
            "names, call them otherwise",
            code="campaign.variable_collides",
        )
    missing = unsent_variables(CampaignFile.model_validate(campaign.definition), workflow)
    if missing:
        raise ConfigurationError(
            f"the mails of {campaign.name!r} name {', '.join(sorted(missing))}, which {asked.delivery} does not send",
            code="campaign.variable_unsent",
        )
