"""Routes of campaigns that files were made into: how they stand, and leads of a batch into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.services.campaigns.launching import DELIVERY, Launch, order_launch
from enrichment_assets.services.campaigns.listing import list_campaigns
from enrichment_assets.services.shapes.campaigns import Campaign
from enrichment_assets.services.shapes.deliveries import LeadDelivery
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.paging import NAMES, asked_page


def campaigns(call: Call) -> Mapping[str, Any]:
    """Campaigns that files were made into, of a client or of all, the newest first."""
    asked = asked_page(call)
    call.checked(*NAMES)
    return asked.of(list_campaigns(call.hq, client=call.client), lambda one: (-one.id,), Campaign.of)


def launch(call: Call) -> LeadDelivery:
    """Have leads of a batch taken into a campaign: the plan is written, and the running platform takes them there.

    It sends no more than before: that is activated by a person.
    """
    campaign, batch = call.text("campaign", needed=True), call.text("batch", needed=True)
    delivery, where = call.text("delivery"), call.texts("where")
    call.checked("campaign", "batch", "delivery", "where")
    asked = Launch(str(call.client), str(campaign), str(batch), where, delivery or DELIVERY)
    return LeadDelivery.of(asked.batch, order_launch(call.hq, call.settings, asked, actor=call.known.actor))
