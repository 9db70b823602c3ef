"""Stored answers out, new readings of them in: the statements behind `enrich replay`.

All of a replay is one transaction in which the batch's row is locked against runs (`recovery.lock_batch`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from enrichment_assets.domain.emission import Parent
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.store.states import Sync

OPEN_STATES = ("ready", "intent", "sent", "received", "ambiguous")
"""Ledger states of calls that may still be sent (again) under their key."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a call brought, and how it was read then.

    Attributes:
        callback: Body of the callback that was applied, else of the last dead one; `inbox_id` names it. A reused answer
            is that of the call that fetched it, whose inbox row is not this call's to mark: its `inbox_id` is None.
        external_id: The provider's id of an accepted submission; then `body` is the answer to a poll.
        status: Status of the state of the item that made the call; `outcome`, `fields` and
            `rejected` likewise.
    """

    call_id: int
    item_id: int
    http_status: int | None
    headers: dict[str, str]
    body: bytes | None
    external_id: str | None
    inbox_id: int | None
    callback: bytes | None
    callback_encoding: str | None
    callback_type: str | None
    received_at: datetime | None
    status: str
    outcome: str | None
    fields: dict[str, Any] | None
    rejected: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class NewReading:
    """How a stored answer reads now. Status COMPLETED or FAILED; `payload`, `fields`, `rejected` are JSON."""

    call_id: int
    inbox_id: int | None
    received_at: datetime | None
    status: str
    outcome: str | None
    reason: str | None
    payload: str | None
    fields: str
    rejected: str | None
    changed: bool


_STORED = """
select c.id as call_id, c.item_id, o.http_status, coalesce(o.response_headers, '{}'::jsonb) as headers,
       o.response_body as body, o.external_id, case when c.reused_from is null then i.id end as inbox_id,
       i.body as callback, i.headers ->> 'content-encoding' as callback_encoding, i.content_type as callback_type,
       coalesce(i.received_at, o.received_at) as received_at, s.status, s.outcome, r.fields,
       r.rejected
from provider_calls c
join provider_calls o on o.id = coalesce(c.reused_from, c.id)
join workflow_states s on s.item_id = c.item_id and s.workflow_slug = c.workflow_slug and s.call_id = c.id
left join enrichment_results r on r.item_id = c.item_id and r.workflow_slug = c.workflow_slug
left join lateral (
  select id, body, headers, content_type, received_at from callback_inbox
  where call_id = o.id and (status = 'applied' or status = 'dead' and coalesce(error, '') not like 'signature: %%')
  order by status = 'applied' desc, id desc limit 1
) i on true
where c.batch_id = %s and c.workflow_slug = %s and c.state in ('applied', 'failed')
  and (s.status = 'COMPLETED' or (s.status = 'FAILED' and s.error_class = 'contract'))
  and (o.response_body is not null or i.body is not null)
