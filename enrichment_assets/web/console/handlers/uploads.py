"""Uploads: a file comes in, what was understood of it, and sending it through a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any

from enrichment_assets.domain.client_profiles import PROFILE
from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.services.batches.foresight import next_runner
from enrichment_assets.services.batches.launching import plan_launch
from enrichment_assets.services.batches.repeated_rows import repeats_of
from enrichment_assets.services.catalog.configuration import get_client, list_pipelines
from enrichment_assets.services.operations.budgeting import list_budgets
from enrichment_assets.services.shapes import launches as shapes
from enrichment_assets.services.uploads.options import UploadOptions
from enrichment_assets.services.uploads.upload import (
    get_upload,
    list_rejections,
    read_rows,
    upload_again,
    upload_file,
)
from enrichment_assets.settings import Settings
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.received import PATH
from enrichment_assets.web.console.views import Redirect, Shown, View

_ROWS, _REJECTIONS = 20, 50
_SAID = ("encoding", "delimiter", "sheet")


def choose(call: Call) -> Shown:
    """Ask for a file."""
    call.checked("said")
    return View("upload_new.html", "Upload a list", {"client": get_client(call.hq, call.path["client"])})


def take(call: Call) -> Shown:
    """Keep the file that came, and count its rows."""
    path, name = call.body.get(PATH), call.query.get("name", "").strip()
    if path is None or not name or len(name) > 255 or not name.isprintable():
        raise invalid(name="is missing, or no name of a file")
    said = {option: call.query.get(option) or None for option in _SAID}
    report = upload_file(
        call.hq,
        call.settings,
        path,
        call.path["client"],
        actor=call.known.actor,
        source="api",
        filename=name,
        options=UploadOptions(said["encoding"], said["delimiter"], said["sheet"], {}),
    )
    return Redirect(f"/uploads/{report.upload_id}")


def show(call: Call) -> Shown:
    """What was understood of an upload: columns, first rows, rejections."""
    call.checked("said")
    number = int(call.path["upload"])
    found = get_upload(call.hq, number)
    context = {
        "upload": found,
        "rows": _first_rows(call, number),
        "rejections": list(islice(list_rejections(call.hq, number), _REJECTIONS)),
        "fields": IDENTITY_FIELDS,
        "pipelines": list_pipelines(call.hq, found.client),
    }
    return View("upload.html", found.filename, context)


def repeats(call: Call) -> Shown:
    """Who is in an upload twice, and whom the client has already."""
    call.checked()
    number = int(call.path["upload"])
    found = get_upload(call.hq, number)
    settings, _ = _as_the_platform(call.settings)  # leads of the simulator are none of the real ones
    context = {"upload": found, "repeats": repeats_of(call.hq, settings, number)}
    return View("upload_repeats.html", f"Repeated in {found.filename}", context)


def map_columns(call: Call) -> Shown:
    """Read the same bytes with other columns: another upload."""
    number = int(call.path["upload"])
    columns = {one.key: one for one in get_upload(call.hq, number).columns}
    said = {name.removeprefix("column."): text for name, text in call.body.items() if name.startswith("column.")}
    mapping = {
        columns[key].name: field
        for key, field in said.items()
        if key in columns and isinstance(field, str) and field != (columns[key].field or "")
    }
    if not mapping:
        return Redirect(f"/uploads/{number}")
    report = upload_again(call.hq, call.settings, number, mapping, actor=call.known.actor)
    return Redirect(f"/uploads/{report.upload_id}", "mapped")


def plan(call: Call) -> Shown:
    """What a launch would call and cost at most. Nothing is written."""
    pipeline, limit = _asked(call.query)
    upload = get_upload(call.hq, int(call.path["upload"]))
    settings, variables = _as_the_platform(call.settings)
    found = plan_launch(
        call.hq, settings, upload.upload_id, pipeline, client=upload.client, limit=limit, environment=variables
    )
    plan = shapes.LaunchPlan.of(found)
    of_steps = {problem for step in plan.steps for problem in step.problems}
    context = {
        "upload": upload,
        "plan": plan,
        "problems": [problem for problem in plan.problems if problem not in of_steps],
        "lacking_first": [one for one in plan.lacking if not one.after],
        "lacking_of": {one.workflow: one for one in sorted(plan.lacking, key=lambda one: one.rows)},
        "needs_profile": any(f"{PROFILE}." in problem for problem in of_steps),
        "budgets": list_budgets(call.hq, upload.client),
        "is_stopped": bool(plan.problems or of_steps),
        "pipeline": pipeline,
        "limit": limit,
    }
    return View("launch.html", f"Launch {upload.filename}", context)


def launch(call: Call) -> Shown:
    """Launch it: from here on money is spent."""
    from enrichment_assets.assets.launching import launch_and_start  # it loads Dagster, which no other page needs

    pipeline, limit = _asked(call.body)
    upload = get_upload(call.hq, int(call.path["upload"]))
    settings, variables = _as_the_platform(call.settings)
    budget = str(call.body.get("budget") or "").strip()
    launched, _ = launch_and_start(
        call.hq,
        settings,
        upload.upload_id,
        pipeline,
        actor=call.known.actor,
        client=upload.client,
        limit=limit,
        budget=budget or None,
        environment=variables,
    )
    said = "launched" if launched.created else "goes-on" if launched.added else "launched-before"
    return Redirect(f"/batches/{launched.batch_key}", said)


def _as_the_platform(settings: Settings) -> tuple[Settings, Mapping[str, str]]:
    """The settings and variables of who will run the batch: this process is given no keys of providers."""
    runner = next_runner(settings)
    return replace(settings, sandbox_url=runner.sandbox_url), runner.variables


def _asked(given: Any) -> tuple[str, int | None]:
    """The pipeline and how many rows at most, as a form gives them. Raises the 422."""
    pipeline, rows = str(given.get("pipeline") or ""), str(given.get("rows") or "").strip()
    faults = {} if pipeline else {"pipeline": "is missing"}
    if rows and not (rows.isascii() and rows.isdecimal() and len(rows) < 10 and int(rows) > 0):
        faults["rows"] = "is no whole number from 1 on"
    if faults:
        raise invalid(**faults)
    return pipeline, int(rows) if rows else None


def _first_rows(call: Call, number: int) -> list[dict[str, Any]]:
    """The first rows as they were read, column -> cell; none where the file has none, or is gone."""
    with suppress(InfrastructureError):
        for batch in read_rows(call.hq, call.settings, number):
            rows: list[dict[str, Any]] = batch.slice(0, _ROWS).to_pylist()
            return rows
    return []
