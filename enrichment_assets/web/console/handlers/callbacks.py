"""Callbacks: what came in, and what of it could not be read."""

from __future__ import annotations

from enrichment_assets.services.operations.callbacks import list_callbacks, replay_callbacks
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.console.views import Redirect, Shown, View

_SHOWN = 200


def list_(call: Call) -> Shown:
    """The newest callbacks, all or only those that could not be read."""
    call.checked("dead", "said")
    dead = "dead" in call.query
    found = list_callbacks(call.hq, dead=dead, client=call.client, limit=call.rows(_SHOWN))
    return View("callbacks.html", "Callbacks", {"found": found, "dead": dead, "client": call.client, "most": _SHOWN})


def replay(call: Call) -> Shown:
    """Read those of a batch again that could not be read: after its workflow was mended."""
    call.checked()
    replay_callbacks(call.hq, actor=call.known.actor, batch=call.path["batch"])
    return Redirect("/callbacks?dead=1", "replayed")
