"""Who changed what."""

from __future__ import annotations

from enrichment_assets.services.operations.history import list_history
from enrichment_assets.services.shapes.history import OperatorAction
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.console.views import Shown, View

_ROWS = 100


def show(call: Call) -> Shown:
    """The latest changes, and those before them."""
    before = call.number("before", 0) or None
    call.checked("before", "actor", "said")
    actor = call.query.get("actor") or None
    found = list_history(call.hq, client=call.client, actor=actor, before=before, limit=call.rows(_ROWS))
    context = {
        "actions": [OperatorAction.of(one) for one in found],
        "before": found[-1].id if len(found) == _ROWS else None,
        "actor": actor,
        "client": call.client,
    }
    return View("log.html", "Who changed what", context)
