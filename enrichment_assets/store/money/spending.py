"""What was spent since a time: calls that were settled, of batches that were open since then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Spent:
    """What a client spent in one currency: since the later of two times, and since the earlier."""

    client: str
    currency: str
    lately: Decimal
    all: Decimal


def spent_since(connection: Connection, client: str | None, since: datetime, lately: datetime) -> list[Spent]:
    """By client and currency, of a client or of all; who spent nothing since then is not among them."""
    rows = connection.execute(
        """
        with under_way as materialized (
          select b.id, c.slug as client, b.blueprint from batches b join clients c on c.id = b.client_id
          where (%(client)s::text is null or c.slug = %(client)s)
            and (b.finished_at is null or b.finished_at >= %(since)s)
        ), paid as materialized (
          select p.batch_id, p.workflow_slug, sum(p.cost) as all,
                 coalesce(sum(p.cost) filter (where coalesce(p.received_at, p.created_at) >= %(lately)s), 0) as lately
          from under_way u join provider_calls p on p.batch_id = u.id
          where p.cost > 0 and coalesce(p.received_at, p.created_at) >= %(since)s
          group by p.batch_id, p.workflow_slug
        ), prices as (
          select u.id as batch_id, s -> 'workflow' ->> 'slug' as workflow_slug,
                 coalesce(s -> 'workflow' -> 'price' ->> 'currency', 'USD') as currency
          from under_way u cross join jsonb_array_elements(u.blueprint -> 'steps') as s
        )
        select u.client, coalesce(r.currency, '') as currency, sum(p.lately) as lately, sum(p.all) as all
        from paid p join under_way u on u.id = p.batch_id
        left join prices r on r.batch_id = p.batch_id and r.workflow_slug = p.workflow_slug
        group by u.client, coalesce(r.currency, '') order by u.client, currency
        """,
        {"client": client, "since": since, "lately": lately},
    ).fetchall()
    return [Spent(**row) for row in rows]
