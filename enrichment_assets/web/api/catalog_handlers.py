"""Routes of what is configured: clients, pipelines, workflows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.services.catalog import configuration
from enrichment_assets.services.shapes import catalog as shapes
from enrichment_assets.services.shapes.shape import Shape
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.handlers import page


def clients(call: Call) -> Mapping[str, Any]:
    """The clients whom somebody sees."""
    call.checked()
    seen = (one for one in configuration.list_clients(call.hq) if call.known.sees(one.slug))
    return page(map(shapes.Client.of, seen))


def add_client(call: Call) -> Shape:
    """A new client."""
    slug, name = call.text("slug", needed=True) or "", call.text("name")
    call.checked("slug", "name")
    return shapes.Client.of(configuration.add_client(call.hq, slug, name, actor=call.known.actor))


def pipelines(call: Call) -> Mapping[str, Any]:
    """Pipelines of a client and those that all share."""
    call.checked()
    return page(map(shapes.Pipeline.of, configuration.list_pipelines(call.hq, call.client)))


def workflows(call: Call) -> Mapping[str, Any]:
    """Every workflow, in the order of its usual place."""
    call.checked()
    return page(map(shapes.Workflow.of, configuration.list_workflows(call.hq)))


def workflow(call: Call) -> Shape:
    """One workflow as its file says it."""
    call.checked()
    return shapes.Workflow.of(configuration.get_workflow(call.hq, call.path["workflow"]))
