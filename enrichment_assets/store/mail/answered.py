"""Which mail of ours something that came in is about, on `mail_messages`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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


@dataclass(frozen=True, slots=True)
class UnknownMail:
    """A mail that was handed over, and of which nobody knows whether its server has it; Message-ID without brackets."""

    message_id: str
    delivery_id: int


def of_unknown_fate(connection: Connection, client_id: int, knower: str) -> list[UnknownMail]:
    """Mails of unknown fate of which a mailbox has a copy if they left: it gets copies, or they leave from it."""
    with connection.cursor(row_factory=class_row(UnknownMail)) as cursor:
        return cursor.execute(
            """
            select btrim(m.message_id, '<>') as message_id, d.id as delivery_id
            from mailboxes b
            join mail_messages m on m.mailbox_id = b.id and m.state in ('unknown', 'sending')
            join deliveries d on d.client_id = m.client_id and d.destination = m.workflow_slug
              and d.item_id = m.item_id and d.state = 'unknown'
            where b.client_id = %(client)s and m.message_id is not null
              and (b.address = %(knower)s or lower(b.settings ->> 'bcc') = %(knower)s)
            order by m.id
            """,
            {"client": client_id, "knower": knower},
        ).fetchall()
