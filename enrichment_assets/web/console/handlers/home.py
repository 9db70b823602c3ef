"""The first page: what needs a person, what is under way, what is spent."""

from __future__ import annotations

from enrichment_assets.services.batches.status import overview
from enrichment_assets.services.insight.attention import attention
from enrichment_assets.services.operations.budgeting import list_budgets
from enrichment_assets.services.shapes.batches import Batch
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.console.views import Shown, View

_BATCHES = 12


def home(call: Call) -> Shown:
    """What somebody looks at first, of a client or of all."""
    call.checked("said")
    found = attention(call.hq, call.settings, call.client)
    context = {
        "waiting": found.waiting,
        "incidents": found.incidents,
        "batches": [Batch.of(one) for one in overview(call.hq, call.settings, call.client, _BATCHES)],
        "budgets": list_budgets(call.hq, call.client),
        "client": call.client,
    }
    return View("home.html", "Home", context)
