"""What would leave when, from which mailbox, and what has left already: of one batch, without changing anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.domain.mail.mailboxes import MessageState
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.services.mail.placing import foreseen, held_back, mail_providers
from enrichment_assets.store.batches.holds import ALL, read_holds
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.mail import mailboxes, places

DAYS = 60
"""How far a preview looks ahead unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class PreviewedMail:
    """A mail of a batch.

    Attributes:
        item_id: The lead.
        workflow: The delivery.
        step: Of its sequence, from 1.
        recipient: The address.
        mailbox: From where; None: none is free within the days that were looked at.
        at: When it has left, or will; None: not within these days.
        state: Where it stands; None: it has no place yet, and `at` is what would be if nothing changed.
        reason: What the server, or the platform, said of it last.
    """

    item_id: int
    workflow: str
    step: int
    recipient: str
    mailbox: str | None
    at: datetime | None
    state: MessageState | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """The mails of a batch in the order in which they leave.

    Attributes:
        mails: Those that have a place, or would be given one.
        held_back: Mailbox -> why nothing leaves from there.
        batch_held: Why none of these mails leaves: `paused by cli:ann`; None: the batch is not held.
    """

    mails: Sequence[PreviewedMail]
    held_back: dict[str, str]
    batch_held: str | None


def preview_mails(hq: Hq, batch_key: str, *, days: int = DAYS, now: datetime | None = None) -> Preview:
    """What leaves when, of a batch that was planned for delivery.

    Args:
        hq: HQ.
        batch_key: Which.
        days: How far to look ahead.
        now: When it is, for tests.

    Raises:
        NotFoundError: There is no such batch.
    """
    with hq.transaction() as connection:
        moment = now or places.now_of(connection)
        batch = get_batch(connection, batch_key)
        if batch is None:
            raise no_such_batch(connection, batch_key)
        boxes = mailboxes.listed(connection, batch["client_id"])
        known = places.of_batch(connection, batch["id"])
        would = foreseen(connection, batch["client_id"], mail_providers(PROVIDERS), moment, days)
        why = {one.address: reason for one in boxes if (reason := held_back(connection, one)) is not None}
    address = {one.id: one.address for one in boxes}
    hold = read_holds(batch["holds"]).get(ALL)
    mails = [
        PreviewedMail(
            one.item_id, one.slug, one.step, one.recipient, one.mailbox, one.sent_at or one.moment,
            MessageState(one.state), one.reason,
        )
        for one in known
        if hold is None or one.state != MessageState.PLANNED  # of a held batch it loses its place
    ]  # fmt: skip
    for one, place in would:
        if one.batch_id != batch["id"]:
            continue
        where, at = (None, None) if place is None else (address[place.mailbox], place.moment)
        mails.append(PreviewedMail(one.item_id, one.slug, one.step, one.recipient, where, at, None, None))
    ordered = sorted(mails, key=lambda mail: (mail.at is None, mail.at or moment, mail.item_id))
    return Preview(ordered, why, None if hold is None else hold.sentence)
