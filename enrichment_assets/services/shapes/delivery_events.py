"""What comes back of deliveries: connections, kept messages, and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from enrichment_assets.services.shapes.shape import FLAT, Shape

if TYPE_CHECKING:
    from enrichment_assets.services.deliveries.connections import MessageDetail
    from enrichment_assets.services.deliveries.listening import Listened
    from enrichment_assets.store.deliveries import events, inbox, sources


@dataclass(frozen=True, slots=True)
class EventSource(Shape):
    """A connection by which events come.

    Attributes:
        name: By which it is known.
        client: Whose it is.
        kind: Who reads it.
        secret: NAME of the variable with its secret; null: it has none.
        settings: As its kind understands them.
        has_address: Whether anything is posted to it.
        poll_seconds: How often it is asked; null: it is not.
        created_at: Since when.
        paused_at: Since when nothing of it is read and it is not asked; null: it is.
        asked_at: When it was asked last.
        failed_at: When it could not be asked or read; null: it could.
        error: Why.
        unread: Messages that are to be read.
        dead: Messages that could not be read.
        events: Events that came by it.
        event_at: When the last one came.
    """

    name: str
    client: str
    kind: str
    secret: str | None
    settings: Mapping[str, Any]
    has_address: bool
    poll_seconds: int | None
    created_at: datetime
    paused_at: datetime | None
    asked_at: datetime | None
    failed_at: datetime | None
    error: str | None
    unread: int
    dead: int
    events: int
    event_at: datetime | None

    @classmethod
    def of(cls, one: sources.Connected) -> EventSource:
        """From what the services return."""
        return cls(
            one.name,
            one.client,
            one.kind,
            one.secret_variable,
            one.settings,
            one.has_address,
            one.poll_seconds,
            one.created_at,
            one.paused_at,
            one.asked_at,
            one.failed_at,
            one.error,
            one.unread,
            one.dead,
            one.events,
            one.event_at,
        )


@dataclass(frozen=True, slots=True)
class EventSecret(Shape):
    """The secret that a service made for a connection; it is shown this once.

    Attributes:
        name: The connection.
        variable: NAME of the variable that is to hold it.
        secret: By which the service signs.
    """

    name: str
    variable: str
    secret: str


@dataclass(frozen=True, slots=True)
class EventAddress(Shape):
    """The address of a connection, which is shown this once.

    Attributes:
        name: The connection.
        path: What is posted to, behind the receiver's public address; null: nothing is posted.
    """

    name: str
    path: str | None


@dataclass(frozen=True, slots=True)
class DeliveryEvent(Shape):
    """Something that came back.

    Attributes:
        id: Its number.
        client: Whose it is.
        source: Name of the connection or mailbox.
        key: The source's own key.
        kind: What happened, as `replied`.
        happened_at: When, by the source's clock.
        taken_at: When it was taken.
        batch: The lead's batch; null: it is not known.
        item_id: The lead; null: it is not known.
        delivery_id: The delivery; null: it is not known.
        destination: Slug of the delivery workflow.
        external_id: The destination's id of the record.
        actor: Who did it there; null: nobody, or it is not said.
        data: What it says besides.
        followed: What followed; null: nothing.
    """

    id: int
    client: str
    source: str
    key: str
    kind: str
    happened_at: datetime
    taken_at: datetime
    batch: str | None
    item_id: int | None
    delivery_id: int | None
    destination: str | None
    external_id: str | None
    actor: str | None
    data: Mapping[str, Any]
    followed: str | None

    @classmethod
    def of(cls, one: events.KeptEvent) -> DeliveryEvent:
        """From what the services return."""
        return cls(
            one.id,
            one.client,
            one.source,
            one.key,
            one.kind,
            one.happened_at,
            one.taken_at,
            one.batch_key,
            one.item_id,
            one.delivery_id,
            one.destination,
            one.external_id,
            one.actor,
            one.data,
            one.followed,
        )


@dataclass(frozen=True, slots=True)
class EventMessage(Shape):
    """A kept message.

    Attributes:
        id: Its number.
        status: `new`, `read` or `dead`.
        received_at: When it came.
        processed_at: When it was read.
        client: Whose it is.
        source: Name of the connection.
        kind: Who reads it.
        content_type: As its sender said.
        size: Bytes of its body.
        body_removed_at: When its body was taken out; null: it is there.
        events: Events that were read of it first.
        error: Why a dead one is dead.
    """

    id: int
    status: str
    received_at: datetime
    processed_at: datetime | None
    client: str
    source: str
    kind: str
    content_type: str | None
    size: int
    body_removed_at: datetime | None
    events: int
    error: str | None

    @classmethod
    def of(cls, one: inbox.MessageRow) -> EventMessage:
        """From what the services return."""
        return cls(
            one.id,
            str(one.status),
            one.received_at,
            one.processed_at,
            one.client,
            one.source,
            one.kind,
            one.content_type,
            one.size,
            one.body_removed_at,
            one.events,
            one.error,
        )


@dataclass(frozen=True, slots=True)
class EventMessageDetail(Shape):
    """A kept message whole: the keys of `EventMessage`, and these.

    Attributes:
        message: The keys of `EventMessage`.
        headers: Those that were kept.
        body_form: `text` or `hex`.
        body: The beginning of it, content encoding undone where that is possible.
    """

    message: EventMessage = field(metadata=FLAT)
    headers: Mapping[str, str]
    body_form: str
    body: str

    @classmethod
    def of(cls, one: MessageDetail, limit: int) -> EventMessageDetail:
        """From what the services return; `limit` bytes of the body."""
        form, body = one.rendered_body(limit)
        return cls(EventMessage.of(one.row), one.headers, form, body)


@dataclass(frozen=True, slots=True)
class EventReading(Shape):
    """What reading messages came to.

    Attributes:
        asked: Connections that were asked.
        read: Messages that were read.
        dead: Messages that could not be.
        new: Events that were not known.
        known: Events that had come before.
        suppressed: Suppressions that they made.
        stopped: Stops that they made.
        edited: Corrections that count.
        troubles: Connection -> why it could not be asked, or its messages wait.
    """

    asked: int
    read: int
    dead: int
    new: int
    known: int
    suppressed: int
    stopped: int
    edited: int
    troubles: Mapping[str, str]

    @classmethod
    def of(cls, one: Listened) -> EventReading:
        """From what the services return."""
        taken = one.taken
        return cls(
            one.asked,
            one.read,
            one.dead,
            taken.new,
            taken.known,
            taken.suppressed,
            taken.stopped,
            taken.edited,
            one.troubles,
        )


@dataclass(frozen=True, slots=True)
class EventReplay(Shape):
    """Messages that are read again.

    Attributes:
        ids: Their numbers.
    """

    ids: tuple[int, ...]
