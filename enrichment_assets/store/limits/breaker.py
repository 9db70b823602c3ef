"""The breaker of a provider key in `rate_limits`: failures in a row, and until when nobody calls; for all runs."""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.store.database import AsyncConnection


@dataclass(frozen=True, slots=True)
class BreakerState:
    """Failures in a row, and seconds until a probe may leave (0: now)."""

    failures: int
    rests_for: float


_STATE = "failures, greatest(coalesce(extract(epoch from paused_until - clock_timestamp()), 0), 0)::float8 as rests_for"


async def breaker_state(connection: AsyncConnection, key: str) -> BreakerState:
    """Where the breaker stands."""
    cursor = await connection.execute(f"select {_STATE} from rate_limits where limit_key = %s", (key,))
    row = await cursor.fetchone()
    return BreakerState(0, 0.0) if row is None else BreakerState(**row)


async def note_failure(connection: AsyncConnection, key: str, opens_at: int, cooldown: float) -> BreakerState:
    """One more failure in a row; the one that makes `opens_at`, and each after it, starts a cooldown."""
    cursor = await connection.execute(
        f"""
        insert into rate_limits as l (limit_key, next_at, failures) values (%(key)s, clock_timestamp(), 1)
        on conflict (limit_key) do update
        set failures = l.failures + 1,
            paused_until = case when l.failures + 1 >= %(opens_at)s
              then greatest(l.paused_until, clock_timestamp() + make_interval(secs => %(cooldown)s))
              else l.paused_until end
        returning {_STATE}
        """,
        {"key": key, "opens_at": opens_at, "cooldown": cooldown},
    )
    row = await cursor.fetchone()
    assert row is not None, "an upsert with `returning` gave no row"  # noqa: S101
    return BreakerState(**row)


async def note_success(connection: AsyncConnection, key: str) -> None:
    """The provider answers: no failures in a row, and the cooldown of an open breaker ends."""
    await connection.execute(
        "update rate_limits set failures = 0, paused_until = null where limit_key = %s and failures > 0", (key,)
    )


async def take_probe(connection: AsyncConnection, key: str, opens_at: int, cooldown: float) -> bool:
    """Be the one call that may leave in this cooldown. False: another has the probe, or it is not time yet."""
    cursor = await connection.execute(
        """
        update rate_limits set paused_until = clock_timestamp() + make_interval(secs => %s)
        where limit_key = %s and failures >= %s and (paused_until is null or paused_until <= clock_timestamp())
        """,
        (cooldown, key, opens_at),
    )
    return cursor.rowcount == 1
