"""Batches: where they stand, live, and what somebody does about one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from enrichment_assets.installation.running_stack import running_stack
from enrichment_assets.services.batches.status import overview, status
from enrichment_assets.services.operations import holding
from enrichment_assets.services.operations.failed_rows import list_error_classes, list_failed
from enrichment_assets.services.shapes.batches import Batch, FailedRows
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.console.views import Live, Redirect, Shown, View

_FAILED = 50


def list_(call: Call) -> Shown:
    """The newest batches, of a client or of all."""
    limit = call.number("limit", call.rows(50), 10_000)
    call.checked("limit", "said")
    found = [Batch.of(one) for one in overview(call.hq, call.settings, call.client, limit)]
    return View("batches.html", "Batches", {"batches": found, "client": call.client, "limit": limit})


def show(call: Call) -> Shown:
    """One batch: its steps, why they stand where they stand, and the rows that failed."""
    call.checked("said")
    key = call.path["batch"]
    stack = running_stack(call.settings)
    context = {
        **_progress(call.hq, call.settings, key),
        "errors": list_error_classes(call.hq, key),
        "failed": FailedRows.of(list_failed(call.hq, key, _FAILED)),
        "dagster": None if stack is None else stack.webserver,
    }
    return View("batch.html", key, context)


def live(call: Call) -> Shown:
    """Its steps and counts, again whenever they change."""
    call.checked()
    key = call.path["batch"]
    return Live(f"batch/{key}", partial(_look, call.hq, call.settings, key))


def _look(hq: Hq, settings: Settings, key: str) -> tuple[str, Mapping[str, Any], bool]:
    context = _progress(hq, settings, key)
    batch: Batch = context["batch"]
    return "batch_progress.html", context, batch.finished and batch.extracted


def _progress(hq: Hq, settings: Settings, key: str) -> dict[str, Any]:
    return {"batch": Batch.of(status(hq, settings, key))}


def pause(call: Call) -> Shown:
    """See that no call of it leaves until it is resumed."""
    return _held(call, holding.pause, "paused")


def cancel(call: Call) -> Shown:
    """End what was not sent of it."""
    return _held(call, holding.cancel, "cancelled")


def resume(call: Call) -> Shown:
    """Let what was paused go on."""
    workflow = call.text("workflow") or None
    call.checked("workflow")
    holding.resume(call.hq, call.path["batch"], actor=call.known.actor, workflow=workflow)
    return Redirect(f"/batches/{call.path['batch']}", "resumed")


def _held(call: Call, hold: Callable[..., Any], said: str) -> Shown:
    workflow, reason = call.text("workflow") or None, call.text("reason") or ""
    call.checked("workflow", "reason")
    hold(call.hq, call.path["batch"], actor=call.known.actor, workflow=workflow, reason=reason)
    return Redirect(f"/batches/{call.path['batch']}", said)
