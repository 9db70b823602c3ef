"""The statements on `api_keys`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from psycopg.rows import class_row

from enrichment_assets.store.database import Connection

USED_MINUTES = 5
"""How exactly it is known when a key was last used: a request within that time writes nothing."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is kept.

    Attributes:
        id: Its number.
        name: Its name; also that of its actor.
        prefix: By which it is found.
        secret_hash: SHA-256 of its secret.
        client: For which client; None: for all.
        scopes: What it may, as `batches:read`.
        created_by: The actor who made it.
        created_at: When.
        expires_at: Until when it counts; None: for good.
        revoked_at: Since when it counts no more.
        last_used_at: When it was last used, to five minutes; None: never.
        is_over: It was revoked, its time is over, or its client is archived.
        is_stale: `last_used_at` is to be written again.
    """

    id: int
    name: str
    prefix: str
    secret_hash: bytes = field(repr=False)
    client: str | None
    scopes: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    is_over: bool
    is_stale: bool


_KEYS = f"""
    select k.id, k.name, k.prefix, k.secret_hash, c.slug as client, k.scopes, k.created_by, k.created_at, k.expires_at,
        k.revoked_at, k.last_used_at,
        k.revoked_at is not null or coalesce(k.expires_at <= clock_timestamp(), false)
          or c.archived_at is not null as is_over,
        k.last_used_at is null or k.last_used_at < clock_timestamp() - interval '{USED_MINUTES} minutes' as is_stale
    from api_keys k left join clients c on c.id = k.client_id
"""


def add_key(
    connection: Connection,
    *,
    name: str,
    prefix: str,
    secret_hash: bytes,
    client_id: int | None,
    scopes: Sequence[str],
    created_by: str,
    days: int | None,
) -> bool:
    """Keep a new key; False: there is, or was, one of that name."""
    row = connection.execute(
        """
        insert into api_keys (name, prefix, secret_hash, client_id, scopes, created_by, expires_at)
        values (%s, %s, %s, %s, %s, %s, clock_timestamp() + %s * interval '1 day')
        on conflict (name) do nothing returning id
        """,
        (name, prefix, secret_hash, client_id, list(scopes), created_by, days),
    ).fetchone()
    return row is not None


def list_keys(connection: Connection) -> list[StoredKey]:
    """All of them, the latest first."""
    with connection.cursor(row_factory=class_row(StoredKey)) as cursor:
        return cursor.execute(f"{_KEYS} order by k.id desc").fetchall()


def key_by_prefix(connection: Connection, prefix: str) -> StoredKey | None:
    """The key of a prefix, whether it counts or not."""
    with connection.cursor(row_factory=class_row(StoredKey)) as cursor:
        return cursor.execute(f"{_KEYS} where k.prefix = %s", (prefix,)).fetchone()


def key_by_name(connection: Connection, name: str) -> StoredKey | None:
    """The key of a name, locked until the transaction ends."""
    with connection.cursor(row_factory=class_row(StoredKey)) as cursor:
        return cursor.execute(f"{_KEYS} where k.name = %s for update of k", (name,)).fetchone()


def note_use(connection: Connection, key_id: int) -> None:
    """Keep that a key is used now, unless another process just did."""
    connection.execute(
        f"update api_keys set last_used_at = clock_timestamp() where id = %s and (last_used_at is null "
        f"or last_used_at < clock_timestamp() - interval '{USED_MINUTES} minutes')",
        (key_id,),
    )


def revoke_key(connection: Connection, key_id: int) -> None:
    """Let a key count no more, from the commit on."""
    connection.execute("update api_keys set revoked_at = clock_timestamp() where id = %s", (key_id,))
