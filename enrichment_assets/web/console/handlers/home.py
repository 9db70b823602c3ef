"""The first page: what needs a person, what is under way, what is spent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from enrichment_assets.services.batches.status import overview
from enrichment_assets.services.insight.attention import attention
from enrichment_assets.services.operations.budgeting import list_budgets, spending
from enrichment_assets.services.shapes.batches import Batch
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.console.views import Live, Shown, View

_BATCHES = 12


def home(call: Call) -> Shown:
    """What somebody looks at first, of a client or of all."""
    call.checked("said")
    found = attention(call.hq, call.settings, call.client)
    context = {
        "waiting": found.waiting,
        "incidents": found.incidents,
        **_newest(call.hq, call.settings, call.client),
        "spent": spending(call.hq, call.client),
        "budgets": list_budgets(call.hq, call.client),
        "client": call.client,
    }
    return View("home.html", "Home", context)


def live(call: Call) -> Shown:
    """The newest batches, again whenever something of them changes."""
    call.checked()
    return Live(f"home/{call.client or ''}", partial(_look, call.hq, call.settings, call.client))


def _look(hq: Hq, settings: Settings, client: str | None) -> tuple[str, Mapping[str, Any], bool]:
    return "newest.html", _newest(hq, settings, client), False


def _newest(hq: Hq, settings: Settings, client: str | None) -> dict[str, Any]:
    return {"batches": [Batch.of(one) for one in overview(hq, settings, client, _BATCHES)]}
