"""Resend: webhooks signed by Standard Webhooks under Svix's older header names; the secret begins with `whsec_`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from enrichment_assets.domain.delivery_events import DeliveryEvent
from enrichment_assets.domain.mail.service_events import of_resend
from enrichment_assets.domain.signatures import SignatureScheme, is_authentic
from enrichment_assets.services.deliveries.json_messages import json_object, no_settings
from enrichment_assets.services.deliveries.readers import Reader, Received, UnreadableError


def is_resends(message: Received) -> bool:
    """Whether the message was signed; its time may be five minutes away from when it came."""
    headers = _renamed(message.headers)
    scheme = SignatureScheme.STANDARD_WEBHOOKS
    return message.secret is not None and is_authentic(
        scheme, message.secret, headers, message.raw, message.received_at
    )


def read(message: Received) -> Iterator[DeliveryEvent]:
    """The events of a message; one that is tried again has the same `svix-id`."""
    key = _renamed(message.headers).get("webhook-id", "")
    if not key.isprintable() or not 0 < len(key) <= 150:
        raise UnreadableError("the message has no svix-id: it is none of Resend's", code="event.not_resends")
    return of_resend(json_object(message), key, message.received_at)


def _renamed(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        f"webhook-{name.removeprefix('svix-')}" if name.startswith("svix-") else name: headers[name] for name in headers
    }


READER = Reader(
    "mail by Resend: bounces, complaints, deliveries", read, is_resends, needs_secret=True, check=no_settings
)
