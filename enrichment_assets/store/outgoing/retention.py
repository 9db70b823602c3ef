"""Taking the leads out of what clients' servers were told long ago; that they were told, and when, stays.

What somebody may still need is not looked at: an event that no message was made of yet, and one whose message is still
to be sent. A webhook that is disabled needs nothing: what waits for it may wait for ever.
"""

from __future__ import annotations

from enrichment_assets.store.calls.retention import CHUNK, Bodies
from enrichment_assets.store.database import Connection

_OLD = """
from outgoing_events e
where e.id > %(after)s and e.item_id is not null and e.data is not null and e.laid_out_at is not null
  and e.occurred_at < statement_timestamp() - make_interval(days => %(days)s)
  and not exists (
    select 1 from outgoing_messages m join outgoing_webhooks w on w.id = m.webhook_id and w.disabled_at is null
      cross join unnest(m.events) as needed(id)
    where m.state = 'waiting' and needed.id = e.id)
"""

_COUNT = f"select count(*) as leads, coalesce(sum(e.bytes), 0)::bigint as bytes, null::bigint as last {_OLD}"

_TAKE = f"""
with old as (
  select e.id {_OLD} order by e.id limit {CHUNK} for update of e skip locked
), gone as (
  update outgoing_events e set data = null from old where e.id = old.id returning e.id, e.bytes
)
select count(*) as leads, coalesce(sum(bytes), 0)::bigint as bytes, max(id) as last from gone
"""


def count_told_leads(connection: Connection, days: int) -> Bodies:
    """How many leads were told of longer ago than so many days, and are needed no more."""
    return _figures(connection, _COUNT, days, 0)[0]


def take_told_leads(connection: Connection, days: int, after: int) -> tuple[Bodies, int | None]:
    """Take a chunk of them out of the events with higher ids than `after`; the caller commits.

    Returns:
        What went, and the highest id of it; None: there are no more.
    """
    return _figures(connection, _TAKE, days, after)


def _figures(connection: Connection, statement: str, days: int, after: int) -> tuple[Bodies, int | None]:
    row = connection.execute(statement, {"days": days, "after": after}).fetchone()
    return (Bodies(), None) if row is None else (Bodies(row["leads"], row["bytes"]), row["last"])
