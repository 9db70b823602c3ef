"""What `/metrics` shows: one statement, over small tables and the states of open batches, by an index alone.

Labels are slugs, keys of batches and words of the platform's own; never a value of a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.transitions import OF_STEPS

_OPEN = "b.finished_at is null and b.retired_at is null and b.given_up_at is null and not b.is_try"

_FIGURES = f"""
with open_batches as materialized (
  select b.id, b.client_id from batches b where {_OPEN}
), steps as materialized (
  select o.client_id, s.workflow_slug, s.status, count(*) as states
  from open_batches o join workflow_states s on s.batch_id = o.id and {OF_STEPS}
  group by o.client_id, s.workflow_slug, s.status
), clients_of as materialized (select id, slug from clients)
select 'batches' as name, jsonb_build_object('client', c.slug, 'state', b.state) as labels, count(*)::float8 as value
from (
  select b.client_id, case when b.retired_at is not null or b.given_up_at is not null then 'put_away'
                           when b.finished_at is not null then 'finished'
                           when b.holds ? '*' then 'held' else 'open' end as state
  from batches b where not b.is_try
) b join clients_of c on c.id = b.client_id group by c.slug, b.state
union all
select 'steps', jsonb_build_object('client', c.slug, 'workflow', s.workflow_slug, 'status', s.status), s.states
from steps s join clients_of c on c.id = s.client_id
union all
select 'runs', jsonb_build_object('client', c.slug), count(*)
from runners r join batches b on b.id = r.batch_id join clients_of c on c.id = b.client_id
where r.ended_at is null and r.expires_at > clock_timestamp() group by c.slug
union all
select 'stopped_steps', jsonb_build_object('client', c.slug, 'workflow', t.workflow_slug, 'cause', t.cause), count(*)
from step_stops t join open_batches o on o.id = t.batch_id join clients_of c on c.id = t.client_id
group by c.slug, t.workflow_slug, t.cause
union all
select 'budget_' || f.name, jsonb_build_object('client', c.slug, 'workflow', coalesce(g.workflow_slug, '')), f.value
from budgets g join clients_of c on c.id = g.client_id
cross join lateral (values ('amount', g.amount), ('spent', g.spent), ('reserved', g.reserved)) f(name, value)
where g.batch_id is null
union all
select 'callbacks', jsonb_build_object('client', c.slug, 'status', i.status), count(*)
from callback_inbox i join clients_of c on c.id = i.client_id
where i.status in ('new', 'dead') group by c.slug, i.status
union all
select 'oldest_callback_seconds', '{{}}'::jsonb,
       coalesce(extract(epoch from clock_timestamp() - min(i.received_at)), 0)::float8
from callback_inbox i where i.status = 'new'
union all
select 'incidents', jsonb_build_object('kind', r.kind), count(*)
from alert_incidents i join alert_rules r on r.id = i.rule_id where i.closed_at is null group by r.kind
union all
select 'channel_failures', jsonb_build_object('channel', h.kind || ':' || h.variable), h.failures from alert_channels h
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure now: `name` of what is counted, its labels, its value."""

    name: str
    labels: Mapping[str, str]
    value: float


def figures(connection: Connection) -> list[Figure]:
    """All figures, of one moment."""
    rows = connection.execute(_FIGURES).fetchall()
    return [Figure(row["name"], row["labels"], float(row["value"])) for row in rows]
