"""Clients' servers that are told, and the messages to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.outgoing.sending import Delivery
    from enrichment_assets.store.outgoing import messages, webhooks


@dataclass(frozen=True, slots=True)
class Webhook(Shape):
    """A client's server that is told.

    Attributes:
        name: By which it is known.
        client: Whose it is.
        url: Where messages go.
        events: Of which it is told.
        secret: NAME of the variable with the secret that signs.
        previous_secret: NAME of the variable with the secret before, while that signs as well; else null.
        leads_per_message: How many leads may stand in one message.
        created_at: Since when it is told.
        disabled_at: Since when nothing is sent; null: it is sent.
        disabled_reason: Why.
        failing_since: Of the first failure after the last message that arrived; null: the last one arrived.
        rests_until: Until when it has asked to be left alone; null: it has not.
        arrived_at: When the last message arrived; null: none has.
        last_error: Why the last one did not; null: it did.
        waiting: Messages that are to be sent.
        given_up: Messages that never arrived.
    """

    name: str
    client: str
    url: str
    events: tuple[str, ...]
    secret: str
    previous_secret: str | None
    leads_per_message: int
    created_at: datetime
    disabled_at: datetime | None
    disabled_reason: str | None
    failing_since: datetime | None
    rests_until: datetime | None
    arrived_at: datetime | None
    last_error: str | None
    waiting: int
    given_up: int

    @classmethod
    def of(cls, one: webhooks.Webhook) -> Webhook:
        """From what the services return."""
        return cls(
            one.name,
            one.client,
            one.url,
            tuple(one.events),
            one.secret_variable,
            one.previous_variable,
            one.leads_per_message,
            one.created_at,
            one.disabled_at,
            one.disabled_reason,
            one.failing_since,
            one.rests_until,
            one.arrived_at,
            one.last_error,
            one.waiting,
            one.given_up,
        )


@dataclass(frozen=True, slots=True)
class WebhookTest(Shape):
    """What came of a message that was sent to see whether a server answers.

    Attributes:
        webhook: Which.
        arrived: Whether the server took it.
        status: HTTP status of its answer; null: there was none.
        error: Why it did not arrive; null: it did.
    """

    webhook: str
    arrived: bool
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class WebhookMessage(Shape):
    """One message to a client's server.

    Attributes:
        id: The receiver's key against doubles: `webhook-id` is `msg_` and this one, without hyphens.
        type: As `lead.ready`.
        events: How many events it tells of.
        state: `waiting`, `arrived`, `given_up` or `withheld`.
        attempts: How often it was sent.
        created_at: When it was made.
        due_at: When it is sent next; null: it is not sent again.
        ended_at: When it arrived or was given up; null: it waits.
        status: HTTP status of the last answer; null: there was none.
        error: Why the last attempt did not arrive; null: it did, or there was none.
    """

    id: str
    type: str
    events: int
    state: str
    attempts: int
    created_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    status: int | None
    error: str | None

    @classmethod
    def of(cls, one: messages.MessageRow) -> WebhookMessage:
        """From what the services return."""
        return cls(
            str(one.id),
            one.type,
            one.events,
            one.state,
            one.attempts,
            one.created_at,
            one.due_at,
            one.ended_at,
            one.status,
            one.error,
        )


@dataclass(frozen=True, slots=True)
class WebhookDelivery(Shape):
    """What a time of sending came to.

    Attributes:
        events: Events that messages were made of.
        arrived: Messages that arrived.
        failed: Attempts that did not.
        disabled: Webhooks that were disabled.
        troubles: Webhook to why nothing can be sent to it for a reason of ours.
    """

    events: int
    arrived: int
    failed: int
    disabled: tuple[str, ...]
    troubles: Mapping[str, str]

    @classmethod
    def of(cls, done: Delivery) -> WebhookDelivery:
        """From what the services return."""
        return cls(done.events, done.arrived, done.failed, tuple(done.disabled), done.troubles)


@dataclass(frozen=True, slots=True)
class WebhookRecovery(Shape):
    """What is sent again.

    Attributes:
        webhook: To which.
        since: Since when.
        given_up: Messages that had been given up.
        missing: Messages of events that had none, as those while it was disabled.
    """

    webhook: str
    since: datetime
    given_up: int
    missing: int
