"""The pepper of an installation: the key by which suppressed people are hashed.

It is `ENRICH_SUPPRESSION_PEPPER`, else the file `suppression-pepper` of the home, which a home makes for itself as long
as nobody is suppressed. Where hashes exist and their pepper is missing or another, nobody could be recognised: nothing
is bought then (`engine.run.suppressing`), and whoever changes suppressions is told.
"""

from __future__ import annotations

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.sealing import sealed
from enrichment_assets.domain.suppression import Hasher, Identity, Kind, hasher_of, read_identity
from enrichment_assets.home import kept_secret
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.suppressions import suppressions as store

_AT_ONCE = 2_000


def pepper_of(hq: Hq, settings: Settings) -> str | None:
    """The pepper of this process; made where the home has none and nobody is suppressed. None: it is missing.

    What an earlier version kept in plain text is hashed with it, once.
    """
    pepper = known_pepper(settings)
    with hq.transaction() as connection:
        found = store.state(connection)
        if pepper is None and found.mark is None:
            pepper = kept_secret(settings.home, settings.suppression_pepper_file.name)
        if found.plain and (hasher := hasher_of(pepper)) is not None:
            _hash_plain(connection, hasher)
    return pepper


# opens files of ours: the pepper, for this account only
def known_pepper(settings: Settings) -> str | None:
    """The pepper that this process was given or its home has; None: neither. Makes none, and needs no database."""
    if settings.suppression_pepper is not None:
        return settings.suppression_pepper
    try:
        return settings.suppression_pepper_file.read_text().strip() or None
    except FileNotFoundError:
        return None


def must_compare(connection: Connection, pepper: str | None) -> Hasher:
    """The hasher with which suppressions are changed, the state locked.

    Raises:
        ConfigurationError: The pepper is missing, or is not that of the hashes.
    """
    found = store.lock_state(connection)
    hasher = hasher_of(pepper)
    if hasher is None or (found.mark is not None and found.mark != hasher.mark):
        what = "is not set" if hasher is None else "is another than that of the people who are suppressed"
        raise ConfigurationError(
            f"the pepper {what}: set ENRICH_SUPPRESSION_PEPPER as it was, or restore the home's suppression-pepper",
            code="suppression.pepper_missing",
        )
    return hasher


def _hash_plain(connection: Connection, hasher: Hasher) -> None:
    """Hash what an earlier version kept as text; what is no identity is compared as it stands."""
    found = store.lock_state(connection)
    if found.mark is not None and found.mark != hasher.mark:
        return
    while rows := store.plain(connection, _AT_ONCE):
        hashed = []
        for row in rows:
            identity = _identity(row)
            entry = store.NewSuppression(identity.kind.value, hasher.hashed(identity), sealed(identity, hasher))
            hashed.append((row.id, entry))
        store.hash_plain(connection, hashed, hasher.mark)


def _identity(row: store.Plain) -> Identity:
    kind = Kind(row.kind) if row.kind in set(Kind) else Kind.EMAIL
    try:
        return read_identity(row.value, kind)
    except ConfigurationError:
        return Identity(kind, row.value)
