"""Ending a state with an answer that is there already instead of a call (`store.calls.questions` finds it).

`take` belongs in a transaction in which `claims.alive` held, like the ledger's statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from enrichment_assets.store.calls.ledger import Applied, Scope
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.replies import Reply
from enrichment_assets.store.states.transitions import RESULT_ID, ending, ends


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


_ENDS = ends(
    "h",
    "item_id slug outcome reason provider payload fields rejected citations step_number company_key result_id",
    {
        "client_id": "%(client)s::bigint",
        "batch_id": "%(batch)s::bigint",
        "status": "'COMPLETED'",
        "own": "true",
        "call_id": "t.id",
        "fetched_at": "h.answered_at",  # guard: reused-answer-keeps-its-time
        "booked": "0::numeric",
    },
)

# States are locked before calls, in the order in which everybody else takes them; keys as in `intents.intend`.
_TAKE = f"""
with asked as (
  select * from unnest(
    %(item)b::bigint[], %(fence)b::bigint[], %(slug)b::text[], %(key)b::text[], %(subject)b::text[],
    %(provider)b::text[], %(operation)b::text[], %(from)b::bigint[], %(answered)b::timestamptz[], %(saved)b::numeric[],
    %(outcome)b::text[], %(reason)b::text[], %(payload)b::text[], %(fields)b::text[], %(step_number)b::int4[],
    %(company)b::text[], %(rejected)b::text[], %(citations)b::text[]
  ) with ordinality as a(item_id, fence, slug, call_key, subject_key, provider, operation, reused_from, answered_at,
                         saved, outcome, reason, payload, fields, step_number, company_key, rejected,
                         citations, ord)
), held as (
  select a.*, {RESULT_ID} as result_id,
         c.id is null or c.state = 'ready' as free  -- guard: reuse-needs-a-free-call
  from asked a
  join item_leases l on l.item_id = a.item_id
    and l.fence = a.fence and l.runner_id = %(runner)s  -- guard: reuse-needs-its-lease
  join workflow_states s on s.item_id = a.item_id and s.workflow_slug = a.slug and s.status = 'PENDING'
  left join provider_calls c on c.call_key = a.call_key
  left join enrichment_results e on e.item_id = a.item_id and e.workflow_slug = a.slug
  for update of s
), taken as (
  insert into provider_calls (call_key, client_id, batch_id, item_id, workflow_slug, subject_key, provider, operation,
                              state, fence, runner_id, attempt, estimated_cost, cost, applied_at, reused_from)
  select call_key, %(client)s, %(batch)s, item_id, slug, subject_key, provider, operation, 'applied', fence,
         %(runner)s, 0, saved, 0, clock_timestamp(), reused_from
  from held where free
  order by call_key
  on conflict (call_key) do update
  set state = 'applied', fence = excluded.fence, runner_id = excluded.runner_id, item_id = excluded.item_id,
      estimated_cost = excluded.estimated_cost, cost = coalesce(provider_calls.cost, 0), error = null,
      error_class = null, applied_at = excluded.applied_at, reused_from = excluded.reused_from, question_hash = null
  where provider_calls.state = 'ready'  -- guard: reuse-overwrites-no-call
  returning id, call_key
), ends as (
  select {_ENDS}, ord from held h join taken t on t.call_key = h.call_key
), {ending("s.status = 'PENDING'")}
select h.ord is not null as held, m.call_id, m.result_id
from asked a
left join held h on h.ord = a.ord
left join moved m on m.ord = a.ord
order by a.ord
"""


# crash point: reused-answers-are-written
async def take(connection: AsyncConnection, scope: Scope, records: Sequence[Reused]) -> Reply[list[ReuseVerdict]]:
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
            "rejected": [s.rejected for s in states],
            "citations": [s.citations for s in states],
            "step_number": [s.step_number for s in states],
            "company": [s.company_key for s in states],
        },
        prepare=True,
    )
    return Reply(cursor, lambda rows: [ReuseVerdict(**row) for row in rows])
