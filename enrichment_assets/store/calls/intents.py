"""Intents: a call is written down, durably, before it leaves. Set-based statements, as in `store.calls.ledger`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from enrichment_assets.domain.merging import RULE
from enrichment_assets.store.arrays import Bigints, Blobs, Doubles, Numerics, Texts, Uuids
from enrichment_assets.store.calls.ledger import Scope
from enrichment_assets.store.calls.questions import CallInFlight, Question
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.deliveries import standing
from enrichment_assets.store.deliveries.standing import DeliveryIntent
from enrichment_assets.store.replies import Reply
from enrichment_assets.store.suppressions.suppressions import SUPPRESSED_BY

# Intents and verdicts are not frozen: a frozen one takes several times as long to make.


@dataclass(slots=True)
class Intent:
    """A billed call that is about to leave. `call_key` is stable per (subject, workflow, config version).

    `bulk_id`: the request that carries it together with others (`store.calls.bulk`). `inputs`: of a prompt, as the
    model sees them, JSON: its answer is read by them. `who`: hashes, one behind the other, of all by whom the subject
    could be suppressed (`store.suppressions`), as of the version `suppressions`. `delivery`: what it does at a
    destination; of the intents of one run all have one or none has.
    """

    item_id: int
    fence: int
    workflow_slug: str
    call_key: str
    subject_key: str
    provider: str
    operation: str
    estimated_cost: Decimal
    callback_token: str | None = None
    token_seconds: float | None = None
    asked: Question | None = None
    bulk_id: UUID | None = None
    inputs: bytes | None = None
    who: bytes = b""
    suppressions: int = 0
    delivery: DeliveryIntent | None = None


@dataclass(slots=True)
class IntentVerdict:
    """What became of an `Intent`.

    Attributes:
        call_id: The ledger row, new or existing; None when the item was taken over or the budget is exhausted.
        granted: True: the call may leave now, as attempt `attempt`.
        state: When not granted: state of the existing row, `taken` (item lost), `budget`, `busy` (with another
            run), `asked` (`elsewhere`), `given_up` (the batch was), `paused` or `cancelled` (by whom: `error`),
            `suppressed` (why: `error`), or `suppressions` (they have changed: look again). Of a delivery also `moved`
            (more was done meanwhile), `known` (the person has another key), `withdrawn` (an approval was) or `stopped`
            (why: `error`).
        again_in: Seconds after which what is `stopped` may go on; None: for good.
        is_held: A budget has no room because of what is set aside for calls under way, which may cost less.
        wanted: What the budget had no room for.
    """

    call_id: int | None
    granted: bool
    state: str
    attempt: int = 1
    callback_token: str | None = None
    error_class: str | None = None
    error: str | None = None
    elsewhere: CallInFlight | None = None
    is_held: bool = False
    wanted: Decimal = Decimal(0)
    again_in: float | None = None


# Two runs want the same keys: in one order (nobody waits in a circle), and without touching a row that stands in the
# way (its run may be moving it, while it waits for a key of ours).
def _statement(*, delivers: bool) -> str:
    """The statement that writes intents; of deliveries also what stands for their leads (`store.deliveries`)."""
    stands = "(select a.*, d.id as delivery_id, d.generation as stands, d.state as stands_as from asked a"
    asked = f"{stands} left join deliveries d on d.key = a.delivery_key) a" if delivers else "asked a"
    refusal = "r.refused, r.stopped, r.stopped_for"
    refusal = refusal if delivers else "null as refused, null as stopped, null as stopped_for"
    return f"""
