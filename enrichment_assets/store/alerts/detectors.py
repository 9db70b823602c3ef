"""What is so now: one statement for each kind of alert, over what is stored anyway, for all rules of the kind together.

Each gives `rule_id`, `client_id`, `subject` (what it is about, among what the rule finds) and `facts` (words of its
sentence; no value of a person). Nothing is asked per batch; states are read of batches that are open, or have ended
within a day. CTEs that count are MATERIALIZED: on fresh statistics Postgres expects few rows of them, and would repeat
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.alerts.kinds import Kind
from enrichment_assets.store.batches.budget_holds import ACTOR as PAUSED_BY
from enrichment_assets.store.database import Connection
from enrichment_assets.store.money.budgets import NAMED
from enrichment_assets.store.states.transitions import OF_STEPS

FEWEST_ANSWERS = 20
"""Answers of a step before the share of failed ones says anything."""

_RULES = """
rules as materialized (
  select id, client_id, threshold, created_at from alert_rules where kind = %(kind)s and removed_at is null
)"""

_OURS = "(r.client_id is null or r.client_id = b.client_id)"
_OPEN = "b.finished_at is null and b.retired_at is null and b.given_up_at is null and not b.is_try"
_RECENT = """b.retired_at is null and b.given_up_at is null and not b.is_try
    and (b.finished_at is null or b.finished_at > clock_timestamp() - interval '1 day')"""
_EPOCH = "extract(epoch from {})::bigint"

_FINISHED = f"""
with {_RULES}, ended as materialized (
  select b.id, b.client_id, b.batch_key, b.finished_at from batches b
  where b.finished_at > clock_timestamp() - interval '1 day' and b.given_up_at is null and not b.is_try
), new as materialized (
  select r.id as rule_id, b.*, b.batch_key || '@' || {_EPOCH.format("b.finished_at")} as subject
  from rules r join ended b on {_OURS} and b.finished_at >= r.created_at
), unknown as materialized (
  select n.* from new n
  where not exists (select 1 from alert_incidents i where i.rule_id = n.rule_id and i.subject = n.subject)
), counted as materialized (
  select s.batch_id, count(*) filter (where s.status = 'FAILED') as failed,
         count(*) filter (where s.status = 'AMBIGUOUS') as ambiguous
  from workflow_states s
  where s.batch_id in (select id from unknown) and {OF_STEPS} and s.status in ('FAILED', 'AMBIGUOUS')
  group by s.batch_id
)
select u.rule_id, u.client_id, u.subject,
       jsonb_build_object('batch', u.batch_key, 'failed', coalesce(c.failed, 0),
                          'ambiguous', coalesce(c.ambiguous, 0)) as facts
