"""The outbox: what happened is written in the transaction in which it happens, so that it is told or never was.

Nothing is written for a client who has no webhook that is told of it. What happens once has a key: a statement that is
repeated writes no second event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from enrichment_assets.domain.delivery_events import EventKind
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.outgoing import EventType
from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.transitions import OF_STEPS

OF_ACTIONS: Mapping[Code, EventType] = {
    Code.BATCH_PAUSE: EventType.BATCH_PAUSED,
    Code.BATCH_RESUME: EventType.BATCH_RESUMED,
    Code.BATCH_CANCEL: EventType.BATCH_CANCELLED,
}
"""Actions that clients are told of."""

OF_EVENTS: Mapping[EventKind, EventType] = {
    EventKind.REPLIED: EventType.CONTACT_REPLIED,
    EventKind.INTERESTED: EventType.CONTACT_INTERESTED,
    EventKind.UNSUBSCRIBED: EventType.CONTACT_SAID_NO,
    EventKind.COMPLAINED: EventType.CONTACT_SAID_NO,
    EventKind.BOUNCED: EventType.CONTACT_BOUNCED,
}
"""What came back that clients are told of."""

_IS_TOLD = "exists (select 1 from outgoing_webhooks w where w.client_id = {client} and w.events ? {type})"

_TELL = f"""
    insert into outgoing_events (client_id, batch_id, type, key, data)
    select %(client)s, %(batch)s, %(type)s, %(key)s, %(data)s
    where {_IS_TOLD.format(client="%(client)s", type="%(type)s")}
    on conflict (key) do nothing
"""


# one row: of an action
def tell_of_action(
    connection: Connection,
    code: Code,
    action_id: int,
    name: str,
    client_id: int,
    batch_id: int | None,
    after: Mapping[str, Any] | None,
) -> None:
    """Tell the client of a change to a batch: which workflow (null: all of it) and why. Not who made it."""
    said = after or {}
    data = {"batch": name, "workflow": said.get("workflow"), "reason": said.get("reason")}
    connection.execute(_TELL, _parameters(OF_ACTIONS[code], f"action:{action_id}", client_id, batch_id, data))


def tell_of_budgets(connection: Connection, client_id: int, batch_id: int, budgets: Mapping[int, str]) -> None:
    """Tell the client, once for each amount of a budget, that calls of this batch do not leave for want of room.

    Args:
        connection: HQ database, in the transaction that pauses the batch.
        client_id: Whom to tell.
        batch_id: Whose calls do not leave.
        budgets: Id of each budget without room -> why, as a sentence.
    """
    connection.execute(
        f"""
        insert into outgoing_events (client_id, batch_id, type, key, data)
        select %(client)s, b.id, %(type)s, 'budget:' || g.id || ':' || g.amount,
               jsonb_build_object('batch', b.batch_key, 'workflow', g.workflow_slug,
                                  'covers', case when g.batch_id is null then 'client' else 'batch' end,
                                  'amount', g.amount::text, 'reason', t.reason)
        from unnest(%(budgets)s::bigint[], %(reasons)s::text[]) as t(id, reason)
        join budgets g on g.id = t.id join batches b on b.id = %(batch)s
        where {_IS_TOLD.format(client="%(client)s", type="%(type)s")}
        on conflict (key) do nothing
        """,
        {
            "client": client_id,
            "batch": batch_id,
            "type": EventType.BUDGET_EXHAUSTED.value,
            "budgets": list(budgets),
            "reasons": list(budgets.values()),
        },
    )


def tell_of_events(connection: Connection, client_id: int, event_ids: Sequence[int]) -> None:
    """Tell the client of what came back, of each once; kinds that nobody is told of are left out."""
    connection.execute(
        f"""
        insert into outgoing_events (client_id, batch_id, item_id, type, key, data)
        select e.client_id, e.batch_id, e.item_id, t.type, 'event:' || e.id,
               jsonb_build_object('batch', b.batch_key, 'item_id', e.item_id, 'delivery', e.destination,
                                  'external_id', e.external_id, 'kind', e.kind, 'happened_at', e.happened_at)
        from delivery_events e
        join unnest(%(kinds)s::text[], %(types)s::text[]) as t(kind, type) on t.kind = e.kind
        left join batches b on b.id = e.batch_id
        where e.id = any(%(ids)s::bigint[]) and {_IS_TOLD.format(client="%(client)s", type="t.type")}
        order by e.id
        on conflict (key) do nothing
        """,
        {
            "client": client_id,
            "ids": list(event_ids),
            "kinds": [kind.value for kind in OF_EVENTS],
            "types": [type_.value for type_ in OF_EVENTS.values()],
        },
    )


FINISHED = f"""
insert into outgoing_events (client_id, batch_id, type, key, data)
select m.client_id, m.id, '{EventType.BATCH_FINISHED.value}',
       'batch.finished:' || m.id || ':' || extract(epoch from m.finished_at),
       jsonb_build_object(
         'batch', m.batch_key, 'pipeline', m.pipeline_slug, 'finished_at', m.finished_at,
         'leads', (select count(*) from batch_items i where i.batch_id = m.id),
         'steps', (select coalesce(jsonb_object_agg(n.ended, n.steps), '{{}}')
                   from (select lower(coalesce(s.outcome, s.status)) as ended, count(*) as steps
                         from workflow_states s where s.batch_id = m.id and {OF_STEPS} group by 1) n))
from marked m
where m.finished_at is not null
  and {_IS_TOLD.format(client="m.client_id", type=f"'{EventType.BATCH_FINISHED.value}'")}
on conflict (key) do nothing
"""
"""What follows `with marked as (update batches ... returning id, client_id, batch_key, pipeline_slug, finished_at)`."""


def _parameters(
    event: EventType, key: str, client_id: int, batch_id: int | None, data: Mapping[str, Any]
) -> dict[str, Any]:
    return {"type": event.value, "key": key, "client": client_id, "batch": batch_id, "data": Jsonb(dict(data))}
