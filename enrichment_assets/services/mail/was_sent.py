"""Whether a mail of unknown fate has left: asked of a mailbox of ours that has a copy of each.

SMTP keeps nothing that could be asked: after a connection that broke behind the message, the server may have it or not.
Two mailboxes can know: that of `bcc`, which gets a copy in the same transaction, and the sender's own, whose server
keeps what it sends (Gmail and Microsoft do). Where a connection of kind `imap` reads one of them, it is asked for the
Message-ID. That it is there proves that the mail left. That it is not there yet proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def was_sent(hq: Hq, client_id: int, message_id: str, addresses: Sequence[str]) -> Copy:
    """Look for a copy.

    Args:
        hq: The databases.
        client_id: Whose mail it is: only the client's own connections are asked.
        message_id: Of the mail, with brackets or without.
        addresses: Mailboxes that can have one: of `bcc`, and the sender's own.
    """
    wanted = {address.lower() for address in addresses}
    with hq.transaction() as connection:
        found = sources.listed(connection, client_id, "imap")
    reading = [source for source in found if str(source.settings.get("user", "")).lower() in wanted]
    if not reading:
        return Copy(None, f"no connection of kind imap reads {' or '.join(sorted(wanted))}")
    said = [_look(source, message_id) for source in reading]
    return next((one for one in said if one.has_left), min(said, key=lambda one: one.has_left is None))


def _look(source: Connected, message_id: str) -> Copy:
    from enrichment_assets.wire.imap import open_mailbox

    looked: dict[str, None] = {}
    try:
        with open_mailbox(access_to(source, secret_of(source))) as mailbox:
            for folder in [*folders_of(source, mailbox), *mailbox.folders("sent", "all", "junk")]:
                if folder in looked:
                    continue
                looked[folder] = None
                mailbox.enter(folder)
                if mailbox.has(message_id):
                    return Copy(True, f"there is a copy in {folder} of {source.name}")
    except EnrichError as trouble:
        return Copy(None, str(trouble))
    return Copy(False, f"there is no copy in {', '.join(looked)} of {source.name}")
