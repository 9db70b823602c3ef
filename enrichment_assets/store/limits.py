"""Rates and pauses that all runs on all machines share: one row per provider key, handed out in blocks.

The rate is a generic cell rate algorithm (GCRA): the row holds when the next call may leave; taking n slots moves it
on by n intervals. Slots are evenly spaced, so no window of any length ever sees more than its share.
"""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.store.claims import Connection


@dataclass(frozen=True, slots=True)
class Slots:
    """A block of evenly spaced slots: the first in `first_in` seconds, unless paused for `paused_for` seconds."""

    first_in: float
    paused_for: float


async def take_slots(connection: Connection, limit_key: str, interval: float, count: int) -> Slots:
    """Take `count` slots `interval` seconds apart; they are this caller's whether used or not."""
    cursor = await connection.execute(
        """
        insert into rate_limits as l (limit_key, next_at)
        values (%(key)s, clock_timestamp() + make_interval(secs => %(span)s))
        on conflict (limit_key) do update
        set next_at = greatest(l.next_at, l.paused_until, clock_timestamp()) + make_interval(secs => %(span)s)
        returning extract(epoch from next_at - clock_timestamp())::float8 - %(span)s as first_in,
                  coalesce(extract(epoch from paused_until - clock_timestamp()), 0)::float8 as paused_for
        """,
        {"key": limit_key, "span": interval * count},
    )
    row = await cursor.fetchone()
    assert row is not None, "an upsert with `returning` gave no row"  # noqa: S101
    return Slots(max(row["first_in"], 0.0), max(row["paused_for"], 0.0))


async def pause(connection: Connection, limit_key: str, seconds: float) -> None:
    """Let nobody call this provider with this key for `seconds` from now (a longer pause stays)."""
    await connection.execute(
        """
        insert into rate_limits as l (limit_key, next_at, paused_until)
        values (%(key)s, clock_timestamp(), clock_timestamp() + make_interval(secs => %(seconds)s))
        on conflict (limit_key) do update set paused_until = greatest(l.paused_until, excluded.paused_until)
        """,
        {"key": limit_key, "seconds": seconds},
    )


async def paused_for(connection: Connection, limit_keys: list[str]) -> dict[str, float]:
    """Seconds each of these keys is still paused; keys that are not paused are left out."""
    cursor = await connection.execute(
        """
        select limit_key, extract(epoch from paused_until - clock_timestamp())::float8 as seconds
        from rate_limits where limit_key = any(%s::text[]) and paused_until > clock_timestamp()
        """,
        (limit_keys,),
    )
    return {row["limit_key"]: row["seconds"] for row in await cursor.fetchall()}
