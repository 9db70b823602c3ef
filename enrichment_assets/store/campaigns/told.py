"""What an outreach service has told before, and which suppressions it has not been told of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import class_row

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Sealed:
    """A suppression whose value can be read by the pepper's holder."""

    id: int
    sealed: bytes


def told(connection: Connection, client_id: int, hashes: Sequence[bytes]) -> set[tuple[bytes, str]]:
    """(hash of an address, kind) of the events about these addresses that a client has."""
    rows = connection.execute(
        "select distinct hash, kind from delivery_events where client_id = %s and hash = any(%s::bytea[])",
        (client_id, list(hashes)),
    ).fetchall()
    return {(bytes(row["hash"]), str(row["kind"])) for row in rows}


def suppressed_after(connection: Connection, client_id: int, after: int, at_most: int) -> list[Sealed]:
    """Addresses and domains in force that count for a client, by number, from the one after `after` on.

    Those who were erased are not among them: nobody can say any more who they are.
    """
    query = """
        select id, sealed from suppressions
        where id > %s and (client_id = %s or client_id is null) and kind in ('email', 'domain') and sealed is not null
          and (expires_at is null or expires_at > clock_timestamp())
        order by id limit %s
    """
    with connection.cursor(row_factory=class_row(Sealed)) as cursor:
        return cursor.execute(query, (after, client_id, at_most)).fetchall()


def suppressed(connection: Connection, client_id: int, hashes: Sequence[bytes]) -> set[bytes]:
    """Of these hashes those that are suppressed for a client."""
    rows = connection.execute(
        """
        select distinct hash from suppressions
        where hash = any(%s::bytea[]) and (client_id = %s or client_id is null)
          and (expires_at is null or expires_at > clock_timestamp())
        """,
        (list(hashes), client_id),
    ).fetchall()
    return {bytes(row["hash"]) for row in rows}


def token_of(connection: Connection, source_id: int) -> bytes | None:
    """The SHA-256 of a connection's token; None: nothing is posted to it."""
    row = connection.execute("select token_sha256 from event_sources where id = %s", (source_id,)).fetchone()
    return None if row is None or row["token_sha256"] is None else bytes(row["token_sha256"])


def is_unread(connection: Connection, source_id: int) -> bool:
    """Whether messages of a connection are kept and not read yet."""
    row = connection.execute(
        "select exists (select 1 from event_inbox where source_id = %s and status = 'new') as unread", (source_id,)
    ).fetchone()
    return bool(row and row["unread"])
