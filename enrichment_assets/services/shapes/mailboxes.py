"""Mailboxes that mail leaves from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.mail.mailboxes import MailboxStanding
    from enrichment_assets.services.mail.preview import PreviewedMail


@dataclass(frozen=True, slots=True)
class Mailbox(Shape):
    """An address that a client's mail leaves from, and what it has done.

    Attributes:
        address: In lower case.
        client: Whose it is.
        kind: How mail leaves it: smtp, gmail or service.
        name: As readers see it; may be empty.
        settings: Of its kind.
        secrets: Purpose -> NAME of the variable.
        postal_address: Below each mail.
        opt_out: The sentence below each mail.
        reply_to: Where replies go; null: to the mailbox.
        html: Whether mails are HTML, too.
        time_zone: By whose clocks its window and its days are.
        country: Whose holidays count; null: weekends alone.
        window: From when until when mails leave, as 09:00-17:00.
        daily_cap: Mails a day, once it is ramped up.
        domain_cap: Mails a day to one receiving domain.
        cap_today: Mails that it may send today, if today is one of its working days.
        ramp: On its first day of sending, and more on each further one, as 5+2; null: the cap from the start.
        today: Mails that have their place today, sent or not.
        sent_today: Those of them that have left.
        planned: Mails that have their place and have not left.
        sent: Mails of the last 30 days, by which it is judged.
        bounced: Those of them that bounced for good.
        complained: Those of them that were reported as spam.
        replied: Those of them that were answered.
        created_at: Since when it is known.
        paused_at: Since when nothing leaves; null: mail leaves.
        paused_reason: Why.
    """

    address: str
    client: str
    kind: str
    name: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    postal_address: str
    opt_out: str
    reply_to: str | None
    html: bool
    time_zone: str
    country: str | None
    window: str
    daily_cap: int
    domain_cap: int
    cap_today: int
    ramp: str | None
    today: int
    sent_today: int
    planned: int
    sent: int
    bounced: int
    complained: int
    replied: int
    created_at: datetime
    paused_at: datetime | None
    paused_reason: str | None

    @classmethod
    def of(cls, one: MailboxStanding) -> Mailbox:
        """From what the services return."""
        box, used = one.mailbox, one.usage
        return cls(
            address=box.address,
            client=box.client,
            kind=box.kind,
            name=box.name,
            settings=box.settings,
            secrets=box.secrets,
            postal_address=box.postal_address,
            opt_out=box.opt_out,
            reply_to=box.reply_to,
            html=box.html,
            time_zone=box.time_zone,
            country=box.country,
            window=f"{box.window_from:%H:%M}-{box.window_until:%H:%M}",
            daily_cap=box.daily_cap,
            domain_cap=box.domain_cap,
            cap_today=one.cap_today,
            ramp=None if box.ramp is None else f"{box.ramp.start}+{box.ramp.step}",
            today=used.today,
            sent_today=used.sent_today,
            planned=used.planned,
            sent=used.sent,
            bounced=used.bounced,
            complained=used.complained,
            replied=used.replied,
            created_at=box.created_at,
            paused_at=box.paused_at,
            paused_reason=box.paused_reason,
        )


@dataclass(frozen=True, slots=True)
class Mail(Shape):
    """A mail of a batch: when it leaves or has left, and from where.

    Attributes:
        item_id: The lead.
        workflow: The delivery.
        step: Of its sequence, from 1.
        recipient: The address.
        mailbox: From where; null: none is free within the days that were looked at.
        at: When it has left, or will; null: not within these days.
        state: planned, sending, sent, refused or unknown; null: it has no place yet, and at is foreseen.
        reason: What was said of it last.
    """

    item_id: int
    workflow: str
    step: int
    recipient: str
    mailbox: str | None
    at: datetime | None
    state: str | None
    reason: str | None

    @classmethod
    def of(cls, one: PreviewedMail) -> Mail:
        """From what the services return."""
        state = None if one.state is None else one.state.value
        return cls(one.item_id, one.workflow, one.step, one.recipient, one.mailbox, one.at, state, one.reason)
