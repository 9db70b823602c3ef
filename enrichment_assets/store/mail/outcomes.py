"""What became of mails that left: those that nobody was told of yet, and what came back of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Outcome:
    """A mail that was sent or refused, of which no event says so yet; `mailbox` is an address."""

    message_id: str
    state: str
    mailbox: str
    item_id: int
    slug: str
    delivery_id: int | None
    recipient: str
    sent_at: datetime | None
    refused_at: datetime | None
    reason: str | None


def untold(connection: Connection, client_id: int, most: int) -> list[Outcome]:
    """Mails of a client of the last days that were sent or refused and of which no event of their mailbox tells."""
    with connection.cursor(row_factory=class_row(Outcome)) as cursor:
        return cursor.execute(
            """
            select x.message_id, x.state, m.address as mailbox, x.item_id, x.workflow_slug as slug, x.delivery_id,
                   x.recipient, x.sent_at, s.advanced_at as refused_at, x.reason
            from mail_messages x join mailboxes m on m.id = x.mailbox_id
            join workflow_states s on s.item_id = x.item_id and s.workflow_slug = x.workflow_slug
            where x.client_id = %s and x.message_id is not null
              and (x.state = 'sent' or (x.state = 'refused' and x.reply_code is not null))
              and x.scheduled_at > clock_timestamp() - interval '30 days'
              and not exists (select from delivery_events e where e.client_id = x.client_id
                                and e.source = 'mailbox:' || m.address and e.key = x.state || ' ' || x.message_id)
            order by x.id limit %s
            """,
            (client_id, most),
        ).fetchall()


def proven(connection: Connection, client_id: int) -> dict[int, str | None]:
    """Delivery -> Message-ID of mails of unknown fate of which something has come back: they have left.

    A copy that our own mailbox has, an answer, a bounce: whoever says it has seen the mail. So it is with one of which
    a person said that it had not left, and that has not been sent again yet; its Message-ID may not be kept any more.
    """
    rows = connection.execute(
        """
        select d.id as delivery_id, max(x.message_id) as message_id
        from mail_messages x join deliveries d on d.id = x.delivery_id left join provider_calls c on c.id = d.call_id
        where x.client_id = %s
          and (x.state = 'unknown' and x.message_id is not null
               or d.state = 'refused' and d.first_delivered_at is null and c.state = 'ready')
          and exists (select from delivery_events e where e.client_id = x.client_id and e.delivery_id = x.delivery_id
                        and e.kind in ('sent', 'delivered', 'replied', 'auto_replied', 'bounced', 'complained',
                                       'unsubscribed'))
        group by d.id
        """,
        (client_id,),
    ).fetchall()
    return {row["delivery_id"]: row["message_id"] for row in rows}


def note_what_came_back(connection: Connection, client_id: int) -> None:
    """Note bounces, complaints and replies at the mails that they are about: the last one to the lead before them."""
    connection.execute(
        """
        with recent as (
          select x.id, x.item_id, x.workflow_slug, coalesce(x.sent_at, x.scheduled_at) as left_at from mail_messages x
          where x.client_id = %(client)s and x.state in ('sent', 'unknown', 'refused') and x.item_id is not null
            and x.scheduled_at > clock_timestamp() - interval '45 days'
        ), came as (
          select e.item_id, e.destination, e.kind, min(e.happened_at) as at from delivery_events e
          where e.item_id in (select item_id from recent) and e.client_id = %(client)s
            and e.kind in ('bounced', 'complained', 'replied')
          group by e.item_id, e.destination, e.kind
        ), about as (
          select m.id, min(c.at) filter (where c.kind = 'bounced') as bounced,
                 min(c.at) filter (where c.kind = 'complained') as complained,
                 min(c.at) filter (where c.kind = 'replied') as replied
          from came c
          cross join lateral (
            select x.id from recent x where x.item_id = c.item_id
            order by (x.workflow_slug = c.destination) desc nulls last, (x.left_at <= c.at) desc, x.id desc limit 1
          ) m
          group by m.id
        )
        update mail_messages x
        set bounced_at = coalesce(x.bounced_at, a.bounced), complained_at = coalesce(x.complained_at, a.complained),
            replied_at = coalesce(x.replied_at, a.replied)
        from about a where a.id = x.id
          and ((a.bounced is not null and x.bounced_at is null)
            or (a.complained is not null and x.complained_at is null)
            or (a.replied is not null and x.replied_at is null))
        """,
        {"client": client_id},
    )


def refused_logins(connection: Connection, client_id: int) -> dict[int, str]:
    """Mailbox -> what its server said to it itself, of mails that wait for another attempt because of that."""
    rows = connection.execute(
        """
        select distinct on (x.mailbox_id) x.mailbox_id, x.reason from mail_messages x
        join workflow_states s on s.item_id = x.item_id and s.workflow_slug = x.workflow_slug
        join provider_calls c on c.id = s.call_id
        join mailboxes m on m.id = x.mailbox_id
        where x.client_id = %s and x.state = 'planned' and x.reply_code between 500 and 599 and m.paused_at is null
          and c.received_at > coalesce(m.judged_from, '-infinity')
        order by x.mailbox_id, c.received_at desc
        """,
        (client_id,),
    ).fetchall()
    return {row["mailbox_id"]: str(row["reason"]) for row in rows}
