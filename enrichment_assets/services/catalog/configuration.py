"""The registry of workflows and the pipelines, as every entry point uses them. Clients: `services.catalog.clients`.

The database is the truth. `registry.loader.builtin_workflows()` stands in for it only where it cannot be reached.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.known_names import vocabulary
from enrichment_assets.domain.name_checks import name_warnings
from enrichment_assets.domain.operator_actions import Code, differences
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.planning import validate_pipeline
from enrichment_assets.domain.prompts.checks import prompt_warnings
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.workflow_checks import said_of, workflow_faults
from enrichment_assets.domain.yaml_text import line_numbers
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.registry.loader import (
    builtin_pipelines,
    explain,
    get_system,
    parse_pipeline,
    parse_workflow,
)
from enrichment_assets.services.catalog.clients import (
    Client,
    add_client,
    get_client,
    get_client_config,
    get_client_configs,
    list_clients,
    no_such_workflow,
    refuse_key_as_name,
    set_client_config,
)
from enrichment_assets.services.catalog.definition_files import read_definition
from enrichment_assets.services.catalog.destination_names import refuse_reserved_name, refuse_reserved_table
from enrichment_assets.services.catalog.key_safety import refuse_unsafe_keys
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.catalog.lead_columns import column_faults
from enrichment_assets.services.catalog.seeding import is_edited, registry, seed_builtins
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.catalog import registry as store
from enrichment_assets.store.catalog.archiving import set_archived, steps_of_batches
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq

Origin = Literal["built-in", "edited", "added"]


@dataclass(frozen=True, slots=True)
class RegisteredWorkflow:
    """A row of the registry. `origin`: as the built-in file says, a built-in that was edited, or a user's own."""

    definition: WorkflowDefinition
    version: str
    origin: Origin
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class RegisteredPipeline:
    """A saved pipeline; `client` is None for one that all clients share."""

    definition: PipelineDefinition
    client: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving came to; `warnings` name pipelines that cannot run any more."""

    slug: str
    change: Literal["added", "updated", "unchanged"]
    warnings: tuple[str, ...] = ()


def list_workflows(hq: Hq, *, needed: bool = False, archived: bool = False) -> list[RegisteredWorkflow]:
    """Every workflow that is not archived, in the order of `step`; seeds the built-ins first.

    `needed`: also archived ones that a batch has which is not; `archived`: all of them.

    Raises:
        InfrastructureError: The database cannot be reached.
        ConfigurationError: A row was edited by SQL into something that is no workflow; names it.
    """
    with registry(hq) as connection:
        rows = store.list_workflow_rows(connection)
        kept = steps_of_batches(connection) if needed and any(row["archived_at"] for row in rows) else set()
        shown = [r for r in rows if archived or r["archived_at"] is None or r["workflow_slug"] in kept]
        return [_registered(row) for row in shown]


def get_workflow(hq: Hq, slug: str) -> RegisteredWorkflow:
    """One workflow. Raises `NotFoundError`."""
    found = {workflow.definition.slug: workflow for workflow in list_workflows(hq, archived=True)}
    if slug not in found:
        raise no_such_workflow(slug, found)
    return found[slug]


def add_workflow(
    hq: Hq, settings: Settings, source: Path | WorkflowDefinition, *, actor: Actor, replace: bool = False
) -> Saved:
    """Register a workflow from a YAML file or a definition; one of the same slug is replaced.

    Batches that were launched before keep what they were launched with. `replace`: a provider's key may go to another
    address than the provider's.

    Raises:
        ConfigurationError: It is no workflow, or one of its templates or expressions is wrong; names the field. Or it
            holds a key, names a variable that it may not, or sends a key elsewhere.
    """
    text = "" if isinstance(source, WorkflowDefinition) else read_definition(source)
    workflow = source if isinstance(source, WorkflowDefinition) else parse_workflow(text, source.name)
    with registry(hq) as connection:
        known = {row["workflow_slug"]: row for row in store.list_workflow_rows(connection)}
        others = {slug: _registered(row).definition for slug, row in known.items() if slug != workflow.slug}
        fields = vocabulary(others.values())
        parameters = store.configured_parameters(connection, workflow.slug)
        faults = workflow_faults(workflow, PROVIDERS, fields, parameters)
        if faults := [*faults, *column_faults(settings, workflow, others.values())]:
            raise ConfigurationError(said_of(workflow, faults, line_numbers(text)), code="workflow.invalid")
        refuse_unsafe(settings, workflow, replace=replace)
        row = known.get(workflow.slug)
        if row is not None and row["archived_at"] is None and _registered(row).definition == workflow:
            return Saved(workflow.slug, "unchanged")
        store.upsert_workflow(connection, workflow, None)
        if row is not None:
            set_archived(connection, "workflow", row["id"], archived=False)
        was = None if row is None else _registered(row).definition
        _note_saved(connection, actor, Code.WORKFLOW_SAVE, was, workflow)
        warned = [*name_warnings(workflow, fields), *prompt_warnings(workflow, PROVIDERS)]
        warnings = [f"workflow {workflow.slug}, {fault}" for fault in warned]
        pipelines = store.list_pipeline_rows(connection)
        warnings += _broken_pipelines(pipelines, others | {workflow.slug: workflow}, workflow.slug)
    return Saved(workflow.slug, "added" if row is None else "updated", tuple(warnings))


def refuse_unsafe(settings: Settings, workflow: WorkflowDefinition, *, replace: bool) -> None:
    """Raise `ConfigurationError` for a key, a variable, an address or a table that a workflow may not have."""
    for purpose, name in workflow.secrets.items():
        refuse_key_as_name(purpose, name, os.environ)
    refuse_unsafe_keys(workflow, sandbox_url=settings.sandbox_url, replace=replace)
    refuse_reserved_name(workflow)
    if "\\u0000" in workflow.model_dump_json():
        raise ConfigurationError(
            f"workflow {workflow.slug}: a NUL character cannot be stored", code="workflow.nul_character"
        )


def _note_saved(
    connection: Connection,
    actor: Actor,
    code: Code,
    before: WorkflowDefinition | PipelineDefinition | None,
    after: WorkflowDefinition | PipelineDefinition,
    client_id: int | None = None,
) -> None:
    """Write down what of a definition was changed; all of it where it is new."""
    old = None if before is None else before.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    new = after.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if old is not None:
        old, new = differences(old, new)
    note_action(connection, actor, code, after.slug, client_id=client_id, before=old, after=new)


def set_workflow_enabled(hq: Hq, slug: str, enabled: bool, *, actor: Actor) -> None:
    """Switch a workflow on or off for every client. Raises `NotFoundError`."""
    with registry(hq) as connection:
        was = store.set_enabled(connection, slug, enabled)
        if was is None:
            raise no_such_workflow(slug, [row["workflow_slug"] for row in store.list_workflow_rows(connection)])
        if was != enabled:
            code = Code.WORKFLOW_ENABLE if enabled else Code.WORKFLOW_DISABLE
            note_action(connection, actor, code, slug, before={"enabled": was}, after={"enabled": enabled})


def add_pipeline(hq: Hq, source: Path | PipelineDefinition, client: str | None = None, *, actor: Actor) -> Saved:
    """Save a pipeline for a client, or for all (None); one of the same slug and client is replaced.

    Raises:
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
        rows = [row for row in store.list_workflow_rows(connection) if row["archived_at"] is None]
        workflows = {row["workflow_slug"]: _registered(row).definition for row in rows}
        problems = validate_pipeline(pipeline, workflows)
        if problems:
            raise ConfigurationError(
                f"pipeline {pipeline.slug} cannot work: " + "; ".join(problems), code="pipeline.invalid"
            )
        for table in pipeline.families.tables if pipeline.families else ():
            refuse_reserved_table(table.table, f"pipeline {pipeline.slug}, families")
        before = _find_pipeline(store.list_pipeline_rows(connection, client), pipeline.slug, client)
        if before is not None and before["archived_at"] is not None:
            set_archived(connection, "pipeline", before["id"], archived=False)
        elif before is not None and PipelineDefinition.model_validate(before["definition"]) == pipeline:
            return Saved(pipeline.slug, "unchanged")
        store.upsert_pipeline(connection, client_id, pipeline)
        was = None if before is None else PipelineDefinition.model_validate(before["definition"])
        _note_saved(connection, actor, Code.PIPELINE_SAVE, was, pipeline, client_id)
    return Saved(pipeline.slug, "added" if before is None else "updated")


