"""Answers that are there already: finding the one to a question, and ending a state with it instead of a call.

A question is never answered across clients: `_FIND` is the one place that decides whose answers are looked at.
`find` is a read on any connection; `take` belongs in a transaction in which `claims.alive` held, like the ledger's
statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from enrichment_assets.store.claims import Connection
from enrichment_assets.store.ledger import Applied, Scope
from enrichment_assets.store.replies import Reply


@dataclass(frozen=True, slots=True)
class Asked:
    """A question before it is asked.

    Attributes:
        question: Its hash (`engine.reuse.question_of`).
        call_key: Key of the call that would ask it; that call itself is no answer to it.
        max_age: Seconds that an answer of another batch may be old.
    """

    question: str
    call_key: str
    max_age: float


@dataclass(frozen=True, slots=True)
class Known:
    """A call that asked the same question: of this batch in whatever state, or of another with its answer.

    `callback` is the body of the callback that was applied; without one `body` is the answer.
    """

    call_id: int
    in_batch: bool
    state: str
    batch_key: str
    http_status: int | None
    headers: dict[str, str]
    body: bytes | None
    external_id: str | None
    callback: bytes | None
    callback_encoding: str | None
    answered_at: datetime | None
    error_class: str | None
    error: str | None


# What a person called a miss has no bytes and is nobody's answer. An answer that was itself reused is not looked at:
# its age is that of the call that fetched it.
_FIND = """
select a.ord, o.*
from unnest(%(question)b::text[], %(key)b::text[], %(age)b::float8[])
  with ordinality as a(question, call_key, age, ord)
