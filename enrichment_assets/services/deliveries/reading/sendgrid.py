"""SendGrid: the event webhook, signed by ECDSA; the secret is the public key that its page shows."""

from __future__ import annotations

from collections.abc import Iterator

from enrichment_assets.domain.delivery_events import DeliveryEvent
from enrichment_assets.domain.mail.event_signatures import is_sendgrids
from enrichment_assets.domain.mail.service_events import of_sendgrid
from enrichment_assets.services.deliveries.json_messages import json_objects, no_settings
from enrichment_assets.services.deliveries.readers import Reader, Received


def is_signed(message: Received) -> bool:
    """Whether the bytes, as they came, were signed."""
    return message.secret is not None and is_sendgrids(message.secret, message.headers, message.raw)


def read(message: Received) -> Iterator[DeliveryEvent]:
    """The events of a message, which has many."""
    return of_sendgrid(json_objects(message), message.received_at)


READER = Reader(
    "mail by SendGrid: bounces, drops, spam reports, unsubscribes",
    read,
    is_signed,
    needs_secret=True,
    check=no_settings,
)
