"""Careers: everyone who worked at an organisation."""

from __future__ import annotations

from typing import Any

from enrichment_assets.services.insight import work_history
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.console.views import Shown, View


def worked_at(call: Call) -> Shown:
    """Who worked at an organisation that was named, and as what it was understood."""
    call.checked("organisation", "exact", "said")
    organisation = call.query.get("organisation", "").strip()
    found: Any = None
    if organisation:
        found = work_history.worked_at(
            call.hq, call.settings, organisation, exact="exact" in call.query, client=call.client
        )
    context = {"organisation": organisation, "found": found, "client": call.client, "exact": "exact" in call.query}
    return View("careers.html", "Work history", context)