def pipeline_faults_of(hq: Hq, pipeline: PipelineDefinition) -> list[str]:
    """Why an order cannot work, one sentence a problem, as saving it would say; an empty list: it can."""
    with registry(hq) as connection:
        rows = [row for row in store.list_workflow_rows(connection) if row["archived_at"] is None]
        return validate_pipeline(pipeline, {row["workflow_slug"]: _registered(row).definition for row in rows})


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
        return [_pipeline(row) for row in store.list_pipeline_rows(connection, client) if row["archived_at"] is None]


def get_pipeline(hq: Hq, slug: str, client: str | None = None) -> RegisteredPipeline:
    """The client's pipeline of that slug, else the shared one. Raises `NotFoundError`."""
    with registry(hq) as connection:
        if client is not None:
            client_row(connection, client)
        return _pipeline(pipeline_row(connection, slug, client))


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


def _registered(row: dict[str, Any]) -> RegisteredWorkflow:
    try:
        definition = store.workflow_of(row)
    except ValidationError as error:
        raise ConfigurationError(
            f"the registry's row {row['workflow_slug']!r} is no workflow: {explain(error, WorkflowDefinition)}",
            code="workflow.row_invalid",
        ) from None
    origin: Origin = "added"
    if row["builtin_version"] is not None:
        origin = "edited" if is_edited(row) else "built-in"
    return RegisteredWorkflow(definition, definition.version(), origin, row["updated_at"])


def _pipeline(row: dict[str, Any]) -> RegisteredPipeline:
    return RegisteredPipeline(PipelineDefinition.model_validate(row["definition"]), row["client"], row["updated_at"])


def _broken_pipelines(
    rows: list[dict[str, Any]], workflows: Mapping[str, WorkflowDefinition], changed: str
) -> list[str]:
    warnings = []
    for row in rows:
        pipeline = PipelineDefinition.model_validate(row["definition"])
        if changed in (*pipeline.slugs(), *pipeline.deliver) and (problems := validate_pipeline(pipeline, workflows)):
            whose = f" of client {row['client']}" if row["client"] else ""
            warnings.append(f"pipeline {pipeline.slug}{whose} cannot work any more: {'; '.join(problems)}")
    return warnings


__all__ = [
    "Client",
    "RegisteredPipeline",
    "RegisteredWorkflow",
    "Saved",
    "add_client",
    "add_pipeline",
    "add_workflow",
    "get_client",
    "get_client_config",
    "get_client_configs",
    "get_pipeline",
    "get_workflow",
    "list_clients",
    "list_pipelines",
    "list_workflows",
    "pipeline_from_steps",
    "seed_builtins",
    "set_client_config",
    "set_workflow_enabled",
]
