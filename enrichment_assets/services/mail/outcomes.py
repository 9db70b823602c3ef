"""What follows from mails that left or were refused: events, the lead's status, and whether their mailbox goes on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind, EventSource
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.mail.mailboxes import unhealthy
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.services.deliveries.coming_back import take
from enrichment_assets.services.deliveries.resolving import Decision, resolve_delivery
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.mail import mailboxes, outcomes, places
from enrichment_assets.store.mail.mailboxes import Mailbox
from enrichment_assets.store.mail.outcomes import Outcome
from enrichment_assets.store.results.edits import NewEdit, add_edits

AT_ONCE = 1_000
STATUS, CONTACTED, SENT_AT = "prospect_status", "contacted", "email_sent_at"

BY_ITSELF = Actor(ActorKind.SENSOR, "mailboxes")
"""Who pauses a mailbox for what came back."""

BY_COPY = Actor(ActorKind.EVENT, "mail-came-back")
"""Who says that a mail of unknown fate has left: its copy, an answer to it, or its bounce."""

_NO_SUCH_ADDRESS = re.compile(r"\b5\.1\.[0-9]+ at RCPT|SMTP 55[013] at RCPT")
"""An address that is not there, by its enhanced code (RFC 3463), or by the reply where it has none."""


# crash point: mails-are-settled
def settle_mails(hq: Hq, settings: Settings, client_id: int) -> None:
    """See what became of a client's mails, tell of it once, and pause mailboxes that have to stop.

    Doing it again changes nothing.

    Raises:
        ConfigurationError: The pepper is missing or another: nobody could be known.
    """
    believe_proofs(hq, client_id)
    with hq.transaction() as connection:
        places.settle(connection, client_id)
        untold = outcomes.untold(connection, client_id, AT_ONCE)
        _note_contacted(connection, [one for one in untold if one.state == "sent"])
    for address in sorted({one.mailbox for one in untold}):
        source = EventSource(client_id, f"mailbox:{address}", "mail")
        take(hq, settings, source, [_event(one) for one in untold if one.mailbox == address])
    with hq.transaction() as connection:
        outcomes.note_what_came_back(connection, client_id)
        pause_unhealthy(connection, client_id)


def believe_proofs(hq: Hq, client_id: int) -> None:
    """See which mails of unknown fate have left, by what came back of them: before anything is sent again."""
    with hq.transaction() as connection:
        places.settle(connection, client_id)
        proven = outcomes.proven(connection, client_id)
    for delivery_id, message_id in proven.items():
        _resolve(hq, delivery_id, None if message_id is None else message_id.strip("<>"))


def _resolve(hq: Hq, delivery_id: int, message_id: str | None) -> None:
    """Say of a mail of unknown fate that it has left; somebody may have said so meanwhile."""
    try:
        resolve_delivery(hq, delivery_id, Decision.DELIVERED, actor=BY_COPY, external_id=message_id)
    except ConfigurationError:
        return


def _event(one: Outcome) -> DeliveryEvent:
    key = f"{one.state} {one.message_id}"
    if one.state == "sent":
        kind, at = EventKind.SENT, one.sent_at
    else:
        gone = _NO_SUCH_ADDRESS.search(one.reason or "") is not None
        kind, at = (EventKind.BOUNCED if gone else EventKind.BOUNCED_POLICY), one.refused_at
    return DeliveryEvent(
        kind,
        at or datetime.now(UTC),
        key,
        address=one.recipient,
        delivery_id=one.delivery_id,
        destination=one.slug,
        item_id=one.item_id,
        message_id=one.message_id.strip("<>"),
        reason=one.reason,
    )


def _note_contacted(connection: Connection, sent: Sequence[Outcome]) -> None:
    """Who was written to is contacted, and since when; what was approved has been sent, and is to be sent no more."""
    edits = []
    for one in sent:
        at = one.sent_at or datetime.now(UTC)
        by, note = f"mail:{one.mailbox}", f"sent by {one.slug}"
        edits.append(NewEdit(one.item_id, STATUS, CONTACTED, by, note, at))
        edits.append(NewEdit(one.item_id, SENT_AT, at.astimezone(UTC).isoformat(), by, note, at))
    if edits:
        add_edits(connection, edits)


def pause_unhealthy(connection: Connection, client_id: int) -> list[str]:
    """Pause mailboxes with too many bounces or complaints, or whose server refuses them; their addresses."""
    boxes = [one for one in mailboxes.listed(connection, client_id, lock=True) if one.paused_at is None]
    used = mailboxes.usage(connection, [one.id for one in boxes], places.now_of(connection))
    refused = outcomes.refused_logins(connection, client_id)
    paused = []
    for one in boxes:
        counted = used[one.id]
        why = refused.get(one.id) or unhealthy(counted.sent, counted.bounced, counted.complained)
        if why is not None:
            _pause(connection, one, why)
            paused.append(one.address)
    return paused


def _pause(connection: Connection, mailbox: Mailbox, why: str) -> None:
    if mailboxes.pause(connection, mailbox.id, why):
        after = {"reason": why}
        note_action(
            connection, BY_ITSELF, Code.MAILBOX_PAUSE, mailbox.address, client_id=mailbox.client_id, after=after
        )
