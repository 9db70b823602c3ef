"""The callback inbox: raw bytes go in from the receiver, come out for the engine, and are marked with their fate.

What belongs here: every statement against `callback_inbox`. The call, batch and client of a callback are read from
the `provider_calls` row that its token names, never from its payload.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from psycopg.rows import class_row, tuple_row

from enrichment_assets.store.arrays import Blobs, Texts
from enrichment_assets.store.database import AsyncConnection, Connection
from enrichment_assets.store.inbox.bulk_callbacks import store_bulk_callbacks


@dataclass(frozen=True, slots=True)
class IncomingCallback:
    """One callback as the receiver read it.

    Attributes:
        token: From the URL; names the provider call.
        headers: JSON text of an object: kept header names (lower case) and their values, `content-type` among them.
        body: The bytes as they came, whatever encoding they are in.
        body_sha256: 32 bytes; with the call it says whether the same callback came before.
    """

    token: str
    headers: str
    body: bytes
    body_sha256: bytes


class Receipt(StrEnum):
    """What became of a callback once its statement is committed."""

    STORED = "stored"
    ALREADY_STORED = "already_stored"
    REFUSED = "refused"
    UNKNOWN_TOKEN = "unknown_token"  # noqa: S105 - a word, not a secret


@dataclass(frozen=True, slots=True)
class WaitingBatch:
    """A batch with callbacks that nothing has looked at yet."""

    batch_key: str
    batch_id: int
    is_try: bool
    count: int
    max_inbox_id: int


MOST_BODIES = 50
MOST_BYTES = 32 * 1024 * 1024
"""What is kept for one call, before and after its answer: a token must not be a way to fill the database."""

TOO_MANY = f"this call has {MOST_BODIES} callbacks or {MOST_BYTES} bytes of them; further ones are refused"
"""Error of the dead letter that says so, one for each call; it has no body."""

# The lateral sub-query with its limit keeps the look-up a probe of the token index whatever the planner believes about
# the size of provider_calls; the insert is ordered so that two writers with the same rows cannot deadlock.
_STORE = f"""
with known as (
    select i.*, c.id as call_id, c.client_id, c.batch_id, k.is_kept,
           k.bodies + row_number() over w <= {MOST_BODIES}
             and k.bytes + sum(octet_length(i.body)) over w <= {MOST_BYTES} as fits
    from unnest(%b::text[], %b::text[], %b::bytea[], %b::bytea[]) with ordinality
        as i (token, headers, body, body_sha256, ordinal)
    cross join lateral (
        select id, client_id, batch_id
        from provider_calls
        where callback_token = i.token
          and (token_expires_at is null or token_expires_at > clock_timestamp())  -- guard: expired-token-is-refused
        limit 1
    ) c
    cross join lateral (
        select count(*) as bodies, coalesce(sum(octet_length(b.body)), 0) as bytes,
               coalesce(bool_or(b.body_sha256 = i.body_sha256), false) as is_kept
        from callback_inbox b where b.call_id = c.id
    ) k
    window w as (partition by c.id order by i.ordinal)
),
refused as (
    insert into callback_inbox (client_id, batch_id, call_id, headers, body, body_sha256, status, error, processed_at)
    select client_id, batch_id, call_id, '{{}}', '', sha256('{TOO_MANY}'), 'dead', '{TOO_MANY}', clock_timestamp()
    from known where not fits and not is_kept
    group by client_id, batch_id, call_id
    order by call_id
    on conflict (call_id, body_sha256) do nothing
),
stored as (
    insert into callback_inbox (client_id, batch_id, call_id, content_type, headers, body, body_sha256)
    select client_id, batch_id, call_id, headers::jsonb ->> 'content-type', headers::jsonb, body, body_sha256
    from known where fits
    order by call_id, body_sha256
    on conflict (call_id, body_sha256) do nothing
    returning call_id, body_sha256
)
select k.ordinal, s.call_id is not null, k.fits or k.is_kept
from known k
left join stored s on s.call_id = k.call_id and s.body_sha256 = k.body_sha256
"""

_WAITING = """
select b.batch_key, b.id as batch_id, b.is_try, count(*) as count, max(i.id) as max_inbox_id
from callback_inbox i
join batches b on b.id = i.batch_id
where i.status = 'new'
group by b.id
order by min(i.id)
"""


# crash point: inbox-session-is-prepared
async def prepare_session(connection: AsyncConnection, statement_seconds: float) -> None:
    """Make a fresh autocommit connection fit for acknowledging: durable commits, bounded statements, index probes.

    A server that was configured with `synchronous_commit = off` would lose acknowledged callbacks in a crash; any
    stronger setting (`remote_apply`) is left as it is.
    """
    settings = {
        "statement_timeout": f"{statement_seconds * 1000:.0f}ms",
        "enable_seqscan": "off",
        "plan_cache_mode": "force_generic_plan",
    }
    row = await (await connection.execute("show synchronous_commit")).fetchone()
    if row is not None and row["synchronous_commit"] == "off":
        settings["synchronous_commit"] = "on"
    await connection.work_under(settings)


# crash point: callbacks-are-stored
async def store_callbacks(connection: AsyncConnection, callbacks: Sequence[IncomingCallback]) -> list[Receipt]:
    """Store a group of callbacks in one statement, which is committed: the connection is in autocommit.

    Returns one receipt for each callback, in their order; REFUSED: its call has as many as are kept. Of equal callbacks
    within the group the first is STORED, the others ALREADY_STORED. Raises
    `psycopg.Error`; then nothing of the group counts as stored.
    """
    columns = (
        Texts([c.token for c in callbacks]),
        Texts([c.headers for c in callbacks]),
        Blobs([c.body for c in callbacks]),
        Blobs([c.body_sha256 for c in callbacks]),
    )
    async with (
        connection.under_settings(),
        connection.cursor(row_factory=tuple_row, binary=True) as cursor,
    ):
        await cursor.execute(_STORE, columns, prepare=True)
        rows = await cursor.fetchall()
    receipts = [Receipt.UNKNOWN_TOKEN] * len(callbacks)
    if len(rows) < len(callbacks):
        known = {row[0] for row in rows}
        rest = [(n, callback) for n, callback in enumerate(callbacks, 1) if n not in known]
        async with connection.under_settings():
            rows += await store_bulk_callbacks(connection, rest)
    first_of_group: set[tuple[str, bytes]] = set()
    for ordinal, stored, fits in sorted(rows):
        callback = callbacks[ordinal - 1]
        if not fits:
            receipts[ordinal - 1] = Receipt.REFUSED
            continue
        identity = (callback.token, callback.body_sha256)
        fresh = stored and identity not in first_of_group
        receipts[ordinal - 1] = Receipt.STORED if fresh else Receipt.ALREADY_STORED
        first_of_group.add(identity)
    return receipts


def put_answer(connection: Connection, call_id: int, headers: str, body: bytes) -> int | None:
    """Put a person's answer to a call that waits for it into the inbox; its number there. The caller commits.

    None: the call waits for nobody, or has this very answer already.
    """
    row = connection.execute(
        """
        insert into callback_inbox (client_id, batch_id, call_id, content_type, headers, body, body_sha256)
        select client_id, batch_id, id, 'application/json', %s::jsonb, %s, sha256(%s) from provider_calls
        where id = %s and state = 'sent' on conflict (call_id, body_sha256) do nothing returning id
        """,
        (headers, body, body, call_id),
    ).fetchone()
    return None if row is None else int(row["id"])


async def known_tokens(connection: AsyncConnection, tokens: Sequence[str]) -> list[bool]:
    """Whether each token names a call or a request of many, and has not expired, or a connection of events."""
    async with connection.under_settings(), connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(
            """
            select exists (
                select from provider_calls c where c.callback_token = t.token
                  and (c.token_expires_at is null or c.token_expires_at > clock_timestamp())
            ) or exists (
                select from bulk_calls r where r.callback_token = t.token
                  and (r.token_expires_at is null or r.token_expires_at > clock_timestamp())
            ) or exists (select from event_sources s where s.token_sha256 = sha256(t.token::bytea))
            from unnest(%s::text[]) with ordinality as t(token, ordinal) order by t.ordinal
            """,
            (list(tokens),),
        )
        return [bool(row[0]) for row in await cursor.fetchall()]


async def mark_callbacks(connection: AsyncConnection, rows: Sequence[tuple[int, str, str | None]]) -> None:
    """Give callbacks that move no state their final status: (inbox id, status, error) each."""
    await connection.execute(
        """
        update callback_inbox i set status = m.status, error = m.error, processed_at = clock_timestamp()
        from unnest(%s::bigint[], %s::text[], %s::text[]) as m(id, status, error)
        where i.id = m.id and i.status = 'new'
        """,
        ([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]),
    )


def new_callbacks_by_batch(connection: Connection) -> list[WaitingBatch]:
    """Batches with callbacks of status `new`, the longest waiting first.

    `max_inbox_id` identifies this state of the inbox; it is no cursor: ids are given before the commit, so a lower id
    can appear later.
    """
    with connection.cursor(row_factory=class_row(WaitingBatch)) as cursor:
        return cursor.execute(_WAITING).fetchall()
