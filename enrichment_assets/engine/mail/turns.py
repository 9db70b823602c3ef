"""Whether a mail may begin now, at its place in its mailbox's day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from enrichment_assets.domain.mail.addresses import mail_address
from enrichment_assets.domain.mail.mailboxes import cap_on
from enrichment_assets.domain.mail.message import message_id
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.mail.turns import MailTurn, begin, lose, turn_of

NO_PLACE = 60.0
"""Seconds until a mail without a place looks again; places are given out when a run begins."""

PAUSED = 900.0

LATE = timedelta(minutes=30)
"""A mail that is later than this gets another place: what waited for hours does not leave at once, or at night."""


@dataclass(frozen=True, slots=True)
class NotYet:
    """A mail does not leave now, for this reason; it looks again after so many seconds."""

    reason: str
    seconds: float


async def begin_mail(connection: AsyncConnection, item_id: int, slug: str, key: str) -> MailTurn | NotYet:
    """Begin a mail whose turn it is; from here on it counts in its mailbox's day, whatever becomes of it.

    Args:
        connection: HQ.
        item_id: The lead.
        slug: The delivery.
        key: Of the delivery: the Message-ID is made of it.
    """
    turn = await turn_of(connection, item_id, slug)
    if turn is None:
        return NotYet("it has no place in a mailbox's day yet", NO_PLACE)
    box = turn.mailbox
    if box.paused_at is not None:
        return NotYet(f"the mailbox {box.address} is paused: {box.paused_reason}", PAUSED)
    if turn.moment > turn.now:
        wait = (turn.moment - turn.now).total_seconds()
        return NotYet(f"it leaves from {box.address} at {turn.moment:%Y-%m-%d %H:%M:%S} UTC", wait)
    if not turn.is_today or turn.now - turn.moment > LATE:
        return await _loses(connection, turn, "its time was over before it left")
    if turn.rank >= cap_on(box.daily_cap, box.ramp, turn.days_sent):
        return await _loses(connection, turn, f"{box.address} sends no more mails today")
    if not await begin(connection, turn.id, message_id(key, mail_address(box.address))):
        return NotYet("it lost its place meanwhile", NO_PLACE)
    return turn


async def _loses(connection: AsyncConnection, turn: MailTurn, reason: str) -> NotYet:
    await lose(connection, turn.id, reason)
    return NotYet(reason, 0.0)
