"""What comes back of a delivery: a reply, a bounce, a correction in the CRM, somebody who says no.

Whoever receives or fetches such things (a webhook, a poll, a mailbox) makes `DeliveryEvent`s of them and hands them to
`services.deliveries.coming_back.take`, which keeps each once and does what follows from its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as member
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

LONGEST_KEY = 200
LONGEST_TEXT = 2_000
"""Characters of an event's texts that are kept."""

PAUSE = timedelta(days=7)
"""How long an auto-reply that names no day pauses what would be sent to its author."""

LONGEST_PAUSE = timedelta(days=400)
"""The latest day that an auto-reply is believed: longer than a year of parental leave."""


class EventKind(StrEnum):
    """What happened; stored in `delivery_events`."""

    SENT = "sent"
    """A tool that sends by itself (Instantly) has sent a message."""
    DELIVERED = "delivered"
    """The receiver's server took the message."""
    DEFERRED = "deferred"
    """It was not taken for now, and is tried again: a full mailbox, a greylisting server."""
    BOUNCED = "bounced"
    """Refused for good, for there is no such mailbox."""
    BOUNCED_POLICY = "bounced_policy"
    """Refused for what the message or its sender is (5.7.x): says nothing of the address."""
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    """A person has answered."""
    AUTO_REPLIED = "auto_replied"
    """A machine has answered; `until`: it said when the person is back."""
    ASKED_TO_STOP = "asked_to_stop"
    """A reply reads like a no: nothing more is sent, and a person decides whether it is one."""
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    """The receiver called it spam."""
    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    CONTACTED = "contacted"
    """Somebody, or a tool, has written to or called the person."""
    STATUS_CHANGED = "status_changed"
    """The record was moved to another status; `value`: which."""
    FIELD_CHANGED = "field_changed"
    """A person changed a value of the record; `field`: the lead's column, `value`: what it is now, None: nothing."""
    DELETED = "deleted"
    """The record is gone at the destination."""
    NOTED = "noted"
    """Anything else worth keeping: a comment, a task that was assigned; nothing follows."""


CONTACTS = frozenset({EventKind.SENT, EventKind.DELIVERED, EventKind.CONTACTED})
"""After these a person counts as written to."""

NO = frozenset({EventKind.UNSUBSCRIBED, EventKind.COMPLAINED})
"""After these a person is not written to, bought or called again by this client."""

STOPS = frozenset({EventKind.REPLIED, EventKind.ASKED_TO_STOP, EventKind.NOT_INTERESTED, EventKind.INTERESTED})
"""After these nothing more of a sequence is sent to the person: a person goes on with it."""


@dataclass(frozen=True, slots=True)
class EventSource:
    """Where events come from: a connection of one client.

    Attributes:
        client_id: The client.
        name: The connection's name, as `acme-clickup`, or `imap:sales@acme.com`; with an event's key it names an event.
        kind: What it is, as `clickup`: so corrections say where they come from.
        id: Row in `event_sources`; None: it is none of those (a mailbox).
    """

    client_id: int
    name: str
    kind: str
    id: int | None = None


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """One thing that came back.

    Which lead it is about is found by the first of these that is given and known among the client's deliveries:
    `delivery_id`, `external_id`, `message_id`, `item_id`, `address`, `linkedin_url`.

    Attributes:
        kind: What happened.
        at: When, by the source's clock; with a time zone.
        key: The source's own key: the same event has the same key, whichever way and however often it comes.
        address: E-mail address of the person whom it is about.
        linkedin_url: Their profile, where a tool knows people by it.
        delivery_id: Row in `deliveries`.
        destination: Slug of the delivery workflow; narrows `external_id`. None: any of the client's.
        external_id: The destination's id of the record.
        message_id: The Message-ID of ours that it is about, without brackets.
        item_id: The lead, where its source knows it (custom arguments of a sending service).
        actor: Who did it there, as the destination names them: `Jane Roe`; None: nobody, or it is not said.
        field: Of `field_changed`: the lead's column.
        value: Of `field_changed` and `status_changed`: what it is now.
        until: Of `auto_replied`: when the person is back.
        reason: Why, in the source's words: a bounce's diagnostic, what a reply says.
        data: What else is kept, as JSON.
        inbox_id: The kept bytes that it was read from.

    Raises:
        ValueError: It has no key, no time zone, or says nothing of what its kind needs.
    """

    kind: EventKind
    at: datetime
    key: str
    address: str | None = None
    linkedin_url: str | None = None
    delivery_id: int | None = None
    destination: str | None = None
    external_id: str | None = None
    message_id: str | None = None
    item_id: int | None = None
    actor: str | None = None
    field: str | None = None
    value: str | None = None
    until: datetime | None = None
    reason: str | None = None
    data: Mapping[str, Any] = member(default_factory=dict)
    inbox_id: int | None = None

    def __post_init__(self) -> None:
        """An event without a key would be taken twice; one without a time zone happened at nobody knows when."""
        if not 0 < len(self.key) <= LONGEST_KEY or not self.key.isprintable():
            raise ValueError(f"an event's key has 1 to {LONGEST_KEY} printable characters")
        if self.at.tzinfo is None or (self.until is not None and self.until.tzinfo is None):
            raise ValueError("an event's times have a time zone")
        if self.kind is EventKind.FIELD_CHANGED and not self.field:
            raise ValueError("a changed field has a name")
        if self.kind is EventKind.STATUS_CHANGED and not self.value:
            raise ValueError("a changed status says which it is")


def happened_at(event: DeliveryEvent, now: datetime) -> datetime:
    """When it happened: as it says, and never later than now, however wrong the source's clock is."""
    return min(event.at, now).astimezone(UTC)


def paused_until(event: DeliveryEvent) -> datetime:
    """Until when an auto-reply pauses its author: the day that it names, within bounds, or a week after it came."""
    if event.until is None or event.until <= event.at:
        return event.at + PAUSE
    return min(event.until, event.at + LONGEST_PAUSE)


def kept_text(text: str | None) -> str | None:
    """A text as it is kept: without what Postgres cannot hold, cut where it is long; None: there is nothing."""
    if text is None:
        return None
    plain = text.replace("\x00", "").encode(errors="replace").decode().strip()
    return (plain if len(plain) <= LONGEST_TEXT else f"{plain[: LONGEST_TEXT - 1]}…") or None


def kept_data(value: Any) -> Any:
    """JSON as it is kept: its texts as `kept_text`, its lists up to a hundred members."""
    if isinstance(value, str):
        return kept_text(value)
    if isinstance(value, Mapping):
        return {str(kept_text(str(name)))[:LONGEST_KEY]: kept_data(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [kept_data(member) for member in value[:100]]
    return value
