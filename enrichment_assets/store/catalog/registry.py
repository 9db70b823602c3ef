"""Queries on `enrichment_registry`, `client_workflow_configs` and `enrichment_pipelines`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import ValidationError

from enrichment_assets.domain.pipeline import ClientWorkflowConfig, PipelineDefinition
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.store.database import Connection

Row = dict[str, Any]

_SHARED_COLUMNS = {
    "provider",
    "operation",
    "mode",
    "entity",
    "requires",
    "provides",
    "run_if",
    "price",
    "limits",
    "retry",
}
"""Fields of a definition that are columns of the same name."""

_RENAMED_COLUMNS = {
    "slug": "workflow_slug",
    "title": "title",
    "step": "overall_step_number",
    "deadline": "deadline_seconds",
    "enabled": "enabled",
}
_JSON_COLUMNS = ("requires", "provides", "destination_field_mappings", "price", "limits", "retry", "definition")

_UPSERT = """
    insert into enrichment_registry (workflow_slug, title, overall_step_number, provider, operation, mode, entity,
        requires, provides, run_if, destination_db, destination_table_name, destination_field_mappings, price, limits,
        deadline_seconds, retry, definition, version, builtin_version, enabled)
    values (%(workflow_slug)s, %(title)s, %(overall_step_number)s, %(provider)s, %(operation)s, %(mode)s, %(entity)s,
        %(requires)s, %(provides)s, %(run_if)s, %(destination_db)s, %(destination_table_name)s,
        %(destination_field_mappings)s, %(price)s, %(limits)s, %(deadline_seconds)s, %(retry)s, %(definition)s,
        %(version)s, %(builtin_version)s, %(enabled)s)
    on conflict (workflow_slug) do update set
        title = excluded.title, overall_step_number = excluded.overall_step_number, provider = excluded.provider,
        operation = excluded.operation, mode = excluded.mode, entity = excluded.entity, requires = excluded.requires,
        provides = excluded.provides, run_if = excluded.run_if, destination_db = excluded.destination_db,
        destination_table_name = excluded.destination_table_name,
        destination_field_mappings = excluded.destination_field_mappings, price = excluded.price,
        limits = excluded.limits, deadline_seconds = excluded.deadline_seconds, retry = excluded.retry,
        definition = excluded.definition, version = excluded.version, enabled = excluded.enabled,
        builtin_version = coalesce(excluded.builtin_version, enrichment_registry.builtin_version), updated_at = now()
"""


def row_of(workflow: WorkflowDefinition) -> Row:
    """A definition as columns; `workflow_of` gives the equal definition back."""
    fields = workflow.model_dump(mode="json", by_alias=True)
    destination = fields.pop("destination") or {}
    row = {name: fields.pop(name) for name in _SHARED_COLUMNS}
    row |= {column: fields.pop(field) for field, column in _RENAMED_COLUMNS.items()}
    row["destination_db"] = destination.pop("database", None)
    row["destination_table_name"] = destination.pop("table", None)
    row["destination_field_mappings"] = destination.pop("columns", None)
    row["definition"] = fields | {"destination": destination}
    row["version"] = workflow.version()
    return row


def workflow_of(row: Row) -> WorkflowDefinition:
    """The definition in a row. The columns are the truth: what was changed by SQL is what comes out."""
    fields = dict(row["definition"])
    destination = fields.pop("destination", {})
    fields |= {name: row[name] for name in _SHARED_COLUMNS}
    fields |= {field: row[column] for field, column in _RENAMED_COLUMNS.items()}
    if row["destination_table_name"] is not None:
        fields["destination"] = destination | {
            "database": row["destination_db"],
            "table": row["destination_table_name"],
            "columns": row["destination_field_mappings"],
        }
    return WorkflowDefinition.model_validate(fields)


def readable_workflows(rows: Iterable[Row]) -> dict[str, WorkflowDefinition]:
    """Slug -> definition of every row that is a workflow; one that SQL made into none is nobody's business here."""
    found = {}
    for row in rows:
        with suppress(ValidationError):
            found[row["workflow_slug"]] = workflow_of(row)
    return found


def list_workflow_rows(connection: Connection) -> list[Row]:
    """All rows of the registry, in the order of `overall_step_number`."""
    return connection.execute(
        "select * from enrichment_registry order by overall_step_number, workflow_slug"
    ).fetchall()


def declared_columns(connection: Connection) -> dict[str, dict[str, Any]]:
    """Slug -> the `columns` of its definition, of every workflow that has any, by `overall_step_number`."""
    rows = connection.execute(
        """
        select workflow_slug, definition -> 'columns' as columns from enrichment_registry
        where jsonb_typeof(definition -> 'columns') = 'object' order by overall_step_number, workflow_slug
        """
    )
    return {row["workflow_slug"]: row["columns"] for row in rows}


def registry_mark(connection: Connection) -> str | None:
    """A text that changes with anything in the registry; None while it is empty."""
    row = connection.execute(
        "select md5(string_agg(r::text, chr(10) order by r.workflow_slug)) as mark from enrichment_registry r"
    ).fetchone()
    return row["mark"] if row else None


