"""A mail whose turn it is: whether it may begin now, from which mailbox, and behind which earlier mails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment_assets.domain.mail.mailboxes import MailboxKind
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.mail.mailboxes import COLUMNS, Mailbox


@dataclass(frozen=True, slots=True)
class MailTurn:
    """The place that a mail has, and what it needs to be a message.

    Attributes:
        id: Its row in `mail_messages`.
        mailbox: From where it leaves.
        recipient: To whom it has its place, in lower case.
        now: By the database's clock.
        moment: Its own.
        is_today: Its place is in the mailbox's day of now.
        rank: Mails of its day that come before it: those that were begun, and those with an earlier place.
        days_sent: Earlier days on which mail left from there.
        thread: Message-IDs of the mails before it to the same address from there, from the first.
    """

    id: int
    mailbox: Mailbox
    recipient: str
    now: datetime
    moment: datetime
    is_today: bool
    rank: int
    days_sent: int
    thread: tuple[str, ...]


_TURN = f"""
select x.id as message, x.recipient, x.scheduled_at as moment, clock_timestamp() as now,
       x.day = (clock_timestamp() at time zone m.time_zone)::date as is_today,
       (select count(*) from mail_messages o where o.mailbox_id = x.mailbox_id and o.day = x.day and o.id <> x.id
          and (o.state in ('sending', 'sent', 'unknown', 'refused') or (o.state = 'planned' and o.slot < x.slot))
       ) as rank,
       (select count(distinct o.day) from mail_messages o
        where o.mailbox_id = x.mailbox_id and o.day < x.day and o.sent_at is not null) as days_sent,
       (select coalesce(array_agg(o.message_id order by o.id), array[]::text[]) from mail_messages o
        where o.client_id = x.client_id and o.recipient = x.recipient and o.id < x.id
          and x.thread in (o.id, o.thread) and o.message_id is not null and o.state in ('sent', 'unknown')) as thread,
       {COLUMNS}
from mail_messages x join mailboxes m on m.id = x.mailbox_id join clients c on c.id = m.client_id
where x.item_id = %s and x.workflow_slug = %s and x.state in ('planned', 'sending') and x.slot is not null
"""


async def turn_of(connection: AsyncConnection, item_id: int, slug: str) -> MailTurn | None:
    """The place of a mail; None: it has none."""
    row = await (await connection.execute(_TURN, (item_id, slug))).fetchone()
    if row is None:
        return None
    known: dict[str, Any] = {name: row[name] for name in Mailbox.__slots__}
    known["kind"] = MailboxKind(known["kind"])
    return MailTurn(
        id=row["message"],
        mailbox=Mailbox(**known),
        recipient=row["recipient"],
        now=row["now"],
        moment=row["moment"],
        is_today=row["is_today"],
        rank=row["rank"],
        days_sent=row["days_sent"],
        thread=tuple(row["thread"]),
    )


# crash point: mail-is-begun
async def begin(connection: AsyncConnection, turn_id: int, message_id: str) -> bool:
    """Note that a mail is about to leave, under this Message-ID; False: it lost its place meanwhile."""
    changed = await connection.execute(
        "update mail_messages set state = 'sending', message_id = %s, reply_code = null "
        "where id = %s and state in ('planned', 'sending') and slot is not null",
        (message_id, turn_id),
    )
    return changed.rowcount > 0


async def lose(connection: AsyncConnection, turn_id: int, reason: str) -> None:
    """Take a mail's place away: it is to get another."""
    await connection.execute(
        "update mail_messages set state = 'dropped', slot = null, message_id = null, reason = %s "
        "where id = %s and state <> 'sent'",
        (reason, turn_id),
    )
