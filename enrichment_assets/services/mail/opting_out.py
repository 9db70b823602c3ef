"""Somebody who was written to says stop, by the link in a mail: kept before it is answered, however often it comes."""

from __future__ import annotations

from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.mail.opt_out import OptOut, read_opt_out
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.suppression import Identity, Kind, hasher_of, masked, read_identity
from enrichment_assets.services.people.pepper import known_pepper, must_compare
from enrichment_assets.services.people.suppressing import Terms, name_of, write
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.catalog.clients import client_exists
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.suppressions import suppressions as store

REASON = "unsubscribed by the link in a mail"
BY_LINK = Actor(ActorKind.RECIPIENT, "unsubscribe-link")


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
    """Suppress the address for its client, for good; committed on return. False: it was already, or the client is gone.

    Raises:
        ConfigurationError: The pepper is another than that of the people who are suppressed.
        InfrastructureError: HQ cannot be reached.
    """
    identity = read_identity(said.address, Kind.EMAIL)
    pepper = known_pepper(settings)
    with hq.transaction() as connection:
        if _is_known(connection, pepper, identity, said.client_id) or not client_exists(connection, said.client_id):
            return False
        hasher = must_compare(connection, pepper)
        if not write(connection, hasher, [identity], Terms(REASON), said.client_id, BY_LINK):
            return False
        note_action(
            connection,
            BY_LINK,
            Code.SUPPRESSION_ADD,
            name_of(hasher, identity),
            client_id=said.client_id,
            after={"kind": identity.kind.value, "reason": REASON, "delivery": said.delivery},
        )
    return True


def _is_known(connection: Connection, pepper: str | None, identity: Identity, client_id: int) -> bool:
    """Whether the address is suppressed for good already, by a read that waits for nobody: links are clicked twice."""
    hasher, found = hasher_of(pepper), store.state(connection)
    if hasher is None or found.mark != hasher.mark:
        return False
    rows = store.naming(connection, [hasher.hashed(identity)], client_id)
    return any(row.expires_at is None for row in rows)
