"""Who has asked a question, or is asking it: what may be used instead of a call, and what a call has to wait for.

A question (`engine.calls.subject.question_of`) belongs to one client: `_CANDIDATES` is the one place that decides whose
calls are looked at. `find` is a read on any connection. `take_turn` belongs in the transaction that writes intents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.store.calls.places import CALLBACK_BODY, PLACE, taken_place
from enrichment_assets.store.calls.prompt_inputs import inputs_in
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.replies import Reply

MAX_BYTES = 16 * 1024 * 1024
"""Bytes of answers that one look brings; a larger answer comes alone."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question before it is asked.

    Attributes:
        question: Its hash.
        call_key: Key of the call that would ask it; that call itself is no answer to it.
        max_age: Seconds that an answer of another batch may be old.
        patience: Seconds that a call of another batch is waited for after it left; None: not at all.
        keyed: The provider honours keys: a call that is made again under its key is charged once.
        seen: A call whose answer was looked at and is of no use.
        anew: A person has it asked anew: no other call answers it.
    """

    question: str
    call_key: str
    max_age: float
    patience: float | None = None
    keyed: bool = False
    seen: int | None = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A call that asked the same question: of this batch in whatever state, or of another.

    That of another batch is `answered`, or left `age` seconds ago and is under way. `callback` is the body of the
    callback that was applied; without one `body` is the answer. Only an answer of another batch has its bytes here.
    `reserved`: money that was set aside for it.
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
    callback_type: str | None
    answered_at: datetime | None
    error_class: str | None
    error: str | None
    answered: bool
    age: float = field(compare=False)
    reserved: Decimal = Decimal(0)
    place: Place | None = None
    inputs: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CallInFlight:
    """Why an intent is not written: this call has been under way for `age` seconds, or (None) has an answer by now."""

    call_id: int
    batch_key: str
    age: float | None


_ASKED = """unnest(%(question)b::text[], %(key)b::text[], %(age)b::float8[], %(patience)b::float8[], %(keyed)b::bool[],
            %(seen)b::bigint[], %(anew)b::bool[])
            with ordinality as a(question, call_key, max_age, patience, keyed, seen, anew, ord)"""

# What a person called a miss has no bytes and is nobody's answer. An answer that was itself reused is not looked at:
# its age is that of the call that fetched it. Bytes that a run could only just store before it died are an answer too.
#
# Under way is what has a run that lives, or is an accepted submission that is not overdue. Where the provider honours
# keys, so is what a dead run left behind, or what is about to be repeated: its batch makes it again under its key. Of
# two such calls the older goes first.
_CANDIDATES = """
  from provider_calls c
  join batches b on b.id = c.batch_id
  left join bulk_calls m on m.id = c.bulk_id
  left join lateral (
    select id, bulk_id, body_sha256, body, headers, content_type, received_at from callback_inbox
    where call_id = c.id and status = 'applied' order by id desc limit 1
  ) i on true
  cross join lateral (
    select coalesce(i.received_at, m.received_at, c.received_at) as answered_at, c.batch_id = %(batch)s as in_batch,
           extract(epoch from statement_timestamp() - c.sent_at)::float8 as age
  ) t
  cross join lateral (
    select c.state in ('applied', 'received') and coalesce(i.body, c.response_body, m.response_body) is not null
           and coalesce(t.answered_at > statement_timestamp() - make_interval(secs => a.max_age), false) as answered,
           coalesce(t.age < a.patience, false)  -- guard: patience-ends
           and (c.state in ('intent', 'received') and (
                  a.keyed or  -- guard: dead-call-with-a-key-is-repeated
                  exists (
                    select 1 from runners r
                    where r.id = c.runner_id
                      and r.ended_at is null and r.expires_at > statement_timestamp()  -- guard: dead-run-is-not-awaited
                  ))
                or c.state = 'sent' and c.deadline_at > statement_timestamp()
                or c.state = 'ready' and c.error_class = 'retryable' and a.keyed and not exists (
                  select 1 from provider_calls mine where mine.call_key = a.call_key and mine.id < c.id)) as under_way
  ) k
  where c.client_id = %(client)s  -- guard: answers-of-this-client-alone
    and c.question_hash = a.question and c.call_key <> a.call_key and c.reused_from is null
    and not a.anew
    and (t.in_batch and c.state in ('intent', 'sent', 'received', 'ambiguous', 'applied') or k.answered or k.under_way)
