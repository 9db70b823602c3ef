"""Postmark: webhooks that nobody signs. The address of the connection is the secret."""

from __future__ import annotations

from collections.abc import Iterator

from enrichment_assets.domain.delivery_events import DeliveryEvent
from enrichment_assets.domain.mail.service_events import of_postmark
from enrichment_assets.services.deliveries.json_messages import json_object, no_settings
from enrichment_assets.services.deliveries.readers import Reader, Received, UnreadableError


def read(message: Received) -> Iterator[DeliveryEvent]:
    """The event of a message."""
    document = json_object(message)
    if not isinstance(document.get("RecordType"), str):
        raise UnreadableError("the message has no RecordType: it is none of Postmark's", code="event.not_postmarks")
    return of_postmark(document, message.received_at)


READER = Reader("mail by Postmark: bounces, spam complaints, unsubscribes", read, check=no_settings)
