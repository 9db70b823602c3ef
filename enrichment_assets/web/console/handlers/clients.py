"""Clients: who there is, and what a client has."""

from __future__ import annotations

import re
import unicodedata

from enrichment_assets.domain.access import Permission
from enrichment_assets.services.access.users import who_may_see
from enrichment_assets.services.batches.status import overview
from enrichment_assets.services.catalog.configuration import (
    add_client,
    get_client,
    get_client_configs,
    list_clients,
    list_pipelines,
)
from enrichment_assets.services.deliveries.destinations import list_destinations
from enrichment_assets.services.operations.budgeting import list_budgets, remove_budget, set_budget
from enrichment_assets.services.shapes.batches import Batch
from enrichment_assets.services.uploads.upload import list_uploads
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.handlers.entering import own_path
from enrichment_assets.web.console.views import Redirect, Shown, View

_NEWEST = 10
_LONGEST_SLUG = 40


def list_(call: Call) -> Shown:
    """The clients whom somebody sees."""
    call.checked("said")
    seen = [one for one in list_clients(call.hq) if call.known.sees(one.slug)]
    return View("clients.html", "Clients", {"clients": seen})


def show(call: Call) -> Shown:
    """One client: its uploads, batches, pipelines, budgets and settings of workflows."""
    call.checked("said")
    slug = call.path["client"]
    context = {
        "client": get_client(call.hq, slug),
        "uploads": list_uploads(call.hq, call.settings, slug)[: call.rows(_NEWEST)],
        "batches": [Batch.of(one) for one in overview(call.hq, call.settings, slug, call.rows(_NEWEST))],
        "pipelines": list_pipelines(call.hq, slug),
        "budgets": list_budgets(call.hq, slug),
        "configs": get_client_configs(call.hq, slug),
        "destinations": list_destinations(call.hq, slug),
        "people": who_may_see(call.hq, slug) if call.known.may(Permission.ACCESS_READ, slug) else None,
    }
    return View("client.html", slug, context)


def add(call: Call) -> Shown:
    """A new client."""
    slug, name = (call.text("slug") or "").strip(), (call.text("name") or "").strip()
    call.checked("slug", "name")
    if not slug and not short_name(name):
        raise invalid(name="is missing" if not name else "has no letter of a to z and no digit: give a short name too")
    made = add_client(call.hq, slug or short_name(name), name or None, actor=call.known.actor)
    return Redirect(f"/clients/{made.slug}", "client-added")


def short_name(name: str) -> str:
    """`Müller & Söhne` as `muller-sohne`: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain)[:_LONGEST_SLUG].strip("-")


def budget(call: Call) -> Shown:
    """What a client, one of its batches or one workflow may spend; or that this budget binds no more."""
    amount, action = (call.text("amount") or "").strip(), call.text("action") or "set"
    workflow, batch = call.text("workflow") or None, call.text("batch") or None
    to = own_path(call.text("to") or f"/clients/{call.path['client']}")
    call.checked("amount", "action", "workflow", "batch", "to")
    slug, actor = call.path["client"], call.known.actor
    if action == "remove":
        remove_budget(call.hq, slug, actor=actor, batch=batch, workflow=workflow)
        return Redirect(to, "budget-removed")
    if not amount:
        raise invalid(amount="is missing")
    set_budget(call.hq, slug, amount, actor=actor, batch=batch, workflow=workflow)
    return Redirect(to, "budget-set")
