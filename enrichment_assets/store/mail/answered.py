"""Which mail of ours something that came in is about, and what came back of it, on `mail_messages`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg.rows import class_row

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail that left, or may have.

    Attributes:
        id: Its row in `mail_messages`.
        message_id: Without brackets.
        mailbox: Address that it left from.
        recipient: In normal form.
        delivery_id: Row in `deliveries`; None: it is of none.
        item_id: The lead.
        destination: Slug of the delivery.
    """

    id: int
    message_id: str
    mailbox: str
    recipient: str
    delivery_id: int | None
    item_id: int | None
    destination: str | None


_SENT = """
    select m.id, btrim(m.message_id, '<>') as message_id, b.address as mailbox, m.recipient, m.delivery_id, m.item_id,
           m.workflow_slug as destination
    from mail_messages m join mailboxes b on b.id = m.mailbox_id
"""


def by_message_ids(connection: Connection, client_id: int, ids: Sequence[str]) -> SentMail | None:
    """The mail with the first of these Message-IDs (without brackets) that is one of the client's; None: none is."""
    with connection.cursor(row_factory=class_row(SentMail)) as cursor:
        return cursor.execute(
            f"""
            {_SENT} join unnest(%(ids)s::text[]) with ordinality as a(id, ord) on m.message_id = '<' || a.id || '>'
            where m.client_id = %(client)s order by a.ord limit 1
            """,
            {"client": client_id, "ids": list(ids)},
        ).fetchone()


def by_addresses(
    connection: Connection, client_id: int, theirs: Sequence[str], ours: Sequence[str], since: datetime
) -> SentMail | None:
    """The last mail to one of these addresses that has left since then; None: there is none.

    `ours`: addresses that what came in was to: the mail left from one of them, or asked to answer to it. Empty: any.
    """
    with connection.cursor(row_factory=class_row(SentMail)) as cursor:
        return cursor.execute(
            f"""
            {_SENT} where m.client_id = %(client)s and m.recipient = any(%(theirs)s)
              and m.state in ('sent', 'unknown', 'sending') and coalesce(m.sent_at, m.scheduled_at) > %(since)s
              and (cardinality(%(ours)s::text[]) = 0 or b.address = any(%(ours)s) or b.reply_to = any(%(ours)s))
            order by coalesce(m.sent_at, m.scheduled_at) desc, m.id desc limit 1
            """,
            {"client": client_id, "theirs": list(theirs), "ours": list(ours), "since": since},
        ).fetchone()


def is_ours(connection: Connection, client_id: int, address: str) -> bool:
    """Whether the client's mail leaves from an address."""
    found = connection.execute(
        "select 1 from mailboxes where client_id = %s and address = %s", (client_id, address)
    ).fetchone()
    return found is not None


MailColumn = Literal["bounced_at", "complained_at", "replied_at"]


@dataclass(frozen=True, slots=True)
class CameBack:
    """What came back of a mail: of which lead and delivery, which of the columns that is, and when."""

    item_id: int
    destination: str
    column: MailColumn
    at: datetime


def mark(connection: Connection, client_id: int, came_back: Sequence[CameBack]) -> None:
    """Write down what came back of mails, the first of each kind: a mailbox is judged by it. The caller commits."""
    connection.execute(
        """
        update mail_messages m set bounced_at = coalesce(m.bounced_at, g.bounced_at),
          complained_at = coalesce(m.complained_at, g.complained_at), replied_at = coalesce(m.replied_at, g.replied_at)
        from (
          select item_id, destination, min(at) filter (where kind = 'bounced_at') as bounced_at,
                 min(at) filter (where kind = 'complained_at') as complained_at,
                 min(at) filter (where kind = 'replied_at') as replied_at
          from unnest(%(items)s::bigint[], %(destinations)s::text[], %(kinds)s::text[], %(ats)s::timestamptz[])
            as r(item_id, destination, kind, at)
          group by item_id, destination
        ) g
        where m.client_id = %(client)s and m.item_id = g.item_id and m.workflow_slug = g.destination
          and m.state <> 'dropped' and m.item_id is not null
        """,
        {
            "client": client_id,
            "items": [one.item_id for one in came_back],
            "destinations": [one.destination for one in came_back],
            "kinds": [one.column for one in came_back],
            "ats": [one.at for one in came_back],
        },
    )
