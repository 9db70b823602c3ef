"""Who was told of a person before anybody asked to forget them: clients' servers, and destinations of their leads."""

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


@dataclass(frozen=True, slots=True)
class RemoteRecord:
    """What stands for a person at a destination: whoever runs it deletes it there.

    Attributes:
        destination: Slug of the delivery.
        target: Which place of it; empty: it has one.
        external_id: Its id there; None: it is not known, and our key names it.
        key: Our key there.
        state: Where it stands.
        delivered_at: When it was written last; None: a call may have made it.
    """

    destination: str
    target: str
    external_id: str | None
    key: str
    state: str
    delivered_at: datetime | None


def records_of(connection: Connection, items: Sequence[int]) -> list[RemoteRecord]:
    """What stands for these items at real destinations, or may; what was refused or deleted there does not."""
    rows = connection.execute(
        """
        select destination, target, external_id, key, state, delivered_at from deliveries
        where item_id = any(%s) and not simulated
          and (first_delivered_at is not null and state <> 'deleted' or state in ('intended', 'unknown'))
        order by destination, id
        """,
        (list(items),),
    ).fetchall()
    return [RemoteRecord(**row) for row in rows]