from unknown u left join counted c on c.batch_id = u.id
"""

# Nobody works on it although it is due; or somebody has all the while, and not one state has moved. A step that has a
# stop of its own is told as that. The first open state of an item waits for no other one of it.
_STUCK = f"""
with {_RULES}, least as (select min(threshold) as minutes from rules), working as materialized (
  select r.batch_id, min(r.started_at) as since, max(r.expires_at) as expired,
         bool_or(r.expires_at > clock_timestamp()) as is_alive
  from runners r where r.ended_at is null group by r.batch_id
), idle as materialized (
  select b.id, b.client_id, b.batch_key, least(b.resume_at, w.expired) as since,
         case when w.expired is null then 'due' else 'left' end as how
  from batches b left join working w on w.batch_id = b.id
  where {_OPEN} and not b.holds ? '*' and not coalesce(w.is_alive, false)
), called_back as materialized (
  select c.batch_id, min(c.received_at) as since from callback_inbox c where c.status = 'new' group by c.batch_id
), at_work as materialized (
  select b.id, b.client_id, b.batch_key, w.since from batches b join working w on w.batch_id = b.id and w.is_alive
  where {_OPEN} and not b.holds ? '*'
    and w.since <= clock_timestamp() - make_interval(mins => (select minutes from least)::int)
), moved as materialized (
  select s.batch_id, max(s.advanced_at) as at from workflow_states s
  where s.batch_id in (select id from at_work) group by s.batch_id
), could as materialized (
  select distinct s.batch_id from workflow_states s join batches b on b.id = s.batch_id
  left join step_stops t on t.batch_id = s.batch_id and t.workflow_slug = s.workflow_slug
  where s.batch_id in (select id from at_work) and {OF_STEPS} and s.status = 'PENDING' and t.batch_id is null
    and not b.holds ? s.workflow_slug and coalesce(s.next_attempt_at, '-infinity') <= clock_timestamp()
    and not exists (select 1 from workflow_states e where e.item_id = s.item_id and e.position < s.position
                    and e.status in ('PENDING', 'IN_PROGRESS'))
), still as materialized (
  select id, client_id, batch_key, since, how from idle
  union all
  select b.id, b.client_id, b.batch_key, c.since, 'called back'
  from called_back c join batches b on b.id = c.batch_id where {_OPEN} and not b.holds ? '*'
  union all
  select w.id, w.client_id, w.batch_key, greatest(w.since, m.at), 'worked on'
  from at_work w join could c on c.batch_id = w.id left join moved m on m.batch_id = w.id
)
select r.id as rule_id, b.client_id, b.batch_key as subject,
       jsonb_build_object('batch', b.batch_key, 'since', min(b.since),
                          'how', (array_agg(b.how order by b.since))[1]) as facts
from rules r join still b on {_OURS} and b.since <= clock_timestamp() - make_interval(mins => r.threshold::int)
group by r.id, b.client_id, b.batch_key
"""

_PAUSED = f"""
with {_RULES}
select r.id as rule_id, b.client_id, b.batch_key || '/' || h.key as subject,
       jsonb_build_object('batch', b.batch_key, 'workflow', nullif(h.key, '*'), 'reason', h.value ->> 'reason',
                          'actor', h.value ->> 'actor') as facts
from rules r join batches b on {_OURS} cross join lateral jsonb_each(b.holds) h
where {_OPEN} and b.holds <> '{{}}' and h.value ->> 'kind' = 'paused'
"""

_ERRORS = f"""
with {_RULES}, counted as materialized (
  select s.batch_id, s.workflow_slug, count(*) as ended, count(*) filter (where s.status = 'FAILED') as failed
  from workflow_states s
  where s.status in ('COMPLETED', 'FAILED') and s.batch_id in (select b.id from batches b where {_RECENT})
  group by s.batch_id, s.workflow_slug having count(*) >= {FEWEST_ANSWERS}
)
select r.id as rule_id, b.client_id, b.batch_key || '/' || c.workflow_slug as subject,
       jsonb_build_object('batch', b.batch_key, 'workflow', c.workflow_slug, 'failed', c.failed, 'ended', c.ended)
         as facts
from counted c join batches b on b.id = c.batch_id join rules r on {_OURS}
where 100 * c.failed >= r.threshold * c.ended
"""

_STOPPED = f"""
with {_RULES}, stopped as materialized (
  select t.client_id, coalesce(w.provider, t.workflow_slug) as provider, t.cause, count(distinct t.batch_id) as batches,
         array_agg(distinct t.workflow_slug) as workflows, min(t.variable) as variable
  from step_stops t join batches b on b.id = t.batch_id
  left join enrichment_registry w on w.workflow_slug = t.workflow_slug
  where t.cause in ('auth', 'quota', 'payment') and {_OPEN}
  group by t.client_id, coalesce(w.provider, t.workflow_slug), t.cause
)
select r.id as rule_id, b.client_id, b.client_id || '/' || b.provider || '/' || b.cause as subject,
       jsonb_build_object('provider', b.provider, 'cause', b.cause, 'batches', b.batches, 'workflows', b.workflows,
                          'variable', b.variable) as facts
