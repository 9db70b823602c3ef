"""One lead of a client by hand."""

from __future__ import annotations

from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.sources import BY_HAND, Window
from enrichment_assets.services.batches.foresight import next_runner
from enrichment_assets.services.catalog.configuration import get_client, list_pipelines
from enrichment_assets.services.sources.gathering import Into
from enrichment_assets.services.sources.leads import add_leads
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.console.views import Redirect, Shown, View

_FIRST = ("first_name", "last_name", "email", "linkedin_url", "title", "company_name", "company_domain", "country")
_FIELD = "lead."


def new_lead(call: Call) -> Shown:
    """Ask what is known of a lead."""
    call.checked("said")
    client = get_client(call.hq, call.path["client"])
    fields = [*_FIRST, *(name for name in IDENTITY_FIELDS if name not in _FIRST)]
    context = {
        "client": client,
        "pipelines": list_pipelines(call.hq, client.slug),
        "fields": fields,
        "first": len(_FIRST),
    }
    return View("lead_new.html", "One lead by hand", context)


def take_lead(call: Call) -> Shown:
    """Take it: it goes into the open batch of this client and pipeline, and on by itself."""
    pipeline = call.text("pipeline", needed=True) or ""
    said = {name.removeprefix(_FIELD): str(text) for name, text in call.body.items() if name.startswith(_FIELD)}
    call.checked("pipeline", *(f"{_FIELD}{name}" for name in said))
    client = call.path["client"]
    done = add_leads(
        call.hq,
        call.settings,
        Into(client, pipeline, BY_HAND, "hand", Window.HOUR),
        [{name: text for name, text in said.items() if text.strip()}],
        actor=call.known.actor,
        environment=next_runner(call.settings).variables,
    )
    return Redirect(f"/batches/{done.batch_key}", "lead-taken")
