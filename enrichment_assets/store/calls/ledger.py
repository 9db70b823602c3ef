"""The call ledger and what moves with it: answers, results, states, log. Set-based statements only.

Intents are in `store.calls.intents`.

Every function takes a connection inside a transaction in which `claims.alive` held, and a list of records; each
statement joins `item_leases` on (item, fence, runner), so that a record whose item was taken over writes nothing.
The engine's group writer batches records of many items into one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from enrichment_assets.store.arrays import Bigints, Blobs, Booleans, Column, Doubles, Integers, Numerics, Texts
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.deliveries import standing
from enrichment_assets.store.deliveries.standing import DeliveryEnd
from enrichment_assets.store.replies import Reply
from enrichment_assets.store.states.transitions import RESULT_ID, ending, ends

if TYPE_CHECKING:
    from enrichment_assets.domain.emission import Emission


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose writes these are; `simulated`: those of a batch for the simulator."""

    client_id: int
    batch_id: int
    runner_id: int
    simulated: bool = False


# Answers and moves are not frozen: a frozen one takes several times as long to make, and an item has a dozen.


@dataclass(slots=True)
class Received:
    """A raw answer, stored before anything parses it."""

    call_id: int
    item_id: int
    fence: int
    http_status: int
    headers: str
    body: bytes


@dataclass(slots=True)
class Applied:
    """One workflow state moves, with everything that is true at the same moment.

    Attributes:
        status: New status (`PENDING` for a retry later, `IN_PROGRESS` for an accepted submission).
        call_state: New state of the ledger row, None when no call is involved or it stays.
        own_result: True when this item's own call or computation made the result (payload and fields are stored).
        rejected: JSON text: what of the answer is no value of its field, with the reason; None: nothing.
        citations: JSON text: where the grounded values of a model's answer stand; None: nothing is grounded.
        retry_in, deadline_in: Seconds until a PENDING state is due again, until an IN_PROGRESS one is overdue (None: as
            before).
        poll_in: Seconds until the provider of an IN_PROGRESS state is asked, if that is before the deadline.
        result_id: For a shared company answer: the result row of the item that made the call.
        inbox_id: The callback that this move comes from; it becomes `inbox_status` in the same transaction.
        used: Of a language model's call, JSON text: `basis` of the cost, `model`, tokens by kind and `searches` as far
            as they are known (`engine.decisions.decision.Used`).
        reserved: Money that was reserved for the attempt that ends here; given back to the budgets.
        delivery: What became of what its call was to do at a destination.
    """

    item_id: int
    fence: int
    workflow_slug: str
    status: str
    provider: str
    outcome: str | None = None
    reason: str | None = None
    error_class: str | None = None
    call_id: int | None = None
    call_state: str | None = None
    external_id: str | None = None
    own_result: bool = False
    payload: str | None = None
    fields: str = "{}"
    rejected: str | None = None
    citations: str | None = None
    cost: Decimal | None = None
    used: str | None = None
    attempts: int = 0
    http_status: int | None = None
    duration_ms: int | None = None
    retry_in: float | None = None
    deadline_in: float | None = None
    poll_in: float | None = None
    result_id: int | None = None
    step_number: int = 0
    company_key: str | None = None
    inbox_id: int | None = None
    inbox_status: str | None = None
    reserved: Decimal = Decimal(0)
    emission: Emission | None = None
    delivery: DeliveryEnd | None = None


_RECEIVE = """
with got as (
  select * from unnest(
    %(call)b::bigint[], %(item)b::bigint[], %(fence)b::bigint[], %(status)b::int4[], %(headers)b::text[],
    %(body)b::bytea[]
  ) as g(call_id, item_id, fence, http_status, headers, body)
)
update provider_calls c
set state = case when c.state = 'intent' then 'received' else c.state end,
    http_status = g.http_status, response_headers = g.headers::jsonb, response_body = g.body,
    received_at = clock_timestamp()
from got g
join item_leases l on l.item_id = g.item_id
  and l.fence = g.fence and l.runner_id = %(runner)s  -- guard: answer-needs-its-lease
where c.id = g.call_id and c.state in ('intent', 'sent')
returning c.id
"""


