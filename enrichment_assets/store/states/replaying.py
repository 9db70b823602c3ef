"""Stored answers out, new readings of them in: the statements behind `enrich replay`.

All of a replay is one transaction in which the batch's row is locked against runs (`recovery.lock_batch`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.domain.call_keys import key_of_call
from enrichment_assets.domain.emission import Parent
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.store.calls.places import CALLBACK_BODY, taken_place
from enrichment_assets.store.calls.prompt_inputs import inputs_in
from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.transitions import RESULT_ID, ending, ends

OPEN_STATES = ("ready", "intent", "sent", "received", "ambiguous")
"""Ledger states of calls that may still be sent (again) under their key."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a call brought, and how it was read then.

    Attributes:
        callback: Body of the callback that was applied, else of the last dead one; `inbox_id` names it. A reused answer
            is that of the call that fetched it, whose inbox row is not this call's to mark: its `inbox_id` is None.
        external_id: The provider's id of an accepted submission; then `body` is the answer to a poll.
        status: Status of the state of the item that made the call; `outcome`, `fields`,
            `rejected` and `citations` likewise.
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
    citations: dict[str, Any] | None
    place: Place | None = None
    inputs: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class NewReading:
    """How a stored answer reads now. Status COMPLETED or FAILED; `payload`, `fields`, `rejected`, `citations`: JSON."""

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
    citations: str | None = None


_STORED = f"""
select c.id as call_id, c.item_id, o.http_status,
       coalesce(o.response_headers, m.response_headers, '{{}}'::jsonb) as headers,
       coalesce(o.response_body, m.response_body) as body, array_position(m.call_ids, o.id) - 1 as place_index,
       cardinality(m.call_ids) as place_count, m.names as place_names, o.external_id,
       case when c.reused_from is null then i.id end as inbox_id,
       {CALLBACK_BODY} as callback, i.headers ->> 'content-encoding' as callback_encoding,
       i.content_type as callback_type,
       coalesce(i.received_at, m.received_at, o.received_at) as received_at, s.status, s.outcome, r.fields,
       r.rejected, r.citations, p.inputs
from provider_calls c
join provider_calls o on o.id = coalesce(c.reused_from, c.id)
join workflow_states s on s.item_id = c.item_id and s.workflow_slug = c.workflow_slug and s.call_id = c.id
left join enrichment_results r on r.item_id = c.item_id and r.workflow_slug = c.workflow_slug
left join lateral (
  select id, bulk_id, body_sha256, body, headers, content_type, received_at from callback_inbox
  where call_id = o.id and (status = 'applied' or status = 'dead' and coalesce(error, '') not like 'signature: %%')
  order by status = 'applied' desc, id desc limit 1
) i on true
left join bulk_calls m on m.id = coalesce(i.bulk_id, o.bulk_id)
left join prompt_inputs p on p.call_id = o.id
where c.batch_id = %s and c.workflow_slug = %s and c.state in ('applied', 'failed')
  and (s.status = 'COMPLETED' or s.status = 'FAILED' and s.error_class = 'contract')
  and (coalesce(o.response_body, m.response_body) is not null or i.body is not null)
order by c.id
"""


def stored_answers(
    connection: Connection, batch_id: int, workflow: str, size: int = 500
) -> Iterator[list[StoredAnswer]]:
    """Chunks of stored answers whose reading decided a state. What a person decided has no answer and is left out."""
    with connection.cursor("stored_answers") as cursor:
        cursor.execute(_STORED, (batch_id, workflow))
        while rows := cursor.fetchmany(size):
            yield [_stored(row) for row in rows]


def _stored(row: dict[str, Any]) -> StoredAnswer:
    body, callback, place = row["body"], row["callback"], taken_place(row)
    return StoredAnswer(
        **{
            **row,
            "body": None if body is None else bytes(body),
            "callback": None if callback is None else bytes(callback),
            "place": place,
            "inputs": inputs_in(row["inputs"]),
        }
    )


_READ_AGAIN = "(s.status = 'COMPLETED' or s.status = 'FAILED' and s.error_class = 'contract')"
"""Condition on a state that a reading of a stored answer ended."""

_ENDS = ends(
    "d",
    "status outcome reason error_class provider call_id result_id payload fields rejected citations fetched_at",
    {
        "item_id": "s.item_id",
        "slug": "s.workflow_slug",
        "client_id": "s.client_id",
        "batch_id": "s.batch_id",
        "own": "s.item_id = d.item_id and d.status = 'COMPLETED'",
        "step_number": "%(number)s::int4",
        "company_key": "i.company_key",
        "logged": "d.changed",
        "message": "%(message)s || coalesce(': ' || d.reason, '')",
    },
)