"""

_ORDER = "t.in_batch desc, k.answered desc, c.state = 'applied' desc, t.answered_at desc nulls last, c.id"

# The length of a body is known without reading it. What is fetched is fetched by its id, once it is known to fit.
_FIND = f"""
select f.ord, f.call_id, f.in_batch, f.state, f.batch_key, c.http_status,
       coalesce(c.response_headers, m.response_headers, '{{}}'::jsonb) as headers, c.external_id, {PLACE},
       case when f.fits and f.size > 0 and i.id is null then coalesce(c.response_body, m.response_body) end as body,
       case when f.fits and f.size > 0 then {CALLBACK_BODY} end as callback,
       i.headers ->> 'content-encoding' as callback_encoding, i.content_type as callback_type,
       f.answered_at, c.estimated_cost as reserved, c.error_class, c.error, f.answered, f.age, f.fits,
       case when f.fits and f.size > 0 then p.inputs end as inputs
from (
  select a.ord, o.*, sum(o.size) over (order by a.ord) <= %(bytes)s or row_number() over (order by a.ord) = 1 as fits
  from {_ASKED}
  cross join lateral (
    select c.id as call_id, i.id as inbox_id, t.in_batch, c.state, b.batch_key, t.answered_at, k.answered, t.age,
           case when t.in_batch or not k.answered then 0
                else octet_length(coalesce({CALLBACK_BODY}, c.response_body, m.response_body)) end as size
    {_CANDIDATES}
    order by {_ORDER} limit 1
  ) o
) f
join provider_calls c on c.id = f.call_id
left join prompt_inputs p on p.call_id = f.call_id
left join callback_inbox i on i.id = f.inbox_id
left join bulk_calls m on m.id = coalesce(i.bulk_id, c.bulk_id)
"""

_TURN = "select pg_advisory_xact_lock(hashtextextended('questions of client ' || %s::text, 0))"
"""Held until the commit, so that the next transaction sees this one's intents. One lock a client, taken before any lock
on a row: whatever a group holds, in whatever order, nobody waits in a circle."""

_ELSEWHERE = f"""
select a.call_key, o.call_id, o.batch_key, o.age
from {_ASKED}
cross join lateral (
  select c.id as call_id, b.batch_key, k.under_way, case when k.under_way then t.age end as age
  {_CANDIDATES}
  order by k.under_way desc, {_ORDER} limit 1
) o
where o.under_way or o.call_id is distinct from a.seen  -- guard: newer-answer-is-seen
"""


# crash point: known-answers-are-found
async def find(
    connection: AsyncConnection, client_id: int, batch_id: int, asked: Sequence[Question], most_bytes: int = MAX_BYTES
) -> list[KnownCall | None]:
    """The known call for each question: of this batch, else the youngest answer, else what is under way.

    In order, and at least for the first: the list ends where the answers would be more than `most_bytes` together.
    """
    parameters = {**_parameters(client_id, batch_id, asked), "bytes": most_bytes}
    cursor = await connection.execute(_FIND, parameters, prepare=True)
    found: list[KnownCall | None] = [None] * len(asked)
    for row in sorted(await cursor.fetchall(), key=itemgetter("ord")):
        place = row.pop("ord") - 1
        if not row.pop("fits"):
            return found[:place]
        found[place] = _known(row)
    return found


async def take_turn(
    connection: AsyncConnection, client_id: int, batch_id: int, asked: Sequence[Question]
) -> Reply[dict[str, CallInFlight]]:
    """Which of the questions must not be asked now, by the key of the call that would: `find` would find something new.

    To be called before anything is locked, and before the intents are written: until this transaction ends, no other of
    the client writes intents that have questions. Who asks anew (no patience) waits for nobody, and is waited for.
    """
    await connection.execute(_TURN, (client_id,))  # guard: one-asker-at-a-time
    cursor = await connection.execute(_ELSEWHERE, _parameters(client_id, batch_id, asked), prepare=True)
    return Reply(cursor, lambda rows: {row.pop("call_key"): CallInFlight(**row) for row in rows})


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A call that does not say what it asked; `merge_rule`: see `domain.merging.RULE`."""

    call_id: int
    item_id: int
    workflow_slug: str
    last_moved_at: datetime
    merge_rule: int | None