# crash point: answers-are-written
async def receive(connection: AsyncConnection, scope: Scope, answers: Sequence[Received]) -> Reply[set[int]]:
    """Store raw answers. Gives the ids of the calls that were ours to write."""
    cursor = await connection.execute(
        _RECEIVE,
        {
            "runner": scope.runner_id,
            "call": Bigints([a.call_id for a in answers]),
            "item": Bigints([a.item_id for a in answers]),
            "fence": Bigints([a.fence for a in answers]),
            "status": Integers([a.http_status for a in answers]),
            "headers": Texts([a.headers for a in answers]),
            "body": Blobs([a.body for a in answers]),
        },
        prepare=True,
    )
    return Reply(cursor, lambda rows: {row["id"] for row in rows})


_ENDS = ends(
    "done",
    "item_id slug status outcome reason error_class provider call_id result_id own payload fields rejected "
    "citations attempts "
    "http_status duration_ms retry_in deadline_in poll_in step_number company_key",
    {
        "client_id": "%(client)s::bigint",
        "batch_id": "%(batch)s::bigint",
        "booked": "cost",
        "logged": "status <> 'PENDING' or error_class is not null",
    },
)

# Of an attempt that says nothing of it, the columns stay as they are. Tokens add up like money, over all attempts.
_USED = ", ".join([
    *(f"{column} = coalesce(m.used::jsonb ->> '{name}', c.{column})"
      for column, name in {"model": "model", "cost_basis": "basis"}.items()),
    *(f"{column} = coalesce(c.{column} + (m.used::jsonb ->> '{name}')::bigint, (m.used::jsonb ->> '{name}')::bigint, "
      f"c.{column})"
      for column, name in {
          "input_tokens": "input", "cached_input_tokens": "cached_input", "cache_write_tokens": "cache_write",
          "output_tokens": "output", "searches": "searches",
      }.items()),
])  # fmt: skip
_MOVABLE = "s.status not in ('COMPLETED', 'SKIPPED') and (s.status <> 'CANCELLED' or d.call_id is not null)"


def _statement(*, delivered: str) -> str:
    return f"""
with done as (
  select d.*, coalesce(d.shared_result, case when d.own then {RESULT_ID} end) as result_id
  from unnest(
    %(item)b::bigint[], %(fence)b::bigint[], %(slug)b::text[], %(status)b::text[], %(provider)b::text[],
    %(outcome)b::text[], %(reason)b::text[], %(error_class)b::text[], %(call)b::bigint[], %(call_state)b::text[],
    %(external)b::text[], %(own)b::bool[], %(payload)b::text[], %(fields)b::text[], %(cost)s::numeric[],
    %(attempts)b::int4[], %(http_status)b::int4[], %(duration)b::int4[], %(retry_in)b::float8[],
    %(deadline_in)b::float8[], %(shared)b::bigint[], %(step_number)b::int4[], %(company)b::text[],
    %(inbox)b::bigint[], %(inbox_status)b::text[], %(rejected)b::text[], %(poll_in)b::float8[],
    %(used)b::text[], %(citations)b::text[]
  ) as d(item_id, fence, slug, status, provider, outcome, reason, error_class, call_id, call_state, external_id, own,
         payload, fields, cost, attempts, http_status, duration_ms, retry_in, deadline_in, shared_result, step_number,
         company_key, inbox_id, inbox_status, rejected, poll_in, used,
         citations)
  join item_leases l on l.item_id = d.item_id
    and l.fence = d.fence and l.runner_id = %(runner)s  -- guard: ending-needs-its-lease
  left join enrichment_results e on d.own and e.item_id = d.item_id and e.workflow_slug = d.slug
), ends as (
  select {_ENDS}, external_id, call_state, inbox_id, inbox_status, used from done
), {ending(_MOVABLE)}, settled as (
  update provider_calls c
  set state = m.call_state, cost = coalesce(c.cost + m.booked, m.booked, c.cost), error_class = m.error_class,
      error = m.reason, external_id = coalesce(m.external_id, c.external_id),
      deadline_at = case when m.status = 'IN_PROGRESS' then
                      coalesce(clock_timestamp() + make_interval(secs => m.deadline_in), c.deadline_at) end,
      applied_at = case when m.call_state = 'applied' then clock_timestamp() else c.applied_at end,
      {_USED}
  from moved m where c.id = m.call_id and m.call_state is not null
), marked as (
  update callback_inbox i
  set status = m.inbox_status, error = case when m.inbox_status = 'dead' then m.reason end,
      processed_at = clock_timestamp()
  from moved m where i.id = m.inbox_id
){delivered}
select item_id, slug, result_id from moved
"""