from rules r join stopped b on {_OURS}
"""

_BUDGET = f"""
with {_RULES}, paused as materialized (
  select b.id as batch_id, b.client_id, h.value ->> 'reason' as reason
  from batches b cross join lateral jsonb_each(b.holds) h
  where exists (select 1 from rules where threshold >= 100) and {_OPEN} and b.holds <> '{{}}'
    and h.value ->> 'actor' = '{PAUSED_BY}'
)
select r.id as rule_id, b.client_id, b.id::text as subject,
       jsonb_build_object('batch', t.batch_key, 'workflow', b.workflow_slug, 'amount', b.amount::text,
                          'used', (b.reserved + b.spent)::text, 'percent', r.threshold) as facts
from rules r join budgets b on {_OURS} left join batches t on t.id = b.batch_id
where b.amount > 0 and b.reserved + b.spent >= b.amount * r.threshold / 100
   or r.threshold >= 100 and exists (
        select 1 from paused p where p.client_id = b.client_id and (b.batch_id is null or b.batch_id = p.batch_id)
          and position({NAMED.format("b")} || ' of ' in p.reason) > 0)
"""

_DEAD = f"""
with {_RULES}, dead as materialized (
  select client_id, count(*) as callbacks from callback_inbox where status = 'dead' group by client_id
)
select r.id as rule_id, b.client_id, b.client_id::text as subject,
       jsonb_build_object('callbacks', b.callbacks) as facts
from rules r join dead b on {_OURS} and b.callbacks >= r.threshold
"""

_OVERDUE = f"""
with {_RULES}, newest as materialized (
  select c.id as client_id, coalesce(max(b.{{column}}), c.created_at) as at, max(b.{{column}}) is null as is_never
  from clients c left join batches b on b.client_id = c.id and not b.is_try
  where c.archived_at is null group by c.id
)
select r.id as rule_id, b.client_id, b.client_id::text as subject,
       jsonb_build_object('since', b.at, 'is_never', b.is_never, 'hours', r.threshold) as facts
from rules r join newest b on {_OURS} and b.at < clock_timestamp() - make_interval(hours => r.threshold::int)
"""

_BEHIND = f"""
with {_RULES}
select r.id as rule_id, b.client_id, b.batch_key as subject,
       jsonb_build_object('batch', b.batch_key, 'since', b.finished_at) as facts
from rules r join batches b on {_OURS}
  and b.finished_at < clock_timestamp() - make_interval(mins => r.threshold::int)
where b.retired_at is null and b.given_up_at is null and not b.is_try
  and (b.extracted_at is null or b.extracted_at < b.finished_at)
"""

_SUPPRESSED = f"""
with {_RULES}, new as materialized (
  select r.id as rule_id, b.id, b.client_id, b.batch_key from rules r join batches b on {_OURS}
  where {_RECENT} and exists (select 1 from suppressions)
    and not exists (select 1 from alert_incidents i where i.rule_id = r.id and i.subject = b.batch_key)
), counted as materialized (
  select s.batch_id, count(distinct s.item_id) as items from workflow_states s
  where s.status = 'SKIPPED' and split_part(s.reason, ':', 1) = 'suppressed' and s.batch_id in (select id from new)
  group by s.batch_id
)
select n.rule_id, n.client_id, n.batch_key as subject,
       jsonb_build_object('batch', n.batch_key, 'items', c.items) as facts
from new n join counted c on c.batch_id = n.id
"""

_UNDELIVERED = f"""
with {_RULES}
select r.id as rule_id, b.client_id, b.id::text as subject,
       jsonb_build_object('name', b.name, 'since', b.failing_since, 'error', b.last_error,
                          'disabled', case when b.disabled_at is not null then b.disabled_reason end) as facts
from rules r join outgoing_webhooks b on {_OURS}
where b.failing_since is not null
  and (b.disabled_at is not null or b.failing_since <= clock_timestamp() - make_interval(mins => r.threshold::int))
