"""Trying a workflow on one row: first what it would send and cost, then what came back."""

from __future__ import annotations

from enrichment_assets.services.catalog.configuration import get_client, get_workflow
from enrichment_assets.services.tries import running
from enrichment_assets.services.tries.drafting import Wanted
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.console.views import Shown, View

_FIELD = "field."
_PATIENCE = 20.0
"""Seconds that the page waits for an answer that does not come at once."""


def show(call: Call) -> Shown:
    """Ask for the values of a row."""
    call.checked("said")
    return _page(call, {}, None)


def tried(call: Call) -> Shown:
    """What a try would send; or, where somebody is sure, the try itself."""
    given = {name.removeprefix(_FIELD): str(text) for name, text in call.body.items() if name.startswith(_FIELD)}
    is_sure, row = call.text("sure") == "yes", (call.text("row") or "").strip() or None
    call.checked("sure", "row", *(f"{_FIELD}{name}" for name in given))
    filled = {name: text for name, text in given.items() if text.strip()}
    wanted = Wanted(call.path["workflow"], call.path["client"], row, None if row else filled)
    if is_sure:
        report = running.make_try(call.hq, call.settings, wanted, actor=call.known.actor, wait=_PATIENCE)
    else:
        report = running.plan_try(call.hq, call.settings, wanted)
    return _page(call, given, report, row)


def _page(call: Call, given: dict[str, str], report: object, row: str | None = None) -> View:
    workflow = get_workflow(call.hq, call.path["workflow"])
    definition = workflow.definition
    context = {
        "client": get_client(call.hq, call.path["client"]),
        "workflow": definition,
        "fields": [*sorted(definition.required_fields), *definition.uses],
        "given": given,
        "row": row,
        "report": report,
    }
    return View("try.html", f"Try {definition.slug}", context)
