"""Whether mail may leave in a domain's name: its check has passed, or somebody accepted what is wrong with it.

Who sends asks `refusal` before the first mail of a mailbox. A later check that finds more than was accepted stops it
again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.mail.dns_names import Names
from enrichment_assets.domain.mail.domain_check import DomainCheck, check_domain
from enrichment_assets.domain.operator_actions import LONGEST_TEXT, Code
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.mail.domain_questions import Said, about_domain, about_mailbox, way_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.mail import domain_checks as store
from enrichment_assets.store.mail import mailboxes
from enrichment_assets.store.mail.domain_checks import StoredCheck
from enrichment_assets.store.mail.mailboxes import Mailbox


@dataclass(frozen=True, slots=True)
class Checked:
    """A check, and what stands of it.

    Attributes:
        check: What was found now.
        accepted: Whether somebody accepted all that stands against it.
        kept: Whether it was kept, for a client.
        checked_at: When.
    """

    check: DomainCheck
    accepted: bool
    kept: bool
    checked_at: datetime | None


def check(
    hq: Hq, settings: Settings, what: str, said: Said, names: Names, *, client: str | None = None, actor: Actor
) -> Checked:
    """Check a domain, or the domain of a mailbox; kept for the mailbox's client, or the client that is named.

    Raises:
        ConfigurationError: It is no domain, or names a service that is not known.
        NotFoundError: There is no such mailbox or client.
    """
    client_id: int | None = None
    if "@" in what:
        mailbox = _mailbox(hq, what)
        client_id, question = mailbox.client_id, about_mailbox(mailbox, said, settings.receiver_url)
    else:
        question = about_domain(what, said, settings.receiver_url)
        if client is not None:
            with hq.transaction() as connection:
                client_id = client_row(connection, client)["id"]
    found = check_domain(question, names)
    if client_id is None:
        return Checked(found, accepted=False, kept=False, checked_at=None)
    with hq.transaction() as connection:
        store.note(connection, client_id, found.domain, found.way, found.stops, [asdict(one) for one in found.findings])
        after = {"way": found.way, "passed": not found.stops, "stops": list(found.stops)}
        note_action(connection, actor, Code.MAIL_CHECK, found.domain, client_id=client_id, after=after)
        stored = store.find(connection, client_id, found.domain, found.way)
    accepted = stored is not None and _is_accepted(stored)
    return Checked(found, accepted=accepted, kept=True, checked_at=stored.checked_at if stored else None)


def accept(hq: Hq, address: str, reason: str, *, actor: Actor) -> StoredCheck:
    """Let mail leave from a mailbox although its domain's check has not passed: for what stands against it now.

    Raises:
        ConfigurationError: No reason is given, or it is too long.
        NotFoundError: There is no such mailbox, or its domain was never checked.
    """
    if not 0 < len(reason.strip()) <= LONGEST_TEXT:
        raise ConfigurationError(f"say why, in at most {LONGEST_TEXT} characters", code="mail.accept_reason")
    mailbox = _mailbox(hq, address)
    domain, way = mailbox.address.rpartition("@")[2], way_of(mailbox)
    with hq.transaction() as connection:
        stored = store.find(connection, mailbox.client_id, domain, way)
        if stored is None:
            raise NotFoundError(f"{domain} was not checked for {mailbox.address} yet", code="mail.not_checked")
        store.accept(connection, mailbox.client_id, domain, way, str(actor), reason.strip())
        after = {"way": way, "stops": stored.stops, "reason": reason.strip()}
        note_action(connection, actor, Code.MAIL_ACCEPT, domain, client_id=mailbox.client_id, after=after)
        found = store.find(connection, mailbox.client_id, domain, way)
    assert found is not None  # noqa: S101 - the row was there, in this transaction
    return found


def refusal(connection: Connection, mailbox: Mailbox) -> str | None:
    """Why no mail leaves from a mailbox yet; None: it may. One statement; asked once for each mailbox and run."""
    domain = mailbox.address.rpartition("@")[2]
    stored = store.find(connection, mailbox.client_id, domain, way_of(mailbox))
    if stored is None:
        return f"{domain} was not checked"
    if stored.passed or _is_accepted(stored):
        return None
    return f"the check of {domain} has not passed: {', '.join(stored.stops)}"


def _is_accepted(stored: StoredCheck) -> bool:
    return stored.accepted_stops is not None and set(stored.stops) <= set(stored.accepted_stops)


def _mailbox(hq: Hq, address: str) -> Mailbox:
    with hq.transaction() as connection:
        found = mailboxes.find(connection, address.strip().lower())
    if found is None:
        raise NotFoundError(f"there is no mailbox {address!r}", code="mail.no_mailbox")
    return found
