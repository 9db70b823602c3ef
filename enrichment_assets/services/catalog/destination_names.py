"""Which names a workflow's destination table may not have: everything that is ours, or that a table of ours may need.

Destinations share a schema with the published marts, so that people find `select * from courses` as they wrote it. A
destination that took the name of a mart before its first publication would stop publication for every client.
"""

from __future__ import annotations

import re

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.workflow import WorkflowDefinition

_PREFIXES = ("pg_", "ix_", "uq_", "pk_", "fk_", "ck_", "sql_", "enrich_", "alembic_", "dagster_")
"""Names of the catalogue, of indexes and constraints (they share one space with tables), and of tools' own tables."""

_OTHERS = frozenset({
    "alembic_version", "asset_check_executions", "asset_daemon_asset_evaluations", "asset_event_tags", "asset_keys",
    "backfill_tags", "bulk_actions", "concurrency_limits", "concurrency_slots", "daemon_heartbeats",
    "dynamic_partitions", "event_logs", "instance_info", "instigators", "job_ticks", "jobs", "kvs",
    "normalized_cereals", "pending_steps", "run_tags", "runs", "schedules", "schedule_ticks", "schema_revision",
    "schema_revision_pkey", "secondary_indexes", "snapshots", "raw_apollo_uploads", "lead_values", "asked_changes",
    "db_driven_enrichment_workflows",
})  # fmt: skip
"""Dagster's tables, which may be in the same database, names that the documents use for views, and the queue of what is
asked for by SQL."""


def reserved_names() -> frozenset[str]:
    """Every exact name that is taken: HQ's tables, all models and seeds, Dagster's tables."""
    from enrichment_assets.store.tables import metadata  # SQLAlchemy and the models are heavy, and rarely asked for
    from enrichment_assets.warehouse.project import load_project

    project = load_project()
    return frozenset(metadata.tables) | _OTHERS | frozenset(project.models) | frozenset(project.seeds)


def is_ours(name: str) -> bool:
    """Whether a table of this name in a database is one of ours: views over all batches (`people`) are DuckDB's."""
    from enrichment_assets.warehouse.project import load_project

    model = load_project().models.get(name)
    return is_reserved(name) and (model is None or model.partitioned or model.materialized == "table")


def is_reserved(name: str) -> bool:
    """Whether a table of this name is, or would be, one of ours."""
    return name in reserved_names() or re.match("|".join(_PREFIXES), name) is not None


def refuse_reserved_name(workflow: WorkflowDefinition) -> None:
    """Raise `ConfigurationError` when the workflow's destination would take a name of ours."""
    if workflow.destination is not None:
        refuse_reserved_table(workflow.destination.table, f"workflow {workflow.slug}, destination")


def refuse_reserved_table(table: str, where: str) -> None:
    """Raise `ConfigurationError` when a table that configuration names at a place would take a name of ours."""
    if not is_reserved(table):
        return
    prefix = re.match("|".join(_PREFIXES), table)
    why = f"names that begin with {prefix.group()}" if prefix else "that name"
    raise ConfigurationError(
        f"{where}: the table {table!r} cannot be used: {why} belong to the platform's own "
        "tables. Choose another, for example one that begins with your service's name",
        code="destination.table_reserved",
    )
