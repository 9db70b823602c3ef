"""Whose turn it is to use a provider's rate: clients in turn by their weights, a client's batches by their priorities.

A run asks for the next slot of time of a provider key, and gets it or is told when to ask again. Each client's row of
`rate_shares` says how much time it has had, divided by its weight, and each run's row of `rate_queue` the same within
its client. Of those who wait, the one that had least is next (start-time fair queueing): a list of fifty rows is not
behind the thousands of another client, nor behind that client's number of batches. A client that was away comes back
`HEAD_START` before the others, so that its short list is nearly as quick as alone, and a long one loses no more than
that. Whoever is alone has it all, and owes nothing for it later.

Fairness is decided from a snapshot, the rate itself in the locked row: two runs that ask in the same moment can be
unfair to each other once, and are never too fast. A slot is given shortly before it opens, so that nobody holds time
that another could use. One statement a slot, none a call.
"""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.domain.priorities import STEP
from enrichment_assets.store.database import AsyncConnection

LONGEST_WAIT = 2.0
"""Seconds after which a run that waits asks again at the latest: whoever was before it may be gone, or less urgent."""

GRACE = 0.25
"""Seconds that a waiting run may ask later than it was told to before the others go on without it."""


HEAD_START = 15.0
"""Seconds of a key's time, at weight 1, that a client which was away has before the others have any."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Who asks: a run, of a batch, of a client."""

    runner_id: int
    batch_id: int
    client_id: int


@dataclass(frozen=True, slots=True)
class TimeSlot:
    """What became of asking for a slot of time; seconds since the epoch by the database's clock.

    Attributes:
        now: When the database said so.
        opens: When the slot begins that is the caller's from now on, whether used or not; None: it got none.
        ask_in: Seconds after which to ask again, where it got none.
        is_shared: Other runs use this key too.
    """

    now: float
    opens: float | None
    ask_in: float = 0.0
    is_shared: bool = False


_TAKE = """
with me as materialized (
  select clock_timestamp() as now, make_interval(secs => %(seconds)s) as span,
         %(seconds)s / coalesce(c.weight, 1) as charge,
         %(seconds)s / power(%(step)s::float8, coalesce(b.priority, 0)) as charge_inside,
         greatest(l.served - %(head_start)s, s.served, 0) as had, greatest(s.level, q.served, 0) as had_inside,
         greatest(l.next_at, l.paused_until) as free_at
  from (select 1) as one
  left join batches b on b.id = %(batch)s
  left join clients c on c.id = %(client)s
  left join rate_limits l on l.limit_key = %(key)s
  left join rate_shares s on s.limit_key = %(key)s and s.client_id = %(client)s
  left join rate_queue q on q.limit_key = %(key)s and q.runner_id = %(runner)s
), others as materialized (
  select q.client_id, case when q.client_id = %(client)s then q.runner_id end as runner_id, q.waits, q.seconds,
         case when q.client_id = %(client)s then greatest(q.served, s.level) < me.had_inside
              else greatest(s.served, l.served - %(head_start)s, 0) < me.had end as is_before
  from me
  join rate_queue q on q.limit_key = %(key)s and q.runner_id <> %(runner)s and q.until_at > me.now
  left join rate_shares s on s.limit_key = q.limit_key and s.client_id = q.client_id
  left join rate_limits l on l.limit_key = q.limit_key
), next as (  -- another client has one slot before it is behind us again, however many of its runs wait
  select max(seconds) filter (where waits and is_before) as seconds from others group by client_id, runner_id
), queue as materialized (
  select coalesce(sum(seconds), 0) as before, count(*) > 0 as is_shared from next
), taken as (
  insert into rate_limits as l (limit_key, next_at, served)
  select %(key)s, now + span, had from me, queue where before = 0
  on conflict (limit_key) do update
  set next_at = greatest(l.next_at, l.paused_until, clock_timestamp()) + make_interval(secs => %(seconds)s),
      served = greatest(l.served, excluded.served)
  where greatest(l.next_at, l.paused_until, clock_timestamp())
        <= clock_timestamp() + make_interval(secs => %(lead)s)
  returning next_at - make_interval(secs => %(seconds)s) as opens
), answer as materialized (
  select me.*, queue.is_shared, taken.opens,
         least(greatest(extract(epoch from me.free_at - me.now)::float8 - %(ahead)s + queue.before, 0.005),
               %(longest)s) as ask_in
  from me cross join queue left join taken on true
), charged as (
  insert into rate_shares as s (limit_key, client_id, served, level)
  select %(key)s, %(client)s, had + charge, had_inside from answer where opens is not null
  on conflict (limit_key, client_id) do update
  set served = greatest(s.served + (select charge from me), excluded.served), level = greatest(s.level, excluded.level)
), queued as (
  insert into rate_queue (limit_key, runner_id, client_id, served, seconds, waits, until_at)
  select %(key)s, %(runner)s, %(client)s, had_inside + case when opens is null then 0 else charge_inside end,
         %(seconds)s, opens is null, coalesce(opens + span, now + make_interval(secs => ask_in + %(grace)s))
  from answer
  on conflict (limit_key, runner_id) do update
  set served = excluded.served, seconds = excluded.seconds, waits = excluded.waits, until_at = excluded.until_at
)
select extract(epoch from now)::float8 as now, extract(epoch from opens)::float8 as opens, ask_in, is_shared from answer
"""


async def take_time_slot(
    connection: AsyncConnection, limit_key: str, who: Contender, seconds: float, lead: float, ahead: float
) -> TimeSlot:
    """Take the next `seconds` of this key, if it is this run's turn and they begin within `lead` seconds.

    Else it is to ask again `ahead` of the moment when they may begin: later than the run asks whose time ends then.
    """
    cursor = await connection.execute(
        _TAKE,
        {
            "key": limit_key,
            "runner": who.runner_id,
            "batch": who.batch_id,
            "client": who.client_id,
            "seconds": seconds,
            "lead": lead,
            "ahead": ahead,
            "longest": LONGEST_WAIT,
            "grace": GRACE,
            "step": STEP,
            "head_start": HEAD_START,
        },
        prepare=True,
    )
    row = await cursor.fetchone()
    assert row is not None, "a cross join of single rows gave no row"  # noqa: S101
    return TimeSlot(**row)


async def leave_queue(connection: AsyncConnection, runner_id: int) -> None:
    """A run wants no more time of any key. What runs left that died goes too."""
    await connection.execute(
        "delete from rate_queue where runner_id = %s or until_at < clock_timestamp() - interval '1 hour'", (runner_id,)
    )
