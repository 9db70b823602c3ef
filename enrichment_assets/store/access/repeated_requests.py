"""The statements on `repeated_requests`: what was sent to the API with a key of its sender's, and answered."""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.store.database import Connection

KEPT = "24 hours"
"""How long a key is known."""


@dataclass(frozen=True, slots=True)
class Known:
    """A request whose key was sent before.

    Attributes:
        is_same: It asked for the same.
        answer: JSON; None: it is under way, or its process ended before it had one.
    """

    is_same: bool
    answer: bytes | None


# one row: by its key
def begin(connection: Connection, name: bytes, asked: bytes) -> Known | None:
    """Note that a request begins; what is known of its key, if it was sent before. Old keys are let go of."""
    connection.execute(
        f"""
        delete from repeated_requests where name in (
          select name from repeated_requests where begun_at < clock_timestamp() - interval '{KEPT}' limit 100
          for update skip locked
        )
        """
    )
    cursor = connection.execute(
        "insert into repeated_requests (name, asked) values (%s, %s) on conflict (name) do nothing", (name, asked)
    )
    if cursor.rowcount:
        return None
    row = connection.execute("select asked, answer from repeated_requests where name = %s", (name,)).fetchone()
    return Known(False, None) if row is None else Known(bytes(row["asked"]) == asked, row["answer"])


def finish(connection: Connection, name: bytes, answer: bytes) -> None:
    """Keep the answer."""
    connection.execute("update repeated_requests set answer = %s where name = %s", (answer, name))


def forget(connection: Connection, name: bytes) -> None:
    """Let the key be sent again: nothing was done."""
    connection.execute("delete from repeated_requests where name = %s", (name,))
