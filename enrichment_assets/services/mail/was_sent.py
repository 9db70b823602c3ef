"""Whether a mail of unknown fate has left: asked of the mailbox of ours that gets a copy of each.

SMTP keeps nothing that could be asked: after a connection that broke behind the message, the server may have it or not.
A mailbox with `bcc` sends a copy in the same transaction; where a connection of kind `imap` reads that mailbox, it is
asked for the Message-ID. That it is there proves that the mail left. That it is not there yet proves nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.services.deliveries.listening import secret_of
from enrichment_assets.services.deliveries.reading.imap import access_to, folders_of
from enrichment_assets.store.deliveries import sources
from enrichment_assets.store.deliveries.sources import Connected
from enrichment_assets.store.hq import Hq


@dataclass(frozen=True, slots=True)
class Copy:
    """What a mailbox that gets copies says.

    Attributes:
        has_left: The copy is there; False: it is not (yet); None: nobody could be asked.
        said: Why nobody could be asked, or where it was looked.
    """

    has_left: bool | None
    said: str


def was_sent(hq: Hq, client_id: int, message_id: str, bcc: str) -> Copy:
    """Look for a copy.

    Args:
        hq: The databases.
        client_id: Whose mail it is: only the client's own connections are asked.
        message_id: Of the mail, with brackets or without.
        bcc: The address that gets the copies.
    """
    with hq.transaction() as connection:
        source = _reading(sources.listed(connection, client_id, "imap"), bcc)
    if source is None:
        return Copy(None, f"no connection of kind imap reads {bcc}")
    try:
        return _look(source, secret_of(source, os.environ), message_id)
    except EnrichError as trouble:
        return Copy(None, str(trouble))


def _reading(connected: list[Connected], address: str) -> Connected | None:
    return next((one for one in connected if str(one.settings.get("user", "")).lower() == address.lower()), None)


def _look(source: Connected, secret: str | None, message_id: str) -> Copy:
    from enrichment_assets.wire.imap import open_mailbox

    looked = []
    with open_mailbox(access_to(source, secret)) as mailbox:
        for folder in folders_of(source, mailbox):
            mailbox.enter(folder)
            looked.append(folder)
            if mailbox.has(message_id):
                return Copy(True, f"there is a copy in {folder} of {source.name}")
    return Copy(False, f"there is no copy in {', '.join(looked)} of {source.name}")
