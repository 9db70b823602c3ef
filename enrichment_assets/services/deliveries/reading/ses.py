"""Amazon SES: events through a topic of SNS, whose messages are signed; a subscription is confirmed when it comes.

The connection names its topic (`{"topic": "arn:aws:sns:eu-west-1:123456789012:mail"}`): SNS signs for every customer of
Amazon's, so that a signature alone says nothing of whose message it is. Certificate and confirmation are fetched from
addresses of SNS only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

from enrichment_assets.domain.delivery_events import DeliveryEvent
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.mail.event_signatures import is_certificate_of_sns, is_of_sns, is_signed_by_sns
from enrichment_assets.domain.mail.service_events import of_ses
from enrichment_assets.services.deliveries.json_messages import json_object
from enrichment_assets.services.deliveries.readers import Reader, Received, UnreadableError
from enrichment_assets.wire.small_files import fetch

_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}")
_MOST_BYTES = 64 * 1024


def check(settings: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` unless the settings name a topic, and nothing else."""
    if settings.keys() != {"topic"} or not _TOPIC.fullmatch(str(settings["topic"])):
        raise ConfigurationError(
            "a connection of SES names its topic, and nothing else: "
            '{"topic": "arn:aws:sns:eu-west-1:123456789012:mail"}',
            code="event_source.topic_missing",
        )


def is_signed(message: Received) -> bool:
    """Whether the message is one of the connection's topic, and SNS signed it by a certificate that is fetched once."""
    document = json_object(message)
    where = document.get("SigningCertURL")
    if document.get("TopicArn") != message.source.settings.get("topic") or not is_certificate_of_sns(where):
        return False
    return is_signed_by_sns(document, _certificate(str(where)))


@lru_cache(maxsize=8)
def _certificate(url: str) -> bytes:
    return fetch(url, _MOST_BYTES)


def read(message: Received) -> Iterator[DeliveryEvent]:
    """The events of a notification; a subscription is confirmed, and tells none."""
    document = json_object(message)
    kind = document.get("Type")
    if kind == "SubscriptionConfirmation":
        if not is_of_sns(document.get("SubscribeURL")):
            raise UnreadableError("the confirmation leads elsewhere than to SNS", code="event.confirmed_elsewhere")
        fetch(str(document["SubscribeURL"]), _MOST_BYTES)
        return iter(())
    if kind != "Notification" or not isinstance(document.get("MessageId"), str):
        raise UnreadableError("the message is no notification of SNS", code="event.not_of_sns")
    try:
        said = orjson.loads(document.get("Message", ""))
    except orjson.JSONDecodeError:
        return iter(())  # SES says in plain words that a topic was set up
    if not isinstance(said, dict):
        raise UnreadableError("the notification is none of SES", code="event.not_of_ses")
    return of_ses(said, document["MessageId"][:150], message.received_at)


READER = Reader(
    "mail by Amazon SES, through a topic of SNS: bounces, complaints, deliveries", read, is_signed, check=check
)
