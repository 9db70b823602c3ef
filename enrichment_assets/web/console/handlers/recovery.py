"""What failed is asked again, and calls of which nobody knows what became are decided about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, cast

from enrichment_assets.services.operations.recovery import list_ambiguous
from enrichment_assets.services.operations.recovery import resolve as resolve_states
from enrichment_assets.services.operations.replaying import replay as read_again
from enrichment_assets.services.operations.retrying import retry as retry_batch
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.handlers.workflows import as_yaml, differences_of
from enrichment_assets.web.console.views import Redirect, Shown, View

_SHOWN = 500


def retry(call: Call) -> Shown:
    """Ask again what failed or was cancelled; first only what that would be."""
    asked = {name: call.text(name) or None for name in ("workflow", "error_class", "provider", "since")}
    is_sure = call.text("sure") == "yes"
    call.checked(*asked, "sure")
    key = call.path["batch"]
    report = retry_batch(
        call.hq,
        call.settings,
        key,
        actor=call.known.actor,
        workflow=asked["workflow"],
        error_class=asked["error_class"],
        provider=asked["provider"],
        since=_since(asked["since"]),
        dry_run=not is_sure,
    )
    if is_sure:
        return Redirect(f"/batches/{key}", "retried")
    return View("retry.html", f"Retry {key}", {"batch_key": key, "report": report, "asked": asked})


def replay(call: Call) -> Shown:
    """Read stored answers of a workflow again by its mapping of now; first only what that would change."""
    workflow, is_sure = call.text("workflow", needed=True) or "", call.text("sure") == "yes"
    call.checked("workflow", "sure")
    key = call.path["batch"]
    report = read_again(call.hq, call.settings, key, workflow, actor=call.known.actor, dry_run=not is_sure)
    if is_sure:
        return Redirect(f"/batches/{key}", "read-again")
    was, now = ("" if one is None else as_yaml(one) for one in (report.launched, report.current))
    context = {"batch_key": key, "report": report, "differs": differences_of(was, now), "client": call.client}
    return View("replay.html", f"Read answers of {key} again", context)


def _since(text: str | None) -> datetime | None:
    """A day of a form, or a minute of it, in UTC. Raises the 422."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise invalid(since="is no day, as 2026-11-01") from None


def unknown(call: Call) -> Shown:
    """Calls that were sent, and of which nobody knows what became."""
    call.checked("said")
    key = call.path["batch"]
    found = list_ambiguous(call.hq, key)
    context = {"batch_key": key, "found": found[: call.rows(_SHOWN)], "total": len(found), "client": call.client}
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
