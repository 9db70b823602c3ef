"""Deliveries of a batch: where its leads can go, what that would do, having it done, and how they stand."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from enrichment_assets.services.deliveries.delivering import order, plan_deliveries
from enrichment_assets.services.deliveries.standing import deliveries
from enrichment_assets.services.shapes.deliveries import LeadDelivery
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.console.views import Live, Redirect, Shown, View


def show(call: Call) -> Shown:
    """How leads stand at their destinations; and what a delivery would do, where one is chosen."""
    to, where = call.query.get("to") or None, conditions(call.query.get("where") or "")
    call.checked("to", "where", "said")
    key = call.path["batch"]
    plans = [] if to is None else plan_deliveries(call.hq, call.settings, key, [to], where)
    context = {
        "batch_key": key,
        "client": call.client,
        "found": deliveries(call.hq, key),
        "plan": LeadDelivery.of(key, plans[0]) if plans else None,
        "to": to,
        "where": "\n".join(where),
    }
    return View("deliveries.html", f"Deliveries of {key}", context)


def live(call: Call) -> Shown:
    """How leads stand at their destinations, again whenever that changes."""
    call.checked()
    key = call.path["batch"]
    return Live(f"deliveries/{key}", partial(_look, call.hq, key))


def _look(hq: Hq, key: str) -> tuple[str, Mapping[str, Any], bool]:
    return "deliveries_standing.html", {"found": deliveries(hq, key)}, False


def send(call: Call) -> Shown:
    """Have leads delivered: the plan is written, and the platform takes them there."""
    to, where = call.text("to", needed=True) or "", conditions(call.text("where") or "")
    call.checked("to", "where")
    key = call.path["batch"]
    order(call.hq, call.settings, key, [to], where, actor=call.known.actor)
    return Redirect(f"/batches/{key}/deliveries", "ordered")


def conditions(text: str) -> list[str]:
    """Conditions as somebody types them: one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]
