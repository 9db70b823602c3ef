"""Built-in workflows and pipelines into the database: idempotent, and never over what a user has edited."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from enrichment_assets.registry.loader import builtin_pipelines, builtin_versions, builtin_workflows
from enrichment_assets.store.catalog import registry as store
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq


@contextmanager
def registry(hq: Hq) -> Iterator[Connection]:
    """A connection to an HQ database that holds the built-ins; commits at the end."""
    with hq.transaction() as connection:
        seed_builtins(connection)
        yield connection


def seed_builtins(connection: Connection) -> list[str]:
    """Insert what is missing, and bring what came from an older file up to date.

    A row that differs from the file it was seeded from was edited, by command or by SQL, and stays. Whether it is
    switched on is not an edit.

    Returns:
        Slugs of the workflows that were inserted or updated.
    """
    rows = {row["workflow_slug"]: row for row in store.list_workflow_rows(connection)}
    changed = []
    for workflow in builtin_workflows().values():
        version, row = builtin_versions()[workflow.slug], rows.get(workflow.slug)
        if row is None:
            store.upsert_workflow(connection, workflow, version)
        elif row["builtin_version"] not in (None, version) and not is_edited(row):
            store.upsert_workflow(connection, workflow.model_copy(update={"enabled": row["enabled"]}), version)
        else:
            continue
        changed.append(workflow.slug)
    seeded = {row["slug"]: row["definition"] for row in store.list_pipeline_rows(connection) if row["client"] is None}
    for pipeline in builtin_pipelines().values():
        if seeded.get(pipeline.slug) != pipeline.model_dump(mode="json"):
            store.upsert_pipeline(connection, None, pipeline)
    return changed


def is_edited(row: dict[str, Any]) -> bool:
    """Whether a row seeded from a file says something else than the file did."""
    try:
        return bool(store.workflow_of(row).content_version() != row["builtin_version"])
    except ValidationError:
        return True  # edited by SQL into something that is no workflow: for a person to mend