async def unsaid(
    connection: AsyncConnection, batch_id: int, after_item: int, items: int, only: Sequence[int] | None = None
) -> list[Unsaid]:
    """Such calls of the next `items` items (among `only`) that have any, if they have an answer or wait for it."""
    cursor = await connection.execute(
        """
        with open as (
          select id, item_id, workflow_slug, merge_rule, greatest(created_at, sent_at, received_at) as last_moved_at,
            dense_rank() over (order by item_id) as place from provider_calls
          where batch_id = %(batch)s and item_id > %(after)s and question_hash is null and reused_from is null
            and state in ('intent', 'sent', 'received', 'applied')
            and (%(only)s::bigint[] is null or item_id = any(%(only)s::bigint[]))
        )
        select id as call_id, item_id, workflow_slug, last_moved_at, merge_rule
        from open where place <= %(items)s order by item_id, id
        """,
        {"batch": batch_id, "after": after_item, "items": items, "only": None if only is None else list(only)},
    )
    return [Unsaid(**row) for row in await cursor.fetchall()]


async def overtaken(
    connection: AsyncConnection, batch_id: int, needs: Sequence[tuple[str, str]], only: Sequence[int] | None = None
) -> set[int]:
    """Ids of such calls whose request may have been another: an answer that it was made of was read again since.

    Args:
        connection: Any.
        batch_id: The batch.
        needs: (step, step whose answer it may use) pairs of its blueprint.
        only: Items whose calls are looked at; None: all.
    """
    cursor = await connection.execute(
        """
        select distinct c.id
        from provider_calls c
        join unnest(%(steps)s::text[], %(needs)s::text[]) as n(step, need) on n.step = c.workflow_slug
        join enrichment_results_log l
          on l.batch_id = c.batch_id and l.item_id = c.item_id and l.workflow_slug = n.need
          and l.created_at > c.created_at and l.status = 'COMPLETED'
        where c.batch_id = %(batch)s and c.question_hash is null and c.reused_from is null
          and (%(only)s::bigint[] is null or c.item_id = any(%(only)s::bigint[]))
        """,
        {
            "batch": batch_id,
            "steps": [step for step, _ in needs],
            "needs": [need for _, need in needs],
            "only": None if only is None else list(only),
        },
    )
    return {row["id"] for row in await cursor.fetchall()}


async def say(connection: AsyncConnection, questions: Sequence[tuple[int, str]]) -> None:
    """Write (call id, hash of what it asked)."""
    await connection.execute(
        """
        update provider_calls c set question_hash = q.question
        from unnest(%s::bigint[], %s::text[]) as q(id, question) where c.id = q.id and c.question_hash is null
        """,
        ([call for call, _ in questions], [question for _, question in questions]),
    )


def _parameters(client_id: int, batch_id: int, asked: Sequence[Question]) -> dict[str, Any]:
    return {
        "client": client_id,
        "batch": batch_id,
        "question": [a.question for a in asked],
        "key": [a.call_key for a in asked],
        "age": [a.max_age for a in asked],
        "patience": [a.patience for a in asked],
        "keyed": [a.keyed for a in asked],
        "seen": [a.seen for a in asked],
        "anew": [a.anew for a in asked],
    }


def _known(row: dict[str, Any]) -> KnownCall:
    body, callback, place = row["body"], row["callback"], taken_place(row)
    return KnownCall(
        **{
            **row,
            "body": None if body is None else bytes(body),
            "callback": None if callback is None else bytes(callback),
            "place": place,
            "inputs": inputs_in(row["inputs"]),
        }
    )
