"""The statements on `asked_changes`, the workspace's queue of what its users ask for by SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from enrichment_assets.store.database import Connection
from enrichment_assets.store.tenancy.policies import protect, rows_of_slug

TABLE = "asked_changes"
AT_ONCE = 200
"""Requests that are looked at by one tick."""

_LOCK = 7_210_106
"""Held by who makes the queue."""


@dataclass(frozen=True, slots=True)
class AskedChange:
    """What somebody asks for.

    Attributes:
        client: Slug of the client whose lead it is.
        batch: The batch's key.
        item_id: The lead's item.
        field: `status` or `approved_for_send`.
        value: What it is to be, as text.
        seen: The drafts that whoever asks had before them.
        asked_by: Their role.
        asked_at: When.
        is_overtaken: A later request for the other value was carried out before: its transaction was the first to end.
    """

    id: int
    client: str
    batch: str
    item_id: int
    field: str
    value: str
    seen: dict[str, Any]
    asked_by: str
    asked_at: datetime
    is_overtaken: bool


# opens files of ours: the queue's
@cache
def _definition() -> bytes:
    return (Path(__file__).parent / "asked_changes.sql").read_bytes()


def ensure(connection: Connection) -> None:
    """Make the queue and the function behind the views, where a table of prospects is there; protected."""
    found = connection.execute(
        "select to_regclass('fs_prospect_records') is not null as wanted, to_regprocedure('ask_for_change()') as made"
    ).fetchone()
    if found is None or not found["wanted"]:
        return
    connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
    connection.execute(_definition())
    protect(connection, {TABLE: rows_of_slug()}, only_ours=True)


def anything_waits(connection: Connection) -> bool:
    """Whether somebody asks for something: one question, or two where the queue is there."""
    there = connection.execute("select to_regclass(%s) is not null as there", [TABLE]).fetchone()
    if there is None or not there["there"]:
        return False
    row = connection.execute("select exists (select from asked_changes where state = 'waiting') as waits").fetchone()
    return bool(row and row["waits"])


def take(connection: Connection) -> list[AskedChange]:
    """Requests that wait, the oldest first, held until the transaction ends: no other look takes them."""
    rows = connection.execute(
        """
        select q.id, q.client_slug as client, q.batch_key as batch, q.item_id, q.field, q.new_value as value, q.seen,
               q.asked_by, q.asked_at,
               exists (select from asked_changes o where o.batch_key = q.batch_key and o.item_id = q.item_id
                       and o.field = q.field and o.id > q.id and o.state = 'done' and o.new_value <> q.new_value)
                 as is_overtaken
        from asked_changes q where q.state = 'waiting' order by q.id limit %s for update of q skip locked
        """,
        [AT_ONCE],
    ).fetchall()
    return [AskedChange(**row) for row in rows]


def decide(connection: Connection, change_id: int, refusal: str | None) -> None:
    """Say what became of a request: done, or refused for this reason."""
    connection.execute(
        "update asked_changes set state = %s, reason = %s, decided_at = clock_timestamp() where id = %s",
        ["done" if refusal is None else "refused", refusal, change_id],
    )
