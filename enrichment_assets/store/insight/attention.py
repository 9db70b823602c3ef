"""What waits for a person: one statement over the newest batches that are still in sight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.domain.deliveries import DELIVERY_POSITION
from enrichment_assets.store.database import Connection

MOST_BATCHES = 100
"""Batches that are looked at, the newest first: older ones have been looked at, or put away."""

_WAITS = f"""
with seen as materialized (
  select b.id, b.batch_key, b.client_id, c.slug as client, b.blueprint, b.holds
  from batches b join clients c on c.id = b.client_id
  where not b.is_try and b.retired_at is null and b.given_up_at is null
    and (%(client)s::text is null or c.slug = %(client)s)
  order by b.id desc limit %(batches)s
), steps as materialized (
  select s.id, s.batch_key, s.client, w.workflow ->> 'slug' as slug,
         jsonb_array_length(coalesce(w.workflow -> 'drafts', '[]')) > 0 as writes_drafts,
         w.workflow ->> 'provider' = 'person' as asks_people
  from seen s cross join lateral jsonb_path_query(s.blueprint, '$.steps[*].workflow') as w(workflow)
)
select 'ambiguous' as kind, s.client, s.batch_key as subject, count(*) as count, min(x.advanced_at) as since
from seen s join workflow_states x on x.batch_id = s.id and x.status = 'AMBIGUOUS'
group by s.client, s.batch_key
union all
select case when x.position < {DELIVERY_POSITION} then 'failed' else 'delivery' end, s.client, s.batch_key, count(*),
       min(x.advanced_at)
from seen s join workflow_states x on x.batch_id = s.id and x.status = 'FAILED'
group by 1, s.client, s.batch_key
union all
select 'held', s.client, s.batch_key, count(*), min((h.value ->> 'at')::timestamptz)
from seen s cross join lateral jsonb_each(s.holds) as h(key, value)
where h.value ->> 'kind' = 'paused'
group by s.client, s.batch_key
union all
select 'draft', t.client, t.batch_key, count(*), min(x.advanced_at)
from steps t join workflow_states x on x.batch_id = t.id and x.workflow_slug = t.slug
where t.writes_drafts and x.status = 'COMPLETED' and x.outcome = 'found'
  and not exists (select 1 from approvals a where a.item_id = x.item_id and a.workflow_slug = x.workflow_slug)
group by t.client, t.batch_key
union all
select 'question', t.client, t.batch_key, count(*), min(x.advanced_at)
from steps t join workflow_states x on x.batch_id = t.id and x.workflow_slug = t.slug
where t.asks_people and x.status = 'IN_PROGRESS'
group by t.client, t.batch_key
union all
select 'dead_letter', c.slug, c.slug, count(*), min(i.received_at)
from callback_inbox i join clients c on c.id = i.client_id
where i.status = 'dead' and (%(client)s::text is null or c.slug = %(client)s)
group by c.slug
order by kind, since, subject
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Things of one kind that wait for a person.

    Attributes:
        kind: `ambiguous`, `failed`, `held`, `draft` (nobody has spoken of it yet), `question` or `dead_letter`.
        client: The client's slug.
        subject: The batch's key; of dead letters the client's slug.
        count: How many.
        since: When the first of them came to be so.
    """

    kind: str
    client: str
    subject: str
    count: int
    since: datetime | None


def waiting(connection: Connection, client: str | None) -> list[Waiting]:
    """What waits, of a client or of all: by kind, the oldest first."""
    rows = connection.execute(_WAITS, {"client": client, "batches": MOST_BATCHES}).fetchall()
    return [Waiting(row["kind"], row["client"], row["subject"], row["count"], row["since"]) for row in rows]
