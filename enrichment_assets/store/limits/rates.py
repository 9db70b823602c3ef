"""Rates and pauses that all runs on all machines share: one row per provider key, handed out as slots of time.

The row holds up to when time is given away (a generic cell rate algorithm, GCRA). Slots do not overlap, and who holds
one leaves an interval free at its end, so that no window of any length ever sees more than its share. Which of several
runs gets the next one is in `store.limits.turns`.
"""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.store.database import AsyncConnection


@dataclass(frozen=True, slots=True)
class Pause:
    """Seconds that a key still rests, and why: `cause: what the provider said` (None: nobody wrote it down)."""

    seconds: float
    because: str | None


async def pause(connection: AsyncConnection, limit_key: str, seconds: float, because: str) -> None:
    """Let nobody call this provider with this key for `seconds` from now (a longer pause stays, with its reason)."""
    await connection.execute(
        """
        insert into rate_limits as l (limit_key, next_at, paused_until, paused_because)
        values (%(key)s, clock_timestamp(), clock_timestamp() + make_interval(secs => %(seconds)s), %(because)s)
        on conflict (limit_key) do update
        set paused_until = greatest(l.paused_until, excluded.paused_until),
            paused_because = case when l.paused_until > excluded.paused_until then l.paused_because
                                  else excluded.paused_because end
        """,
        {"key": limit_key, "seconds": seconds, "because": because},
    )


async def paused_for(connection: AsyncConnection, limit_keys: list[str]) -> dict[str, Pause]:
    """The pause of each of these keys; keys that are not paused are left out."""
    cursor = await connection.execute(
        """
        select limit_key, extract(epoch from paused_until - clock_timestamp())::float8 as seconds, paused_because
        from rate_limits where limit_key = any(%s::text[]) and paused_until > clock_timestamp()
        """,
        (limit_keys,),
    )
    rows = await cursor.fetchall()
    return {row["limit_key"]: Pause(row["seconds"], row["paused_because"]) for row in rows}
