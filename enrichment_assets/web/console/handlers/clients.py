"""Clients: who there is, and what a client has."""

from __future__ import annotations

from enrichment_assets.services.batches.status import overview
from enrichment_assets.services.catalog.configuration import (
    add_client,
    get_client,
    get_client_configs,
    list_clients,
    list_pipelines,
)
from enrichment_assets.services.operations.budgeting import list_budgets, set_budget
from enrichment_assets.services.shapes.batches import Batch
from enrichment_assets.services.uploads.upload import list_uploads
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.console.views import Redirect, Shown, View

_NEWEST = 10


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
        "uploads": list_uploads(call.hq, call.settings, slug)[:_NEWEST],
        "batches": [Batch.of(one) for one in overview(call.hq, call.settings, slug, _NEWEST)],
        "pipelines": list_pipelines(call.hq, slug),
        "budgets": list_budgets(call.hq, slug),
        "configs": get_client_configs(call.hq, slug),
    }
    return View("client.html", slug, context)


def add(call: Call) -> Shown:
    """A new client."""
    slug, name = call.text("slug", needed=True) or "", call.text("name") or None
    call.checked("slug", "name")
    made = add_client(call.hq, slug.strip(), name, actor=call.known.actor)
    return Redirect(f"/clients/{made.slug}", "client-added")


def budget(call: Call) -> Shown:
    """What a client, or one workflow of it, may spend."""
    amount, workflow = call.text("amount", needed=True) or "", call.text("workflow") or None
    call.checked("amount", "workflow")
    slug = call.path["client"]
    set_budget(call.hq, slug, amount.strip(), actor=call.known.actor, workflow=workflow)
    return Redirect(f"/clients/{slug}", "budget-set")
