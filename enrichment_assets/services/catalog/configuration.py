"""The registry of workflows and the pipelines, as every entry point uses them. Clients: `services.catalog.clients`.

The database is the truth. `registry.loader.builtin_workflows()` stands in for it only where it cannot be reached.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.known_names import vocabulary
from enrichment_assets.domain.name_checks import name_warnings
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.planning import validate_pipeline
from enrichment_assets.domain.prompts.checks import prompt_warnings
from enrichment_assets.domain.versions import Seen
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.workflow_checks import said_of, workflow_faults
from enrichment_assets.domain.yaml_text import line_numbers
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.registry.loader import (
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
from enrichment_assets.services.catalog.destination_names import refuse_reserved_name
from enrichment_assets.services.catalog.key_safety import refuse_unsafe_keys
from enrichment_assets.services.catalog.lead_columns import column_faults
from enrichment_assets.services.catalog.pipelines import (
    add_pipeline,
    get_pipeline,
    list_pipelines,
    pipeline_faults_of,
    pipeline_from_steps,
    pipeline_row,
)
from enrichment_assets.services.catalog.registered import (
    Origin,
    RegisteredPipeline,
    RegisteredWorkflow,
    Saved,
    note_saved,
    registered_workflow,
)
from enrichment_assets.services.catalog.seeding import registry, seed_builtins
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.catalog import registry as store
from enrichment_assets.store.catalog.archiving import set_archived, steps_of_batches
from enrichment_assets.store.hq import Hq


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
        return [registered_workflow(row) for row in shown]


def get_workflow(hq: Hq, slug: str) -> RegisteredWorkflow:
    """One workflow. Raises `NotFoundError`."""
    found = {workflow.definition.slug: workflow for workflow in list_workflows(hq, archived=True)}
    if slug not in found:
        raise no_such_workflow(slug, found)
    return found[slug]


def add_workflow(
    hq: Hq,
    settings: Settings,
    source: Path | WorkflowDefinition,
    *,
    actor: Actor,
    replace: bool = False,
    seen: Seen | None = None,
) -> Saved:
    """Register a workflow from a YAML file or a definition; one of the same slug is replaced.

    Batches that were launched before keep what they were launched with. `replace`: a provider's key may go to another
    address than the provider's. `seen`: what of it whoever changes it has seen; None: they do not say.

    Raises:
        ChangedMeanwhileError: It says something else than they have seen.
        ConfigurationError: It is no workflow, or one of its templates or expressions is wrong; names the field. Or it
            holds a key, names a variable that it may not, or sends a key elsewhere.
    """
    text = "" if isinstance(source, WorkflowDefinition) else read_definition(source)
    workflow = source if isinstance(source, WorkflowDefinition) else parse_workflow(text, source.name)
    with registry(hq) as connection:
        store.lock_workflow(connection, workflow.slug)
        known = {row["workflow_slug"]: row for row in store.list_workflow_rows(connection)}
        _check_seen(seen, known, workflow.slug)
        others = {slug: registered_workflow(row).definition for slug, row in known.items() if slug != workflow.slug}
        fields = vocabulary(others.values())
        parameters = store.configured_parameters(connection, workflow.slug)
        faults = workflow_faults(workflow, PROVIDERS, fields, parameters)
        if faults := [*faults, *column_faults(settings, workflow, others.values())]:
            raise ConfigurationError(said_of(workflow, faults, line_numbers(text)), code="workflow.invalid")
        refuse_unsafe(settings, workflow, replace=replace)
        row = known.get(workflow.slug)
        if row is not None and row["archived_at"] is None and registered_workflow(row).definition == workflow:
            return Saved(workflow.slug, "unchanged")
        store.upsert_workflow(connection, workflow, None)
        if row is not None:
            set_archived(connection, "workflow", row["id"], archived=False)
        was = None if row is None else registered_workflow(row).definition
        note_saved(connection, actor, Code.WORKFLOW_SAVE, was, workflow)
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


def _check_seen(seen: Seen | None, known: Mapping[str, dict[str, Any]], slug: str) -> None:
    if seen is not None:
        row = known.get(slug)
        is_there = row is not None and row["archived_at"] is None
        seen.check(registered_workflow(row).seen_as if row is not None and is_there else None, f"the workflow {slug}")


def set_workflow_enabled(hq: Hq, slug: str, enabled: bool, *, actor: Actor, seen: Seen | None = None) -> None:
    """Switch a workflow on or off for every client. Raises `NotFoundError`, and `ChangedMeanwhileError` by `seen`."""
    with registry(hq) as connection:
        store.lock_workflow(connection, slug)
        _check_seen(seen, {row["workflow_slug"]: row for row in store.list_workflow_rows(connection)}, slug)
        was = store.set_enabled(connection, slug, enabled)
        if was is None:
            raise no_such_workflow(slug, [row["workflow_slug"] for row in store.list_workflow_rows(connection)])
        if was != enabled:
            code = Code.WORKFLOW_ENABLE if enabled else Code.WORKFLOW_DISABLE
            note_action(connection, actor, code, slug, before={"enabled": was}, after={"enabled": enabled})


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
    "Origin",
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
    "pipeline_faults_of",
    "pipeline_from_steps",
    "pipeline_row",
    "seed_builtins",
    "set_client_config",
    "set_workflow_enabled",
]
