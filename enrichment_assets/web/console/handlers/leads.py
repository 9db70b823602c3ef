"""Leads: the grid, one lead with where its values come from, a correction, a file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from enrichment_assets.services.batches.extracting import bring_up_to_date
from enrichment_assets.services.batches.status import batch_row
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.services.insight.explain import explain_lead
from enrichment_assets.services.insight.lead_grid import MOST, Comparison, Filter, export_grid, lead_grid
from enrichment_assets.services.insight.lead_grid import View as Wanted
from enrichment_assets.services.insight.lead_history import lead_history
from enrichment_assets.services.insight.leads import export_leads
from enrichment_assets.services.shapes.leads import LeadField
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.rendering import query_string
from enrichment_assets.web.console.views import Download, Redirect, Shown, View

_AT_ONCE = 5_000
"""Items of a batch whose tables are made anew while somebody waits: about a second."""

FILTER, _SHOW = "where.", "show."
_MEDIA = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}


def grid(call: Call) -> Shown:
    """A page of a batch's leads: columns, conditions, order and place all stand in the address."""
    key = call.path["batch"]
    shown = _grid(call, f"/batches/{quote(key, safe='')}/leads", f"Leads of {key}", batch=key)
    if isinstance(shown, Redirect):
        return shown
    steps = [step["workflow"]["slug"] for step in batch_row(call.hq, key).blueprint["steps"]]
    return View(shown.template, shown.title, {**shown.context, "steps": steps})


def of_client(call: Call) -> Shown:
    """A page of the leads of all batches of a client."""
    slug = call.path["client"]
    return _grid(call, f"/clients/{quote(slug, safe='')}/leads", f"Leads of {slug}")


def _grid(call: Call, path: str, title: str, *, batch: str | None = None) -> Redirect | View:
    row, limit = call.number("row", 1), call.number("limit", 100, MOST)
    own = [name for name in call.query if name.startswith((FILTER, _SHOW))]
    call.checked("row", "limit", "sort", "down", "columns", "column", "how", "text", "said", *own)
    if (settled := _settled(call.query)) is not None:
        return Redirect(f"{path}?{settled}")
    wanted = replace(_wanted(call), offset=row - 1, limit=limit)
    found = lead_grid(call.hq, call.settings, call.client or "", wanted, batch=batch)
    kept = {name: value for name, value in call.query.items() if name not in ("said", "row")}
    context: dict[str, Any] = {
        "batch_key": batch,
        "grid": found,
        "wanted": wanted,
        "row": row,
        "limit": limit,
        "kept": kept,
    }
    context |= {"comparisons": list(Comparison), "client": call.client, "leads_path": path, "steps": []}
    return View("leads.html", title, context)


def _wanted(call: Call) -> Wanted:
    """Columns, conditions and order, as they stand in the address."""
    return Wanted(
        columns=[name for name in call.query.get("columns", "").split(",") if name],
        filters=filters_of(call.query),
        sort=call.query.get("sort") or None,
        is_descending="down" in call.query,
    )


def client_file(call: Call) -> Shown:
    """The leads of all batches of a client as a file: those that the conditions leave, in the order of the address."""
    kind, slug = call.query.get("kind", "csv"), call.path["client"]
    own = [name for name in call.query if name.startswith(FILTER)]
    call.checked("kind", "sort", "down", "columns", "row", "limit", *own)
    wanted = _wanted(call)
    return _made(
        kind,
        f"{slug}-leads",
        lambda target: export_grid(call.hq, call.settings, call.client or "", wanted, target),
    )


def file(call: Call) -> Shown:
    """The leads of a batch as a file; in CSV and XLSX no cell is one that a spreadsheet would run."""
    kind, key = call.query.get("kind", "csv"), call.path["batch"]
    call.checked("kind")
    return _made(kind, key, lambda target: export_leads(call.hq, call.settings, key, target, spreadsheet_safe=True))


def _made(kind: str, name: str, make: Callable[[Path], object]) -> Download:
    """A file that is made for whoever asks, and removed when it was sent."""
    if kind not in _MEDIA:
        raise invalid(kind=f"is one of: {', '.join(_MEDIA)}")
    with tempfile.NamedTemporaryFile(prefix="export-", suffix=f".{kind}", delete=False) as made:
        target = Path(made.name)
    try:
        make(target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return Download(target, f"{name}.{kind}", _MEDIA[kind])


def show(call: Call) -> Shown:
    """One lead: every value that anybody gave, which one counts, and why."""
    item = call.path_number("item")
    call.checked("said")
    key = call.path["batch"]
    fields = [LeadField.of(chain) for chain in explain_lead(call.hq, call.settings, key, item)]
    values = {one.field: one.final for one in fields}
    name = values.get("full_name") or values.get("company_name") or f"item {item}"
    context = {"batch_key": key, "item": item, "fields": fields, "name": name}
    return View("lead.html", str(name), {**context, "history": lead_history(call.hq, key, item)})


def edit(call: Call) -> Shown:
    """Correct one value; an empty one empties it."""
    item, field = call.path_number("item"), call.text("field", needed=True) or ""
    value, note = call.text("value"), call.text("note")
    call.checked("field", "value", "note")
    key, actor = call.path["batch"], call.known.actor
    edit_lead(call.hq, call.settings, key, item, field, value or None, actor=actor, by=actor.name, note=note or None)
    at_once = batch_row(call.hq, key).items <= _AT_ONCE
    if at_once:
        bring_up_to_date(call.hq, call.settings, key)
    return Redirect(f"/batches/{key}/leads/{item}", "edited" if at_once else "edited-later")


def filters_of(query: Mapping[str, Any]) -> list[Filter]:
    """`where.title=contains:cto` -> a condition. Raises the 422."""
    found = []
    for name, value in query.items():
        if name.startswith(FILTER):
            how, _, text = str(value).partition(":")
            if how not in list(Comparison):
                raise invalid(**{name: f"begins with one of: {', '.join(f'{one}:' for one in Comparison)}"})
            found.append(Filter(name.removeprefix(FILTER), Comparison(how), text))
    return found


def _settled(query: Mapping[str, str]) -> str | None:
    """The address that a form for one more condition, or for other columns, comes to; None: it was no such form."""
    shown = [name.removeprefix(_SHOW) for name in query if name.startswith(_SHOW)]
    column = query.get("column")
    if not shown and column is None:
        return None
    kept = {
        name: value
        for name, value in query.items()
        if not name.startswith(_SHOW) and name not in ("column", "how", "text", "row", "said")
    }
    if shown:
        kept["columns"] = ",".join(shown)
    if column:
        kept[f"{FILTER}{column}"] = f"{query.get('how', 'contains')}:{query.get('text', '')}"
    return query_string(kept)
