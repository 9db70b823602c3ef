"""Mails of unknown fate are looked for in a mailbox that would have their copy; one that is there has left.

Done with each poll of a connection of kind `imap`, over the connection that is open. What is not there is left to a
person: a copy may be late, or refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from enrichment_assets.domain.actors import Actor, ActorKind, name_from
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.services.deliveries.resolving import Decision, resolve_delivery
from enrichment_assets.store.deliveries.sources import Connected
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.mail.answered import UnknownMail, of_unknown_fate

if TYPE_CHECKING:
    from enrichment_assets.wire.imap import Mailbox

LOOKED_FOR = ("sent", "all", "junk")
"""Uses of folders in which a copy may be, beside those that are read."""


def look_for_copies(hq: Hq, source: Connected, mailbox: Mailbox, folders: list[str]) -> int:
    """Look for mails of unknown fate of the connection's client; how many have left. Raises `ImapError`.

    Args:
        hq: The databases.
        source: The connection that reads the mailbox.
        mailbox: Open.
        folders: Those that are read.
    """
    with hq.transaction() as connection:
        wanted = of_unknown_fate(connection, source.client_id, str(source.settings.get("user", "")).lower())
    if not wanted:
        return 0
    actor, done = Actor(ActorKind.EVENT, name_from(source.name)), 0
    for folder in dict.fromkeys([*folders, *mailbox.folders(*LOOKED_FOR)]):
        mailbox.enter(folder)
        there = [one for one in wanted if mailbox.has(one.message_id)]
        done += sum(_has_left(hq, one, actor) for one in there)
        wanted = [one for one in wanted if one not in there]
    return done


def _has_left(hq: Hq, mail: UnknownMail, actor: Actor) -> bool:
    try:
        resolve_delivery(hq, mail.delivery_id, Decision.DELIVERED, actor=actor, external_id=mail.message_id)
    except ConfigurationError:
        return False  # somebody has said so meanwhile
    return True
