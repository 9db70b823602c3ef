"""A mailbox that is read by Gmail's API: answers, bounces, out-of-office notes, and mails of ours that have left.

What is new since the last look is asked by its history. An id of history lives a week, at times hours; once it is gone,
the mails since the last look are kept again, whose events have the same keys, so that nothing follows twice. The secret
is what Google gives out for a user's grant (docs/mail-services.md#gmail).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from enrichment_assets.domain.delivery_events import DeliveryEvent
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.services.deliveries.json_messages import no_settings
from enrichment_assets.services.deliveries.readers import Page, Reader, Received
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries.sources import Connected
from enrichment_assets.store.hq import Hq

if TYPE_CHECKING:
    from enrichment_assets.wire.gmail import GmailMailbox

MARK = "history"
"""A page that holds no mail, only how far was looked."""

MARGIN = timedelta(days=1)
LONGEST = timedelta(days=7)
"""How far back a mailbox is read whose history is gone."""


def poll(hq: Hq, settings: Settings, source: Connected, secret: str | None) -> Iterator[Page]:
    """What is new, oldest first, a message a page. Raises `GmailError`."""
    from enrichment_assets.wire.gmail import HistoryExpiredError, open_gmail

    known = str((source.cursor or {}).get("history") or "")
    with open_gmail(secret or "", settings.sandbox_url) as mailbox:
        newest = mailbox.newest()  # before anything is read: what comes meanwhile is new the next time
        if known == newest:
            return
        if known:
            try:
                done, at = known, known
                for added in mailbox.added_since(known):
                    if added.history != at:  # the messages of the record before have all been kept
                        done, at = at, added.history
                    yield from _page(mailbox, added.message_id, done)
            except HistoryExpiredError:
                yield from _again(mailbox, source)
    yield Page(MARK, json_bytes({"history": newest}), {"history": newest})


def _again(mailbox: GmailMailbox, source: Connected) -> Iterator[Page]:
    """The mails since the last look, whatever of them is known already."""
    last = source.asked_at or source.created_at
    since = max(last - MARGIN, last - LONGEST)
    for name in reversed(list(mailbox.since(since))):
        yield from _page(mailbox, name, None)


def _page(mailbox: GmailMailbox, name: str, history: str | None) -> Iterator[Page]:
    content = mailbox.bytes_of(name)
    if content is not None:
        cursor = None if history is None else {"history": history}
        yield Page(f"message;{name}", content, cursor, "message/rfc822")


def look_up(connection: Connection, received: Received) -> list[DeliveryEvent]:
    """What a message tells, of the client's mails."""
    from enrichment_assets.services.mail.incoming import events_of

    if received.polled == MARK:
        return []
    return events_of(connection, received.source.client_id, received.body, received.received_at)


READER = Reader(
    "a mailbox that is read by Gmail's API",
    look_up=look_up,
    needs_secret=True,
    is_posted=False,
    poll=poll,
    poll_seconds=120,
    check=no_settings,
)
