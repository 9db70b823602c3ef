"""Routes of the registry: clients, pipelines, workflows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from enrichment_assets.registry.loader import parse_pipeline, parse_workflow
from enrichment_assets.services.catalog import archiving, configuration
from enrichment_assets.services.shapes import catalog as shapes
from enrichment_assets.services.shapes.shape import Shape
from enrichment_assets.store.catalog.archiving import Kind
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.api.paging import NAMES, asked_page
from enrichment_assets.web.api.preconditions import Versioned


def clients(call: Call) -> Mapping[str, Any]:
    """The clients whom somebody sees."""
    asked = asked_page(call)
    call.checked(*NAMES)
    seen = [one for one in configuration.list_clients(call.hq) if call.known.sees(one.slug)]
    return asked.of(seen, lambda one: (one.slug,), shapes.Client.of)


def client(call: Call) -> Shape:
    """One client."""
    call.checked()
    return shapes.Client.of(configuration.get_client(call.hq, call.path["client"]))


def add_client(call: Call) -> Shape:
    """A new client."""
    slug, name = call.text("slug", needed=True) or "", call.text("name")
    call.checked("slug", "name")
    return shapes.Client.of(configuration.add_client(call.hq, slug, name, actor=call.known.actor))


def pipelines(call: Call) -> Mapping[str, Any]:
    """Pipelines of a client and those that all share."""
    asked = asked_page(call)
    call.checked(*NAMES)
    found = configuration.list_pipelines(call.hq, call.client)
    return asked.of(found, lambda one: (one.client or "", one.definition.slug), shapes.Pipeline.of)


def pipeline(call: Call) -> Versioned:
    """A client's pipeline, or the one of that slug that all share."""
    call.checked()
    return _pipeline(call, call.path["pipeline"])


def save_pipeline(call: Call) -> Versioned:
    """Save a pipeline, for a client or for all; batches that were launched keep what they were launched with."""
    given = call.values("definition", needed=True)
    call.checked("definition")
    definition = parse_pipeline(orjson.dumps(given).decode(), "definition")
    saved = configuration.add_pipeline(call.hq, definition, call.client, actor=call.known.actor, seen=call.seen)
    return Versioned(shapes.Saved.of(saved), _pipeline(call, saved.slug).version)


def archive_pipeline(call: Call) -> Shape:
    """Take a pipeline out of lists and pickers; saved again it is back."""
    call.checked()
    return _archived(call, "pipeline", call.path["pipeline"])


def workflows(call: Call) -> Mapping[str, Any]:
    """Every workflow, in the order of its usual place."""
    asked = asked_page(call)
    call.checked(*NAMES)
    found = configuration.list_workflows(call.hq)
    return asked.of(found, lambda one: (one.definition.step, one.definition.slug), shapes.Workflow.of)


def workflow(call: Call) -> Versioned:
    """One workflow as its file says it."""
    call.checked()
    return _workflow(call, call.path["workflow"])


def save_workflow(call: Call) -> Versioned:
    """Save a workflow, new or in place of the one of its slug; batches that were launched keep theirs."""
    given = call.values("definition", needed=True)
    call.checked("definition")
    definition = parse_workflow(orjson.dumps(given).decode(), "definition")
    saved = configuration.add_workflow(call.hq, call.settings, definition, actor=call.known.actor, seen=call.seen)
    return Versioned(shapes.Saved.of(saved), _workflow(call, saved.slug).version)


def switch_workflow(call: Call) -> Versioned:
    """Switch a workflow on or off for every client."""
    enabled = call.flag("enabled")
    call.checked("enabled")
    if enabled is None:
        raise invalid(enabled="is missing")
    slug = call.path["workflow"]
    configuration.set_workflow_enabled(call.hq, slug, enabled, actor=call.known.actor, seen=call.seen)
    return _workflow(call, slug)


def archive_workflow(call: Call) -> Shape:
    """Take a workflow out of lists and pickers; saved again it is back."""
    call.checked()
    return _archived(call, "workflow", call.path["workflow"])


def _pipeline(call: Call, slug: str) -> Versioned:
    found = configuration.get_pipeline(call.hq, slug, call.client)
    return Versioned(shapes.Pipeline.of(found), found.seen_as)


def _workflow(call: Call, slug: str) -> Versioned:
    found = configuration.get_workflow(call.hq, slug)
    return Versioned(shapes.Workflow.of(found), found.seen_as)


def _archived(call: Call, kind: Kind, slug: str) -> Shape:
    from enrichment_assets.assets.instance import InstancePartitions  # it loads Dagster

    partitions = InstancePartitions(call.settings)
    return shapes.PutAway.of(
        archiving.archive(
            call.hq, call.settings, kind, slug, call.client, actor=call.known.actor, partitions=partitions
        )
    )
