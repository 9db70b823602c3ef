"""Routes of uploads: what came, what a launch would cost, and launching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from enrichment_assets.services.batches.foresight import next_runner
from enrichment_assets.services.batches.launching import plan_launch
from enrichment_assets.services.shapes import launches
from enrichment_assets.services.shapes import uploads as shapes
from enrichment_assets.services.shapes.shape import Shape
from enrichment_assets.services.uploads.options import UploadOptions
from enrichment_assets.services.uploads.upload import get_upload, list_uploads, upload_file
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.api.paging import NAMES, asked_page
from enrichment_assets.web.console.received import PATH as FILE


def uploads(call: Call) -> Mapping[str, Any]:
    """Uploads, the newest first."""
    asked = asked_page(call, 100)
    call.checked(*NAMES)
    found = list_uploads(call.hq, call.settings, call.client)
    return asked.of(found, lambda one: (-one.upload_id,), shapes.Upload.of)


def take(call: Call) -> Shape:
    """Take a file: its bytes are kept and its rows counted. The same bytes again are the same upload."""
    name, client = (call.word("name") or "").strip(), call.client or ""
    said = {option: call.word(option) or None for option in ("encoding", "delimiter", "sheet")}
    call.checked("name", *said, FILE)
    if not name or len(name) > 255 or not name.isprintable():
        raise invalid(name="is missing, or no name of a file")
    if not client:
        raise invalid(client="is missing")
    report = upload_file(
        call.hq,
        call.settings,
        call.body[FILE],
        client,
        actor=call.known.actor,
        source="api",
        filename=name,
        options=UploadOptions(said["encoding"], said["delimiter"], said["sheet"], {}),
    )
    return shapes.Upload.of(report)


def upload(call: Call) -> Shape:
    """One upload as it was counted."""
    call.checked()
    return shapes.Upload.of(get_upload(call.hq, int(call.path["upload"])))


def plan(call: Call) -> Shape:
    """What a launch would call and cost at most. Nothing is written."""
    pipeline, rows = call.word("pipeline") or "", call.number("rows", 0) or None
    call.checked("pipeline", "rows")
    if not pipeline:
        raise invalid(pipeline="is missing")
    runner = next_runner(call.settings)
    settings = replace(call.settings, sandbox_url=runner.sandbox_url)
    number = int(call.path["upload"])
    found = plan_launch(
        call.hq, settings, number, pipeline, client=call.client, limit=rows, environment=runner.variables
    )
    return launches.LaunchPlan.of(found)


def launch(call: Call) -> Shape:
    """Launch an upload: from here on money is spent. Launched again it is the same batch."""
    from enrichment_assets.assets.launching import launch_and_start  # it loads Dagster, which no other route needs

    pipeline = call.text("pipeline", needed=True) or ""
    rows, budget = call.whole("rows"), call.text("budget")
    call.checked("pipeline", "rows", "budget")
    runner = next_runner(call.settings)
    settings = replace(call.settings, sandbox_url=runner.sandbox_url)
    launched, _ = launch_and_start(
        call.hq,
        settings,
        int(call.path["upload"]),
        pipeline,
        actor=call.known.actor,
        client=call.client,
        limit=rows,
        budget=budget,
        environment=runner.variables,
    )
    return launches.Launch.of(launched)
