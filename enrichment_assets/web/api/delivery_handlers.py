"""Routes of deliveries: what one would do, and having it done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.services.deliveries.connections import list_events
from enrichment_assets.services.deliveries.delivering import order, plan_deliveries
from enrichment_assets.services.deliveries.resolving import list_deliveries
from enrichment_assets.services.shapes.deliveries import Delivery, LeadDelivery
from enrichment_assets.services.shapes.delivery_events import DeliveryEvent
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.paging import MOST, NAMES, asked_page, page


def plan(call: Call) -> Mapping[str, Any]:
    """What a delivery would make, write again, leave alone and refuse. Nothing is done."""
    asked, to, where = asked_page(call), call.word("to"), call.word("where")
    call.checked(*NAMES, "to", "where")
    key = call.path["batch"]
    plans = plan_deliveries(call.hq, call.settings, key, [to] if to else [], [where] if where else [])
    return asked.of(plans, lambda one: (one.destination,), lambda one: LeadDelivery.of(key, one))


def send(call: Call) -> Mapping[str, Any]:
    """Have leads of a batch delivered: the plan is written, and the running platform takes them there."""
    to, where = call.texts("to", needed=True), call.texts("where")
    call.checked("to", "where")
    key = call.path["batch"]
    return page(
        LeadDelivery.of(key, one) for one in order(call.hq, call.settings, key, to, where, actor=call.known.actor)
    )


def deliveries(call: Call) -> Mapping[str, Any]:
    """What stands for leads at destinations, the newest first."""
    after, limit = call.number("after", 0) or None, call.number("limit", 100, MOST)
    batch, destination = call.word("batch"), call.word("destination")
    call.checked(*NAMES, "batch", "destination")
    found = list_deliveries(
        call.hq, client=call.client, batch=batch, destination=destination, before=after, limit=limit + 1
    )
    return page(map(Delivery.of, found[:limit]), found[limit - 1].id if len(found) > limit else None)


def events(call: Call) -> Mapping[str, Any]:
    """What came back of deliveries, as answers, bounces and moves, the newest first."""
    after, limit = call.number("after", 0) or None, call.number("limit", 100, MOST)
    kind, source = call.word("kind"), call.word("source")
    call.checked(*NAMES, "kind", "source")
    found = list_events(call.hq, client=call.client, kind=kind, source=source, before=after, limit=limit + 1)
    return page(map(DeliveryEvent.of, found[:limit]), found[limit - 1].id if len(found) > limit else None)