"""

# One incident for each thing that went wrong in a batch, however many rows it met; the first of them are named.
_FAMILIES = f"""
with {_RULES}, wrong as materialized (
  select f.batch_id, f.client_id, f.item_id, h.how,
         case when h.how = 'failed' then coalesce(f.workflow_slug, f.reason) end as what
  from item_families f cross join (values ('failed'), ('unwritten')) as h(how)
  where case h.how when 'failed' then f.status = 'failed' else f.problem is not null end
    and f.batch_id in (select b.id from batches b where {_RECENT})
), counted as materialized (
  select w.batch_id, w.client_id, w.how, w.what, count(*) as families,
         (array_agg(i.row_number order by i.row_number))[1:5] as rows
  from wrong w join batch_items i on i.id = w.item_id group by w.batch_id, w.client_id, w.how, w.what
)
select r.id as rule_id, c.client_id, b.batch_key || '/' || c.how || '/' || coalesce(c.what, '') as subject,
       jsonb_build_object('batch', b.batch_key, 'how', c.how, 'what', c.what, 'families', c.families,
                          'rows', c.rows) as facts
from counted c join batches b on b.id = c.batch_id join rules r on {_OURS}
"""

# One incident for each answer that came within a day: whoever owns the lead goes on with it.
_REPLIED = f"""
with {_RULES}
select r.id as rule_id, e.client_id, e.id::text as subject,
       jsonb_build_object('batch', b.batch_key, 'item', e.item_id, 'kind', e.kind, 'source', e.source) as facts
from delivery_events e join rules r on (r.client_id is null or r.client_id = e.client_id) and e.taken_at >= r.created_at
left join batches b on b.id = e.batch_id
where e.kind in ('replied', 'interested', 'asked_to_stop') and e.taken_at > clock_timestamp() - interval '1 day'
"""

_UNREAD = f"""
with {_RULES}, dead as materialized (
  select client_id, count(*) as messages from event_inbox where status = 'dead' group by client_id
)
select r.id as rule_id, b.client_id, b.client_id::text as subject,
       jsonb_build_object('messages', b.messages) as facts
from rules r join dead b on {_OURS} and b.messages >= r.threshold
"""

_MAILBOX = f"""
with {_RULES}
select r.id as rule_id, b.client_id, b.id::text as subject,
       jsonb_build_object('mailbox', b.address, 'reason', b.paused_reason) as facts
from rules r join mailboxes b on {_OURS} where b.paused_at is not null
"""

STATEMENTS: Mapping[Kind, str] = {
    Kind.BATCH_FINISHED: _FINISHED,
    Kind.BATCH_STUCK: _STUCK,
    Kind.BATCH_PAUSED: _PAUSED,
    Kind.BATCH_ERRORS: _ERRORS,
    Kind.PROVIDER_STOPPED: _STOPPED,
    Kind.BUDGET_USED: _BUDGET,
    Kind.CALLBACK_DEAD: _DEAD,
    Kind.CLIENT_OVERDUE: _OVERDUE.format(column="created_at"),
    Kind.TABLE_OVERDUE: _OVERDUE.format(column="extracted_at"),
    Kind.TABLE_BEHIND: _BEHIND,
    Kind.SUPPRESSION_HIT: _SUPPRESSED,
    Kind.DELIVERY_FAILED: _UNDELIVERED,
    Kind.FAMILY_FAILED: _FAMILIES,
    Kind.CONTACT_REPLIED: _REPLIED,
    Kind.EVENT_DEAD: _UNREAD,
    Kind.MAILBOX_PAUSED: _MAILBOX,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a rule watches and that is so now; `facts` are the words of its sentence."""

    kind: Kind
    rule_id: int
    client_id: int | None
    subject: str
    facts: Mapping[str, Any]


def find(connection: Connection, kinds: Iterable[Kind]) -> list[Finding]:
    """Everything that rules of these kinds find now."""
    return [
        Finding(kind, row["rule_id"], row["client_id"], row["subject"], row["facts"])
        for kind in kinds
        for row in connection.execute(STATEMENTS[kind], {"kind": kind.value}).fetchall()
    ]
