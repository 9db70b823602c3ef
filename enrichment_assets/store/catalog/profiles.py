"""Queries on `client_profiles`: each change is a version, and a version stays as it was set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.client_profiles import ClientProfile, ProfileVersion
from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """One version of a client's profile: who set it (`cli:ada`), when, and the SHA-256 (hex) of what it says."""

    version: int
    profile: ClientProfile
    content_hash: str
    set_by: str
    set_at: datetime


def lock_client(connection: Connection, client_id: int) -> None:
    """Hold others off who set this client's profile, until the transaction ends: versions have no gaps and no twins."""
    connection.execute("select 1 from clients where id = %s for no key update", (client_id,))


def latest(connection: Connection, client_id: int) -> StoredProfile | None:
    """The version in force; None: no profile was ever set."""
    row = connection.execute(
        "select * from client_profiles where client_id = %s order by version desc limit 1", (client_id,)
    ).fetchone()
    return None if row is None else _stored(row)


def told(connection: Connection, client_id: int) -> ProfileVersion | None:
    """The version in force as a blueprint keeps it; None: no profile was ever set."""
    found = latest(connection, client_id)
    if found is None:
        return None
    return ProfileVersion(version=found.version, content_hash=found.content_hash, profile=found.profile)


def versions(connection: Connection, client_id: int) -> list[StoredProfile]:
    """All versions, the latest first."""
    rows = connection.execute(
        "select * from client_profiles where client_id = %s order by version desc", (client_id,)
    ).fetchall()
    return [_stored(row) for row in rows]


def insert(connection: Connection, client_id: int, version: int, profile: ClientProfile, actor: Actor) -> StoredProfile:
    """Add a version; the client is locked (`lock_client`)."""
    row = connection.execute(
        """
        insert into client_profiles (client_id, version, profile, content_hash, set_by)
        values (%s, %s, %s, %s, %s) returning *
        """,
        (client_id, version, Jsonb(profile.values()), profile.content_hash, str(actor)),
    ).fetchone()
    assert row is not None  # noqa: S101
    return _stored(row)


def _stored(row: dict[str, Any]) -> StoredProfile:
    profile = ClientProfile.model_validate(row["profile"])
    return StoredProfile(row["version"], profile, row["content_hash"], row["set_by"], row["set_at"])
