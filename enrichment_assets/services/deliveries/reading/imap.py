"""A mailbox that is read over IMAP: answers, bounces, complaints, out-of-office notes.

    {"host": "imap.acme.com", "user": "sales@acme.com", "folders": ["INBOX", "Spam"]}

Each message is kept once by folder, UIDVALIDITY and UID, and read from what was kept. Where a server numbers a folder
anew, its last days are kept again; their events have the same keys, so that nothing follows twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from enrichment_assets.domain.delivery_events import DeliveryEvent
from enrichment_assets.domain.mail.imap_settings import INBOX, ImapLogin, ImapSettings, imap_settings
from enrichment_assets.services.deliveries.readers import Page, Reader, Received
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries.sources import Connected
from enrichment_assets.store.hq import Hq

if TYPE_CHECKING:
    from enrichment_assets.wire.imap import ImapAccess, Mailbox

MARGIN = timedelta(days=1)
"""A server's dates are those of its own clock and zone."""


def check(settings: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for settings by which no mailbox is reached."""
    imap_settings(dict(settings))


def access_to(source: Connected, secret: str | None) -> ImapAccess:
    """How the mailbox of a connection is reached."""
    from enrichment_assets.wire.imap import ImapAccess

    said = imap_settings(source.settings)
    is_token = said.login is ImapLogin.XOAUTH2
    return ImapAccess(said.host, said.port_used, said.security, said.user, secret or "", is_token)


def folders_of(source: Connected, mailbox: Mailbox) -> list[str]:
    """Those that are read: what the connection says, or the inbox and those of spam."""
    return imap_settings(source.settings).folders or [INBOX, *mailbox.folders("junk")]


def poll(hq: Hq, settings: Settings, source: Connected, secret: str | None) -> Iterator[Page]:
    """What is new in the folders, oldest first, a message a page; then mails of unknown fate are looked for.

    Raises `ImapError`.
    """
    from enrichment_assets.services.mail.looking import look_for_copies
    from enrichment_assets.wire.imap import open_mailbox

    with open_mailbox(access_to(source, secret)) as mailbox:
        folders = folders_of(source, mailbox)
        yield from _new_in(mailbox, folders, source)
        look_for_copies(hq, source, mailbox, folders)


def _new_in(mailbox: Mailbox, folders: list[str], source: Connected) -> Iterator[Page]:
    said, cursor = imap_settings(source.settings), dict(source.cursor or {})
    for folder in folders:
        validity = mailbox.enter(folder)
        known, last = cursor.get(folder, (None, 0))
        same = known == validity
        for uid in mailbox.uids(after=last if same else 0, since=None if same else _since(said, source, known)):
            content = mailbox.fetch(uid)
            cursor[folder] = [validity, uid]
            if content is not None:
                asked = f"{folder};UIDVALIDITY={validity};UID={uid}"
                yield Page(asked, content, dict(cursor), "message/rfc822")


def _since(said: ImapSettings, source: Connected, known: int | None) -> date:
    """From which day on a folder is read whose numbers are not known: of one that was read, since it was read last."""
    if known is not None and source.asked_at is not None:
        return source.asked_at.date() - MARGIN
    return said.since or source.created_at.date() - MARGIN


def look_up(connection: Connection, received: Received) -> list[DeliveryEvent]:
    """What a message tells, of the client's mails."""
    from enrichment_assets.services.mail.incoming import events_of

    return events_of(connection, received.source.client_id, received.body, received.received_at)


READER = Reader(
    "a mailbox that is read over IMAP",
    look_up=look_up,
    needs_secret=True,
    is_posted=False,
    poll=poll,
    poll_seconds=120,
    check=check,
)
