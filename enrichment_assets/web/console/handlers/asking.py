"""Chosen steps for chosen rows of the grid: first what that would ask and cost, then having it done."""

from __future__ import annotations

from enrichment_assets.services.insight.lead_grid import leads_of
from enrichment_assets.services.operations.asking import Wanted, ask_chosen, plan_asking
from enrichment_assets.web.api.asking_handlers import numbers
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.handlers.leads import FILTER, filters_of
from enrichment_assets.web.console.views import Redirect, Shown, View

_STEP = "step."


def ask(call: Call) -> Shown:
    """Ask the chosen steps about the ticked rows, or about all that the conditions leave."""
    which, again, seen = call.text("which"), call.text("again") == "yes", call.text("seen")
    is_sure, ticked = call.text("sure") == "yes", call.body.get("item", [])
    own = [name for name in call.body if name.startswith((FILTER, _STEP))]
    call.checked("which", "again", "seen", "sure", "item", *own)
    key, filters = call.path["batch"], filters_of(call.body)
    items = numbers([ticked] if isinstance(ticked, str) else ticked)
    if which == "all":
        found = leads_of(call.hq, call.settings, call.client or "", key, filters) if filters else None
    elif items:
        found = items
    else:
        raise invalid(item="is missing: tick the rows that are meant, or take all")
    steps = [name.removeprefix(_STEP) for name in own if name.startswith(_STEP)]
    wanted = Wanted(steps, found, again=again)
    if is_sure:
        shown = numbers([seen] if seen else [])
        ask_chosen(call.hq, call.settings, key, wanted, actor=call.known.actor, seen=shown[0] if shown else None)
        return Redirect(f"/batches/{key}", "asked")
    report = plan_asking(call.hq, call.settings, key, wanted)
    kept = {name: value for name, value in call.body.items() if name in own or name in ("which", "item")}
    if which == "all":
        kept.pop("item", None)
    return View("asking.html", f"Ask leads of {key}", {"batch_key": key, "report": report, "kept": kept})
