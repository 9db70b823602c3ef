"""Somebody who was written to says stop, by the link in a mail: kept before it is answered, however often it comes."""

from __future__ import annotations

from datetime import UTC, datetime

from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind, EventSource
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.mail.opt_out import OptOut, read_opt_out
from enrichment_assets.domain.suppression import Hasher, Identity, Kind, hasher_of, masked, read_identity
from enrichment_assets.services.deliveries.coming_back import take_in
from enrichment_assets.services.people.pepper import known_pepper, must_compare
from enrichment_assets.settings import Settings
from enrichment_assets.store.catalog.clients import client_exists
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.suppressions import suppressions as store

SOURCE = "unsubscribe-link"
"""What events of the links come from."""


def whom(settings: Settings, token: str) -> OptOut | None:
    """Whom a token of a link takes off, without a database; None: it is no token of this installation.

    Raises `ConfigurationError` where this process has no pepper, and so cannot tell.
    """
    hasher = hasher_of(known_pepper(settings))
    if hasher is None:
        raise ConfigurationError(
            "the receiver has no pepper, and can read no link to unsubscribe: give it ENRICH_SUPPRESSION_PEPPER",
            code="opt_out.without_pepper",
        )
    return read_opt_out(token, hasher)


def shown(opt_out: OptOut) -> str:
    """The address as the page shows it: `a***@acme.com`, for whoever was forwarded somebody else's mail."""
    return masked(Identity(Kind.EMAIL, opt_out.address))


def opt_out(hq: Hq, settings: Settings, said: OptOut) -> bool:
    """Suppress the address for its client, for good, as an event that is kept; committed on return.

    Somebody who was let in again since, and clicks the same link, is suppressed again: what is known is looked up,
    and not by the event's key.

    Returns:
        False: the address was suppressed already, or the client is gone.

    Raises:
        ConfigurationError: The pepper is another than that of the people who are suppressed.
        InfrastructureError: HQ cannot be reached.
    """
    identity = read_identity(said.address, Kind.EMAIL)
    pepper = known_pepper(settings)
    with hq.transaction() as connection:
        if not client_exists(connection, said.client_id) or _is_out(connection, hasher_of(pepper), identity, said):
            return False
        hasher = must_compare(connection, pepper)
        if _is_out(connection, hasher, identity, said):  # somebody clicked twice, and this waited for the first
            return False
        now = datetime.now(UTC)
        event = DeliveryEvent(
            EventKind.UNSUBSCRIBED,
            now,
            f"{hasher.hashed(identity).hex()[:32]} {now.isoformat()}",
            address=said.address,
            data={"mail": said.delivery},
        )
        take_in(connection, hasher, settings, EventSource(said.client_id, SOURCE, "mail"), [event])
    return True


def _is_out(connection: Connection, hasher: Hasher | None, identity: Identity, said: OptOut) -> bool:
    """Whether the address is suppressed for good: a read that waits for nobody, for links are clicked twice."""
    if hasher is None or store.state(connection).mark != hasher.mark:
        return False
    rows = store.naming(connection, [hasher.hashed(identity)], said.client_id)
    return any(row.expires_at is None for row in rows)
