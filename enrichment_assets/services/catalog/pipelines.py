"""Pipelines: those of a client, and those that all clients share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.planning import validate_pipeline
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.domain.versions import Seen
from enrichment_assets.registry.loader import builtin_pipelines, explain, get_system, parse_pipeline
from enrichment_assets.services.catalog.definition_files import read_definition
from enrichment_assets.services.catalog.destination_names import refuse_reserved_table
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.catalog.registered import (
    RegisteredPipeline,
    Saved,
    note_saved,
    registered_pipeline,
    registered_workflow,
)
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.store.catalog import registry as store
from enrichment_assets.store.catalog.archiving import set_archived
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq


def add_pipeline(
    hq: Hq, source: Path | PipelineDefinition, client: str | None = None, *, actor: Actor, seen: Seen | None = None
) -> Saved:
    """Save a pipeline for a client, or for all (None); one of the same slug and client is replaced.

    `seen`: what whoever saves it has seen under this slug, of the client's own or else of the one that all share.

    Raises:
        ChangedMeanwhileError: Something else stands there than they have seen.
        ConfigurationError: The order cannot work (names step and missing field), or the slug is a built-in's.
        NotFoundError: No such client, or no such system.
    """
    pipeline = (
        source if isinstance(source, PipelineDefinition) else parse_pipeline(read_definition(source), source.name)
    )
    if client is None and pipeline.slug in builtin_pipelines():
        raise ConfigurationError(
            f"pipeline {pipeline.slug!r} is built in: choose another slug, or save it for a client",
            code="pipeline.slug_reserved",
        )
    if pipeline.system is not None:
        get_system(pipeline.system)
    with registry(hq) as connection:
        client_id = None if client is None else client_row(connection, client)["id"]
        store.lock_pipeline(connection, client_id, pipeline.slug)
        known = store.list_pipeline_rows(connection, client)
        if seen is not None:
            used = [_find_pipeline(known, pipeline.slug, whose) for whose in (client, None)]
            there = next((row for row in used if row is not None and row["archived_at"] is None), None)
            seen.check(None if there is None else registered_pipeline(there).seen_as, f"the pipeline {pipeline.slug}")
        rows = [row for row in store.list_workflow_rows(connection) if row["archived_at"] is None]
        workflows = {row["workflow_slug"]: registered_workflow(row).definition for row in rows}
        problems = validate_pipeline(pipeline, workflows)
        if problems:
            raise ConfigurationError(
                f"pipeline {pipeline.slug} cannot work: " + "; ".join(problems), code="pipeline.invalid"
            )
        for table in pipeline.families.tables if pipeline.families else ():
            refuse_reserved_table(table.table, f"pipeline {pipeline.slug}, families")
        before = _find_pipeline(known, pipeline.slug, client)
        if before is not None and before["archived_at"] is not None:
            set_archived(connection, "pipeline", before["id"], archived=False)
        elif before is not None and PipelineDefinition.model_validate(before["definition"]) == pipeline:
            return Saved(pipeline.slug, "unchanged")
        store.upsert_pipeline(connection, client_id, pipeline)
        was = None if before is None else PipelineDefinition.model_validate(before["definition"])
        note_saved(connection, actor, Code.PIPELINE_SAVE, was, pipeline, client_id)
    return Saved(pipeline.slug, "added" if before is None else "updated")


def pipeline_faults_of(hq: Hq, pipeline: PipelineDefinition) -> list[str]:
    """Why an order cannot work, one sentence a problem, as saving it would say; an empty list: it can."""
    with registry(hq) as connection:
        rows = [row for row in store.list_workflow_rows(connection) if row["archived_at"] is None]
        return validate_pipeline(pipeline, {row["workflow_slug"]: registered_workflow(row).definition for row in rows})


def pipeline_from_steps(slug: str, steps: str, title: str = "") -> PipelineDefinition:
    """A pipeline from `a,b|c,d`: commas between steps, `|` between the members of a waterfall.

    Raises `ConfigurationError` for names that are no slugs.
    """
    groups = [[member.strip() for member in entry.split("|")] for entry in steps.split(",")]
    if any(not member for members in groups for member in members):
        raise ConfigurationError(
            f"pipeline {slug!r}: a step of {steps!r} has no name: a comma or `|` too many?",
            code="pipeline.step_without_name",
        )
    entries = [members[0] if len(members) == 1 else {"waterfall": members} for members in groups]
    try:
        return PipelineDefinition.model_validate({"slug": slug, "title": title, "steps": entries})
    except ValidationError as error:
        raise ConfigurationError(
            f"pipeline {slug!r}: {explain(error, PipelineDefinition)}", code="pipeline.fields_invalid"
        ) from None


def list_pipelines(hq: Hq, client: str | None = None) -> list[RegisteredPipeline]:
    """Shared pipelines and those of a client, or of all clients (None)."""
    with registry(hq) as connection:
        if client is not None:
            client_row(connection, client)
        return [
            registered_pipeline(row)
            for row in store.list_pipeline_rows(connection, client)
            if row["archived_at"] is None
        ]


def get_pipeline(hq: Hq, slug: str, client: str | None = None) -> RegisteredPipeline:
    """The client's pipeline of that slug, else the shared one. Raises `NotFoundError`."""
    with registry(hq) as connection:
        if client is not None:
            client_row(connection, client)
        return registered_pipeline(pipeline_row(connection, slug, client))


def pipeline_row(connection: Connection, slug: str, client: str | None) -> dict[str, Any]:
    """As `get_pipeline`, on an open connection."""
    rows = store.list_pipeline_rows(connection, client)
    row = _find_pipeline(rows, slug, client) or _find_pipeline(rows, slug, None)
    if row is not None and row["archived_at"] is not None:
        raise ConfigurationError(
            f"pipeline {slug!r} is archived: restore it, or choose another", code="pipeline.archived"
        )
    if row is None:
        whose = f"client {client} has no pipeline {slug!r}" if client else f"there is no shared pipeline {slug!r}"
        guess = did_you_mean(slug, [row["slug"] for row in rows])
        raise NotFoundError(f"{whose}{guess}", Hint(Action.LIST_PIPELINES), code="pipeline.not_found")
    return row


def _find_pipeline(rows: list[dict[str, Any]], slug: str, client: str | None) -> dict[str, Any] | None:
    return next((row for row in rows if row["slug"] == slug and row["client"] == client), None)
