"""What a mail that came in tells of deliveries: which of our mails it is about, and what happened to that.

An answer is matched by the Message-IDs that it names, then by who wrote it to whom; what is about no mail of ours tells
nothing and stays what it is: kept bytes. So a stranger's bounce or newsletter stops nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from enrichment_assets.domain.delivery_events import LONGEST_KEY, DeliveryEvent, EventKind
from enrichment_assets.domain.mail.bounce_reasons import BounceKind
from enrichment_assets.domain.mail.bounces import Bounce
from enrichment_assets.domain.mail.inbound import Inbound, InboundKind, judge
from enrichment_assets.store.database import Connection
from enrichment_assets.store.mail import answered
from enrichment_assets.store.mail.answered import SentMail

ANSWERED_WITHIN = timedelta(days=90)
"""Who writes later, and names no mail of ours, is not answering one."""

BOUNCED_WITHIN = timedelta(days=14)
"""Servers try for five days, some for seven; a report that names no mail of ours is about none that is older."""

BELIEVED = timedelta(days=30)
"""A Date further back than this before a mail came is wrong."""

_BOUNCES = {
    BounceKind.HARD: EventKind.BOUNCED,
    BounceKind.POLICY: EventKind.BOUNCED_POLICY,
    BounceKind.UNKNOWN: EventKind.BOUNCED_POLICY,
    BounceKind.SOFT: EventKind.DEFERRED,
    BounceKind.DELAYED: EventKind.DEFERRED,
}
"""An address is given up for what is certain alone."""


def events_of(connection: Connection, client_id: int, raw: bytes, received: datetime) -> list[DeliveryEvent]:
    """The events of one message; none where it is about no mail of the client's.

    Args:
        connection: To HQ; nothing is written.
        client_id: Whose mailbox it came to.
        raw: The message as it came.
        received: When it came.
    """
    found = judge(raw, received)
    telling = _Telling(connection, client_id, raw, received, found)
    if found.kind in (InboundKind.ANSWER, InboundKind.AUTO_REPLY) and answered.is_ours(
        connection, client_id, found.sender
    ):
        return list(telling.copy())  # which answers nobody, though its References name the mails before it
    return list(telling.events())


class _Telling:
    """Says what one message tells."""

    def __init__(self, connection: Connection, client_id: int, raw: bytes, received: datetime, found: Inbound) -> None:
        self._connection = connection
        self._client_id = client_id
        self._received = received
        self._found = found
        self._name = found.message_id or hashlib.sha256(raw).hexdigest()
        self._at = _when(found.at, received)

    def copy(self) -> Iterator[DeliveryEvent]:
        """Of a copy of a mail of ours: it has left."""
        own = [self._found.message_id] if self._found.message_id else []
        if sent := answered.by_message_ids(self._connection, self._client_id, own):
            yield self._event(EventKind.SENT, sent, "", {"by": "its copy"})

    def events(self) -> Iterator[DeliveryEvent]:
        found = self._found
        if found.kind is InboundKind.BOUNCE:
            for bounce in found.bounces:
                if sent := self._bounced(bounce):
                    yield self._bounce(bounce, sent)
            return
        sent = self._named() or self._by_address()
        if sent is None:
            return
        if found.kind is InboundKind.ANSWER:
            yield self._event(EventKind.REPLIED, sent, found.text, {"from": found.sender, "subject": found.subject})
            if found.stop:
                yield self._event(EventKind.ASKED_TO_STOP, sent, found.stop, {"from": found.sender})
        elif found.kind is InboundKind.AUTO_REPLY:
            back = None if found.back is None else datetime.combine(found.back, time(), UTC)
            yield self._event(EventKind.AUTO_REPLIED, sent, found.text, {"signs": list(found.signs)}, until=back)
        elif found.kind is InboundKind.COMPLAINT:
            yield self._event(EventKind.COMPLAINED, sent, found.subject, {"from": found.sender})
        else:
            yield self._event(EventKind.NOTED, sent, found.subject, {"what": found.kind.value})

    def _named(self) -> SentMail | None:
        """The mail whose Message-ID it names."""
        return answered.by_message_ids(self._connection, self._client_id, self._found.about)

    def _by_address(self) -> SentMail | None:
        """The last mail to who wrote this, from an address that it is to. Of a complaint: to who complained."""
        found = self._found
        theirs, ours = found.sender, found.to
        if found.kind is InboundKind.COMPLAINT:
            theirs, ours = found.complainer or "", ()
        if not theirs or (found.kind is not InboundKind.COMPLAINT and not ours):
            return None
        since = self._received - ANSWERED_WITHIN
        return answered.by_addresses(self._connection, self._client_id, [theirs], ours, since)

    def _bounced(self, bounce: Bounce) -> SentMail | None:
        """The mail that a report is about; by its recipient where the report has nothing of the message itself."""
        if self._found.about:
            return self._named()
        since = self._received - BOUNCED_WITHIN
        return answered.by_addresses(self._connection, self._client_id, [bounce.recipient], [], since)

    def _bounce(self, bounce: Bounce, sent: SentMail) -> DeliveryEvent:
        data: dict[str, object] = {"bounce": bounce.kind.value, "status": bounce.status, "recipient": bounce.recipient}
        return self._event(_BOUNCES[bounce.kind], sent, bounce.reason, data, part=bounce.recipient)

    def _event(
        self,
        kind: EventKind,
        sent: SentMail,
        reason: str,
        data: dict[str, object],
        *,
        until: datetime | None = None,
        part: str = "",
    ) -> DeliveryEvent:
        """Each mail of ours has one recipient: it is about them, whoever answered for them."""
        return DeliveryEvent(
            kind,
            self._at,
            _key(f"{self._name}:{kind.value}:{part}"),
            address=sent.recipient,
            delivery_id=sent.delivery_id,
            destination=sent.destination,
            item_id=sent.item_id,
            message_id=sent.message_id,
            reason=reason or None,
            until=until,
            data={name: value for name, value in data.items() if value},
        )


def _when(said: datetime | None, received: datetime) -> datetime:
    """When it was written, where that can be."""
    return said if said is not None and received - BELIEVED < said <= received else received


def _key(text: str) -> str:
    return text if len(text) <= LONGEST_KEY and text.isprintable() else hashlib.sha256(text.encode()).hexdigest()
