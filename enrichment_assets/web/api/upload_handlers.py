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
from enrichment_assets.services.uploads.upload import get_upload, list_uploads
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.api.handlers import page


def uploads(call: Call) -> Mapping[str, Any]:
    """Uploads, the newest first."""
    call.checked()
    return page(map(shapes.Upload.of, list_uploads(call.hq, call.settings, call.client)))


def upload(call: Call) -> Shape:
    """One upload as it was counted."""
    call.checked()
    return shapes.Upload.of(get_upload(call.hq, int(call.path["upload"])))


def plan(call: Call) -> Shape:
    """What a launch would call and cost at most. Nothing is written."""
    pipeline, rows = call.query.get("pipeline") or "", call.number("rows", 0) or None
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
    rows = call.whole("rows")
    call.checked("pipeline", "rows")
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
        environment=runner.variables,
    )
    return launches.Launch.of(launched)