order by c.id
"""


def stored_answers(connection: Sync, batch_id: int, workflow: str, size: int = 500) -> Iterator[list[StoredAnswer]]:
    """Chunks of stored answers whose reading decided a state. What a person decided has no answer and is left out."""
    with connection.cursor("stored_answers") as cursor:
        cursor.execute(_STORED, (batch_id, workflow))
        while rows := cursor.fetchmany(size):
            yield [_stored(row) for row in rows]


def _stored(row: dict[str, Any]) -> StoredAnswer:
    body, callback = row["body"], row["callback"]
    return StoredAnswer(
        **{
            **row,
            "body": None if body is None else bytes(body),
            "callback": None if callback is None else bytes(callback),
        }
    )


# `fetched_at` stays the time of the answer. It moves by a microsecond so that a store step that read the former
# reading a moment ago does not mark this one as stored.
_WRITE = """
with done as (
  select n.*, c.client_id, c.batch_id, c.item_id, c.workflow_slug, c.provider, c.attempt, c.state as call_state
  from unnest(
    %(call)s::bigint[], %(inbox)s::bigint[], %(received)s::timestamptz[], %(status)s::text[], %(outcome)s::text[],
    %(reason)s::text[], %(payload)s::text[], %(fields)s::text[], %(rejected)s::text[], %(changed)s::bool[]
  ) as n(call_id, inbox_id, received_at, status, outcome, reason, payload, fields, rejected, changed)
  join provider_calls c on c.id = n.call_id
), saved as (
  insert into enrichment_results (client_id, batch_id, item_id, workflow_slug, provider, call_id, outcome, payload,
                                  fields, rejected, fetched_at)
  select client_id, batch_id, item_id, workflow_slug, provider, call_id, outcome, payload::jsonb, fields::jsonb,
         rejected::jsonb, coalesce(received_at, clock_timestamp())
  from done where status = 'COMPLETED'
  on conflict (item_id, workflow_slug) do update
  set call_id = excluded.call_id, outcome = excluded.outcome, payload = excluded.payload, fields = excluded.fields,
      rejected = excluded.rejected, fetched_at = enrichment_results.fetched_at + interval '1 microsecond'
  returning id, call_id
), dropped as (
  delete from enrichment_results r using done d
  where d.status = 'FAILED' and r.item_id = d.item_id and r.workflow_slug = d.workflow_slug
), moved as (
  update workflow_states s
  set status = d.status, outcome = d.outcome, reason = d.reason, result_id = v.id, stored_at = null,
      error_class = case when d.status = 'FAILED' then 'contract' end,
      advanced_at = case when s.status = d.status then s.advanced_at else clock_timestamp() end
  from done d left join saved v on v.call_id = d.call_id
  where s.batch_id = d.batch_id and s.workflow_slug = d.workflow_slug and s.call_id = d.call_id
    and (s.status = 'COMPLETED' or (s.status = 'FAILED' and s.error_class = 'contract'))
  returning s.client_id, s.batch_id, s.item_id, s.workflow_slug, s.status, s.outcome, s.reason, s.attempts,
            d.call_id, d.provider, d.changed
), completed as (
  insert into company_play_step_completions (item_id, workflow_slug, client_id, batch_id, company_key,
                                             overall_step_number)
  select m.item_id, m.workflow_slug, m.client_id, m.batch_id, i.company_key, %(number)s
  from moved m join batch_items i on i.id = m.item_id where m.status = 'COMPLETED'
  on conflict (item_id, workflow_slug) do nothing
), uncompleted as (
  delete from company_play_step_completions p using moved m
  where m.status = 'FAILED' and p.item_id = m.item_id and p.workflow_slug = m.workflow_slug
), settled as (
  update provider_calls c
  set state = case when d.status = 'COMPLETED' then 'applied' else 'failed' end, error = d.reason,
      error_class = case when d.status = 'FAILED' then 'contract' end,
      applied_at = case when d.status = 'COMPLETED' then coalesce(c.applied_at, clock_timestamp()) end
  from done d where c.id = d.call_id
), marked as (
  update callback_inbox i
  set status = case when d.status = 'COMPLETED' then 'applied' else 'dead' end,
      error = case when d.status = 'FAILED' then d.reason end, processed_at = clock_timestamp()
  from done d where i.id = d.inbox_id
), logged as (
  insert into enrichment_results_log (client_id, batch_id, item_id, workflow_slug, provider, call_id, attempt, status,
                                      outcome, error_class, message)
  select client_id, batch_id, item_id, workflow_slug, provider, call_id, attempts, status, outcome,
         case when status = 'FAILED' then 'contract' end, %(message)s || coalesce(': ' || reason, '')
  from moved where changed
)
select item_id, changed and outcome = 'found' as answers from moved
"""


def write_readings(
    connection: Sync, readings: Sequence[NewReading], step_number: int, message: str
) -> tuple[int, list[int]]:
    """Write new readings to results, states, calls, callbacks and log; company answers reach all items of the company.

    Returns how many states they reached, and the items that have an answer now which they did not have before.
    """
    rows = connection.execute(
        _WRITE,
        {
            "call": [r.call_id for r in readings],
            "inbox": [r.inbox_id for r in readings],
            "received": [r.received_at for r in readings],
            "status": [r.status for r in readings],
            "outcome": [r.outcome for r in readings],
            "reason": [r.reason for r in readings],
            "payload": [r.payload for r in readings],
            "fields": [r.fields for r in readings],
            "rejected": [r.rejected for r in readings],
            "changed": [r.changed for r in readings],
            "number": step_number,
            "message": message,
        },
    ).fetchall()
    return len(rows), [row["item_id"] for row in rows if row["answers"]]


def parents(connection: Sync, item_ids: Sequence[int], position: int) -> list[Parent]:
    """Items as parents of what their step at this position emits: identity cells, else what earlier steps provided."""
    rows = connection.execute(
        sql.SQL(
            """
            select i.id, i.company_key, {}, coalesce(p.fields, array[]::jsonb[]) as provided
            from batch_items i left join lateral (
              select array_agg(r.fields order by s.position) as fields
              from workflow_states s join enrichment_results r on r.id = s.result_id where s.item_id = i.id
                and s.position < %s
            ) p on true
            where i.id = any(%s::bigint[]) order by i.id
            """
        ).format(sql.SQL(", ").join(sql.Identifier("i", name) for name in IDENTITY_FIELDS)),
        (position, list(item_ids)),
    ).fetchall()
    found = []
    for row in rows:
        provided = {name: value for fields in row["provided"] for name, value in fields.items()}
        identity = {name: row[name] for name in IDENTITY_FIELDS if row[name] is not None}
        found.append(Parent(row["id"], row["company_key"], {**provided, **identity}, identity.get("country")))
    return found


def callers(connection: Sync, call_ids: Sequence[int]) -> set[int]:
    """The items that made these calls."""
    rows = connection.execute("select item_id from provider_calls where id = any(%s::bigint[])", (list(call_ids),))
    return {row["item_id"] for row in rows.fetchall()}


def open_calls(connection: Sync, batch_id: int, workflow: str) -> int:
    """Calls of this workflow that may still be sent (again) under their key."""
    return _count(
        connection,
        "select count(*) as n from provider_calls where batch_id = %s and workflow_slug = %s and state = any(%s)",
        (batch_id, workflow, list(OPEN_STATES)),
    )


def open_states(connection: Sync, batch_id: int, workflow: str) -> int:
    """States of this workflow that are PENDING or IN_PROGRESS."""
    return _count(
        connection,
        "select count(*) as n from workflow_states where batch_id = %s and workflow_slug = %s "
        "and status in ('PENDING', 'IN_PROGRESS')",
        (batch_id, workflow),
    )


def _count(connection: Sync, query: str, parameters: tuple[object, ...]) -> int:
    row = connection.execute(query, parameters).fetchone()
    return int(row["n"]) if row else 0


def save_blueprint(connection: Sync, batch_id: int, blueprint: dict[str, Any]) -> None:
    """Replace the batch's blueprint."""
    connection.execute("update batches set blueprint = %s where id = %s", (Jsonb(blueprint), batch_id))


