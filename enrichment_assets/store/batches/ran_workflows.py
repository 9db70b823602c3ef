"""Which batches ran a workflow, each with the workflow as it was in its blueprint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class RanWorkflow:
    """A batch, and a workflow of its blueprint as JSON: the client's settings are in it."""

    batch: str
    client: str
    launched_at: datetime
    workflow: dict[str, Any]


def batches_that_ran(connection: Connection, slug: str, client: str | None, limit: int) -> list[RanWorkflow]:
    """The newest batches with the workflow among their steps, of a client or of all; tries are none."""
    rows = connection.execute(
        """
        select b.batch_key as batch, c.slug as client, b.created_at as launched_at, s -> 'workflow' as workflow
        from batches b join clients c on c.id = b.client_id
        cross join lateral jsonb_array_elements(b.blueprint -> 'steps') as s
        where not b.is_try and s -> 'workflow' ->> 'slug' = %(slug)s
          and (%(client)s::text is null or c.slug = %(client)s)
        order by b.id desc limit %(limit)s
        """,
        {"slug": slug, "client": client, "limit": limit},
    ).fetchall()
    return [RanWorkflow(**row) for row in rows]