def registry_versions(connection: Connection) -> str | None:
    """A text that changes when any row of the registry is written, whether with something new or not.

    It reads no row's documents, which is what `registry_mark` takes its time for.
    """
    row = connection.execute(
        "select string_agg(r.ctid::text || r.xmin::text, ' ' order by r.ctid) as versions from enrichment_registry r"
    ).fetchone()
    return row["versions"] if row else None


def upsert_workflow(connection: Connection, workflow: WorkflowDefinition, builtin_version: str | None) -> None:
    """Insert or replace a workflow. A `builtin_version` of None leaves the row's as it is."""
    row = row_of(workflow) | {"builtin_version": builtin_version}
    for name in _JSON_COLUMNS:
        row[name] = None if row[name] is None else Jsonb(row[name])
    connection.execute(_UPSERT, row)


def lock_workflow(connection: Connection, slug: str) -> None:
    """Hold others off who change the workflow of this slug, also one that is not there yet, until the end."""
    connection.execute("select pg_advisory_xact_lock(hashtextextended('workflow ' || %s::text, 0))", (slug,))


def lock_pipeline(connection: Connection, client_id: int | None, slug: str) -> None:
    """The same of a pipeline of a client, or of the one that all share."""
    connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('pipeline ' || coalesce(%s::text, 'of all') || ' ' || %s, 0))",
        (client_id, slug),
    )


def set_enabled(connection: Connection, slug: str, enabled: bool) -> bool | None:
    """Switch a workflow on or off; whether it was on before, None when there is no such workflow."""
    row = connection.execute(
        "select enabled from enrichment_registry where workflow_slug = %s for update", (slug,)
    ).fetchone()
    if row is None:
        return None
    connection.execute(
        "update enrichment_registry set enabled = %s, updated_at = now() where workflow_slug = %s", (enabled, slug)
    )
    return bool(row["enabled"])


def client_configs(connection: Connection, client_id: int) -> dict[str, ClientWorkflowConfig]:
    """Everything that a client overrides, by workflow slug."""
    rows = connection.execute(
        "select workflow_slug, settings, secrets, enabled from client_workflow_configs where client_id = %s "
        "order by workflow_slug",
        (client_id,),
    )
    return {
        row["workflow_slug"]: ClientWorkflowConfig(
            settings=row["settings"], secrets=row["secrets"], enabled=row["enabled"]
        )
        for row in rows
    }


def configured_parameters(connection: Connection, slug: str) -> list[str]:
    """Parameters of a workflow that any client's config sets: `table_url` of the path `parameters.table_url`."""
    rows = connection.execute(
        "select distinct split_part(path, '.', 2) as name "
        "from client_workflow_configs, jsonb_object_keys(settings) as path "
        "where workflow_slug = %s and path like 'parameters.%%'",
        (slug,),
    )
    return sorted(row["name"] for row in rows)


def lock_client_config(connection: Connection, client_id: int, slug: str) -> ClientWorkflowConfig:
    """One config, empty where there was none, locked until the transaction ends."""
    connection.execute(
        "insert into client_workflow_configs (client_id, workflow_slug) values (%s, %s) on conflict do nothing",
        (client_id, slug),
    )
    row = connection.execute(
        "select settings, secrets, enabled from client_workflow_configs "
        "where client_id = %s and workflow_slug = %s for update",
        (client_id, slug),
    ).fetchone()
    return ClientWorkflowConfig.model_validate(row)


def save_client_config(connection: Connection, client_id: int, slug: str, config: ClientWorkflowConfig) -> None:
    """Write a config that `lock_client_config` holds."""
    connection.execute(
        "update client_workflow_configs set settings = %s, secrets = %s, enabled = %s, updated_at = now() "
        "where client_id = %s and workflow_slug = %s",
        (Jsonb(config.settings), Jsonb(config.secrets), config.enabled, client_id, slug),
    )


def upsert_pipeline(connection: Connection, client_id: int | None, pipeline: PipelineDefinition) -> None:
    """Insert or replace a client's pipeline, or one that all clients share (None)."""
    connection.execute(
        """
        insert into enrichment_pipelines (client_id, slug, title, definition) values (%s, %s, %s, %s)
        on conflict (client_id, slug) do update
        set title = excluded.title, definition = excluded.definition, updated_at = now()
        where enrichment_pipelines.definition is distinct from excluded.definition
        """,
        (client_id, pipeline.slug, pipeline.title or pipeline.slug, Jsonb(pipeline.model_dump(mode="json"))),
    )


def list_pipeline_rows(connection: Connection, client_slug: str | None = None) -> list[Row]:
    """Pipelines with their client's slug (null: shared); of one client and the shared ones, or all."""
    return connection.execute(
        """
        select p.*, c.slug as client from enrichment_pipelines p left join clients c on c.id = p.client_id
        where %(client)s::text is null or c.slug = %(client)s or p.client_id is null
        order by c.slug nulls first, p.slug
        """,
        {"client": client_slug},
    ).fetchall()
