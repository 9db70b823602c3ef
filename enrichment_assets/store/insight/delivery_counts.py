"""How many leads stand how at each destination."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from enrichment_assets.store.database import Connection


def delivery_counts(
    connection: Connection, client: str | None, batch: str | None, since: datetime | None, until: datetime | None
) -> list[dict[str, Any]]:
    """Destination, whether it is the simulator's, state, leads; of batches that were launched in that time."""
    return connection.execute(
        """
        select d.destination, d.simulated, d.state, count(*) as leads
        from deliveries d join batches b on b.id = d.batch_id join clients c on c.id = d.client_id
        where (%(client)s::text is null or c.slug = %(client)s)
          and (%(batch)s::text is null or b.batch_key = %(batch)s)
          and (%(since)s::timestamptz is null or b.created_at >= %(since)s)
          and (%(until)s::timestamptz is null or b.created_at < %(until)s)
        group by d.destination, d.simulated, d.state order by d.destination, d.simulated, d.state
        """,
        {"client": client, "batch": batch, "since": since, "until": until},
    ).fetchall()
