"""The pace of somebody who asks the API, where several processes answer: one row, the same rule as `domain.pace`.

It shares the table of providers' rates; its keys begin with `api `. A crash may forget the last few requests: nothing
stands on them, so the commit does not wait for the disk.
"""

from __future__ import annotations

from enrichment_assets.store.database import Connection

_TAKE = """
    with asked as (select clock_timestamp() as at, make_interval(secs => %(interval)s) as every),
    taken as (
      insert into rate_limits as l (limit_key, next_at) select %(key)s, at + every from asked
      on conflict (limit_key) do update
      set next_at = greatest(l.next_at, (select at from asked)) + (select every from asked)
      where l.next_at <= (select at from asked) + make_interval(secs => %(early)s)
      returning next_at
    )
    select extract(epoch from coalesce(t.next_at, l.next_at) - at)::float8 as behind, t.next_at is not null as may
    from asked left join taken t on true left join rate_limits l on l.limit_key = %(key)s
"""


def take(connection: Connection, key: str, interval: float, early: float) -> tuple[bool, float]:
    """Count one request. Whether it may come, and by how many seconds its sender is ahead of the pace after it."""
    connection.execute("set local synchronous_commit = off")
    row = connection.execute(_TAKE, {"key": f"api {key}", "interval": interval, "early": early}).fetchone()
    assert row is not None  # noqa: S101 - a select without a table
    return bool(row["may"]), max(float(row["behind"] or 0.0), 0.0)
