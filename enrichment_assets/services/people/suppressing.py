"""Suppressing people and companies: the services behind `enrich suppress`.

From the commit on nobody asks about them, in no batch and by no retry; what was found of them before stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import LONGEST_TEXT, Code
from enrichment_assets.domain.sealing import opened, sealed
from enrichment_assets.domain.suppression import Hasher, Identity, masked
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.people.pepper import must_compare, pepper_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.suppressions import suppressions as store

AT_ONCE = 2_000
"""Suppressions that are written by one statement."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """One suppression as it is shown.

    Attributes:
        id: Its number.
        client: For whom; None: for every client.
        kind: What it names.
        value: Whom: masked, or plain where that was asked for; None: kept by hash alone, or sealed with another
            pepper.
        reason: Why.
        actor: Who said so.
        created_at: When.
        expires_at: Until when; None: for good.
        by_hash: Nobody can say whom: they were erased.
    """

    id: int
    client: str | None
    kind: str
    value: str | None
    reason: str
    actor: str
    created_at: datetime
    expires_at: datetime | None
    by_hash: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """For whom, why and how long somebody is suppressed. `days`: None is for good.

    Raises:
        ConfigurationError: The reason is empty or too long.
    """

    reason: str
    client: str | None = None
    days: int | None = None

    def __post_init__(self) -> None:
        """A suppression without a reason cannot be explained later."""
        if not self.reason.strip():
            raise ConfigurationError("say why: a suppression has a reason", code="suppression.no_reason")
        if len(self.reason) > LONGEST_TEXT:
            raise ConfigurationError(
                f"the reason has {len(self.reason)} characters: at most {LONGEST_TEXT} are kept",
                code="suppression.reason_too_long",
            )

    @property
    def expires_at(self) -> datetime | None:
        """When it ends."""
        return None if self.days is None else datetime.now(UTC) + timedelta(days=self.days)


# crash point: person-is-suppressed
def suppress(hq: Hq, settings: Settings, identity: Identity, terms: Terms, *, actor: Actor) -> bool:
    """Suppress one identity; False: it was already, and is prolonged where `terms` says so.

    Raises:
        NotFoundError: There is no such client.
        ConfigurationError: The pepper is missing or another.
    """
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        client_id = None if terms.client is None else client_row(connection, terms.client)["id"]
        hasher = must_compare(connection, pepper)
        new = write(connection, hasher, [identity], terms, client_id, actor) == 1
        said = {"kind": identity.kind.value, "reason": terms.reason, "days": terms.days, "new": new}
        note_action(connection, actor, Code.SUPPRESSION_ADD, name_of(hasher, identity), client_id=client_id, after=said)
    return new


def write(
    connection: Connection,
    hasher: Hasher,
    identities: Iterable[Identity],
    terms: Terms,
    client_id: int | None,
    actor: Actor,
) -> int:
    """Write suppressions under a lock that is held; how many are new."""
    rows = [
        store.NewSuppression(one.kind.value, hasher.hashed(one), sealed(one, hasher)) for one in sorted(set(identities))
    ]
    new = 0
    for start in range(0, len(rows), AT_ONCE):
        new += store.add(
            connection,
            rows[start : start + AT_ONCE],
            client_id=client_id,
            reason=terms.reason,
            actor=str(actor),
            expires_at=terms.expires_at,
            mark=hasher.mark,
        )
    return new


def lift(hq: Hq, settings: Settings, identity: Identity, *, client: str | None, everywhere: bool, actor: Actor) -> int:
    """Let an identity be asked about again: for a client, for all alike (None), or `everywhere`. How many there were.

    Raises:
        NotFoundError: Nobody is suppressed so, or there is no such client.
        ConfigurationError: The pepper is missing or another.
    """
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        client_id = None if client is None else client_row(connection, client)["id"]
        hasher = must_compare(connection, pepper)
        gone = store.remove(connection, [hasher.hashed(identity)], client_id, everywhere=everywhere)
        if not gone:
            whom = "anywhere" if everywhere else "for every client" if client is None else f"for client {client}"
            raise NotFoundError(f"that {identity.kind.value} is not suppressed {whom}", code="suppression.not_found")
        note_action(
            connection,
            actor,
            Code.SUPPRESSION_REMOVE,
            name_of(hasher, identity),
            client_id=client_id,
            before={"kind": identity.kind.value, "suppressions": gone},
        )
    return gone


def list_suppressed(
    hq: Hq, settings: Settings, *, client: str | None, limit: int, plain: bool = False
) -> list[Suppressed]:
    """The newest suppressions: those that count for a client, or all. `plain`: whom they name, unmasked.

    Raises `NotFoundError` for a client that does not exist.
    """
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        client_id = None if client is None else client_row(connection, client)["id"]
        rows = store.listed(connection, client_id, limit)
    hasher = None if pepper is None else Hasher(pepper)
    return [_shown(row, hasher, plain=plain) for row in rows]


def is_suppressed(hq: Hq, settings: Settings, identity: Identity, *, client: str | None) -> list[Suppressed]:
    """The suppressions in force that name an identity and count for a client (None: for any)."""
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        client_id = None if client is None else client_row(connection, client)["id"]
        hasher = must_compare(connection, pepper)
        rows = store.naming(connection, [hasher.hashed(identity)], client_id)
    return [_shown(row, hasher, plain=True) for row in rows]


def name_of(hasher: Hasher, identity: Identity) -> str:
    """What the log of changes calls an identity: the beginning of its hash."""
    return hasher.hashed(identity).hex()[:16]


def _shown(row: store.Suppression, hasher: Hasher | None, *, plain: bool) -> Suppressed:
    identity = None if row.sealed is None or hasher is None else opened(bytes(row.sealed), hasher)
    value = None if identity is None else identity.value if plain else masked(identity)
    by_hash = row.sealed is None
    return Suppressed(
        row.id, row.client, row.kind, value, row.reason, row.actor, row.created_at, row.expires_at, by_hash
    )