# `fetched_at` stays the time of the answer. It moves by a microsecond so that a store step that read the former
# reading a moment ago does not mark this one as stored.
_WRITE = f"""
with done as (
  select n.*, c.batch_id, c.item_id, c.workflow_slug, c.provider,
         case when n.status = 'FAILED' then 'contract' end as error_class,
         case when n.status = 'COMPLETED' then {RESULT_ID} end as result_id,
         coalesce(e.fetched_at + interval '1 microsecond', n.received_at) as fetched_at
  from unnest(
    %(call)s::bigint[], %(inbox)s::bigint[], %(received)s::timestamptz[], %(status)s::text[], %(outcome)s::text[],
    %(reason)s::text[], %(payload)s::text[], %(fields)s::text[], %(rejected)s::text[], %(citations)s::text[],
    %(changed)s::bool[]
  ) as n(call_id, inbox_id, received_at, status, outcome, reason, payload, fields, rejected, citations,
         changed)
  join provider_calls c on c.id = n.call_id
  left join enrichment_results e on e.item_id = c.item_id and e.workflow_slug = c.workflow_slug
), ends as (
  select {_ENDS}, d.changed
  from done d
  join workflow_states s on s.batch_id = d.batch_id and s.workflow_slug = d.workflow_slug and s.call_id = d.call_id
  join batch_items i on i.id = s.item_id
), {ending(_READ_AGAIN, ended=True)}, settled as (
  update provider_calls c
  set state = case when d.status = 'COMPLETED' then 'applied' else 'failed' end, error = d.reason,
      error_class = d.error_class,
      applied_at = case when d.status = 'COMPLETED' then coalesce(c.applied_at, clock_timestamp()) end
  from done d where c.id = d.call_id
), marked as (
  update callback_inbox i
  set status = case when d.status = 'COMPLETED' then 'applied' else 'dead' end,
      error = case when d.status = 'FAILED' then d.reason end, processed_at = clock_timestamp()
  from done d where i.id = d.inbox_id
)
select item_id, changed and outcome = 'found' as answers from moved
"""


def write_readings(
    connection: Connection, readings: Sequence[NewReading], step_number: int, message: str
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
            "citations": [r.citations for r in readings],
            "changed": [r.changed for r in readings],
            "number": step_number,
            "message": message,
        },
    ).fetchall()
    return len(rows), [row["item_id"] for row in rows if row["answers"]]


def parents(connection: Connection, item_ids: Sequence[int], position: int) -> list[Parent]:
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


def callers(connection: Connection, call_ids: Sequence[int]) -> set[int]:
    """The items that made these calls."""
    rows = connection.execute("select item_id from provider_calls where id = any(%s::bigint[])", (list(call_ids),))
    return {row["item_id"] for row in rows.fetchall()}


def open_calls(connection: Connection, batch_id: int, workflow: str) -> int:
    """Calls of this workflow that may still be sent (again) under their key."""
    return _count(
        connection,
        "select count(*) as n from provider_calls where batch_id = %s and workflow_slug = %s and state = any(%s)",
        (batch_id, workflow, list(OPEN_STATES)),
    )


def open_states(connection: Connection, batch_id: int, workflow: str) -> int:
    """States of this workflow that are PENDING or IN_PROGRESS."""
    return _count(
        connection,
        "select count(*) as n from workflow_states where batch_id = %s and workflow_slug = %s "
        "and status in ('PENDING', 'IN_PROGRESS')",
        (batch_id, workflow),
    )


def _count(connection: Connection, query: str, parameters: tuple[object, ...]) -> int:
    row = connection.execute(query, parameters).fetchone()
    return int(row["n"]) if row else 0


# one row: by its key
def save_blueprint(connection: Connection, batch_id: int, blueprint: dict[str, Any]) -> None:
    """Replace the batch's blueprint."""
    connection.execute("update batches set blueprint = %s where id = %s", (Jsonb(blueprint), batch_id))


def rekey_calls(connection: Connection, batch_id: int, batch_key: str, workflow: str, version: str) -> int:
    """Give the calls of a workflow the keys that the engine makes for its new version. Returns how many.

    Without this an item that shares a company's answer would not find it, and ask (and pay) again.
    """
    rekeyed = 0
    with connection.cursor("rekeyed_calls") as calls:
        calls.execute(
            "select id, subject_key from provider_calls where batch_id = %s and workflow_slug = %s",
            (batch_id, workflow),
        )
        while rows := calls.fetchmany(5_000):
            rekeyed += connection.execute(
                "update provider_calls c set call_key = k.call_key "
                "from unnest(%s::bigint[], %s::text[]) as k(id, call_key) where c.id = k.id",
                (
                    [row["id"] for row in rows],
                    [key_of_call(batch_key, workflow, version, row["subject_key"]) for row in rows],
                ),
            ).rowcount
    return rekeyed


def items_found(connection: Connection, batch_id: int, workflow: str) -> list[int]:
    """Items whose state of this workflow is found."""
    rows = connection.execute(
        "select item_id from workflow_states where batch_id = %s and workflow_slug = %s and outcome = 'found'",
        (batch_id, workflow),
    ).fetchall()
    return [row["item_id"] for row in rows]


def remove_stored(
    target: Connection, table: str, client: str, batch_key: str, workflow: str, found: Sequence[int]
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