_APPLY, _APPLY_DELIVERIES = _statement(delivered=""), _statement(delivered=standing.ENDED)


# crash point: endings-are-written
async def apply(
    connection: AsyncConnection, scope: Scope, records: Sequence[Applied]
) -> Reply[dict[tuple[int, str], int | None]]:
    """Move states with their results, ledger rows and log. (item, slug) -> result id for those that moved.

    A state that is already COMPLETED or SKIPPED, or whose item was taken over, does not move and writes nothing; one
    that was CANCELLED moves for the answer to a call only.
    """
    ended = [(r.item_id, r.workflow_slug, r.delivery) for r in records if r.delivery is not None]
    cursor = await connection.execute(
        _APPLY_DELIVERIES if ended else _APPLY,
        {
            "client": scope.client_id,
            "batch": scope.batch_id,
            "runner": scope.runner_id,
            **_columns(records),
            **(standing.ended_columns(ended) if ended else {}),
        },
        prepare=True,
    )
    return Reply(cursor, lambda rows: {(row["item_id"], row["slug"]): row["result_id"] for row in rows})


def _columns(rows: Sequence[Applied]) -> dict[str, Column]:
    return {
        "item": Bigints([r.item_id for r in rows]),
        "fence": Bigints([r.fence for r in rows]),
        "slug": Texts([r.workflow_slug for r in rows]),
        "status": Texts([r.status for r in rows]),
        "provider": Texts([r.provider for r in rows]),
        "outcome": Texts([r.outcome for r in rows]),
        "reason": Texts([r.reason for r in rows]),
        "error_class": Texts([r.error_class for r in rows]),
        "call": Bigints([r.call_id for r in rows]),
        "call_state": Texts([r.call_state for r in rows]),
        "external": Texts([r.external_id for r in rows]),
        "own": Booleans([r.own_result for r in rows]),
        "payload": Texts([r.payload for r in rows]),
        "fields": Texts([r.fields for r in rows]),
        "rejected": Texts([r.rejected for r in rows]),
        "citations": Texts([r.citations for r in rows]),
        "cost": Numerics([r.cost for r in rows]),
        "used": Texts([r.used for r in rows]),
        "attempts": Integers([r.attempts for r in rows]),
        "http_status": Integers([r.http_status for r in rows]),
        "duration": Integers([r.duration_ms for r in rows]),
        "retry_in": Doubles([r.retry_in for r in rows]),
        "deadline_in": Doubles([r.deadline_in for r in rows]),
        "poll_in": Doubles([r.poll_in for r in rows]),
        "shared": Bigints([r.result_id for r in rows]),
        "step_number": Integers([r.step_number for r in rows]),
        "company": Texts([r.company_key for r in rows]),
        "inbox": Bigints([r.inbox_id for r in rows]),
        "inbox_status": Texts([r.inbox_status for r in rows]),
    }
