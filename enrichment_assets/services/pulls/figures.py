"""What was fetched, as the views of a pull show it: rows of a client, or of all."""

from __future__ import annotations

from typing import Any

from psycopg import sql
from psycopg.errors import InvalidSchemaName, UndefinedTable

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.pulls.tables import count_rows

Rows = list[dict[str, Any]]

_ORDER = {
    "campaign_performance": "client_slug, sent desc nulls last, name, campaign_id",
    "account_health": "client_slug, array_position(array['bad', 'watch', 'good', 'paused'], health), email_account",
    "daily_performance": "client_slug, day, subject, campaign_id, email_account",
    "day_totals": "client_slug, day",
}
"""View of the schema `instantly` -> the order of its rows."""


def figures(hq: Hq, view: str, *, client: str | None = None) -> Rows:
    """The rows of a view of the schema `instantly`; none where nothing was fetched yet.

    Raises:
        NotFoundError: There is no such client.
        ConfigurationError: There are figures, and no views over them.
    """
    if client is not None:
        with hq.transaction() as connection:
            client_row(connection, client)
    query = sql.SQL("select * from {} where %s::text is null or client_slug = %s order by {}").format(
        sql.Identifier("instantly", view), sql.SQL(_ORDER[view])
    )
    try:
        with hq.workspace.transaction() as workspace:
            return workspace.execute(query, [client, client]).fetchall()
    except (UndefinedTable, InvalidSchemaName):
        if not _was_fetched(hq):
            return []
        raise ConfigurationError(
            "the views of the schema instantly are not there: our role may make no schema in the workspace database. "
            "Once the schema is there, the next sync makes them",
            code="pull.views_missing",
        ) from None


def _was_fetched(hq: Hq) -> bool:
    with hq.workspace.transaction() as workspace:
        return bool(count_rows(workspace, "instantly_campaigns_raw", None))