def rekey_calls(connection: Sync, batch_id: int, batch_key: str, workflow: str, version: str) -> int:
    """Give the calls of a workflow the keys that the engine makes for its new version (`engine.calls.call_key`).

    Without this an item that shares a company's answer would not find it, and ask (and pay) again.
    """
    cursor = connection.execute(
        """
        update provider_calls
        set call_key = left(encode(sha256(convert_to(
              concat_ws(E'\\x1f', %(key)s::text, %(slug)s::text, %(version)s::text, subject_key), 'UTF8')), 'hex'), 40)
        where batch_id = %(batch)s and workflow_slug = %(slug)s
        """,
        {"key": batch_key, "slug": workflow, "version": version, "batch": batch_id},
    )
    return cursor.rowcount


def items_found(connection: Sync, batch_id: int, workflow: str) -> list[int]:
    """Items whose state of this workflow is found."""
    rows = connection.execute(
        "select item_id from workflow_states where batch_id = %s and workflow_slug = %s and outcome = 'found'",
        (batch_id, workflow),
    ).fetchall()
    return [row["item_id"] for row in rows]


def remove_stored(
    target: Connection[Any], table: str, client: str, batch_key: str, workflow: str, found: Sequence[int]
) -> int:
    """Take a batch's rows of a workflow out of its destination table, except for items that are found."""
    there = target.execute("select to_regclass(quote_ident(%s)) is not null as there", (table,)).fetchone()
    if there is None or not there["there"]:
        return 0
    cursor = target.execute(
        sql.SQL(
            "delete from {} where client_slug = %s and batch_key = %s and workflow_slug = %s "
            "and item_id <> all(%s::bigint[])"
        ).format(sql.Identifier(table)),
        (client, batch_key, workflow, list(found)),
    )
    return cursor.rowcount
