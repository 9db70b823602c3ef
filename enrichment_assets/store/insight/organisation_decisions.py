"""The statements on `organisation_decisions`: what people said about the names of a client's organisations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Decision:
    """One of them. `other_key` None: the alias stands alone."""

    id: int
    client: str
    kind: str
    alias_key: str
    other_key: str | None
    reason: str
    actor: str
    created_at: datetime


_SHOWN = """
    select d.id, c.slug as client, d.kind, d.alias_key, d.other_key, d.reason, d.actor, d.created_at
    from d join clients c on c.id = d.client_id
"""


def add(
    connection: Connection, client_id: int, kind: str, alias_key: str, other_key: str | None, reason: str, actor: str
) -> Decision:
    """Write one down."""
    row = connection.execute(
        f"""
        with d as (
          insert into organisation_decisions (client_id, kind, alias_key, other_key, reason, actor)
          values (%s, %s, %s, %s, %s, %s) returning *
        ) {_SHOWN}
        """,
        (client_id, kind, alias_key, other_key, reason, actor),
    ).fetchone()
    assert row is not None  # noqa: S101
    return Decision(**row)


def undo(connection: Connection, client_id: int, decision_id: int) -> Decision | None:
    """Let one of a client's count no more; None: there is none that counts."""
    row = connection.execute(
        f"""
        with d as (
          update organisation_decisions set undone_at = now()
          where id = %s and client_id = %s and undone_at is null returning *
        ) {_SHOWN}
        """,
        (decision_id, client_id),
    ).fetchone()
    return None if row is None else Decision(**row)


def in_force(connection: Connection, client_id: int | None) -> list[Decision]:
    """Those that count, of a client or of all, the latest first."""
    rows = connection.execute(
        f"""
        with d as (
          select * from organisation_decisions
          where undone_at is null and (%(client)s::bigint is null or client_id = %(client)s)
        ) {_SHOWN} order by d.id desc
        """,
        {"client": client_id},
    ).fetchall()
    return [Decision(**row) for row in rows]
