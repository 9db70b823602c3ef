"""How many calls left with a provider key in the last day, on all machines: one row per key and hour.

A call is counted in the hour in which it leaves, and an hour counts until all of it is more than a day old: over no
24 hours do more calls leave than allowed. The price is that up to an hour's calls count a little longer.
"""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.store.database import AsyncConnection


@dataclass(frozen=True, slots=True)
class DayTokens:
    """Calls that may leave within `valid_for` seconds; where there are none, when to ask again (`free_in` seconds)."""

    count: int
    valid_for: float
    free_in: float


async def take_day_tokens(connection: AsyncConnection, limit_key: str, per_day: float, wanted: int) -> DayTokens:
    """Take up to `wanted` of the day's calls; they count whether used or not, until given back.

    A transaction of its own: no other may be open, or begin, on this connection meanwhile.
    """
    async with connection.transaction():
        await connection.execute(
            "insert into rate_limits (limit_key, next_at) values (%s, clock_timestamp()) on conflict do nothing",
            (limit_key,),
        )
        await connection.execute("select 1 from rate_limits where limit_key = %s for update", (limit_key,))
        cursor = await connection.execute(
            """
            with clock as (select clock_timestamp() as now),
            counted as (
              select coalesce(sum(calls), 0) as used, min(hour) as oldest from rate_counts, clock
              where limit_key = %(key)s and calls > 0 and hour + interval '25 hours' > now
            ), taken as (
              insert into rate_counts as r (limit_key, hour, calls)
              select %(key)s, date_trunc('hour', now), least(floor(%(per_day)s) - used, %(wanted)s)
              from counted, clock where floor(%(per_day)s) - used > 0
              on conflict (limit_key, hour) do update set calls = r.calls + excluded.calls
              returning 1
            )
            select greatest(least(floor(%(per_day)s) - used, %(wanted)s), 0)::int as count,
                   extract(epoch from date_trunc('hour', now) + interval '1 hour' - now)::float8 as valid_for,
                   coalesce(extract(epoch from oldest + interval '25 hours' - now), 0)::float8 as free_in
            from counted, clock
            """,
            {"key": limit_key, "per_day": per_day, "wanted": wanted},
        )
        row = await cursor.fetchone()
        await connection.execute(
            "delete from rate_counts where limit_key = %s and hour < clock_timestamp() - interval '2 days'",
            (limit_key,),
        )
    assert row is not None, "a select without `where` gave no row"  # noqa: S101
    return DayTokens(row["count"], row["valid_for"], row["free_in"])


async def give_back_day_tokens(connection: AsyncConnection, limit_key: str, count: int) -> None:
    """Calls taken in the current hour that did not leave. In a later hour nothing is given back."""
    await connection.execute(
        """
        update rate_counts set calls = calls - %s
        where limit_key = %s and hour = date_trunc('hour', clock_timestamp()) and calls >= %s
        """,
        (count, limit_key, count),
    )