with asked as (
  select * from unnest(
    %(item)b::bigint[], %(fence)b::bigint[], %(slug)b::text[], %(key)b::text[], %(subject)b::text[],
    %(provider)b::text[], %(operation)b::text[], %(estimate)s::numeric[], %(token)b::text[], %(seconds)b::float8[],
    %(question)b::text[], %(bulk)b::uuid[], %(inputs)b::bytea[], %(who)b::bytea[]
    {f", {standing.ASKED}" if delivers else ""}
  ) with ordinality as a(item_id, fence, slug, call_key, subject_key, provider, operation, estimate, token, seconds,
                         question, bulk_id, inputs, who, {f"{standing.ASKED_AS}," if delivers else ""} ord)
), held as (
  select a.*, c.id as existing_id, c.state as existing_state, c.error_class, c.error,
         ({SUPPRESSED_BY}) as suppressed,
         {refusal}
  from {asked}
  join item_leases l on l.item_id = a.item_id
    and l.fence = a.fence and l.runner_id = %(runner)s  -- guard: intent-needs-its-lease
  left join provider_calls c on c.call_key = a.call_key
  {f"cross join lateral ({standing.REFUSED}) r" if delivers else ""}
), written as (
  insert into provider_calls (call_key, client_id, batch_id, item_id, workflow_slug, subject_key, provider, operation,
                              state, fence, runner_id, estimated_cost, callback_token, token_expires_at, sent_at,
                              question_hash, bulk_id, merge_rule)
  select call_key, %(client)s, %(batch)s, item_id, slug, subject_key, provider, operation, 'intent', fence, %(runner)s,
         estimate, token, clock_timestamp() + make_interval(secs => seconds), clock_timestamp(), question, bulk_id,
         %(rule)s
  from held where (existing_id is null or existing_state = 'ready')  -- guard: finished-call-is-not-intended
    and suppressed is null  -- guard: suppressed-person-is-not-asked-about
    and refused is null
  order by call_key
  on conflict (call_key) do update
  set state = 'intent', fence = excluded.fence, runner_id = excluded.runner_id, item_id = excluded.item_id,
      batch_id = excluded.batch_id,
      attempt = provider_calls.attempt + 1, estimated_cost = excluded.estimated_cost, sent_at = excluded.sent_at,
      token_expires_at = excluded.token_expires_at, http_status = null, response_body = null, response_headers = null,
      received_at = null, error = null, error_class = null, readings = 0, question_hash = excluded.question_hash,
      bulk_id = excluded.bulk_id
  where provider_calls.state = 'ready'  -- guard: finished-call-is-not-overwritten
  returning id, call_key, attempt, callback_token
), asked_about as (
  insert into prompt_inputs (call_id, client_id, batch_id, inputs)
  select w.id, %(client)s, %(batch)s, a.inputs
  from written w join asked a on a.call_key = w.call_key where a.inputs is not null
  on conflict (call_id) do update set inputs = excluded.inputs, body_bytes = null, body_removed_at = null
){standing.STANDS if delivers else ""}
select a.ord, h.ord is not null as held, w.id, w.attempt, w.callback_token,
       h.existing_id, h.existing_state, h.error_class, h.error, h.suppressed, h.refused, h.stopped, h.stopped_for
from asked a
left join held h on h.ord = a.ord
left join written w on w.call_key = a.call_key
order by a.ord
"""


_INTEND, _INTEND_DELIVERIES = _statement(delivers=False), _statement(delivers=True)


# crash point: intents-are-written
async def intend(connection: AsyncConnection, scope: Scope, intents: Sequence[Intent]) -> Reply[list[IntentVerdict]]:
    """Write intents; one verdict for each, in order. `call_key`s must be distinct within one call."""
    delivering = [intent.delivery for intent in intents if intent.delivery is not None]
    if delivering:
        await standing.claim_identities(connection, scope.client_id, delivering)
    cursor = await connection.execute(
        _INTEND_DELIVERIES if delivering else _INTEND,
        {
            **(standing.asked_columns(delivering) if delivering else {}),
            "client": scope.client_id,
            "batch": scope.batch_id,
            "runner": scope.runner_id,
            "item": Bigints([i.item_id for i in intents]),
            "fence": Bigints([i.fence for i in intents]),
            "slug": Texts([i.workflow_slug for i in intents]),
            "key": Texts([i.call_key for i in intents]),
            "subject": Texts([i.subject_key for i in intents]),
            "provider": Texts([i.provider for i in intents]),
            "operation": Texts([i.operation for i in intents]),
            "estimate": Numerics([i.estimated_cost for i in intents]),
            "token": Texts([i.callback_token for i in intents]),
            "seconds": Doubles([i.token_seconds for i in intents]),
            "question": Texts([i.asked and i.asked.question for i in intents]),
            "bulk": Uuids([i.bulk_id for i in intents]),
            "inputs": Blobs([i.inputs for i in intents]),
            "who": Blobs([i.who for i in intents]),
            "rule": RULE,
        },
        prepare=True,
    )
    return Reply(cursor, lambda rows: [_verdict(row) for row in rows])


async def standing_of(connection: AsyncConnection, call_keys: Sequence[str]) -> Reply[dict[str, IntentVerdict]]:
    """Call key -> verdict for calls that were made already: nobody needs money to share their answer."""
    cursor = await connection.execute(
        """
        select call_key, true as held, null as id, id as existing_id, state as existing_state, error_class, error,
               null as suppressed, null as refused, null as stopped, null as stopped_for
        from provider_calls where call_key = any(%s::text[]) and state <> 'ready'""",
        (list(call_keys),),
    )
    return Reply(cursor, lambda rows: {row["call_key"]: _verdict(row) for row in rows})


def _verdict(row: dict[str, Any]) -> IntentVerdict:
    if not row["held"]:
        return IntentVerdict(None, False, "taken")
    if row["id"] is not None:
        return IntentVerdict(row["id"], True, "intent", row["attempt"], row["callback_token"])
    if row["suppressed"] is not None:
        return IntentVerdict(None, False, "suppressed", error=row["suppressed"])
    if row["refused"] is not None:
        return IntentVerdict(None, False, row["refused"], error=row["stopped"], again_in=row["stopped_for"])
    state = "busy" if row["existing_state"] in (None, "ready") else row["existing_state"]
    return IntentVerdict(row["existing_id"], False, state, error_class=row["error_class"], error=row["error"])
