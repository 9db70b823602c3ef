"""Clients' servers that were told of a person's leads before anybody asked to forget them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Receiver:
    """A webhook that messages about a person went to.

    Attributes:
        webhook: Its name.
        arrived: Messages that it has confirmed.
        unsure: Messages that were tried, or are under way, and that it has not confirmed; it may have them.
        first: When the first arrived; None: none has.
        last: When the last arrived.
    """

    webhook: str
    arrived: int
    unsure: int
    first: datetime | None
    last: datetime | None


def receivers_of(connection: Connection, items: Sequence[int]) -> list[Receiver]:
    """The webhooks that messages about these items went to, by name."""
    rows = connection.execute(
        """
        with told as materialized (
          select e.id, e.client_id
          from batch_items i join outgoing_events e on e.batch_id = i.batch_id and e.item_id = i.id
          where i.id = any(%(items)s)
        )
        select w.name as webhook, count(*) filter (where m.state = 'arrived') as arrived,
               count(*) filter (where m.state <> 'arrived') as unsure,
               min(m.ended_at) filter (where m.state = 'arrived') as first,
               max(m.ended_at) filter (where m.state = 'arrived') as last
        from outgoing_messages m join outgoing_webhooks w on w.id = m.webhook_id
        where m.client_id in (select client_id from told) and m.events && array(select id from told)
          and (m.state = 'arrived' or m.attempts > 0 or m.claimed_until > clock_timestamp())
        group by w.name order by w.name
        """,
        {"items": list(items)},
    ).fetchall()
    return [Receiver(**row) for row in rows]
