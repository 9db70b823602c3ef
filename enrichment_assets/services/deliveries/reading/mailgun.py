"""Mailgun: webhooks with an HMAC of timestamp and token in the body; the secret is the HTTP webhook signing key.

The signature is not of the event: who has seen one could put another event beside it. A token is the event's key, so
that it counts once, for whatever came with it first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from enrichment_assets.domain.delivery_events import DeliveryEvent
from enrichment_assets.domain.mail.event_signatures import is_mailguns
from enrichment_assets.domain.mail.service_events import of_mailgun
from enrichment_assets.services.deliveries.json_messages import json_object, no_settings
from enrichment_assets.services.deliveries.readers import Reader, Received, UnreadableError


def is_signed(message: Received) -> bool:
    """Whether the message's signature is Mailgun's."""
    return message.secret is not None and is_mailguns(message.secret, json_object(message).get("signature"))


def read(message: Received) -> Iterator[DeliveryEvent]:
    """The event of a message."""
    document = json_object(message)
    signature = document.get("signature")
    token = signature.get("token") if isinstance(signature, dict) else None
    if not isinstance(token, str) or not token:
        raise UnreadableError(
            "the message has no signature with a token: it is none of Mailgun's", code="event.not_mailguns"
        )
    plain = token.isprintable() and len(token) <= 200
    return of_mailgun(document, token if plain else hashlib.sha256(token.encode()).hexdigest(), message.received_at)


READER = Reader(
    "mail by Mailgun: failures, complaints, unsubscribes", read, is_signed, needs_secret=True, check=no_settings
)
