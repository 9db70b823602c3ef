"""Routes of deliveries: what one would do, and having it done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.services.deliveries.delivering import order, plan_deliveries
from enrichment_assets.services.shapes.deliveries import LeadDelivery
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.handlers import page


def plan(call: Call) -> Mapping[str, Any]:
    """What a delivery would make, write again, leave alone and refuse. Nothing is done."""
    to, where = call.query.get("to"), call.query.get("where")
    call.checked("to", "where")
    key = call.path["batch"]
    plans = plan_deliveries(call.hq, call.settings, key, [to] if to else [], [where] if where else [])
    return page(LeadDelivery.of(key, one) for one in plans)


def send(call: Call) -> Mapping[str, Any]:
    """Have leads of a batch delivered: the plan is written, and the running platform takes them there."""
    to, where = call.texts("to", needed=True), call.texts("where")
    call.checked("to", "where")
    key = call.path["batch"]
    return page(
        LeadDelivery.of(key, one) for one in order(call.hq, call.settings, key, to, where, actor=call.known.actor)
    )
