"""Callbacks that answer many calls at once: their address names the request, not a call.

The bytes are kept once, in the row of the request's first member; every other member has a row without a body, so that
each callback is applied, superseded or dead for each member by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from psycopg.rows import tuple_row

from enrichment_assets.store.database import AsyncConnection

MOST_BODIES = 50
"""Callbacks that are kept for one request, as for one call."""


class Incoming(Protocol):
    """A callback as the receiver read it."""

    @property
    def token(self) -> str:
        """From the address."""

    @property
    def headers(self) -> str:
        """JSON text of an object."""

    @property
    def body(self) -> bytes:
        """The bytes as they came."""

    @property
    def body_sha256(self) -> bytes:
        """Of the body."""


_STORE = f"""
with known as (
    select i.*, r.id as bulk_id, r.client_id, r.batch_id, r.call_ids,
           k.bodies + row_number() over (partition by r.id order by i.ordinal) <= {MOST_BODIES} as fits, k.is_kept
    from unnest(%s::int4[], %s::text[], %s::text[], %s::bytea[], %s::bytea[])
        as i (ordinal, token, headers, body, body_sha256)
    join bulk_calls r on r.callback_token = i.token
      and (r.token_expires_at is null or r.token_expires_at > clock_timestamp())
    cross join lateral (
        select count(*) as bodies, coalesce(bool_or(b.body_sha256 = i.body_sha256), false) as is_kept
        from callback_inbox b where b.call_id = r.call_ids[1] and b.bulk_id = r.id
    ) k
), stored as (
    insert into callback_inbox (client_id, batch_id, call_id, content_type, headers, body, body_sha256, bulk_id)
    select client_id, batch_id, m.call_id, headers::jsonb ->> 'content-type', headers::jsonb,
           case when m.place = 1 then body else '' end, body_sha256, bulk_id
    from known cross join lateral unnest(call_ids) with ordinality as m(call_id, place)
    where fits
    order by m.call_id, body_sha256
    on conflict (call_id, body_sha256) do nothing
    returning call_id, body_sha256
)
select k.ordinal, s.call_id is not null, k.fits or k.is_kept
from known k
left join stored s on s.call_id = k.call_ids[1] and s.body_sha256 = k.body_sha256
"""


# crash point: bulk-callbacks-are-stored
async def store_bulk_callbacks(
    connection: AsyncConnection, callbacks: Sequence[tuple[int, Incoming]]
) -> list[tuple[int, bool, bool]]:
    """Store those of the (number, callback) pairs whose token names a request, in one statement.

    Gives (number, stored and not there before, kept now or before) of each that is known.
    """
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(
            _STORE,
            (
                [number for number, _ in callbacks],
                [callback.token for _, callback in callbacks],
                [callback.headers for _, callback in callbacks],
                [callback.body for _, callback in callbacks],
                [callback.body_sha256 for _, callback in callbacks],
            ),
        )
        return await cursor.fetchall()
