"""Instantly: webhooks as they come, and its list of webhook events, inbox and leads as they are fetched.

Nobody signs. A connection with a secret expects it in the header `x-enrich-secret`, which the webhook is made with
(`services.campaigns.listening`); without one the address alone is the secret. It is asked with the key with which the
client is connected to Instantly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from enrichment_assets.domain.delivery_events import DeliveryEvent
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.outreach.instantly_events import read_lead, read_mail, read_try, read_webhook
from enrichment_assets.domain.signatures import says_secret
from enrichment_assets.services.campaigns.recovering import EVENTS, LEADS, MAILS, Whose, look
from enrichment_assets.services.deliveries.readers import Page, Reader, Received, UnreadableError
from enrichment_assets.settings import Settings
from enrichment_assets.store.deliveries.sources import Connected
from enrichment_assets.store.hq import Hq


def check(settings: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for a setting: there are none."""
    if settings:
        raise ConfigurationError(
            f"a connection of Instantly has no setting {next(iter(settings))!r}", code="event_source.setting_none"
        )


def is_authentic(message: Received) -> bool:
    """Whether a posted message has the connection's secret in its header, where the connection names one."""
    return message.secret is None or says_secret(message.secret, message.headers)


def read(message: Received) -> Iterator[DeliveryEvent]:
    """The events of a webhook's body, or of a page that was fetched."""
    try:
        document = orjson.loads(message.body)
    except orjson.JSONDecodeError as error:
        raise UnreadableError(f"the message is no JSON: {error}") from None
    try:
        if message.polled is None:
            yield from read_webhook(document)
            return
        for item in document["items"]:
            yield from _of_page(message.polled, item)
    except (ContractError, KeyError, TypeError) as error:
        raise UnreadableError(f"it is no message of Instantly's: {error}") from None


def _of_page(asked: str, item: Mapping[str, Any]) -> Iterator[DeliveryEvent]:
    """What an item of a fetched list says."""
    if asked == EVENTS:
        yield from read_try(item)
    elif asked == MAILS:
        if (event := read_mail(item)) is not None:
            yield event
    elif asked == LEADS:
        yield from read_lead(item)


def poll(hq: Hq, settings: Settings, source: Connected, secret: str | None) -> Iterator[Page]:
    """Look through the client's workspace; its block list and our suppressions are brought together."""
    whose = Whose(source.id, source.name, source.client_id, source.client)
    for page in look(hq, settings, whose, source.cursor):
        yield Page(page.asked, page.body, page.cursor)


READER = Reader(
    says="outreach by Instantly: replies, bounces, unsubscribes, interest; asked for what its webhook has not told",
    read=read,
    is_authentic=is_authentic,
    poll=poll,
    poll_seconds=300,
    check=check,
)
