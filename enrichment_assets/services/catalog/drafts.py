"""Workflows that were written down by SQL in `homepage.db_driven_enrichment_workflows`: registered, or refused.

Such a row says what the workflow is called, whom it asks and where its results go. How it asks is its provider's
template: a shipped workflow of that provider. A row of a workflow that is registered changes that workflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from enrichment_assets.domain.actors import Actor, ActorKind, name_from
from enrichment_assets.domain.errors import ConfigurationError, EnrichError, InfrastructureError
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.domain.workflow import Entity, WorkflowDefinition
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.registry.loader import builtin_workflows, explain
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.settings import Settings
from enrichment_assets.store.catalog import drafts as store
from enrichment_assets.store.catalog.drafts import Draft
from enrichment_assets.store.catalog.registry import list_workflow_rows, readable_workflows
from enrichment_assets.store.hq import Hq

_DOCUMENTS = ("item.", "fields.", "payload.")
_COMPANY = "company_domain"


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a draft: it is active, or was refused for a reason."""

    workflow: str
    refused: str | None = None


def settle_drafts(hq: Hq, settings: Settings) -> list[Settled]:
    """Register every draft that is a workflow, by its writer's name; note at every other why it is none.

    Without drafts: one statement. Raises `InfrastructureError`: the database cannot be reached.
    """
    with hq.transaction() as connection:
        waiting = store.open_drafts(connection)
    return [_settled(hq, settings, draft) for draft in waiting]


def _settled(hq: Hq, settings: Settings, draft: Draft) -> Settled:
    actor = Actor(ActorKind.SQL, name_from(draft.drafted_by))
    with registry(hq) as connection:
        known = readable_workflows(list_workflow_rows(connection))
    try:
        add_workflow(hq, settings, definition_of(draft, known), actor=actor)
    except InfrastructureError:
        raise
    except EnrichError as error:
        with hq.transaction() as connection:
            store.refuse_draft(connection, draft, str(error))
        return Settled(draft.workflow_slug, str(error))
    with hq.transaction() as connection:
        store.forget_draft(connection, draft)
    return Settled(draft.workflow_slug)


def definition_of(draft: Draft, known: Mapping[str, WorkflowDefinition]) -> WorkflowDefinition:
    """The workflow that a draft means.

    Args:
        draft: The row.
        known: The registry, by slug.

    Raises:
        ConfigurationError: Its provider has no template, its destination is none, or a value does not fit.
    """
    template = known.get(draft.workflow_slug) or _template(draft.provider)
    fields = template.model_dump(mode="json", by_alias=True) | {
        "slug": draft.workflow_slug,
        "title": draft.title or draft.workflow_slug,
        "destination": _destination(draft, template),
    }
    if draft.overall_step_number is not None:
        fields["step"] = draft.overall_step_number
    if draft.workflow_slug not in known:
        fields["description"] = f"Asks as {template.slug} does."
        fields["columns"] = {}
    try:
        return WorkflowDefinition.model_validate(fields)
    except ValidationError as error:
        raise ConfigurationError(
            f"workflow {draft.workflow_slug}: {explain(error, WorkflowDefinition)}", code="workflow.fields_invalid"
        ) from None


def _template(provider: str) -> WorkflowDefinition:
    """The shipped workflow whose request another one of this provider sends."""
    if provider not in PROVIDERS:
        raise ConfigurationError(
            f"there is no provider {provider!r}: {instead(provider, sorted(PROVIDERS))}",
            code="workflow.provider_unknown",
        )
    slug = PROVIDERS[provider].template
    if slug is None:
        raise ConfigurationError(
            f"the provider {provider} has no template: what it is asked is different for each workflow. Add the "
            "workflow as a file; its row can be changed here then",
            code="workflow.provider_without_template",
        )
    return builtin_workflows()[slug]


def _destination(draft: Draft, template: WorkflowDefinition) -> dict[str, Any] | None:
    """Where the draft's results go; None: nowhere but `enrichment_results`."""
    table, mappings = draft.destination_table_name, draft.destination_field_mappings
    if table is None and draft.destination_db is None and mappings is None:
        return None
    if table is None or not isinstance(mappings, dict) or not mappings:
        raise ConfigurationError(
            f"workflow {draft.workflow_slug}: a destination is destination_table_name with "
            'destination_field_mappings, {"field": "column"}',
            code="workflow.destination_incomplete",
        )
    before = template.destination
    columns: dict[str, dict[str, Any]] = {}
    for column, read in _columns(draft, template, mappings):
        if columns.setdefault(column, read) != read:
            raise ConfigurationError(
                f"workflow {draft.workflow_slug}: destination_field_mappings fills the column {column!r} twice, from "
                f"{columns[column]['from']} and {read['from']}",
                code="workflow.destination_column_twice",
            )
    if before is not None and before.table == table:
        key = [name for name in before.key if name in columns or name not in before.columns]
        kept = {"create": before.create, "key": key or before.key}
    elif template.entity is Entity.COMPANY:
        columns = {_COMPANY: {"from": f"item.{_COMPANY}"}} | columns
        kept = {"create": True, "key": [_COMPANY]}
    else:
        kept = {"create": True}
    return {"database": draft.destination_db or "workspace", "table": table, "columns": columns, **kept}


def _columns(
    draft: Draft, template: WorkflowDefinition, mappings: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Column -> what goes into it, and as what."""
    known = template.destination.columns if template.destination is not None else {}
    lists = {name for name, kind in template.types.items() if kind == "list"}
    for source, said in mappings.items():
        path = source if source.startswith(_DOCUMENTS) else f"fields.{_field(draft, template, source)}"
        for one in said if isinstance(said, list) else [said]:
            column, kind = _column(draft, source, one)
            usual = known[column].type if column in known else "jsonb" if source in lists else "text"
            yield column, {"from": path, "type": kind or usual}


def _field(draft: Draft, template: WorkflowDefinition, source: str) -> str:
    """The field of the template that a mapping reads."""
    if source not in template.provides:
        raise ConfigurationError(
            f"workflow {draft.workflow_slug}: destination_field_mappings reads {source!r}, which it does not give: "
            f"{instead(source, sorted(template.provides))}",
            code="workflow.destination_reads_nothing",
        )
    return source


def _column(draft: Draft, source: str, said: Any) -> tuple[str, str | None]:
    """The column that a mapping writes, and its type where that is said."""
    if isinstance(said, str):
        return said, None
    if isinstance(said, dict) and isinstance(said.get("column"), str) and set(said) <= {"column", "type"}:
        return said["column"], said.get("type")
    raise ConfigurationError(
        f"workflow {draft.workflow_slug}: destination_field_mappings.{source} is to be the name of a column, or "
        '{"column": "urls", "type": "jsonb"}',
        code="workflow.destination_column_invalid",
    )
