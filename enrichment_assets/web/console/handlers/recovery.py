"""What failed is asked again, and calls of which nobody knows what became are decided about."""

from __future__ import annotations

from typing import Literal, cast

from enrichment_assets.services.operations.recovery import list_ambiguous
from enrichment_assets.services.operations.recovery import resolve as resolve_states
from enrichment_assets.services.operations.retrying import retry as retry_batch
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.views import Redirect, Shown, View

_SHOWN = 500


def retry(call: Call) -> Shown:
    """Ask again what failed or was cancelled; first only what that would be."""
    workflow, error_class = call.text("workflow") or None, call.text("error_class") or None
    is_sure = call.text("sure") == "yes"
    call.checked("workflow", "error_class", "sure")
    key = call.path["batch"]
    report = retry_batch(
        call.hq,
        call.settings,
        key,
        actor=call.known.actor,
        workflow=workflow,
        error_class=error_class,
        dry_run=not is_sure,
    )
    if is_sure:
        return Redirect(f"/batches/{key}", "retried")
    context = {"batch_key": key, "report": report, "workflow": workflow, "error_class": error_class}
    return View("retry.html", f"Retry {key}", context)


def unknown(call: Call) -> Shown:
    """Calls that were sent, and of which nobody knows what became."""
    call.checked("said")
    key = call.path["batch"]
    found = list_ambiguous(call.hq, key)
    context = {"batch_key": key, "found": found[:_SHOWN], "total": len(found), "client": call.client}
    return View("unknown.html", f"Calls of unknown fate in {key}", context)


def resolve(call: Call) -> Shown:
    """Call again, or accept that there is no answer: of one item, or of all of a workflow."""
    decision, workflow = call.text("decision", needed=True), call.text("workflow") or None
    item, cost = call.text("item"), call.text("cost") or None
    call.checked("decision", "workflow", "item", "cost")
    if decision not in ("retry", "accept-miss"):
        raise invalid(decision="is retry or accept-miss")
    if item and not (item.isascii() and item.isdecimal() and len(item) < 19):
        raise invalid(item="is no number of an item")
    key = call.path["batch"]
    resolve_states(
        call.hq,
        key,
        cast('Literal["retry", "accept-miss"]', decision),
        actor=call.known.actor,
        workflow=workflow,
        item_id=int(item) if item else None,
        cost=cost,
    )
    return Redirect(f"/batches/{key}/unknown", "resolved")
