"""Requests that carry several calls: who is in one, and its one answer. Set-based, as in `store.calls.ledger`.

Each member is a row of `provider_calls` with its own key, state, cost and question. What they share is here: the list
of them, written with their intents, and the bytes of the answer, kept once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.store.calls.intents import Intent
from enrichment_assets.store.calls.ledger import Scope
from enrichment_assets.store.calls.places import PLACE, taken_place
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.replies import Reply


@dataclass(slots=True)
class BulkIntent:
    """A request that is about to leave. `names`: the members' ids in it, None where they are found by their place.

    `callback_token`: names the request in the address that one answer for all is sent to, for `token_seconds`.
    """

    bulk_id: UUID
    workflow_slug: str
    members: Sequence[Intent]
    names: Sequence[str] | None = None
    callback_token: str | None = None
    token_seconds: float | None = None


@dataclass(slots=True)
class BulkMembers:
    """Whose intents were granted, in the order of the request."""

    bulk_id: UUID
    workflow_slug: str
    call_ids: Sequence[int]
    names: Sequence[str] | None
    callback_token: str | None = None
    token_seconds: float | None = None


@dataclass(slots=True)
class BulkReceived:
    """The one raw answer, stored before anything parses it.

    `holder`: item and fence of the member that has asked for it again (a poll); None: the run that sent the request.
    """

    bulk_id: UUID
    http_status: int
    headers: str
    body: bytes
    holder: tuple[int, int] = (0, 0)


# crash point: members-are-listed
async def list_members(connection: AsyncConnection, scope: Scope, requests: Sequence[BulkMembers]) -> None:
    """Write who is in these requests, in the transaction of their intents.

    An array of arrays would need members of one number each: they travel flat, with the request that each belongs to.
    """
    members = [
        (request.bulk_id, place, call_id, None if request.names is None else request.names[place])
        for request in requests
        for place, call_id in enumerate(request.call_ids)
    ]
    await connection.execute(
        """
        insert into bulk_calls (id, client_id, batch_id, workflow_slug, runner_id, call_ids, names, callback_token,
                                token_expires_at)
        select r.id, %(client)s, %(batch)s, r.slug, %(runner)s, array_agg(m.call_id order by m.place),
               case when count(m.name) = count(*) then array_agg(m.name order by m.place) end, r.token,
               clock_timestamp() + make_interval(secs => r.seconds)
        from unnest(%(id)s::uuid[], %(slug)s::text[], %(token)s::text[], %(seconds)s::float8[])
          as r(id, slug, token, seconds)
        join unnest(%(of)s::uuid[], %(place)s::int4[], %(call)s::bigint[], %(name)s::text[])
          as m(bulk_id, place, call_id, name) on m.bulk_id = r.id
        group by r.id, r.slug, r.token, r.seconds
        """,
        {
            "client": scope.client_id,
            "batch": scope.batch_id,
            "runner": scope.runner_id,
            "id": [r.bulk_id for r in requests],
            "slug": [r.workflow_slug for r in requests],
            "token": [r.callback_token for r in requests],
            "seconds": [r.token_seconds for r in requests],
            "of": [m[0] for m in members],
            "place": [m[1] for m in members],
            "call": [m[2] for m in members],
            "name": [m[3] for m in members],
        },
        prepare=True,
    )


# A planner that knows nothing of a fresh table would look through all members for each lease: limits make probes of it.
_RECEIVE = """
with got as (
  select * from unnest(%(bulk)s::uuid[], %(status)s::int4[], %(headers)s::text[], %(body)b::bytea[],
                       %(item)s::bigint[], %(fence)s::bigint[])
    as g(bulk_id, http_status, headers, body, item_id, fence)
), kept as (
  update bulk_calls b
  set http_status = g.http_status, response_headers = g.headers::jsonb, response_body = g.body,
      received_at = clock_timestamp()
  from got g
  where b.id = g.bulk_id
    and (b.runner_id = %(runner)s or exists (  -- guard: bulk-answer-needs-its-runner
      select 1 from item_leases l
      where l.item_id = g.item_id and l.fence = g.fence and l.runner_id = %(runner)s))
  returning b.id, b.call_ids, b.http_status
), members as materialized (
  select id as bulk_id, http_status, unnest(call_ids) as call_id from kept
), ours as materialized (
  select m.* from members m
  cross join lateral (select item_id, fence from provider_calls where id = m.call_id limit 1) p
  cross join lateral (
    select 1 from item_leases l where l.item_id = p.item_id
      and l.fence = p.fence and l.runner_id = %(runner)s  -- guard: bulk-answer-needs-its-lease
    limit 1) l
)
update provider_calls c
set state = case when c.state = 'intent' then 'received' else c.state end, http_status = o.http_status,
    received_at = clock_timestamp()
from ours o
where c.id = o.call_id and c.bulk_id = o.bulk_id and c.state in ('intent', 'sent')
returning c.id
"""


# crash point: bulk-answers-are-written
async def receive(connection: AsyncConnection, scope: Scope, answers: Sequence[BulkReceived]) -> Reply[set[int]]:
    """Store raw answers. Gives the ids of the members that were ours to write."""
    cursor = await connection.execute(
        _RECEIVE,
        {
            "runner": scope.runner_id,
            "bulk": [a.bulk_id for a in answers],
            "status": [a.http_status for a in answers],
            "headers": [a.headers for a in answers],
            "body": [a.body for a in answers],
            "item": [a.holder[0] for a in answers],
            "fence": [a.holder[1] for a in answers],
        },
        prepare=True,
    )
    return Reply(cursor, lambda rows: {row["id"] for row in rows})


async def place_of_call(connection: AsyncConnection, call_id: int) -> Place | None:
    """Where a call stands in the request that it shares; None: it has one to itself."""
    cursor = await connection.execute(
        f"select {PLACE} from provider_calls c left join bulk_calls m on m.id = c.bulk_id where c.id = %s", (call_id,)
    )
    row = await cursor.fetchone()
    return None if row is None else taken_place(row)