cross join lateral (
  select c.id as call_id, c.batch_id = %(batch)s as in_batch, c.state, b.batch_key, c.http_status,
         coalesce(c.response_headers, '{}'::jsonb) as headers, c.response_body as body, c.external_id,
         i.body as callback, i.headers ->> 'content-encoding' as callback_encoding,
         coalesce(i.received_at, c.received_at) as answered_at, c.error_class, c.error
  from provider_calls c
  join batches b on b.id = c.batch_id
  left join lateral (
    select body, headers, received_at from callback_inbox
    where call_id = c.id and status = 'applied' order by id desc limit 1
  ) i on true
  where c.client_id = %(client)s
    and c.question_hash = a.question and c.call_key <> a.call_key and c.reused_from is null
    and (c.batch_id = %(batch)s and c.state in ('intent', 'sent', 'received', 'ambiguous', 'applied')
         or c.state = 'applied' and (c.response_body is not null or i.body is not null)
            and coalesce(i.received_at, c.received_at) > statement_timestamp() - make_interval(secs => a.age))
  order by in_batch desc, answered_at desc nulls last limit 1
) o
"""


async def find(connection: Connection, client_id: int, batch_id: int, asked: Sequence[Asked]) -> list[Known | None]:
    """The youngest known call for each question, in order; one of this batch comes first."""
    cursor = await connection.execute(
        _FIND,
        {
            "client": client_id,
            "batch": batch_id,
            "question": [a.question for a in asked],
            "key": [a.call_key for a in asked],
            "age": [a.max_age for a in asked],
        },
        prepare=True,
    )
    found: list[Known | None] = [None] * len(asked)
    for row in await cursor.fetchall():
        place = row.pop("ord") - 1
        found[place] = _known(row)
    return found


def _known(row: dict[str, Any]) -> Known:
    body, callback = row["body"], row["callback"]
    return Known(
        **{
            **row,
            "body": None if body is None else bytes(body),
            "callback": None if callback is None else bytes(callback),
        }
    )


@dataclass(frozen=True, slots=True)
class Reused:
    """A state that ends with an answer that another call brought.

    Attributes:
        applied: How the state ends; its own result, cost zero.
        call_key: Key of the call that is not made; the ledger gets its row all the same, with no attempt.
        subject_key: Whom that call is about.
        operation: What it would have asked for.
        reused_from: The call that brought the answer, at `answered_at`.
        saved: What the call would have cost.
    """

    applied: Applied
    call_key: str
    subject_key: str
    operation: str
    reused_from: int
    answered_at: datetime
    saved: Decimal


@dataclass(frozen=True, slots=True)
class ReuseVerdict:
    """What became of a `Reused`.

    Attributes:
        held: False: the item was taken over, or its state has ended; nothing was written.
        call_id: The ledger's row of the call that was not made; None where a call under this key stands in the way,
            whose state then decides.
        result_id: The result, a row of this item's own.
    """

    held: bool
    call_id: int | None
    result_id: int | None


# States are locked before calls, in the order in which everybody else takes them.
_TAKE = """
with asked as (
  select * from unnest(
    %(item)b::bigint[], %(fence)b::bigint[], %(slug)b::text[], %(key)b::text[], %(subject)b::text[],
    %(provider)b::text[], %(operation)b::text[], %(from)b::bigint[], %(answered)b::timestamptz[], %(saved)b::numeric[],
    %(outcome)b::text[], %(reason)b::text[], %(payload)b::text[], %(fields)b::text[], %(step_number)b::int4[],
    %(company)b::text[]
  ) with ordinality as a(item_id, fence, slug, call_key, subject_key, provider, operation, reused_from, answered_at,
                         saved, outcome, reason, payload, fields, step_number, company_key, ord)
), held as (
  select a.*, s.attempts from asked a
  join item_leases l on l.item_id = a.item_id and l.fence = a.fence and l.runner_id = %(runner)s
  join workflow_states s on s.item_id = a.item_id and s.workflow_slug = a.slug and s.status = 'PENDING'
  for update of s
), taken as (
  insert into provider_calls (call_key, client_id, batch_id, item_id, workflow_slug, subject_key, provider, operation,
                              state, fence, runner_id, attempt, estimated_cost, cost, applied_at, reused_from)
  select call_key, %(client)s, %(batch)s, item_id, slug, subject_key, provider, operation, 'applied', fence,
         %(runner)s, 0, saved, 0, clock_timestamp(), reused_from
  from held
  on conflict (call_key) do update
  set state = 'applied', fence = excluded.fence, runner_id = excluded.runner_id, item_id = excluded.item_id,
      estimated_cost = excluded.estimated_cost, cost = coalesce(provider_calls.cost, 0), error = null,
      error_class = null, applied_at = excluded.applied_at, reused_from = excluded.reused_from, question_hash = null
  where provider_calls.state = 'ready'
  returning id, call_key
), mine as (
  select h.*, t.id as call_id from held h join taken t on t.call_key = h.call_key
), saved as (
  insert into enrichment_results (client_id, batch_id, item_id, workflow_slug, provider, call_id, outcome, payload,
                                  fields, fetched_at)
  select %(client)s, %(batch)s, item_id, slug, provider, call_id, outcome, payload::jsonb, fields::jsonb, answered_at
  from mine
  on conflict (item_id, workflow_slug) do update
  set provider = excluded.provider, call_id = excluded.call_id, outcome = excluded.outcome,
      payload = excluded.payload, fields = excluded.fields, fetched_at = excluded.fetched_at
  returning id, call_id
), moved as (
  update workflow_states s
  set status = 'COMPLETED', outcome = m.outcome, reason = m.reason, error_class = null, call_id = m.call_id,
      result_id = v.id, next_attempt_at = null, deadline_at = null, advanced_at = clock_timestamp(), stored_at = null
  from mine m join saved v on v.call_id = m.call_id
  where s.item_id = m.item_id and s.workflow_slug = m.slug
), logged as (
  insert into enrichment_results_log (client_id, batch_id, item_id, workflow_slug, provider, call_id, attempt, status,
                                      outcome, message, cost)
  select %(client)s, %(batch)s, item_id, slug, provider, call_id, attempts, 'COMPLETED', outcome, reason, 0 from mine
), completed as (
  insert into company_play_step_completions (item_id, workflow_slug, client_id, batch_id, company_key,
                                             overall_step_number)
  select item_id, slug, %(client)s, %(batch)s, company_key, step_number from mine
  on conflict (item_id, workflow_slug) do nothing
)
select h.ord is not null as held, v.call_id, v.id as result_id
from asked a
left join held h on h.ord = a.ord
left join mine m on m.ord = a.ord
left join saved v on v.call_id = m.call_id
order by a.ord
"""


async def take(connection: Connection, scope: Scope, records: Sequence[Reused]) -> Reply[list[ReuseVerdict]]:
    """End states with answers that are there already; a verdict for each, in order. `call_key`s must be distinct."""
    states = [r.applied for r in records]
    cursor = await connection.execute(
        _TAKE,
        {
            "client": scope.client_id,
            "batch": scope.batch_id,
            "runner": scope.runner_id,
            "item": [s.item_id for s in states],
            "fence": [s.fence for s in states],
            "slug": [s.workflow_slug for s in states],
            "key": [r.call_key for r in records],
            "subject": [r.subject_key for r in records],
            "provider": [s.provider for s in states],
            "operation": [r.operation for r in records],
            "from": [r.reused_from for r in records],
            "answered": [r.answered_at for r in records],
            "saved": [r.saved for r in records],
            "outcome": [s.outcome for s in states],
            "reason": [s.reason for s in states],
            "payload": [s.payload for s in states],
            "fields": [s.fields for s in states],
            "step_number": [s.step_number for s in states],
            "company": [s.company_key for s in states],
        },
        prepare=True,
    )
    return Reply(cursor, lambda rows: [ReuseVerdict(**row) for row in rows])
