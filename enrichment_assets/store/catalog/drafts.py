"""Queries on `workflow_drafts`: what the view `homepage.db_driven_enrichment_workflows` took down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment_assets.store.database import Connection

LONGEST_REASON = 1_000
"""Characters of a refusal that are kept: it may quote what was written, of any length."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A row that somebody wrote, as it is.

    Attributes:
        mappings: What is read of a result -> the column that it goes into.
        drafted_by: The role of Postgres that wrote it.
    """

    workflow_slug: str
    title: str | None
    overall_step_number: int | None
    provider: str
    destination_db: str | None
    destination_table_name: str | None
    destination_field_mappings: Any
    drafted_by: str
    drafted_at: datetime


def open_drafts(connection: Connection) -> list[Draft]:
    """The drafts that nobody has looked at yet, the oldest first."""
    rows = connection.execute(
        """
        select workflow_slug, title, overall_step_number, provider, destination_db, destination_table_name,
               destination_field_mappings, drafted_by, drafted_at
        from workflow_drafts where status = 'draft' order by drafted_at, id
        """
    )
    return [Draft(**row) for row in rows.fetchall()]


def refuse_draft(connection: Connection, draft: Draft, reason: str) -> None:
    """Say why a draft is no workflow, unless it was changed meanwhile."""
    connection.execute(
        "update workflow_drafts set status = 'refused', reason = %s where workflow_slug = %s and drafted_at = %s",
        (reason[:LONGEST_REASON], draft.workflow_slug, draft.drafted_at),
    )


def forget_draft(connection: Connection, draft: Draft) -> None:
    """Take out a draft that is registered, unless it was changed meanwhile."""
    connection.execute(
        "delete from workflow_drafts where workflow_slug = %s and drafted_at = %s",
        (draft.workflow_slug, draft.drafted_at),
    )
